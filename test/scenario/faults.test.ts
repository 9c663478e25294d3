import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { FaultPlan } from '#demo/faults.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeTenant, makeUser, removeUser, type Tenant } from '#demo/tenant.ts';
import {
  approve,
  connect,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';

describe('a tenant that misbehaves', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 1_100, groups: 30, membersPerGroup: 10 });
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  const scripted = (path: string, fault: NonNullable<FaultPlan['script']>[number]['fault'], times = 1): FaultPlan => ({
    script: [{ path, fault, times }],
  });

  it('is read whole through every fault that a client can survive', async () => {
    for (const fault of [
      { kind: 'status', status: 429, retryAfter: '0' },
      { kind: 'status', status: 429, retryAfter: new Date(0).toUTCString() },
      { kind: 'status', status: 503, retryAfter: '0' },
      { kind: 'drop' },
      { kind: 'truncate' },
      { kind: 'emptyPage' },
      { kind: 'repeat' },
    ] as const) {
      graph.setFaults(scripted('/users', fault));
      removeUser(tenant, [...tenant.users.keys()].at(-1) ?? '');
      const run = await sync(api);
      assert.equal(run.status, 'succeeded', `${JSON.stringify(fault)}: ${JSON.stringify(run.error)}`);
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
    }
  });

  it('gets a fresh token when the old one is refused in the middle of a run', async () => {
    graph.setFaults({});
    graph.revokeTokens();
    assert.equal((await sync(api)).status, 'succeeded');
  });

  for (const [what, fault, code] of [
    ['a page that links to itself without an end', { kind: 'loop' }, 'page-loop'],
    ['a page that links to another host', { kind: 'foreignLink' }, 'foreign-next-link'],
    ['a body that is no page', { kind: 'notAPage' }, 'page-without-list'],
  ] as const)
    it(`removes nobody after ${what}, and says so`, async () => {
      const expected = await readServed(api);
      const everybody = new Map(tenant.users);
      for (const id of [...tenant.users.keys()].slice(0, 5)) tenant.users.delete(id);
      graph.setFaults(scripted('/members', fault, 1_000));
      const run = await sync(api, { allowLargeSync: true });
      assert.equal(run.status, 'incomplete');
      assert.equal(run.error?.failure, 'source-incomplete');
      assert.equal(run.error?.code, code);
      assert.ok((run.error?.remedy ?? '').length > 0);
      assert.deepEqual((await readServed(api)).users, expected.users);
      graph.setFaults({});
      for (const [id, user] of everybody) tenant.users.set(id, user);
      assert.equal((await sync(api)).status, 'succeeded');
    });

  it('still says why a run is incomplete when what it held was approved', async () => {
    for (let index = 0; index < 300; index += 1) addUser(tenant, makeUser('crowd', 20_000 + index));
    graph.setFaults(scripted('/members', { kind: 'notAPage' }, 1_000));
    const held = await sync(api);
    assert.equal(held.status, 'held');
    const run = await approve(api, held.planId);
    assert.deepEqual([run.status, run.error?.code], ['incomplete', 'page-without-list']);
    graph.setFaults({});
  });

  it('fails with a sentence and a remedy when the secret is wrong, the tenant unknown, or a permission missing', async () => {
    for (const [changes, check, sentence] of [
      [{ credential: { kind: 'clientSecret', secret: 'wrong' } }, 'token', /client secret/],
      [{ tenantId: '00000000-0000-4000-8000-000000000000' }, 'token', /no such tenant/i],
      [{ clientId: 'nobody' }, 'token', /application/],
    ] as const) {
      const { body } = await api.call<{
        ok: boolean;
        checks: { name: string; ok: boolean; detail: string; remedy: string | null }[];
      }>('POST', '/api/v1/providers/microsoft365/test', settingsFor(tenant, graph, changes));
      assert.equal(body.ok, false);
      const failed = body.checks.find(({ ok }) => !ok);
      assert.equal(failed?.name, check);
      assert.match(failed?.detail ?? '', sentence);
      assert.ok((failed?.remedy ?? '').length > 0);
    }
  });
});
