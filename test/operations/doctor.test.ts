import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { ended, startFile } from '../support/child.ts';
import { makeFolder } from '../support/database.ts';
import {
  ADMIN_TOKEN,
  connect,
  expectStatus,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
} from '../support/gateway.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');
/** Planted wherever a secret can be. */
const CANARIES = {
  token: 'canary-admin-token-0001',
  target: 'canary-of-the-target-0002',
  header: 'canary-header-0003',
  webhook: `whsec_${Buffer.from('canary-of-the-webhook-secret-0004').toString('base64')}`,
  mail: 'canary-mail-password-0005',
  oidc: 'canary-oidc-secret-0006',
  old: Buffer.from('canary-old-secret-key-0007-32-by').toString('base64'),
};

interface Finding {
  readonly area: string;
  readonly name: string;
  readonly level: string;
  readonly detail: string;
}

describe('the doctor', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let app: ScimAppServer;
  let environment: Record<string, string>;

  before(async () => {
    tenant = makeTenant({ users: 10, groups: 1, membersPerGroup: 3 });
    graph = await startTenant(tenant);
    app = await startScimApp({ token: CANARIES.target });
    const ca = join(makeFolder(), 'ca.pem');
    writeFileSync(ca, graph.ca);
    const storage = await freshStorage('embedded');
    environment = {
      ...storage,
      DATABASE_URL: '',
      PORT: '1',
      SECRET_KEY,
      SECRET_KEYS_ACCEPTED: CANARIES.old,
      ADMIN_TOKEN: CANARIES.token,
      CONSOLE_OIDC_CLIENT_SECRET: CANARIES.oidc,
      ALLOW_LOOPBACK_WEBHOOKS: 'true',
      NODE_EXTRA_CA_CERTS: ca,
    };
    const gateway = await startGateway({ ...storage, ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    await connect(gateway, settingsFor(tenant, graph));
    const push = { baseUrl: app.url, auth: { kind: 'bearer', token: CANARIES.target } };
    await expectStatus(gateway.call('POST', '/api/v1/apps', { name: 'Wiki', push }), 201);
    const email = {
      on: 'failure',
      host: 'smtp.example.com',
      port: 587,
      security: 'starttls',
      user: 'u',
      password: CANARIES.mail,
    };
    const notifications = {
      email: { ...email, from: 'a@example.com', to: ['b@example.com'] },
      webhook: { on: 'failure', url: 'https://hooks.example.com/', secret: CANARIES.webhook },
    };
    await expectStatus(gateway.call('PUT', '/api/v1/notifications', notifications), 200);
    graph.setFaults({ script: [{ path: '/users', fault: { kind: 'status', status: 403 }, times: 99 }] });
    await sync(gateway, { mode: 'full', logLevel: 'debug' });
    graph.setFaults({});
    await gateway.close();
  });
  after(async () => {
    await app?.close();
    await graph?.close();
  });

  async function examine(changes: Record<string, string> = {}, more: readonly string[] = []) {
    const { code, out, err } = await ended(
      startFile('src/doctor/main.ts', { ...environment, ...changes }, ['--json', ...more]),
    );
    const findings: readonly Finding[] = out === '' ? [] : JSON.parse(out).findings;
    const levelOf = (area: string, name: string): string | undefined =>
      findings.find((one) => one.area === area && one.name === name)?.level;
    return { code, out, err, findings, levelOf };
  }

  /** Nor anybody's name. */
  function keepsNoSecret(text: string, secrets: readonly string[]): void {
    for (const secret of [...secrets, graph.application.secret ?? ''])
      for (const spelled of [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])
        assert.ok(!text.includes(spelled), secret);
    for (const { displayName } of tenant.users.values())
      assert.ok(!text.includes(String(displayName)), String(displayName));
  }

  it('looks at configuration, database, clocks, secrets, source and targets, and says of each how it is', async () => {
    const { code, out, findings, levelOf } = await examine();
    const fine = [
      ['Configuration', 'environment'],
      ['Process', 'time zones'],
      ['Database', 'server'],
      ['Database', 'clock'],
      ['Database', 'migrations'],
      ['Database', 'encoding'],
      ['Secrets', 'SECRET_KEY'],
      ['Secrets', 'sealed credentials'],
      ['Source', 'clock'],
      ['Targets', 'Wiki'],
    ];
    for (const [area = '', name = ''] of fine) assert.equal(levelOf(area, name), 'ok', `${area} ${name}: ${out}`);
    assert.equal(levelOf('Process', 'PUBLIC_URL'), 'warning');
    // The run of before failed, and nothing else is wrong.
    assert.equal(code, 1);
    const wrong = findings.filter(({ level }) => level === 'problem').map(({ area, name }) => `${area} ${name}`);
    assert.deepEqual(
      wrong.filter((what) => what !== 'Source permissions'),
      ['Source last run'],
      out,
    );
  });

  it('finds a key that does not open what is sealed, and a target that refuses', async () => {
    app.personality = { ...app.personality, token: 'another' };
    const target = await examine();
    app.personality = { ...app.personality, token: CANARIES.target };
    assert.equal(target.levelOf('Targets', 'Wiki'), 'problem');
    const key = await examine({ SECRET_KEY: Buffer.alloc(32, 9).toString('base64') });
    assert.equal(key.levelOf('Secrets', 'sealed credentials'), 'problem');
    assert.equal(key.levelOf('Secrets', 'SECRET_KEY'), 'problem');
    assert.equal(key.levelOf('Source', 'settings'), 'problem');
  });

  it('names wrong variables, and a database that is away, and goes on with the rest', async () => {
    const wrong = await examine({ LOG_LEVEL: 'loud' });
    assert.deepEqual([wrong.code, wrong.levelOf('Configuration', 'environment')], [1, 'problem']);
    const away = await examine({ DATABASE_URL: 'postgres://nobody:canary-database-0008@127.0.0.1:1/none' });
    assert.deepEqual([away.code, away.levelOf('Database', 'connection')], [1, 'problem']);
    assert.equal(away.levelOf('Process', 'Node.js'), 'ok');
    assert.ok(!away.out.includes('canary'));
  });

  it('leaves a folder alone that a gateway runs on', async () => {
    const { DATA_DIR = '', CONSOLE_OIDC_CLIENT_SECRET = '', SECRET_KEYS_ACCEPTED = '' } = environment;
    const secret = { CONSOLE_OIDC_CLIENT_SECRET, SECRET_KEYS_ACCEPTED };
    const gateway = await startGateway({ DATA_DIR, ...secret, ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    try {
      const found = await examine({ PORT: new URL(gateway.base).port });
      assert.equal(found.levelOf('Process', 'gateway'), 'ok');
      assert.equal(found.levelOf('Database', 'connection'), 'skipped');
      assert.equal(found.code, 0, found.out);
      // What the command cannot look at, the gateway itself can.
      const inside = await expectStatus(gateway.call<{ findings: Finding[] }>('POST', '/api/v1/diagnostics'), 200);
      const levels = new Map(inside.body.findings.map(({ area, name, level }) => [`${area} ${name}`, level]));
      for (const name of ['Process gateway', 'Database migrations', 'Secrets sealed credentials', 'Targets Wiki'])
        assert.equal(levels.get(name), 'ok', JSON.stringify(inside.body.findings));
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const answer = await fetch(`${gateway.base}/api/v1/diagnostics/bundle`, { method: 'POST', headers });
      assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'application/gzip']);
      const packed = gunzipSync(Buffer.from(await answer.arrayBuffer())).toString('utf8');
      assert.match(packed, /sluice-support\/tables\.json/);
      assert.match(packed, /"LOG_LEVEL": "error"/);
      assert.match(packed, /"ROLE": "\[not set\]"/, 'a default is not shown as if it were set');
      keepsNoSecret(packed, [...Object.values(CANARIES), ADMIN_TOKEN, SECRET_KEY]);
      const made = { name: 'ops', scopes: ['operator'] };
      const operator = await expectStatus(gateway.call<{ token: string }>('POST', '/api/v1/tokens', made), 201);
      for (const path of ['/api/v1/diagnostics', '/api/v1/diagnostics/bundle'])
        assert.equal((await gateway.call('POST', path, undefined, operator.body.token)).status, 403, path);
      const { body } = await gateway.call<{ items: unknown[] }>('GET', '/api/v1/audit?action=diagnostics.bundle');
      assert.equal(body.items.length, 1);
    } finally {
      await gateway.close();
    }
  });

  it('packs a bundle in which no secret is, whatever way it is spelled', async () => {
    const file = join(makeFolder(), 'support.tar.gz');
    const { out, err } = await examine({}, ['--bundle', file]);
    assert.match(err, /look through it before you send it/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const text = gunzipSync(readFileSync(file)).toString('utf8');
    for (const name of [
      'report.txt',
      'environment.json',
      'tables.json',
      'migrations.json',
      'runs.json',
      'last-failed-run.log',
    ])
      assert.ok(text.includes(`sluice-support/${name}`), name);
    // It is of use: the run that failed, and why, request by request.
    assert.match(text, /"status": "failed"/);
    assert.match(text, /graph request/);
    for (const shown of [text, out, err]) keepsNoSecret(shown, [...Object.values(CANARIES), SECRET_KEY]);
  });
});
