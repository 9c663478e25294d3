// Everything through PgBouncer in transaction pooling: two statements of one client may meet two connections.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeTenant, makeUser, removeUser, type Tenant } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  expectStatus,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { type Bouncer, bouncerMissing, startBouncer } from '../support/pgbouncer.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';
import { pictureOf, readServed } from '../support/served.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

describe('two replicas behind PgBouncer in transaction pooling', { skip: bouncerMissing || postgresMissing }, () => {
  let folder: string;
  let bouncer: Bouncer;
  let tenant: Tenant;
  let graph: GraphServer;
  let app: ScimAppServer;
  /** Answers requests; the other one works. */
  let api: TestGateway;
  let worker: TestGateway;

  before(async () => {
    folder = mkdtempSync('/tmp/sluice-bouncer-');
    chmodSync(folder, 0o711);
    const { DATABASE_URL = '' } = await freshStorage('postgres');
    bouncer = await startBouncer(DATABASE_URL, folder, 3);
    tenant = makeTenant({ users: 80, groups: 6, membersPerGroup: 6 });
    graph = await startTenant(tenant);
    app = await startScimApp({ token: 'their-token' });
    const storage = { DATABASE_URL: bouncer.url, ALLOW_LOOPBACK_WEBHOOKS: 'true' };
    worker = await startGateway({ ...storage, ROLE: 'all' });
    api = await startGateway({ ...storage, ROLE: 'api' });
  });
  after(async () => {
    for (const gateway of [api, worker]) await gateway?.close();
    await app?.close();
    await graph?.close();
    await bouncer?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  it('sync, follow a run on the replica that does not work on it, and serve the same', async () => {
    // Waits by the event stream of the replica that only answers.
    const first = await connect(api, settingsFor(tenant, graph));
    assert.equal(first.status, 'succeeded', JSON.stringify(first));
    addUser(tenant, makeUser('bouncer', 5_001));
    removeUser(tenant, [...tenant.users.keys()][3] ?? '');
    assert.equal((await sync(api)).status, 'succeeded');
    for (const gateway of [api, worker]) {
      const { ids: _ids, ...served } = await readServed(gateway);
      assert.deepEqual(served, pictureOf(tenant));
    }
  });

  it('write over SCIM side by side, with filters that run within a time', async () => {
    const names = Array.from({ length: 40 }, (_, number) => `side${number}`);
    const made = await Promise.all(
      names.map((userName, number) =>
        (number % 2 === 0 ? api : worker).call<{ id: string }>('POST', '/scim/v2/Users', { schemas: [USER], userName }),
      ),
    );
    assert.deepEqual(new Set(made.map(({ status }) => status)), new Set([201]));
    const odd = await Promise.all(
      Array.from({ length: 12 }, () =>
        api.call<{ totalResults: number }>('GET', '/scim/v2/Users?filter=userName%20co%20%22side%22'),
      ),
    );
    assert.deepEqual(new Set(odd.map(({ body }) => body.totalResults)), new Set([40]));
    for (const { body } of made.slice(0, 5)) await expectStatus(api.call('DELETE', `/scim/v2/Users/${body.id}`), 204);
  });

  it('push, whoever has the lease of the target', async () => {
    const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'their-token' }, guard: null };
    await expectStatus(api.call('POST', '/api/v1/apps', { name: 'app', push }), 201);
    const { body } = await api.call<{ totalResults: number }>(
      'GET',
      '/scim/v2/Users?filter=active%20eq%20true&count=0',
    );
    await until(() => [...app.users.values()].filter(({ active }) => active !== false).length === body.totalResults);
    assert.deepEqual(app.violations, []);
  });

  it('take a token that was revoked on one replica for good on the other for no longer than five seconds', async () => {
    const { body: other } = await expectStatus(
      api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'reader' }),
      201,
    );
    const path = `/api/v1/apps/${other.id}/tokens`;
    const { body } = await expectStatus(
      api.call<{ id: string; token: string }>('POST', path, { scopes: ['scim:read'] }),
      201,
    );
    const ask = async (gateway: TestGateway): Promise<number> =>
      (await gateway.call('GET', '/scim/v2/Users?count=1', undefined, body.token)).status;
    assert.deepEqual([await ask(api), await ask(worker)], [200, 200]);
    await expectStatus(api.call('DELETE', `${path}/${body.id}`), 204);
    assert.equal(await ask(api), 401);
    await until(async () => (await ask(worker)) === 401);
  });
});
