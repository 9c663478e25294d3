import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import { connect, freshStorage, settingsFor, startGateway, startTenant, type TestGateway } from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';

describe('a replica for requests and one for the work', { skip: postgresMissing }, () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let worker: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 6, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    const storage = await freshStorage('postgres');
    api = await startGateway({ ...storage, ROLE: 'api' });
    worker = await startGateway({ ...storage, ROLE: 'worker' });
  });
  after(async () => {
    await worker?.close();
    await api?.close();
    await graph?.close();
  });

  it('sync together: what one queues the other carries out', async () => {
    assert.equal((await connect(api, settingsFor(tenant, graph))).status, 'succeeded');
    const { ids: _ids, ...served } = await readServed(api);
    assert.deepEqual(served, pictureOf(tenant));
  });

  it('leave all requests to the one, and say of both how they are', async () => {
    for (const path of ['/scim/v2/Users', '/api/v1/providers']) {
      assert.equal((await api.call('GET', path)).status, 200);
      assert.equal((await worker.call('GET', path)).status, 404);
    }
    for (const path of ['/healthz', '/readyz', '/metrics'])
      assert.deepEqual([(await fetch(api.base + path)).status, (await fetch(worker.base + path)).status], [200, 200]);
  });
});
