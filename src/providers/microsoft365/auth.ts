import { X509Certificate } from 'node:crypto';
import { AuthError, ConfidentialClientApplication, type Configuration } from '@azure/msal-node';
import { ConfigError, CredentialsError, type GatewayError, UpstreamError } from '#core/errors.ts';
import { endpointsOf, type Microsoft365Settings } from './settings.ts';

/** Gets access tokens of the application (client credentials). */
export interface TokenSource {
  /**
   * @param fresh asks the authority even when a cached token looks good, as after a 401
   * @throws {CredentialsError} the credential or its permission is refused
   * @throws {ConfigError} tenant or application is unknown
   * @throws {UpstreamError} the authority cannot be reached
   */
  token(fresh?: boolean): Promise<string>;
}

/** Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, checked 2026-11. */
export function makeTokenSource(settings: Microsoft365Settings): TokenSource {
  const { graph } = endpointsOf(settings);
  const client = new ConfidentialClientApplication(configuration(settings));
  return {
    async token(fresh = false) {
      try {
        const result = await client.acquireTokenByClientCredential({ scopes: [`${graph}/.default`], skipCache: fresh });
        if (result?.accessToken) return result.accessToken;
      } catch (error) {
        throw explainAuthError(error);
      }
      throw new UpstreamError('The sign-in service answered without a token.', { failure: 'server' });
    },
  };
}

function configuration(settings: Microsoft365Settings): Configuration {
  const { login, custom } = endpointsOf(settings);
  const { credential } = settings;
  const host = new URL(login).host;
  return {
    auth: {
      clientId: settings.clientId,
      authority: `${login}/${settings.tenantId}`,
      ...(custom ? { knownAuthorities: [host] } : {}),
      ...(credential.kind === 'clientSecret' ? { clientSecret: credential.secret } : {}),
      ...(credential.kind === 'certificate' ? { clientCertificate: certificateOf(credential) } : {}),
    },
  };
}

/** PS256 assertion with the SHA-256 thumbprint. Source: entra/identity-platform/certificate-credentials, checked 2026-11. */
function certificateOf({ certificate, privateKey }: { certificate: string; privateKey: string }) {
  const thumbprintSha256 = new X509Certificate(certificate).fingerprint256.replaceAll(':', '');
  return { thumbprintSha256, privateKey, x5c: certificate };
}

interface Known {
  readonly make: (message: string, options: { reason: string; remedy: string; cause: unknown }) => GatewayError;
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

const auth: Known['make'] = (message, options) => new CredentialsError(message, { ...options, failure: 'auth' });
const consent: Known['make'] = (message, options) => new CredentialsError(message, { ...options, failure: 'consent' });
const config: Known['make'] = (message, options) => new ConfigError(message, options);

/** Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, checked 2026-11. */
const KNOWN: Readonly<Record<string, Known>> = {
  '7000215': {
    make: auth,
    reason: 'client-secret-wrong',
    message: 'Microsoft refuses the client secret.',
    remedy: 'Enter the secret\'s value, not its id; make a new one under "Certificates & secrets" if it is lost.',
  },
  '7000222': {
    make: auth,
    reason: 'client-secret-expired',
    message: 'The client secret has expired.',
    remedy: 'Make a new secret under "Certificates & secrets" of the app registration and enter its value.',
  },
  '700016': {
    make: config,
    reason: 'application-unknown',
    message: 'The tenant does not know this application.',
    remedy: 'Check clientId and tenantId: the application must be registered in, or consented to by, this tenant.',
  },
  '90002': {
    make: config,
    reason: 'tenant-unknown',
    message: 'There is no such tenant.',
    remedy: 'Check tenantId: it is on the overview page of Microsoft Entra.',
  },
  '900023': {
    make: config,
    reason: 'tenant-unknown',
    message: 'The tenant id is neither an id nor a domain name.',
    remedy: 'Check tenantId: it is on the overview page of Microsoft Entra.',
  },
  '700027': {
    make: auth,
    reason: 'certificate-refused',
    message: 'Microsoft does not accept the certificate.',
    remedy: 'Upload this certificate to the app registration, and check that it has not expired.',
  },
  '7000229': {
    make: config,
    reason: 'application-not-consented',
    message: 'The application has no service principal in this tenant.',
    remedy: 'Grant admin consent to the application in this tenant.',
  },
  '65001': {
    make: consent,
    reason: 'consent-required',
    message: 'Nobody has consented to the permissions of the application.',
    remedy: 'Let an administrator grant admin consent under "API permissions".',
  },
  '7000112': {
    make: auth,
    reason: 'application-disabled',
    message: 'The application is disabled.',
    remedy: 'Enable sign-in for it under "Enterprise applications".',
  },
  '53003': {
    make: auth,
    reason: 'conditional-access',
    message: 'A conditional access policy blocks the application.',
    remedy: 'Exclude the application, or this address, from the policy.',
  },
};

/** What MSAL threw, in words an administrator can act on. */
export function explainAuthError(error: unknown): GatewayError {
  const text = error instanceof AuthError ? `${error.errorMessage} ${error.message}` : String(error);
  const number = /AADSTS(\d+)/.exec(text)?.[1];
  const known = number === undefined ? undefined : KNOWN[number];
  if (known !== undefined)
    return known.make(known.message, { reason: known.reason, remedy: known.remedy, cause: error });
  if (number !== undefined)
    return new CredentialsError(`Microsoft refuses the sign-in with AADSTS${number}.`, {
      failure: 'auth',
      reason: 'sign-in-refused',
      remedy: `Look AADSTS${number} up in the list of Microsoft Entra error codes.`,
      cause: error,
    });
  if (isUntrusted(error))
    return new ConfigError('The certificate of the sign-in service is not trusted.', {
      reason: 'certificate-untrusted',
      remedy: 'Start the gateway with NODE_EXTRA_CA_CERTS naming the authority that issued it.',
      cause: error,
    });
  return new UpstreamError('The sign-in service of Microsoft cannot be reached.', {
    failure: 'network',
    reason: 'sign-in-unreachable',
    remedy: 'Check the network, a proxy, and the endpoint in the settings.',
    retryAfterMs: 60_000,
    cause: error,
  });
}

const UNTRUSTED = /self.signed certificate|unable to (get|verify)|UNABLE_TO_|SELF_SIGNED|CERT_|ERR_TLS_CERT/i;

/** True when a TLS peer could not be verified; the reason may be several causes deep. */
export function isUntrusted(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if (UNTRUSTED.test(`${cause.message} ${'code' in cause ? cause.code : ''}`)) return true;
  return false;
}
