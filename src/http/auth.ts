import type { Request, RequestHandler } from 'express';
import { ForbiddenError, UnauthenticatedError } from '#core/errors.ts';
import type { AppScope } from '#core/scope.ts';
import { hashToken } from '#platform/token.ts';

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
}

export interface Authenticator {
  /** @throws {UnauthenticatedError} no bearer token, or one that is wrong, revoked or expired */
  authenticate(request: Request): Promise<Principal>;
  /** Forgets a token at once; other replicas forget it within `CACHE_MS`. */
  forget(hash: Buffer): void;
  /** The same for every token, when an app goes with all of its own. */
  forgetAll(): void;
}

/** How long a token that was good is taken for good: bounds how long a revoked one still works on another replica. */
const CACHE_MS = 5_000;
const CACHE_MAX = 10_000;
const TOUCH_EVERY_MS = 60_000;

interface Cached {
  readonly principal: Principal;
  readonly until: number;
}

/** Bearer tokens (RFC 6750), looked up by their hash. Wrong tokens are never cached. */
export function makeAuthenticator({ find, touch, now }: AuthParts): Authenticator {
  const cache = new Map<string, Cached>();
  const touched = new Map<string, number>();

  async function lookUp(token: string): Promise<Principal> {
    const hash = hashToken(token);
    const key = hash.toString('base64');
    const cached = cache.get(key);
    if (cached !== undefined && cached.until > now()) return cached.principal;
    const row = await find(hash);
    if (row === undefined) throw refused();
    const { id, app_id, name, scopes, scope, user_id } = row;
    const principal: Principal = { tokenId: id, appId: app_id, name, scopes, scope, subject: user_id };
    if (cache.size >= CACHE_MAX) cache.clear();
    cache.set(key, {
      principal,
      until: Math.min(now() + CACHE_MS, row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY),
    });
    return principal;
  }

  function noteUse({ tokenId }: Principal): void {
    if ((touched.get(tokenId) ?? 0) + TOUCH_EVERY_MS > now()) return;
    if (touched.size >= CACHE_MAX) touched.clear();
    touched.set(tokenId, now());
    touch(tokenId).catch(() => undefined);
  }

  return {
    async authenticate(request) {
      const token = /^Bearer +([\w.~+/=-]+) *$/i.exec(request.get('authorization') ?? '')?.[1];
      if (token === undefined) throw refused('A bearer token is needed.');
      const principal = await lookUp(token);
      noteUse(principal);
      return principal;
    },
    forget: (hash) => void cache.delete(hash.toString('base64')),
    forgetAll: () => cache.clear(),
  };
}

function refused(message = 'The bearer token is not known, was revoked, or has expired.'): UnauthenticatedError {
  return new UnauthenticatedError(message, { remedy: 'Send "Authorization: Bearer" with a token that is valid here.' });
}

const principals = new WeakMap<Request, Principal>();

/** Lets only known tokens pass, and keeps who it is for `principalOf`. */
export function requireToken(authenticator: Authenticator): RequestHandler {
  return async (request, _response, next) => {
    principals.set(request, await authenticator.authenticate(request));
    next();
  };
}

/** @throws {UnauthenticatedError} when the request did not pass `requireToken` */
export function principalOf(request: Request): Principal {
  const principal = principals.get(request);
  if (principal === undefined) throw refused('A bearer token is needed.');
  return principal;
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
