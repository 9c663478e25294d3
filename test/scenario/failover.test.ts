// The database goes away in the middle of everything, comes back, and is a standby or read-only for a while.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeTenant, makeUser, type Tenant } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import { connect, settingsFor, startGateway, startTenant, sync, type TestGateway } from '../support/gateway.ts';
import { startPostgres, type TestServer } from '../support/postgres-server.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';
import { pictureOf, readServed } from '../support/served.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

describe('a gateway whose database goes away', { skip: postgresMissing }, () => {
  let folder: string;
  let postgres: TestServer;
  let tenant: Tenant;
  let graph: GraphServer;
  let app: ScimAppServer;
  let api: TestGateway;

  before(async () => {
    folder = mkdtempSync('/tmp/sluice-failover-');
    chmodSync(folder, 0o711);
    postgres = await startPostgres(folder, { durable: true });
    tenant = makeTenant({ users: 60, groups: 5, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    app = await startScimApp({ token: 'their-token' });
    api = await startGateway({ DATABASE_URL: postgres.url, ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    await connect(api, settingsFor(tenant, graph));
    const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'their-token' }, guard: null };
    await api.call('POST', '/api/v1/apps', { name: 'app', push });
  });
  after(async () => {
    await api?.close();
    await app?.close();
    await graph?.close();
    await postgres?.stop();
  });

  const write = (userName: string) =>
    api.call<{ status?: string }>('POST', '/scim/v2/Users', { schemas: [USER], userName });
  const list = () => api.call<{ status?: string; code?: string }>('GET', '/scim/v2/Users?count=1');

  async function until(isSo: () => Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async function administer(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: postgres.url });
    await client.connect();
    await client.query('set default_transaction_read_only = off');
    await client.query(text);
    await client.end();
  }

  it('answers 503 with Retry-After meanwhile, and goes on when it is back', async () => {
    postgres.down();
    await until(async () => (await list()).status !== 200);
    for (const answer of [await list(), await write('nobody')]) {
      assert.deepEqual([answer.status, answer.body.status, answer.headers.get('retry-after')], [503, '503', '5']);
      assert.match(answer.headers.get('content-type') ?? '', /scim\+json/);
    }
    const problem = await api.call<{ code: string; remedy: string }>('GET', '/api/v1/providers');
    assert.deepEqual([problem.status, problem.body.code], [503, 'database-unreachable']);
    assert.equal(problem.headers.get('retry-after'), '5');
    assert.equal((await api.call('GET', '/healthz')).status, 200);
    assert.equal((await api.call('GET', '/readyz')).status, 503);
    await postgres.up();
    assert.equal((await list()).status, 200);
    assert.equal((await write('somebody')).status, 201);
  });

  it('comes to the end of a sync and of a push that it cut short', async () => {
    for (let number = 0; number < 20; number += 1) addUser(tenant, makeUser('failover', 5_000 + number));
    await api.call('POST', '/api/v1/sync-runs', { allowLargeSync: true });
    postgres.down();
    await until(async () => (await list()).status !== 200);
    await postgres.up();
    await until(async () => (await api.call('POST', '/api/v1/sync-runs', { allowLargeSync: true })).status === 202);
    const open = async () => (await api.call<{ items: { status: string }[] }>('GET', '/api/v1/sync-runs')).body.items;
    await until(async () => (await open()).every(({ status }) => status !== 'queued' && status !== 'running'));
    assert.equal((await sync(api)).status, 'succeeded');
    const { ids, ...served } = await readServed(api);
    const brought = Object.entries(served.users).filter(([id]) => id !== 'undefined');
    assert.deepEqual(Object.fromEntries(brought), pictureOf(tenant).users);
    // With whoever was written over SCIM.
    await until(
      async () => [...app.users.values()].filter(({ active }) => active !== false).length === brought.length + 1,
    );
    assert.ok(Object.keys(ids).length > 0);
    assert.deepEqual(app.violations, []);
  });

  it('says that it may only read, and reads', async () => {
    await administer('alter system set default_transaction_read_only = on');
    await administer('select pg_reload_conf()');
    await until(async () => (await write('later')).status !== 201);
    assert.deepEqual([(await write('later')).status, (await list()).status], [503, 200]);
    await administer('alter system reset default_transaction_read_only');
    await administer('select pg_reload_conf()');
    await until(async () => (await write('later')).status === 201);
  });

  it('does not take a standby for its database, and takes it when it is promoted', async () => {
    postgres.down();
    await until(async () => (await list()).status !== 200);
    const signal = join(folder, 'data', 'standby.signal');
    writeFileSync(signal, '');
    const { uid, gid } = statSync(join(folder, 'data'));
    chownSync(signal, uid, gid);
    await postgres.up();
    const refused = await api.call<{ code: string }>('GET', '/api/v1/providers');
    assert.deepEqual([refused.status, refused.body.code], [503, 'database-read-only']);
    await administer('select pg_promote()');
    await until(async () => (await write('promoted')).status === 201);
  });
});
