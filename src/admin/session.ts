// Signing in to the console, and out.
import { type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { ForbiddenError, GatewayError, NotFoundError, UnauthenticatedError } from '#core/errors.ts';
import { TRY_COST } from '#http/attempts.ts';
import { principalOf, refuseScoped } from '#http/auth.ts';
import { jsonBody, refuseOtherBody } from '#http/json-body.ts';
import {
  clearSessionCookie,
  keepSignIn,
  keptSignIn,
  lookUpSession,
  refuseForeign,
  sessionOf,
  setSessionCookie,
} from '#http/session.ts';
import { parse } from '#http/validate.ts';
import { hashToken, makeToken } from '#platform/token.ts';
import { namePerson } from '#store/access/actors.ts';
import { writeAudit } from '#store/access/audit.ts';
import {
  endSession,
  endSessionSoon,
  endSessionsOf,
  insertSession,
  type NewSession,
  type Role,
  type SessionRow,
} from '#store/access/sessions.ts';
import { findToken } from '#store/access/tokens.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const SignIn = z.strictObject({ token: z.string().trim().min(1).max(500) });
const OidcQuery = z.object({ return: z.string().max(2_000).default('/'), fresh: z.stringbool().default(false) });
const SignOut = z.object({ everywhere: z.stringbool().default(false) });
/** From the strongest on. */
const ROLES: readonly Role[] = ['admin', 'operator', 'viewer'];
/** Ten tries in a minute: a person at a form, not a program with a list. */
const FORM_TRY_COST = 2 * TRY_COST;
const SIGN_IN_MAX = '4kb';

/** What works without being signed in: how one may sign in, and signing in. */
export function signInRoutes(parts: AdminParts): Router {
  return Router()
    .get('/sign-in', (_request, response) => {
      response.json({ token: true, oidc: parts.oidc === undefined ? null : { title: parts.oidc.title } });
    })
    .get('/sign-in/oidc', async (request, response) => {
      const { return: returnTo, fresh } = parse(OidcQuery, request.query);
      const { url, kept } = await needOidc(parts).start(returnTo, fresh);
      keepSignIn(response, kept, parts.sessions.isSecure());
      response.redirect(302, url);
    })
    .get('/sign-in/oidc/callback', async (request, response) => {
      const query = request.originalUrl.slice(request.originalUrl.indexOf('?'));
      const kept = keptSignIn(request, parts.sessions.isSecure()) ?? '';
      response.redirect(302, await finishOidc(parts, query, kept, { request, response }));
    })
    .post('/session', refuseOtherBody, jsonBody(SIGN_IN_MAX), async (request, response) => {
      refuseForeign(request);
      const { token } = parse(SignIn, request.body);
      const hash = hashToken(token);
      const row = await findToken(parts.database.knex, hash);
      if (row === undefined) {
        parts.authenticator.attempts.note(request, hash, FORM_TRY_COST);
        throw new UnauthenticatedError('This token is not known, was revoked, or has expired.', {
          reason: 'token-wrong',
          remedy: 'Copy it once more. The first start of the gateway prints the admin token to its log.',
        });
      }
      refuseScoped(row.scope);
      const role = ROLES.find((candidate) => row.scopes.includes(candidate));
      if (role === undefined)
        throw new ForbiddenError('This token is for an app, not for people.', {
          reason: 'token-without-role',
          remedy: 'Use a token with the scope "admin", "operator" or "viewer".',
        });
      const name = row.app_id === null && row.name === 'bootstrap' ? 'Administrator' : row.name || 'Administrator';
      const session = await openSession(
        parts,
        { request, response },
        {
          tokenId: row.id,
          subject: null,
          name,
          role,
          method: 'token',
        },
      );
      response.status(201).json(viewSession(session));
    });
}

function needOidc({ oidc }: AdminParts): NonNullable<AdminParts['oidc']> {
  if (oidc !== undefined) return oidc;
  throw new NotFoundError('No identity provider is configured.', {
    reason: 'no-issuer',
    remedy: 'Set CONSOLE_OIDC_ISSUER and CONSOLE_OIDC_CLIENT_ID, or sign in with a token.',
  });
}

/** Where the browser goes on: to the page it came from, or back to the sign-in with the reason. */
async function finishOidc(parts: AdminParts, query: string, kept: string, browser: Browser): Promise<string> {
  keepSignIn(browser.response, undefined, parts.sessions.isSecure());
  try {
    const { subject, name, role, returnTo, provenAt } = await needOidc(parts).finish(query, kept);
    if (role === undefined) return '/?refused=no-role';
    // A provider that does not say when it asked may have asked long ago.
    const signedInAt = provenAt ?? new Date(0);
    await openSession(parts, browser, { tokenId: null, subject, name, role, method: 'oidc', signedInAt });
    return returnTo;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `/?refused=${error.reason}`;
  }
}

interface Browser {
  readonly request: Request;
  readonly response: Response;
}

/**
 * Opens a session under a new id, and hands the browser its cookie. The session that it had before ends within seconds:
 * nobody is left with the cookie of it but whoever took it.
 */
async function openSession(
  { database, sessions }: Pick<AdminParts, 'database' | 'sessions'>,
  { request, response }: Browser,
  session: Omit<NewSession, 'hash'>,
): Promise<SessionRow> {
  const value = makeToken();
  const before = await lookUpSession(request, sessions);
  const opened = await database.knex.transaction(async (tx) => {
    if (before !== undefined) await endSessionSoon(tx, before.id);
    const { role, method, subject } = session;
    const name = subject === null ? session.name : await namePerson(tx, session.name, subject);
    const row = await insertSession(tx, { ...session, name, hash: hashToken(value) });
    const actor = session.method === 'oidc' ? `user:${name}` : `token:${session.tokenId}`;
    const detail = { role, method, ...(subject === null ? {} : { subject }) };
    await writeAudit(tx, { actor, action: 'session.open', detail });
    return row;
  });
  setSessionCookie(response, value, sessions.isSecure());
  return opened;
}

/** One's own session: who one is here, and signing out. */
export function sessionRoutes(parts: AdminParts): Router {
  return Router()
    .get('/session', (request, response) => {
      response.json(viewSession(needSession(request)));
    })
    .delete('/session', async (request, response) => {
      const session = needSession(request) as SessionRow;
      const { everywhere } = parse(SignOut, request.query);
      await parts.database.knex.transaction(async (tx) => {
        if (everywhere) await endSessionsOf(tx, session);
        else await endSession(tx, session.id);
        await writeAudit(tx, { actor: actorOf(request), action: 'session.end', detail: { everywhere } });
      });
      clearSessionCookie(response, parts.sessions.isSecure());
      response.status(204).end();
    });
}

function needSession(request: Request) {
  const session = sessionOf(request);
  if (session === undefined)
    throw new NotFoundError(`"${principalOf(request).name}" came with a token, not with a session.`, {
      reason: 'no-session',
      remedy: 'POST the token to /api/v1/session to open one.',
    });
  return session;
}

function viewSession(session: Pick<SessionRow, 'name' | 'method' | 'signed_in_at' | 'expires_at'> & { role: string }) {
  const { name, role, method, signed_in_at, expires_at } = session;
  return { name, role, method, signedInAt: signed_in_at, expiresAt: expires_at };
}
