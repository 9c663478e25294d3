// The console's sign-in on a request: a cookie that only the browser holds, and proof that the console itself asks.
import type { IncomingMessage } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import { ForbiddenError, UnauthenticatedError } from '#core/errors.ts';
import { hashToken } from '#platform/token.ts';
import { type Authenticator, givePrincipal } from './auth.ts';

/** What a cookie stands for. */
export interface Session {
  readonly id: string;
  readonly token_id: string | null;
  readonly subject: string | null;
  readonly name: string;
  readonly role: string;
  readonly method: 'token' | 'oidc';
  readonly signed_in_at: Date;
  readonly expires_at: Date;
}

export interface SessionLookup {
  /** A session that is not over. */
  find(hash: Buffer): Promise<Session | undefined>;
  /** Notes that a person did something. Never waited for. */
  touch(id: string): Promise<void>;
  now(): number;
  /** Whether we are reached by https: a cookie that any host of the domain may set is none of ours then. */
  isSecure(): boolean;
}

const COOKIE = 'sluice';
/** The prefix binds the cookie to this host and to TLS (RFC 6265bis §4.1.3.2). */
const SECURE_COOKIE = '__Host-sluice';
/** Changes of administrators need a sign-in not older than this. */
const RECENT_MS = 15 * 60_000;

const sessions = new WeakMap<IncomingMessage, Session>();

/** The session of a request that came with a cookie. */
export function sessionOf(request: IncomingMessage): Session | undefined {
  return sessions.get(request);
}

/** The session of a browser that comes by a link, where nobody has to be signed in. */
export async function lookUpSession(request: IncomingMessage, lookup: SessionLookup): Promise<Session | undefined> {
  const cookie = cookieOf(request, lookup.isSecure());
  return cookie === undefined ? undefined : lookup.find(hashToken(cookie));
}

/** Lets known tokens pass, and sessions of the console; keeps who it is for `principalOf`. A token goes first. */
export function requireIdentity(authenticator: Authenticator, lookup: SessionLookup): RequestHandler {
  return (request, _response, next) => {
    const cookie = cookieOf(request, lookup.isSecure());
    if (request.headers.authorization !== undefined || cookie === undefined) {
      authenticator.authenticate(request).then((principal) => {
        givePrincipal(request, principal);
        next();
      }, next);
      return;
    }
    enter(request, cookie, lookup).then(() => next(), next);
  };
}

/** How soon an answer that goes on and on ends when whoever reads it is signed out, or the token revoked. */
const STAY_MS = 2_000;

/**
 * For an answer that goes on for long: whether it is still for somebody who is known. Asks again every two seconds at most.
 * @param elapsed milliseconds that never go back
 */
export function staysKnown(
  request: IncomingMessage,
  { authenticator, sessions, elapsed }: { authenticator: Authenticator; sessions: SessionLookup; elapsed(): number },
): () => Promise<boolean> {
  let askedAt = elapsed();
  const isKnown = async (): Promise<boolean> => {
    const cookie = cookieOf(request, sessions.isSecure());
    if (request.headers.authorization !== undefined || cookie === undefined) return authenticator.isStillGood(request);
    return (await sessions.find(hashToken(cookie))) !== undefined;
  };
  return async () => {
    if (elapsed() - askedAt < STAY_MS) return true;
    askedAt = elapsed();
    // A database that is away for a moment signs nobody out.
    return isKnown().catch(() => true);
  };
}

async function enter(request: Request, cookie: string, { find, touch, now }: SessionLookup): Promise<void> {
  const session = await find(hashToken(cookie));
  if (session === undefined)
    throw new UnauthenticatedError('The session is over.', { reason: 'session-over', remedy: 'Sign in again.' });
  refuseForeign(request);
  sessions.set(request, session);
  givePrincipal(request, {
    tokenId: session.token_id ?? session.id,
    appId: null,
    name: session.name,
    scopes: [session.role],
    scope: null,
    subject: null,
    actor: session.method === 'oidc' ? `user:${session.name}` : `token:${session.token_id}`,
    isStale: now() - session.signed_in_at.getTime() > RECENT_MS,
  });
  // An open stream is no sign of a person.
  if (request.path !== '/events') touch(session.id).catch(() => undefined);
}

/**
 * A cookie comes with requests of every page in the browser; what changes something must come from ours. Browsers say so
 * in Sec-Fetch-Site, older ones in Origin; a form can send neither our header nor JSON. Source: OWASP cheat sheet on
 * cross-site request forgery, checked 2026-11.
 * @throws {ForbiddenError}
 */
export function refuseForeign(request: Request): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  const site = request.get('sec-fetch-site');
  const origin = request.get('origin');
  const ours =
    site === undefined
      ? origin !== undefined && URL.parse(origin)?.host === request.get('host')
      : site === 'same-origin';
  if (ours && request.get('x-requested-with') === 'console') return;
  throw new ForbiddenError('The request does not come from the console.', {
    reason: 'cross-site',
    remedy: 'Use the console itself, or send a bearer token.',
  });
}

const SIGN_IN_COOKIE = 'sluice-sign-in';
/** As the session's: another host of the domain could begin a sign-in of its own here otherwise. */
const SECURE_SIGN_IN_COOKIE = '__Host-sluice-sign-in';
const SIGN_IN_PATH = '/api/v1/sign-in';
const SIGN_IN_MS = 10 * 60_000;

/** What a sign-in under way keeps in the browser, sealed; undefined takes it away. */
export function keepSignIn(response: Response, kept: string | undefined, secure: boolean): void {
  const name = secure ? SECURE_SIGN_IN_COOKIE : SIGN_IN_COOKIE;
  const options = { httpOnly: true, sameSite: 'lax', path: secure ? '/' : SIGN_IN_PATH, secure } as const;
  if (kept === undefined) response.clearCookie(name, options);
  else response.cookie(name, kept, { ...options, maxAge: SIGN_IN_MS });
}

export function keptSignIn(request: IncomingMessage, secure: boolean): string | undefined {
  return cookieNamed(request, secure ? SECURE_SIGN_IN_COOKIE : SIGN_IN_COOKIE);
}

function cookieNamed(request: IncomingMessage, wanted: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === wanted)?.[1];
}

function cookieOf(request: IncomingMessage, isSecure: boolean): string | undefined {
  return cookieNamed(request, isSecure ? SECURE_COOKIE : COOKIE);
}

/** Sets the cookie of a session; Lax, because sign-in at an identity provider returns by a link. */
export function setSessionCookie(response: Response, value: string, secure: boolean): void {
  response.cookie(secure ? SECURE_COOKIE : COOKIE, value, { httpOnly: true, sameSite: 'lax', path: '/', secure });
}

export function clearSessionCookie(response: Response, secure: boolean): void {
  response.clearCookie(secure ? SECURE_COOKIE : COOKIE, { httpOnly: true, sameSite: 'lax', path: '/', secure });
}
