import type { IncomingMessage } from 'node:http';
import type { RequestHandler } from 'express';
import { ForbiddenError, UnauthenticatedError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import { hashToken } from '#platform/token.ts';
import { type Attempts, makeAttempts } from './attempts.ts';

/** Who is asking. */
export interface Principal {
  readonly tokenId: string;
  /** The downstream app; null for an administrator. */
  readonly appId: string | null;
  readonly name: string;
  readonly scopes: readonly string[];
  /** What the app may see of the directory; null for all of it. */
  readonly scope: AppScope | null;
  /** The id of the user that the token stands for. */
  readonly subject: string | null;
  /** Who did it, for the audit log, when that is not the token. */
  readonly actor?: string;
  /** A browser whose sign-in is too long ago for what only administrators change. Never so with a bearer token. */
  readonly isStale?: boolean;
}

export interface FoundToken {
  readonly id: string;
  readonly app_id: string | null;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly expires_at: Date | null;
  readonly scope: AppScope | null;
  readonly user_id: string | null;
}

export interface AuthParts {
  /** A token that is neither revoked nor expired. */
  find(hash: Buffer): Promise<FoundToken | undefined>;
  /** Notes that a token was used. Never waited for. */
  touch(id: string): Promise<void>;
  now(): number;
  /** Milliseconds that never go back. */
  elapsed(): number;
}

export interface Authenticator {
  /** Whom the token of a request stands for, when it was looked up a moment ago. */
  recall(request: IncomingMessage): Principal | undefined;
  /**
   * @throws {UnauthenticatedError} no bearer token, or one that is wrong, revoked or expired
   * @throws {RateError} `too-many-tries`, in place of that, when too many wrong ones came from the same address
   */
  authenticate(request: IncomingMessage): Promise<Principal>;
  /** Whether the token of a request that was let in is still good; one that is not counts as no try. */
  isStillGood(request: IncomingMessage): Promise<boolean>;
  /** Forgets a token at once; other replicas forget it within `CACHE_MS`. */
  forget(hash: Buffer): void;
  /** The same for every token, when an app goes with all of its own. */
  forgetAll(): void;
  /** For whatever else stands in for a token: wrong ones are counted together. */
  readonly attempts: Attempts;
}

/**
 * How long a token that was good is taken for good: bounds how long a revoked one still works on another replica, also
 * when somebody sets the clock.
 */
const CACHE_MS = 5_000;
const CACHE_MAX = 10_000;
/** In characters; more than any of our tokens takes. A longer header, of spaces perhaps, is looked up each time. */
const CACHED_HEADER_MAX = 512;
const TOUCH_EVERY_MS = 60_000;

interface Cached {
  readonly principal: Principal;
  readonly hash: Buffer;
  /** Elapsed milliseconds. */
  readonly until: number;
  /** By the clock, in milliseconds. */
  readonly expiresAt: number;
}

/** Bearer tokens (RFC 6750), looked up by their hash. Wrong tokens are never cached. */
export function makeAuthenticator({ find, touch, now, elapsed }: AuthParts): Authenticator {
  /** By the header as it was sent. */
  const cache = new Map<string, Cached>();
  const touched = new Map<string, number>();
  const attempts = makeAttempts(elapsed);
  /** Goes up whenever something is forgotten: what was asked for before may be as it was before, and is not kept. */
  let forgotten = 0;

  function recall(request: IncomingMessage): Principal | undefined {
    const cached = cache.get(request.headers.authorization ?? '');
    if (cached === undefined || cached.until <= elapsed() || cached.expiresAt <= now()) return undefined;
    noteUse(cached.principal);
    return cached.principal;
  }

  async function lookUp(request: IncomingMessage): Promise<Principal> {
    const header = request.headers.authorization ?? '';
    const hash = hashIn(header);
    if (hash === undefined) throw refused('A bearer token is needed.');
    const principal = await ask(header, hash);
    if (principal !== undefined) return principal;
    attempts.note(request, hash);
    throw refused();
  }

  /** Whom a token stands for that is good; kept for a while. */
  async function ask(header: string, hash: Buffer): Promise<Principal | undefined> {
    const before = forgotten;
    const row = await find(hash);
    if (row === undefined) return undefined;
    const { id, app_id, name, scopes, scope, user_id } = row;
    const principal: Principal = { tokenId: id, appId: app_id, name, scopes, scope, subject: user_id };
    if (cache.size >= CACHE_MAX) cache.clear();
    const expiresAt = row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY;
    if (before === forgotten && header.length <= CACHED_HEADER_MAX)
      cache.set(header, { principal, hash, until: elapsed() + CACHE_MS, expiresAt });
    return principal;
  }

  function noteUse({ tokenId }: Principal): void {
    if ((touched.get(tokenId) ?? Number.NEGATIVE_INFINITY) + TOUCH_EVERY_MS > elapsed()) return;
    if (touched.size >= CACHE_MAX) touched.clear();
    touched.set(tokenId, elapsed());
    touch(tokenId).catch(() => undefined);
  }

  return {
    attempts,
    recall,
    async authenticate(request) {
      const principal = recall(request) ?? (await lookUp(request));
      noteUse(principal);
      return principal;
    },
    async isStillGood(request) {
      if (recall(request) !== undefined) return true;
      const header = request.headers.authorization ?? '';
      const hash = hashIn(header);
      return hash !== undefined && (await ask(header, hash)) !== undefined;
    },
    forget(gone) {
      forgotten += 1;
      for (const [header, { hash }] of cache) if (hash.equals(gone)) cache.delete(header);
    },
    forgetAll() {
      forgotten += 1;
      cache.clear();
    },
  };
}

function hashIn(header: string): Buffer | undefined {
  const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(header)?.[1];
  return token === undefined ? undefined : hashToken(token);
}

function refused(message = 'The bearer token is not known, was revoked, or has expired.'): UnauthenticatedError {
  return new UnauthenticatedError(message, { remedy: 'Send "Authorization: Bearer" with a token that is valid here.' });
}

/** Why somebody is refused whom another token would let in. */
const OF_TOKEN: ReadonlySet<string> = new Set(['scope-missing', 'read-only', 'scope-limited', 'token-of-scoped-app']);

/**
 * What an answer asks for: a token, or one that may more (RFC 6750 section 3). Whoever sent no token is not told of an
 * error; of any other refusal there is nothing to ask for.
 */
export function challengeTo(
  { headers: { authorization } }: IncomingMessage,
  status: number,
  error: unknown,
): string | undefined {
  const isBearer = authorization !== undefined && /^bearer /i.test(authorization);
  if (status === 401) return `Bearer realm="sluice"${isBearer ? ', error="invalid_token"' : ''}`;
  const fallsShort = isBearer && error instanceof ForbiddenError && OF_TOKEN.has(error.reason);
  return fallsShort ? 'Bearer realm="sluice", error="insufficient_scope"' : undefined;
}

const principals = new WeakMap<IncomingMessage, Principal>();

/** Keeps who a request is for, as `requireToken` does. */
export function givePrincipal(request: IncomingMessage, principal: Principal): void {
  principals.set(request, principal);
}

/** Lets only known tokens pass, and keeps who it is for `principalOf`. */
export function requireToken(authenticator: Authenticator): RequestHandler {
  return (request, _response, next) => {
    const known = authenticator.recall(request);
    if (known !== undefined) {
      principals.set(request, known);
      next();
      return;
    }
    authenticator.authenticate(request).then((principal) => {
      principals.set(request, principal);
      next();
    }, next);
  };
}

/** @throws {UnauthenticatedError} when the request did not pass `requireToken` */
export function principalOf(request: IncomingMessage): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw refused('A bearer token is needed.');
  return principal;
}

/** What is out of an app's scope does not exist for its tokens: where all is seen, they see nothing. @throws {ForbiddenError} */
export function refuseScoped(scope: AppScope | null): void {
  if (scope === null) return;
  throw new ForbiddenError('The app of this token sees a part of the directory, and here one sees all of it.', {
    reason: 'token-of-scoped-app',
    remedy: 'Use a token that belongs to no app, or one of an app without a scope.',
  });
}

/** Lets only tokens with one of these scopes pass. @throws {ForbiddenError} */
export function requireScope(...scopes: readonly string[]): RequestHandler {
  return (request, _response, next) => {
    if (!principalOf(request).scopes.some((scope) => scopes.includes(scope)))
      throw new ForbiddenError(
        `This needs a token with the scope ${scopes.map((scope) => `"${scope}"`).join(' or ')}.`,
        {
          reason: 'scope-missing',
          remedy: 'Use a token that was made with this scope.',
        },
      );
    next();
  };
}

/**
 * Lets only administrators pass. What changes something needs, from a browser, a sign-in not older than 15 minutes, so
 * that nobody does it at a desk that was left.
 * @param options `changes` is false where a request that is no GET only looks
 * @throws {ForbiddenError} `scope-missing`, `step-up-required`
 */
export function requireAdmin({ changes = true }: { readonly changes?: boolean } = {}): RequestHandler {
  const admin = requireScope('admin');
  return (request, response, next) => {
    admin(request, response, () => {
      const reads = !changes || request.method === 'GET' || request.method === 'HEAD';
      if (!reads && principalOf(request).isStale === true)
        throw new ForbiddenError('This change needs a sign-in not older than 15 minutes.', {
          reason: 'step-up-required',
          remedy: 'Sign in again; nothing you typed is lost.',
        });
      next();
    });
  };
}
