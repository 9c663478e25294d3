import { X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type Configuration, ManagedIdentityApplication } from '@azure/msal-node';
import { CredentialsError, GatewayError, UpstreamError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { insideFetch, machineFetch } from '#platform/inside-fetch.ts';
import type { Limits } from '../graph/pace.ts';
import type { Microsoft365Settings } from '../settings.ts';
import { explainAadsts, isUnknownResource } from './auth-errors.ts';
import { type AuthNetwork, makeAuthNetwork } from './auth-network.ts';
import { endpointsOf, tokenScopes } from './endpoints.ts';
import { readFederatedToken } from './federated-token.ts';

/** Gets access tokens of the application (client credentials). Calls at the same time share one question. */
export interface TokenSource {
  /**
   * @param refused a token that Graph did not take. MSAL would hand the same one out again, so the authority is asked.
   * @param signal ends the waiting; the question itself goes on, for whoever else asked it
   * @throws {CredentialsError} the credential or its permission is refused
   * @throws {ConfigError} tenant or application is unknown, or the authority's certificate is not trusted
   * @throws {UpstreamError} the authority cannot be reached
   */
  token(signal: AbortSignal, refused?: RefusedToken): Promise<string>;
}

export interface RefusedToken {
  readonly token: string;
  /** What Graph wants of the next one, as JSON: the authority is told of it. */
  readonly claims?: string | undefined;
}

/**
 * What a 401 demands of the next token: continuous access evaluation, an IP address that changed, a stronger policy.
 * Source: learn.microsoft.com/entra/identity-platform/claims-challenge, checked 2026-11.
 */
export function claimsIn(headers: Pick<Headers, 'get'>): string | undefined {
  const encoded = /\bclaims="([\w+/=-]+)"/i.exec(headers.get('www-authenticate') ?? '')?.[1] ?? '';
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  try {
    const claims: unknown = JSON.parse(text);
    return typeof claims === 'object' && claims !== null ? text : undefined;
  } catch {
    return undefined;
  }
}

/** A token is a small answer, and comes soon or not at all. */
const TOKEN_TIMEOUT_MS = 15_000;

/** MSAL is not asked again for so long: it looks through its cache in the time of a small request, and gives none that ends in five minutes. */
const KEPT_MS = 5_000;

/** Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, checked 2026-11. */
export function makeTokenSource(settings: Microsoft365Settings, clock: Clock, limits: Limits): TokenSource {
  const isMachine = settings.credential.kind === 'managedIdentity';
  const shorter = { ...limits, timeoutMs: Math.min(limits.timeoutMs, TOKEN_TIMEOUT_MS) };
  const network = makeAuthNetwork(clock, shorter, isMachine ? machineFetch : insideFetch);
  let acquire: Acquire | undefined;
  let scopes = tokenScopes(settings);
  const asking = new Map<string, Promise<string>>();
  let kept: { readonly token: string; readonly until: number } | undefined;

  async function ask(freshness: Freshness): Promise<string> {
    acquire ??= makeAcquire(settings, network);
    for (const [index, scope] of scopes.entries())
      try {
        const token = await acquire(scope, freshness);
        scopes = [scope];
        kept = { token, until: clock.elapsed() + KEPT_MS };
        return token;
      } catch (error) {
        if (!isUnknownResource(error) || index === scopes.length - 1) throw error;
      }
    throw new UpstreamError('No token was asked for.', { failure: 'server' });
  }

  function share(freshness: Freshness): Promise<string> {
    const key = JSON.stringify(freshness);
    const running = asking.get(key) ?? ask(freshness).finally(() => asking.delete(key));
    asking.set(key, running);
    return running;
  }

  return {
    async token(signal, refused) {
      signal.throwIfAborted();
      const known = kept !== undefined && clock.elapsed() < kept.until ? kept.token : undefined;
      const token = known ?? (await whileWanted(share({ fresh: false }), signal));
      if (token !== refused?.token) return token;
      return whileWanted(share({ fresh: true, claims: refused.claims }), signal);
    },
  };
}

/** The value, or the signal's reason when nobody wants it any more. */
async function whileWanted<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  const { promise: unwanted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await Promise.race([promise, unwanted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

interface Freshness {
  readonly fresh: boolean;
  readonly claims?: string | undefined;
}

/** One token for a scope that ends in `/.default`, not from the cache when it has to be fresh. */
type Acquire = (scope: string, freshness: Freshness) => Promise<string>;

function makeAcquire(settings: Microsoft365Settings, network: AuthNetwork): Acquire {
  const ask = settings.credential.kind === 'managedIdentity' ? byMachine(settings, network) : byApp(settings, network);
  return async (scope, freshness) => {
    const token = await ask(scope, freshness);
    if (token) return token;
    throw new UpstreamError('The sign-in service answered without a token.', { failure: 'server' });
  };
}

function byApp(settings: Microsoft365Settings, network: AuthNetwork) {
  const client = new ConfidentialClientApplication(configuration(settings, network));
  return async (scope: string, { fresh: skipCache, claims }: Freshness): Promise<string | undefined> => {
    try {
      const request = { scopes: [scope], skipCache, ...(claims !== undefined && { claims }) };
      return (await client.acquireTokenByClientCredential(request))?.accessToken;
    } catch (error) {
      throw explainSignIn(error, network.takeFailure());
    }
  };
}

/**
 * The identity that Azure gives the machine itself: no secret anywhere. MSAL finds the endpoint by the environment.
 * Source: learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token, checked 2026-11.
 */
function byMachine({ credential }: Microsoft365Settings, network: AuthNetwork) {
  const userAssignedClientId = credential.kind === 'managedIdentity' ? credential.clientId : undefined;
  const client = new ManagedIdentityApplication({
    ...(userAssignedClientId === undefined ? {} : { managedIdentityIdParams: { userAssignedClientId } }),
    // Trying again is the network's part, which knows how long somebody waits.
    system: { networkClient: network, disableInternalRetries: true },
  });
  return async (scope: string, { fresh: forceRefresh }: Freshness): Promise<string | undefined> => {
    try {
      return (await client.acquireToken({ resource: scope.replace(/\/\.default$/, ''), forceRefresh })).accessToken;
    } catch (error) {
      throw explainMachine(error, network.takeFailure());
    }
  };
}

function explainMachine(error: unknown, seen: GatewayError | string | undefined): GatewayError {
  const said = `${error instanceof Error ? error.message : ''} ${typeof seen === 'string' ? seen : ''}`;
  return (
    explainAadsts(said, error) ??
    new CredentialsError('This machine has no managed identity that can be used.', {
      failure: 'auth',
      reason: 'managed-identity-missing',
      remedy:
        'Run the gateway on an Azure resource with a managed identity; for a user-assigned one give its client id in credential.clientId.',
      cause: seen instanceof GatewayError ? seen : error,
    })
  );
}

function configuration(settings: Microsoft365Settings, network: AuthNetwork): Configuration {
  const { login, custom } = endpointsOf(settings);
  const { credential } = settings;
  return {
    auth: {
      clientId: settings.clientId,
      authority: `${login}/${settings.tenantId}`,
      // Without this MSAL asks the public cloud whether the host is an authority.
      ...(custom ? { knownAuthorities: [new URL(login).host] } : {}),
      ...(credential.kind === 'clientSecret' ? { clientSecret: credential.secret } : {}),
      ...(credential.kind === 'certificate' ? { clientCertificate: certificateOf(credential) } : {}),
      // Asked each time a token is: the file is written anew by whoever owns it.
      ...(credential.kind === 'federated' ? { clientAssertion: () => readFederatedToken(credential.tokenFile) } : {}),
    },
    system: { networkClient: network },
  };
}

/** PS256 with the SHA-256 thumbprint. Source: learn.microsoft.com/entra/identity-platform/certificate-credentials, checked 2026-11. */
function certificateOf({ certificate, privateKey }: { certificate: string; privateKey: string }) {
  return { thumbprintSha256: new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), privateKey };
}

/** What MSAL threw, with what its network saw: MSAL itself often says only that something failed. */
function explainSignIn(error: unknown, seen: GatewayError | string | undefined): GatewayError {
  if (error instanceof GatewayError) return error;
  if (seen instanceof GatewayError) return seen;
  const said = error instanceof Error ? error.message : String(error);
  return (
    explainAadsts(`${said} ${seen ?? ''}`, error) ??
    new UpstreamError('The sign-in service gives no token.', {
      failure: 'server',
      reason: 'sign-in-failed',
      remedy: 'Check endpoints.login and tenantId.',
      retryAfterMs: 60_000,
      cause: error,
    })
  );
}
