// A worker that is stopped for longer than its lease, in the middle of something, and goes on when another has taken over.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import {
  expectStatus,
  freshStorage,
  settingsFor,
  spawnGateway,
  startGateway,
  startTenant,
  sync,
} from '../support/gateway.ts';
import { startScimApp } from '../support/scim-app-server.ts';
import { pictureOf, readServed } from '../support/served.ts';

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await turn();
}

type Closing = (() => Promise<unknown>)[];

/** A worker process, and a gateway in this process that answers requests and does no work. */
async function startPair(closing: Closing, ca = '') {
  const storage: Record<string, string> = { ...(await freshStorage('postgres')), ALLOW_LOOPBACK_WEBHOOKS: 'true' };
  const file = join(makeFolder(), 'ca.pem');
  writeFileSync(file, ca);
  const worker = await spawnGateway({ ...storage, ROLE: 'worker' }, file);
  closing.push(() => worker.kill());
  const api = await startGateway({ ...storage, ROLE: 'api' });
  closing.push(() => api.close());
  const client = new pg.Client({ connectionString: storage['DATABASE_URL'] });
  await client.connect();
  closing.push(() => client.end());
  let log = '';
  worker.child.stdout?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  return { storage, worker, api, client, hasLogged: (text: string): boolean => log.includes(text) };
}

describe('a worker that is stopped for longer than its lease', { skip: postgresMissing, concurrency: true }, () => {
  let tenant: Tenant;
  let graph: GraphServer;
  const closing: Closing = [];

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 5, membersPerGroup: 5 });
    graph = await startTenant(tenant);
  });
  after(async () => {
    for (const close of closing.reverse()) await close();
    await graph.close();
  });

  for (const [phase, table] of [
    ['planning', 'plan_items'],
    ['applying', 'changes'],
  ] as const)
    it(`in the middle of ${phase} keeps nobody waiting, and changes nothing when it goes on`, async () => {
      const { storage, worker, api, client, hasLogged } = await startPair(closing, graph.ca);
      await client.query(`begin; lock table ${table} in share row exclusive mode`);
      await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph)), 200);
      await expectStatus(api.call('POST', '/api/v1/providers/microsoft365/activate', {}), 200);
      const waits = `select 1 from pg_locks where not granted and relation = '${table}'::regclass`;
      await until(async () => (await client.query(waits)).rows.length > 0);
      worker.child.kill('SIGSTOP');
      await client.query('rollback');
      // It is in the middle of a transaction, which ends without it.
      const other = await startGateway(storage);
      closing.push(() => other.close());
      const open = `select 1 from runs where status in ('queued', 'running')`;
      await until(async () => (await client.query(open)).rows.length === 0);
      const run = await sync(other, { allowLargeSync: true });
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      const result =
        'select status, phase, done, total, counts, finished_at, progress_at, work_ms from runs order by seq';
      const rows = async (): Promise<unknown> => (await client.query(result)).rows;
      const before = await rows();
      worker.child.kill('SIGCONT');
      await until(() => hasLogged('run interrupted'));
      assert.deepEqual(await rows(), before);
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
      const twice = `select resource_id from changes group by resource_id having count(*) <> max(version) or count(*) <> count(distinct version)`;
      assert.deepEqual((await client.query(twice)).rows, []);
    });

  it('between looking somebody up at a target and creating them there creates nobody twice', async () => {
    const { storage, worker, api, client } = await startPair(closing);
    const app = await startScimApp({ token: 'their-token' });
    closing.push(() => app.close());
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'ada', active: true };
    await expectStatus(api.call('POST', '/scim/v2/Users', user), 201);
    // The worker is stopped by the first look-up, and hears the answer when it goes on.
    let isStopped = false;
    app.personality = {
      ...app.personality,
      failing: () => {
        if (!isStopped && app.asked.some(({ path }) => path.includes('ServiceProviderConfig'))) {
          isStopped = worker.child.kill('SIGSTOP');
        }
        return undefined;
      },
    };
    const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'their-token' }, guard: null, timeoutSeconds: 2 };
    await expectStatus(api.call('POST', '/api/v1/apps', { name: 'app', push }), 201);
    await until(() => isStopped);
    const other = await startGateway(storage);
    closing.push(() => other.close());
    await until(() => app.users.size === 1);
    const settled = `select remote_id, fence from deliveries where state = 'idle'`;
    await until(async () => (await client.query(settled)).rows.length === 1);
    const before = (await client.query(settled)).rows;
    worker.child.kill('SIGCONT');
    // It lives on, gives the target up, and holds none.
    assert.equal((await worker.call('GET', '/readyz')).status, 200);
    await until(
      async () =>
        (
          await client.query(
            `select 1 from pg_stat_activity where state = 'active' and query like '%target:%' and pid <> pg_backend_pid()`,
          )
        ).rows.length === 0,
    );
    assert.deepEqual((await client.query(settled)).rows, before);
    assert.equal(app.asked.filter(({ method }) => method === 'POST').length, 1);
    assert.deepEqual(app.violations, []);
  });
});
