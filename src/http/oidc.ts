// Sign-in of people at an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0 §3.1, RFC 7636).
import * as openid from 'openid-client';
import { CredentialsError, InputError, UpstreamError } from '#core/errors.ts';
import type { Config } from '#platform/config.ts';
import type { Seal } from '#platform/seal.ts';

/** Who signed in, and which role the provider gave them here. */
export interface SignedIn {
  /** Issuer and subject: what stays the same when a name changes. */
  readonly subject: string;
  readonly name: string;
  /** Undefined: the provider knows the person, and nobody gave them a role here. */
  readonly role: 'admin' | 'operator' | 'viewer' | undefined;
  readonly returnTo: string;
  /** When the provider last asked who it is; undefined where it does not say. */
  readonly provenAt: Date | undefined;
}

export interface OidcSignIn {
  /** What the button says. */
  readonly title: string;
  /** Where the browser goes, and what it keeps meanwhile, sealed. `fresh` asks for the password again. */
  start(returnTo: string, fresh: boolean): Promise<{ readonly url: string; readonly kept: string }>;
  /** @throws {GatewayError} the provider refused, or the answer does not belong to what was kept */
  finish(query: string, kept: string): Promise<SignedIn>;
}

/** A sign-in under way; opened again at the callback. */
interface Kept {
  /** Everything that is sealed has one key: what was sealed for something else is no sign-in. */
  readonly purpose: typeof PURPOSE;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  readonly fresh: boolean;
  readonly until: number;
}

const PURPOSE = 'sign-in';
const KEPT_MS = 10 * 60_000;
/** As long as a session lasts at most. A provider that is told one says when it asked (OpenID Connect Core 1.0 §3.1.2.1). */
const PROVEN_SECONDS = 8 * 3_600;
/** What "sign in again" accepts as again. */
const FRESH_SECONDS = 60;
const SCOPES = 'openid profile email';
const CALLBACK = '/api/v1/sign-in/oidc/callback';

type OidcConfig = Pick<
  Config,
  | 'CONSOLE_OIDC_ISSUER'
  | 'CONSOLE_OIDC_CLIENT_ID'
  | 'CONSOLE_OIDC_CLIENT_SECRET'
  | 'CONSOLE_OIDC_TITLE'
  | 'CONSOLE_OIDC_ROLES_CLAIM'
  | 'CONSOLE_OIDC_ADMIN'
  | 'CONSOLE_OIDC_OPERATOR'
  | 'CONSOLE_OIDC_VIEWER'
>;

interface OidcParts {
  readonly seal: Seal;
  publicUrl(): string;
  now(): number;
}

/** Undefined when no issuer is configured. The issuer is asked for its addresses at the first sign-in. */
export function makeOidc(config: OidcConfig, { seal, publicUrl, now }: OidcParts): OidcSignIn | undefined {
  const { CONSOLE_OIDC_ISSUER: issuer, CONSOLE_OIDC_CLIENT_ID: clientId } = config;
  if (issuer === undefined || clientId === undefined) return undefined;
  let found: Promise<openid.Configuration> | undefined;

  function discover(): Promise<openid.Configuration> {
    found ??= openid
      .discovery(new URL(issuer ?? ''), clientId ?? '', config.CONSOLE_OIDC_CLIENT_SECRET, undefined, {
        execute: isLoopback(issuer ?? '') ? [openid.allowInsecureRequests] : [],
      })
      .catch((cause: unknown) => {
        found = undefined;
        throw new UpstreamError('The identity provider does not answer.', {
          failure: 'network',
          reason: 'issuer-unreachable',
          cause,
        });
      });
    return found;
  }

  return {
    title: config.CONSOLE_OIDC_TITLE,
    async start(returnTo, fresh) {
      const server = await discover();
      const verifier = openid.randomPKCECodeVerifier();
      const kept: Kept = {
        purpose: PURPOSE,
        state: openid.randomState(),
        nonce: openid.randomNonce(),
        verifier,
        returnTo: ownPath(returnTo),
        fresh,
        until: now() + KEPT_MS,
      };
      const url = openid.buildAuthorizationUrl(server, {
        redirect_uri: `${publicUrl()}${CALLBACK}`,
        scope: SCOPES,
        code_challenge: await openid.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        state: kept.state,
        nonce: kept.nonce,
        ...(fresh ? { prompt: 'login', max_age: '0' } : { max_age: String(PROVEN_SECONDS) }),
      });
      return { url: url.href, kept: seal.seal(JSON.stringify(kept)) };
    },
    async finish(query, sealed) {
      const kept: Kept = opened(seal, sealed);
      if (kept.until < now()) throw stale();
      const server = await discover();
      const tokens = await openid
        .authorizationCodeGrant(server, new URL(`${publicUrl()}${CALLBACK}${query}`), {
          pkceCodeVerifier: kept.verifier,
          expectedState: kept.state,
          expectedNonce: kept.nonce,
          idTokenExpected: true,
        })
        .catch((cause: unknown) => {
          throw new CredentialsError(`The identity provider refused: ${whyOf(cause)}.`, {
            failure: 'auth',
            reason: 'sign-in-refused',
            cause,
          });
        });
      const claims = tokens.claims();
      if (claims === undefined) throw stale();
      const provenAt = claims.auth_time === undefined ? undefined : new Date(claims.auth_time * 1_000);
      if (kept.fresh && provenAt !== undefined && now() - provenAt.getTime() > FRESH_SECONDS * 1_000)
        throw new CredentialsError('The identity provider refused: it did not ask again who you are.', {
          failure: 'auth',
          reason: 'sign-in-refused',
        });
      return {
        subject: `${claims.iss}#${claims.sub}`,
        name: nameOf(claims),
        role: roleOf(claims[config.CONSOLE_OIDC_ROLES_CLAIM], config),
        returnTo: kept.returnTo,
        // Whoever was to be asked again was, where the provider does not say when: what was kept is good once.
        provenAt: provenAt ?? (kept.fresh ? new Date(now()) : undefined),
      };
    },
  };
}

function nameOf(claims: openid.IDToken): string {
  const named = [claims['preferred_username'], claims['email'], claims['name']].find(
    (value) => typeof value === 'string',
  );
  return String(named ?? claims.sub).slice(0, 200);
}

/** The strongest of the roles that the claim names. */
function roleOf(
  claim: unknown,
  { CONSOLE_OIDC_ADMIN, CONSOLE_OIDC_OPERATOR, CONSOLE_OIDC_VIEWER }: OidcConfig,
): SignedIn['role'] {
  const given = new Set([claim].flat().map(String));
  if (given.has(CONSOLE_OIDC_ADMIN)) return 'admin';
  if (given.has(CONSOLE_OIDC_OPERATOR)) return 'operator';
  return given.has(CONSOLE_OIDC_VIEWER) ? 'viewer' : undefined;
}

/** Only a path of ours, never another site. */
function ownPath(path: string): string {
  return /^\/(?![/\\])/.test(path) && !path.startsWith('/api/') ? path : '/';
}

function opened(seal: Seal, sealed: string): Kept {
  let kept: Partial<Kept> | null;
  try {
    kept = JSON.parse(seal.open(sealed));
  } catch {
    throw stale();
  }
  if (kept?.purpose !== PURPOSE) throw stale();
  return kept as Kept;
}

function stale(): InputError {
  return new InputError('This sign-in is not known here, or took too long.', {
    reason: 'sign-in-stale',
    remedy: 'Sign in again.',
  });
}

function whyOf(cause: unknown): string {
  if (cause instanceof openid.AuthorizationResponseError) return cause.error_description ?? cause.error;
  return cause instanceof Error ? cause.message.replace(/\.$/, '') : 'no reason was given';
}

/** TLS everywhere, except to this machine. */
function isLoopback(issuer: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(issuer).hostname);
}
