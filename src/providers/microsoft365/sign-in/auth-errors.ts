// What Microsoft Entra answers to a sign-in that it refuses, in words an administrator can act on.
// Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, checked 2026-11.
import { ConfigError, CredentialsError, type GatewayError, UpstreamError } from '#core/errors.ts';

interface Known {
  readonly kind: 'auth' | 'consent' | 'config' | 'server';
  readonly reason: string;
  readonly message: string;
  readonly remedy: string;
}

const NEW_SECRET = 'Make a new secret under "Certificates & secrets" of the app registration and enter its value.';
const CHECK_TENANT = 'Check tenantId, and that cloud is right: the id is on the overview page of Microsoft Entra.';
const CHECK_APPLICATION =
  'Check clientId and tenantId: the application must be registered in this tenant, or consented to by it.';
const CHECK_CERTIFICATE =
  'Upload this certificate under "Certificates & secrets" of the app registration, and check that it has not expired.';
const CONSENT = 'Let an administrator grant admin consent under "API permissions" of the app registration.';

const FEDERATION =
  'Add a federated credential with the issuer, subject and audience of the token under "Certificates & secrets" of the app registration.';
const ADMINISTRATOR =
  'Start again, and sign in with a global administrator of the tenant, or a privileged role administrator.';

/** By the number after `AADSTS`. */
const KNOWN: Readonly<Record<string, Known>> = {
  '7000215': known(
    'auth',
    'client-secret-wrong',
    'Microsoft refuses the client secret.',
    `Enter the secret's value, not its id. ${NEW_SECRET}`,
  ),
  '7000222': known('auth', 'client-secret-expired', 'The client secret has expired.', NEW_SECRET),
  '7000218': known('auth', 'credential-missing', 'Microsoft got no credential.', NEW_SECRET),
  '50012': known(
    'auth',
    'credential-refused',
    'Microsoft refuses the credential.',
    `${NEW_SECRET} ${CHECK_CERTIFICATE}`,
  ),
  '700027': known('auth', 'certificate-refused', 'Microsoft does not accept the certificate.', CHECK_CERTIFICATE),
  '700024': known(
    'auth',
    'assertion-out-of-time',
    'Microsoft says that the signed sign-in is not valid at this time.',
    'Set the clock of this machine right.',
  ),
  '700021': known('auth', 'certificate-refused', 'The certificate belongs to another application.', CHECK_CERTIFICATE),
  '700016': known('config', 'application-unknown', 'The tenant does not know this application.', CHECK_APPLICATION),
  '70001': known('config', 'application-unknown', 'The tenant does not know this application.', CHECK_APPLICATION),
  '90002': known('config', 'tenant-unknown', 'There is no such tenant.', CHECK_TENANT),
  '900021': known('config', 'tenant-unknown', 'The tenant id is not one.', CHECK_TENANT),
  '900023': known('config', 'tenant-unknown', 'The tenant id is neither an id nor a domain name.', CHECK_TENANT),
  '50059': known('config', 'tenant-unknown', 'Microsoft cannot tell which tenant is meant.', CHECK_TENANT),
  '900382': known('config', 'cloud-wrong', 'The tenant is in another cloud.', CHECK_TENANT),
  '900439': known('config', 'cloud-wrong', 'The tenant is in another cloud.', CHECK_TENANT),
  '7000229': known(
    'consent',
    'application-not-consented',
    'The application has no service principal in this tenant.',
    CONSENT,
  ),
  '65001': known('consent', 'consent-required', 'Nobody has consented to the permissions of the application.', CONSENT),
  '90094': known('consent', 'consent-required', 'An administrator must consent to the application.', CONSENT),
  '650052': known('consent', 'consent-required', 'The tenant lacks a service that the application needs.', CONSENT),
  '500011': known(
    'config',
    'resource-unknown',
    'The tenant does not know the Graph endpoint.',
    'Check cloud and endpoints.graph.',
  ),
  '1002012': known(
    'config',
    'resource-unknown',
    'Microsoft does not know what the token is for.',
    'Check cloud and endpoints.graph.',
  ),
  '70011': known(
    'config',
    'resource-unknown',
    'Microsoft does not know what the token is for.',
    'Check cloud and endpoints.graph.',
  ),
  '70021': known(
    'auth',
    'federation-unknown',
    'No federated credential of the application fits the token.',
    FEDERATION,
  ),
  '700211': known('auth', 'federation-unknown', 'No federated credential has the issuer of the token.', FEDERATION),
  '700212': known('auth', 'federation-unknown', 'No federated credential has the audience of the token.', FEDERATION),
  '700213': known('auth', 'federation-unknown', 'No federated credential has the subject of the token.', FEDERATION),
  '700223': known('auth', 'federation-limit', 'Too many tokens of one issuer were exchanged.', FEDERATION),
  '50011': known(
    'config',
    'redirect-unknown',
    'The application does not know the address to which Microsoft should return.',
    'Add the redirect URI that GET /api/v1/providers/microsoft365/connect names under "Authentication" of the app registration, as platform "Web".',
  ),
  '500113': known(
    'config',
    'redirect-unknown',
    'The application has no address to which Microsoft could return.',
    'Add the redirect URI that GET /api/v1/providers/microsoft365/connect names under "Authentication" of the app registration, as platform "Web".',
  ),
  '50194': known(
    'config',
    'single-tenant',
    'The application is for one tenant only, and no tenant was named.',
    'Give the tenantId, or make the application multi-tenant.',
  ),
  '90093': known(
    'consent',
    'not-an-administrator',
    'This account may not consent for the organization.',
    ADMINISTRATOR,
  ),
  '90008': known('consent', 'consent-required', 'The application asks for no permission of Microsoft Graph.', CONSENT),
  '65004': known('consent', 'consent-declined', 'The administrator declined the permissions.', ADMINISTRATOR),
  '50020': known('auth', 'account-elsewhere', 'The account belongs to another tenant.', ADMINISTRATOR),
  '50076': known('auth', 'sign-in-interrupted', 'Microsoft asks for another factor of the sign-in.', ADMINISTRATOR),
  '50079': known('auth', 'sign-in-interrupted', 'The account has to set up another factor first.', ADMINISTRATOR),
  '650056': known('config', 'application-wrong', 'The application is set up wrongly for consent.', CHECK_APPLICATION),
  '7000112': known(
    'auth',
    'application-disabled',
    'The application is disabled.',
    'Enable sign-in for it under "Enterprise applications".',
  ),
  '50105': known(
    'auth',
    'application-not-assigned',
    'The application is not assigned to a role it needs.',
    'Assign it under "Enterprise applications".',
  ),
  '50034': known('auth', 'account-unknown', 'The account does not exist in this tenant.', CHECK_TENANT),
  '53003': known(
    'auth',
    'conditional-access',
    'A conditional access policy blocks the application.',
    'Exclude the application, or the address it comes from, from the policy for workload identities.',
  ),
  '530034': known(
    'auth',
    'conditional-access',
    'A policy of the tenant blocks the application.',
    'Exclude the application from the policy.',
  ),
  '90033': known(
    'server',
    'sign-in-unavailable',
    'The sign-in service of Microsoft is not available for the moment.',
    'Try again in some minutes.',
  ),
  '90006': known(
    'server',
    'sign-in-unavailable',
    'The sign-in service of Microsoft is not available for the moment.',
    'Try again in some minutes.',
  ),
};

function known(kind: Known['kind'], reason: string, message: string, remedy: string): Known {
  return { kind, reason, message, remedy };
}

/** Codes that say: this host is not known under that name. Another name may do. */
export function isUnknownResource(error: unknown): boolean {
  return error instanceof ConfigError && error.reason === 'resource-unknown';
}

/** The error for the AADSTS number in `text`; undefined when there is none. */
export function explainAadsts(text: string, cause: unknown): GatewayError | undefined {
  const number = /AADSTS(\d+)/.exec(text)?.[1];
  if (number === undefined) return undefined;
  const { kind, message, ...said } = KNOWN[number] ?? {
    ...known('auth', 'sign-in-refused', `Microsoft refuses the sign-in with AADSTS${number}.`, ''),
    remedy: `Look AADSTS${number} up in the list of Microsoft Entra error codes.`,
  };
  const options = { ...said, cause, details: { aadsts: Number(number) } };
  if (kind === 'config') return new ConfigError(message, options);
  if (kind === 'server') return new UpstreamError(message, { ...options, failure: 'server', retryAfterMs: 60_000 });
  return new CredentialsError(message, { ...options, failure: kind });
}

const UNTRUSTED = new Set([
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_UNTRUSTED',
  'CERT_SIGNATURE_FAILURE',
]);

/** True when a TLS peer could not be verified; the reason may be several causes deep. */
export function isUntrusted(error: unknown): boolean {
  for (let cause: unknown = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth += 1)
    if ('code' in cause && UNTRUSTED.has(String(cause.code))) return true;
  return false;
}
