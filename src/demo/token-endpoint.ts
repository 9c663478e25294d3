// The part of Microsoft Entra that gives tokens to applications.
// Source: learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, checked 2026-11.
import { createHash, createVerify, randomUUID, X509Certificate } from 'node:crypto';

export interface Application {
  readonly clientId: string;
  readonly secret?: string;
  /** PEM of the certificate that was uploaded. */
  readonly certificate?: string;
  readonly roles: readonly string[];
  /** Template ids of roles of Entra itself. */
  readonly directoryRoles?: readonly string[];
  /** What the app registration lists, for an administrator to consent to; what it has already when absent. */
  readonly asks?: readonly string[];
  /** Addresses that are registered for answers by the browser; any when absent. */
  readonly redirectUris?: readonly string[];
  /** As the application object shows them, without their values. */
  readonly passwordCredentials?: readonly { readonly hint: string; readonly endDateTime: string }[];
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Issued {
  readonly tenantId: string;
  readonly application: Application;
  readonly origin: string;
}

/** Answers a token request in form encoding, as the endpoint does. */
export function answerTokenRequest(
  form: URLSearchParams,
  tenant: string,
  { tenantId, application, origin }: Issued,
): Answer {
  if (tenant !== tenantId && tenant !== 'contoso.example')
    return refuse(
      'invalid_request',
      90002,
      `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
    );
  if (form.get('client_id') !== application.clientId)
    return refuse(
      'unauthorized_client',
      700016,
      `Application with identifier '${form.get('client_id')}' was not found in the directory 'Contoso'.`,
    );
  if (form.get('grant_type') !== 'client_credentials')
    return refuse(
      'unsupported_grant_type',
      70003,
      `The app requested an unsupported grant type '${form.get('grant_type')}'.`,
    );
  if (!form.get('scope')?.endsWith('/.default'))
    return refuse(
      'invalid_scope',
      1002012,
      'The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed.',
    );
  const assertion = form.get('client_assertion');
  if (assertion !== null) {
    if (!validAssertion(assertion, application))
      return refuse('invalid_client', 700027, 'Client assertion failed signature validation.');
  } else if (form.get('client_secret') !== application.secret)
    return refuse(
      'invalid_client',
      7000215,
      'Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.',
    );
  return {
    status: 200,
    body: {
      token_type: 'Bearer',
      expires_in: 3599,
      ext_expires_in: 3599,
      access_token: makeAccessToken(application, tenantId, origin),
    },
  };
}

function makeAccessToken({ clientId, roles, directoryRoles = [] }: Application, tid: string, origin: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 3599;
  const claims = {
    aud: origin,
    iss: `https://sts.windows.net/${tid}/`,
    tid,
    appid: clientId,
    roles,
    wids: [...directoryRoles, '0997a1d0-0d1d-4acb-b408-d5ca73121e90'],
    exp,
    uti: randomUUID(),
  };
  return `${part({ typ: 'JWT', alg: 'RS256' })}.${part(claims)}.${Buffer.from('demo').toString('base64url')}`;
}

/** RS256 or PS256 with the thumbprint of the uploaded certificate. Source: certificate-credentials, checked 2026-11. */
function validAssertion(assertion: string, { certificate, clientId }: Application): boolean {
  const [head = '', claims = '', signature = ''] = assertion.split('.');
  if (certificate === undefined) return false;
  const x509 = new X509Certificate(certificate);
  const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>;
  const body = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
  const thumbprint = createHash('sha256').update(x509.raw).digest('base64url');
  const sha1 = createHash('sha1').update(x509.raw).digest('base64url');
  if (header['x5t#S256'] !== thumbprint && header['x5t'] !== sha1) return false;
  if (body['iss'] !== clientId || body['sub'] !== clientId) return false;
  const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
  const key = x509.publicKey;
  return verify.verify(
    header['alg'] === 'PS256' ? { key, padding: 6, saltLength: 32 } : key,
    Buffer.from(signature, 'base64url'),
  );
}

function refuse(error: string, number: number, text: string): Answer {
  const trace = randomUUID();
  const description = `AADSTS${number}: ${text} Trace ID: ${trace} Correlation ID: ${trace} Timestamp: ${new Date().toISOString().slice(0, 19).replace('T', ' ')}Z`;
  const status = error === 'invalid_client' ? 401 : 400;
  return {
    status,
    body: {
      error,
      error_description: description,
      error_codes: [number],
      timestamp: new Date().toISOString(),
      trace_id: trace,
      correlation_id: trace,
    },
  };
}

/** What MSAL asks before the first token. */
export function discovery(origin: string, tenantId: string): object {
  return {
    token_endpoint: `${origin}/${tenantId}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${origin}/${tenantId}/discovery/v2.0/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    issuer: `${origin}/${tenantId}/v2.0`,
    authorization_endpoint: `${origin}/${tenantId}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${origin}/${tenantId}/oauth2/v2.0/logout`,
    tenant_region_scope: 'EU',
    cloud_instance_name: new URL(origin).host,
    cloud_graph_host_name: 'graph.windows.net',
    msgraph_host: new URL(origin).host,
  };
}
