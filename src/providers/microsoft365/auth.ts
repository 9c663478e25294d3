import { X509Certificate } from 'node:crypto';
import { ConfidentialClientApplication, type Configuration } from '@azure/msal-node';
import { GatewayError, UpstreamError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { explainAadsts, isUnknownResource } from './auth-errors.ts';
import { type AuthNetwork, makeAuthNetwork } from './auth-network.ts';
import { endpointsOf, tokenScopes } from './endpoints.ts';
import type { Limits } from './pace.ts';
import type { Microsoft365Settings } from './settings.ts';

/** Gets access tokens of the application (client credentials). Calls at the same time share one question. */
export interface TokenSource {
  /**
   * @param refused a token that Graph did not take. MSAL would hand the same one out again, so the authority is asked.
   * @param signal ends the waiting; the question itself goes on, for whoever else asked it
   * @throws {CredentialsError} the credential or its permission is refused
   * @throws {ConfigError} tenant or application is unknown, or the authority's certificate is not trusted
   * @throws {UpstreamError} the authority cannot be reached
   */
  token(signal: AbortSignal, refused?: string): Promise<string>;
}

/** Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, checked 2026-11. */
export function makeTokenSource(settings: Microsoft365Settings, clock: Clock, limits: Limits): TokenSource {
  const network = makeAuthNetwork(clock, limits);
  let client: ConfidentialClientApplication | undefined;
  let scopes = tokenScopes(settings);
  const asking = new Map<boolean, Promise<string>>();

  async function ask(fresh: boolean): Promise<string> {
    client ??= new ConfidentialClientApplication(configuration(settings, network));
    for (const [index, scope] of scopes.entries())
      try {
        const token = await acquire(client, network, scope, fresh);
        scopes = [scope];
        return token;
      } catch (error) {
        if (!isUnknownResource(error) || index === scopes.length - 1) throw error;
      }
    throw new UpstreamError('No token was asked for.', { failure: 'server' });
  }

  function share(fresh: boolean): Promise<string> {
    const running = asking.get(fresh) ?? ask(fresh).finally(() => asking.delete(fresh));
    asking.set(fresh, running);
    return running;
  }

  return {
    async token(signal, refused) {
      const token = await whileWanted(share(false), signal);
      return token === refused ? whileWanted(share(true), signal) : token;
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

async function acquire(
  client: ConfidentialClientApplication,
  network: AuthNetwork,
  scope: string,
  fresh: boolean,
): Promise<string> {
  try {
    const result = await client.acquireTokenByClientCredential({ scopes: [scope], skipCache: fresh });
    if (result?.accessToken) return result.accessToken;
  } catch (error) {
    throw explainSignIn(error, network.takeFailure());
  }
  throw new UpstreamError('The sign-in service answered without a token.', { failure: 'server' });
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
