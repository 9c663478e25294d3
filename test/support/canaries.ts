// A gateway in which every place that holds a secret holds one that can be found again wherever it turns up.
import { generateKeyPairSync } from 'node:crypto';
import { type Api, expectStatus } from './gateway.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const whsec = (fill: number): string => `whsec_${Buffer.alloc(32, fill).toString('base64')}`;

/** By what they are for. */
export const CANARIES = {
  graphSecret: 'canary-graph-secret-Q8x',
  certificateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  ldapPassword: 'canary-ldap-password-Z2',
  csvAuthorization: 'canary-csv-authorization-K1',
  mailPassword: 'canary-mail-password',
  reportSecret: whsec(0xa1),
  pushToken: 'canary-push-token-R5',
  nextPassword: 'canary-basic-password-T7',
  oauthSecret: 'canary-oauth-secret-J3',
  headerValue: 'canary-header-value-H6',
  webhookSecret: whsec(0xb2),
  setAuthorization: 'Bearer canary-set-authorization-M9',
} as const;

export interface Places {
  /** Settings of the provider that runs. */
  readonly microsoft365: Record<string, unknown>;
  /** Hosts that get what is theirs, and say it back. */
  readonly report: string;
  readonly csv: string;
  readonly webhook: string;
  readonly sets: string;
  readonly bearer: string;
  readonly basic: string;
  readonly oauth: string;
  readonly mailPort: number;
}

export interface Planted {
  readonly appIds: readonly string[];
}

/**
 * Saves settings with a canary in each secret field. The gateway may talk to loopback.
 * @param known ids of apps by their name, to be changed; the others are made
 */
export async function plantCanaries(
  api: Api,
  places: Places,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<Planted> {
  const put = (path: string, body: unknown): Promise<unknown> =>
    expectStatus(api.call('PUT', `/api/v1${path}`, body), 200);
  await put('/providers/microsoft365', places.microsoft365);
  await put('/providers/microsoft365/draft', {
    step: 'connect',
    settings: { credential: { kind: 'certificate', privateKey: CANARIES.certificateKey } },
  });
  await put('/providers/ldap', {
    preset: 'openldap',
    url: 'ldaps://127.0.0.1:1',
    bind: { dn: 'cn=sluice,dc=example,dc=com', password: CANARIES.ldapPassword },
    users: { base: 'dc=example,dc=com' },
  });
  await put('/providers/csv', {
    source: { kind: 'url', users: places.csv, authorization: `Bearer ${CANARIES.csvAuthorization}` },
  });
  await put('/notifications', {
    email: {
      ...{ host: 'localhost', port: places.mailPort, user: 'somebody@example.com', password: CANARIES.mailPassword },
      ...{ from: 'sluice@example.com', to: ['it@example.com'], on: 'always' },
    },
    webhook: { on: 'always', url: places.report, secret: CANARIES.reportSecret },
  });
  const apps = [
    {
      name: 'bearer',
      push: {
        ...{ baseUrl: places.bearer, auth: { kind: 'bearer', token: CANARIES.pushToken } },
        headers: { 'x-api-key': CANARIES.headerValue },
      },
      webhook: { url: places.webhook, secret: CANARIES.webhookSecret },
    },
    {
      name: 'basic',
      push: { baseUrl: places.basic, auth: { kind: 'basic', username: 'sluice', password: CANARIES.nextPassword } },
      events: { delivery: { method: 'push', url: places.sets, authorization: CANARIES.setAuthorization } },
    },
    {
      name: 'oauth',
      push: {
        baseUrl: places.oauth,
        auth: {
          ...{ kind: 'oauth', tokenUrl: `${places.oauth}/token`, clientId: 'sluice', style: 'form' },
          clientSecret: CANARIES.oauthSecret,
        },
      },
    },
  ];
  const appIds: string[] = [];
  for (const app of apps) {
    const id = known.get(app.name);
    const saving =
      id === undefined
        ? expectStatus(api.call<{ id: string }>('POST', '/api/v1/apps', app), 201)
        : expectStatus(api.call<{ id: string }>('PATCH', `/api/v1/apps/${id}`, app), 200);
    appIds.push((await saving).body.id);
  }
  return { appIds };
}
