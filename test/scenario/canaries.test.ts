// Secrets are planted wherever one can be, remote systems refuse and say them back, everything is looked at, and then
// everything that left the process is searched for them.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant } from '#demo/tenant.ts';
import { openDatabase } from '#store/database.ts';
import { CANARIES, plantCanaries } from '../support/canaries.ts';
import { makeFolder } from '../support/database.ts';
import { dumpDatabase } from '../support/dump.ts';
import { ACCESS_TOKEN, type Echo, startEcho } from '../support/echo.ts';
import {
  ADMIN_TOKEN,
  expectStatus,
  freshStorage,
  type GatewayProcess,
  SECRET_KEY,
  settingsFor,
  spawnGateway,
  startTenant,
  untilOver,
} from '../support/gateway.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { openapi } from '../support/openapi.ts';

const OIDC_SECRET = 'canary-oidc-secret-B5';
const WRONG_SECRET = 'canary-wrong-secret-C7';

/** Every way in which a secret may be written. */
function spellingsOf(secret: string): readonly string[] {
  const parts = secret.includes('-----BEGIN')
    ? secret.split('\n').filter((line) => line.length > 40)
    : [secret.replace(/^\w+ /, '')];
  return parts.flatMap((part) => [
    ...[part, encodeURIComponent(part), JSON.stringify(part).slice(1, -1)],
    // Wherever it stands in a longer text, these characters of its base64 are the same.
    ...[0, 1, 2].map((lead) =>
      Buffer.from(`${'x'.repeat(lead)}${part}`)
        .toString('base64')
        .slice(lead === 0 ? 0 : 4, -4),
    ),
  ]);
}

describe('no secret leaves the process', () => {
  const secrets = new Map<string, string>([
    ...Object.entries(CANARIES),
    ...Object.entries({ ADMIN_TOKEN, SECRET_KEY, OIDC_SECRET, WRONG_SECRET, ACCESS_TOKEN }),
  ]);
  /** Answers and what they were to. */
  const answers: { readonly what: string; readonly text: string }[] = [];
  let [dataDir, dump] = ['', ''];
  let graph: GraphServer;
  let plain: Echo;
  let secure: Echo;
  let mail: MailServer;
  let gateway: GatewayProcess;

  /** Fails with the names of the secrets that stand in a text, and what surrounds the first. */
  function assertClean(what: string, text: string, but: readonly string[] = []): void {
    for (const [name, secret] of secrets)
      for (const spelling of but.includes(name) ? [] : spellingsOf(secret)) {
        const place = text.indexOf(spelling);
        assert.equal(place, -1, `${what} holds ${name}: …${text.slice(Math.max(0, place - 200), place + 200)}…`);
      }
  }

  async function ask(method: string, path: string, body?: unknown, token: string = ADMIN_TOKEN): Promise<string> {
    const response = await fetch(`${gateway.base}${path}`, {
      method,
      redirect: 'manual',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = `${JSON.stringify([...response.headers])} ${await response.text()}`;
    answers.push({ what: `${method} ${path} (${response.status})`, text });
    return text;
  }

  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  before(async () => {
    const tenant = makeTenant({ users: 12, groups: 2, membersPerGroup: 3 });
    graph = await startTenant(tenant, { application: { secret: CANARIES.graphSecret } });
    [plain, secure] = [await startEcho({ tls: false }), await startEcho({ tls: true })];
    mail = await startMailServer({
      onAuth: ({ password }, _session, callback) =>
        callback(Object.assign(new Error(`5.7.8 wrong password ${password}`), { responseCode: 535 })),
    });
    const ca = join(makeFolder(), 'ca.pem');
    writeFileSync(ca, [graph.ca, secure.ca, tls.getCACertificates('default').at(-1)].join('\n'));
    const storage = await freshStorage('embedded');
    dataDir = storage['DATA_DIR'] ?? '';
    const environment = {
      ...{ ALLOW_LOOPBACK_WEBHOOKS: 'true', LOG_LEVEL: 'debug' },
      ...{
        CONSOLE_OIDC_ISSUER: plain.origin,
        CONSOLE_OIDC_CLIENT_ID: 'sluice',
        CONSOLE_OIDC_CLIENT_SECRET: OIDC_SECRET,
      },
    };
    gateway = await spawnGateway({ ...storage, ...environment }, ca);
    const place = (name: string): string => `${plain.origin}/${name}`;
    const { appIds } = await plantCanaries(gateway, {
      microsoft365: settingsFor(tenant, graph),
      ...{ report: place('report'), csv: place('csv'), webhook: place('webhook'), sets: place('sets') },
      ...{ bearer: place('bearer'), basic: place('basic'), oauth: place('oauth'), mailPort: mail.port },
    });
    plain.giveTokens = true;

    // Tokens of apps and of a session, which whoever makes them sees once.
    const token = await expectStatus(
      gateway.call<{ token: string }>('POST', `/api/v1/apps/${appIds[0]}/tokens`, { scopes: ['scim:read'] }),
      201,
    );
    secrets.set('scim token', token.body.token);
    const signIn = await fetch(`${gateway.base}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-requested-with': 'console', 'sec-fetch-site': 'same-origin' },
      body: JSON.stringify({ token: ADMIN_TOKEN }),
    });
    secrets.set('cookie', /^sluice=([^;]+)/.exec(signIn.headers.get('set-cookie') ?? '')?.[1] ?? '');

    // A run whose log is kept, and pushes, messages and mails that are refused.
    await ask('POST', '/api/v1/providers/microsoft365/activate', {});
    const { body: runs } = await gateway.call<{ items: { id: string }[] }>('GET', '/api/v1/sync-runs');
    await untilOver(gateway, runs.items[0]?.id ?? '');
    const debug = await gateway.call<{ id: string }>('POST', '/api/v1/sync-runs', { mode: 'full', logLevel: 'debug' });
    await untilOver(gateway, debug.body.id);
    for (const path of ['/report', '/webhook', '/sets', '/bearer', '/basic', '/oauth'])
      await until(() => plain.received.some((one) => one.path.startsWith(path)));
    await until(async () => /"status":401/.test(await ask('GET', `/api/v1/apps/${appIds[0]}/webhook/deliveries`)));

    // Wrong settings, tried and saved.
    const wrong = (credential: object): object => ({
      ...settingsFor(tenant, graph),
      endpoints: { graph: secure.origin, login: secure.origin },
      credential,
    });
    for (const gives of [false, true]) {
      secure.giveTokens = gives;
      const settings = wrong({ kind: 'clientSecret', secret: WRONG_SECRET });
      await ask('POST', '/api/v1/providers/microsoft365/test', settings);
    }
    await ask('POST', '/api/v1/providers/microsoft365/test', {
      ...wrong({ kind: 'certificate', certificate: 'none', privateKey: CANARIES.certificateKey }),
      credentials: { secret: WRONG_SECRET },
    });
    for (const kind of ['ldap', 'csv']) await ask('POST', `/api/v1/providers/${kind}/test`);
    await ask('POST', '/api/v1/notifications/test', undefined);
    for (const id of appIds) await ask('POST', `/api/v1/apps/${id}/push/test`);
    for (const id of appIds) await ask('POST', `/api/v1/apps/${id}/push/dry-run`, {});
    await ask('POST', `/api/v1/apps/${appIds[0]}/webhook/test`);
    await ask('GET', '/api/v1/sign-in/oidc');
    await ask('GET', `/api/v1/apps?token=${WRONG_SECRET}`, undefined, WRONG_SECRET);
    await ask('POST', '/api/v1/apps', { name: 'x', secret: WRONG_SECRET, push: { auth: { token: WRONG_SECRET } } });

    // Everything that can be read.
    const { body: first } = await gateway.call<{ planId: string }>('GET', `/api/v1/sync-runs/${runs.items[0]?.id}`);
    const { body: groups } = await gateway.call<{ items: { id: string }[] }>('GET', '/api/v1/groups');
    const { body: people } = await gateway.call<{ items: { id: string }[] }>('GET', '/api/v1/users');
    const ids: Record<string, readonly string[]> = {
      apps: appIds,
      'sync-runs': [debug.body.id],
      plans: [first.planId],
      groups: [groups.items[0]?.id ?? ''],
      users: [people.items[0]?.id ?? ''],
      providers: ['microsoft365', 'ldap', 'csv', 'scim'],
    };
    for (const [path, operations] of Object.entries(openapi.paths))
      if ('get' in operations && path !== '/events')
        for (const id of ids[path.split('/')[1] ?? ''] ?? [''])
          await ask('GET', `/api/v1${path.replace(/\{\w+\}/, id).replaceAll(/\{\w+\}/g, id)}`);
    await ask('GET', `/api/v1/explain?subject=${people.items[0]?.id}`);
    for (const [id, noun] of appIds.flatMap((id) => ['', '/webhook', '/events'].map((noun) => [id, noun] as const))) {
      const path = `/api/v1/apps/${id}${noun}/deliveries`;
      const { body } = await gateway.call<{ items?: { id: string }[] }>('GET', path);
      for (const item of body.items ?? []) await ask('GET', `${path}/${item.id}`);
    }
    for (const path of [
      '/metrics',
      '/readyz',
      '/.well-known/jwks.json',
      '/scim/v2/Users',
      '/scim/v2/ServiceProviderConfig',
    ])
      await ask('GET', path);

    const gone = once(gateway.child, 'exit');
    gateway.child.kill('SIGTERM');
    await gone;
    const database = await openDatabase({ dataDir });
    dump = await dumpDatabase(database).finally(() => database.close());
  });
  after(async () => {
    await gateway?.kill();
    for (const server of [graph, plain, secure, mail]) await server?.close();
  });

  it('in an answer, whatever was asked and whatever went wrong', () => {
    const ok = answers.filter(({ what }) => / GET .*\(200\)/.test(` ${what}`));
    assert.ok(ok.length > 80, `${ok.length} answers`);
    for (const { what, text } of answers) assertClean(what, text);
  });

  it('in a line of the log, at the level "debug"', () => {
    assert.match(gateway.output(), /"level":20/);
    assertClean('the output', gateway.output());
  });

  it('in the database', () => {
    assert.match(dump, /sync_run|runs /);
    assertClean('the database', dump);
  });

  it('in a file of DATA_DIR', () => {
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    assert.ok(files.length > 100);
    for (const { parentPath, name } of files) assertClean(name, readFileSync(join(parentPath, name), 'latin1'));
  });

  it('to anybody but its owner', () => {
    const owned: Readonly<Record<string, readonly string[]>> = {
      csv: ['csvAuthorization'],
      sets: ['setAuthorization'],
      bearer: ['pushToken', 'headerValue'],
      basic: ['nextPassword'],
      oauth: ['oauthSecret', 'ACCESS_TOKEN'],
    };
    for (const { path, text } of plain.received)
      assertClean(`a request to ${path}`, text, owned[path.split('/')[1] ?? ''] ?? []);
    for (const { path, text } of secure.received)
      assertClean(`a request to ${path}`, text, ['WRONG_SECRET', 'ACCESS_TOKEN']);
  });
});
