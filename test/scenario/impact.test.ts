// A scope that takes somebody away is saved only by who has seen whom.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, updateUser } from '#demo/tenant.ts';
import { checkedCall, listAll } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  EVERY_GROUP_TYPE,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';

interface Refused {
  readonly code: string;
  readonly planId: string;
  readonly removals: { readonly users: number; readonly groups: number; readonly memberships: number };
  readonly notRead: readonly string[];
}

interface Item {
  readonly externalId: string;
  readonly action: string;
  readonly resourceType: string;
  readonly reason: string;
}

const PATH = '/providers/microsoft365';

for (const kind of ['embedded', 'postgres'] as const)
  describe(`the impact of a scope (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    const tenant = makeTenant({ users: 60, groups: 8, membersPerGroup: 10 });
    let graph: GraphServer;
    let gateway: TestGateway;
    const call = checkedCall(() => gateway);
    const settings = (scope: object, more: object = {}) =>
      settingsFor(tenant, graph, { scope: { groupTypes: EVERY_GROUP_TYPE, ...scope }, ...more });
    const departments = new Set([...tenant.users.values()].map(({ department }) => String(department)));
    const [sales = ''] = departments;
    const others = [...tenant.users.values()].filter(({ department }) => department !== sales).length;

    before(async () => {
      graph = await startTenant(tenant);
      gateway = await startGateway(await freshStorage(kind));
      await call('PUT', PATH, 200, settings({ filter: 'department eq "Nobody"' }));
      await connect(gateway, settings({}));
    });
    after(async () => {
      await gateway.close();
      await graph.close();
    });

    const mirror = async (): Promise<unknown> => {
      const some = [...tenant.users.keys()].slice(0, 12);
      return Promise.all(
        some.map(async (id) => (await call<{ explanation: object }>('GET', `/explain?subject=${id}`, 200)).explanation),
      );
    };
    const narrow = (): object => settings({ filter: `department eq "${sales}"` });

    it('is shown instead of being saved, and nothing else is different afterwards', async () => {
      // Of the tenant itself the gateway asks when it likes.
      const reads = () => [...graph.requests].filter(([path]) => /^\/v1\.0\/(users|groups)/.test(path));
      const asked = reads();
      const before = await mirror();
      const refused = await call<Refused>('PUT', PATH, 409, narrow());
      assert.equal(refused.code, 'impact-plan-required');
      assert.equal(refused.removals.users, others);
      assert.deepEqual(reads(), asked, 'the provider was not asked');
      const saved = await call<{ scope: { filter: string } }>('GET', PATH, 200);
      assert.equal(saved.scope.filter, '');
      assert.deepEqual(await mirror(), before);
      const items = await listAll<Item>(call, `/plans/${refused.planId}/changes`);
      const leaving = items.filter(({ action, resourceType }) => action === 'deactivate' && resourceType === 'User');
      assert.equal(leaving.length, others);
      assert.ok(leaving.every(({ reason }) => reason === 'ScopeFilterFalse'));
      const run = await sync(gateway);
      assert.equal(run.status, 'succeeded');
      assert.equal(run.counts['deactivated'] ?? 0, 0);
    });

    it('is never applied by an approval', async () => {
      const { planId } = await call<Refused>('PUT', PATH, 409, narrow());
      const problem = await call<{ code: string }>('POST', `/plans/${planId}/approve`, 409);
      assert.equal(problem.code, 'impact-plan');
    });

    it('is confirmed for these settings only, and only until the next plan', async () => {
      const { planId } = await call<Refused>('PUT', PATH, 409, narrow());
      await call('PUT', `${PATH}?confirmImpact=${planId}`, 409, settings({ filter: 'department eq "Nobody"' }));
      await call('PUT', `${PATH}?confirmImpact=nonsense`, 409, narrow());
      const someone = [...tenant.users.keys()][3] ?? '';
      updateUser(tenant, someone, { jobTitle: 'Changed' });
      await sync(gateway);
      await call('PUT', `${PATH}?confirmImpact=${planId}`, 409, narrow());
      const again = await call<Refused>('PUT', PATH, 409, narrow());
      await call('PUT', PATH, 200, { ...narrow(), confirmImpact: again.planId });
      const run = await sync(gateway, { allowLargeSync: true });
      assert.equal(run.counts['deactivated'], others);
    });

    it('is asked for by nobody who widens the scope, or leaves it as it is', async () => {
      await call('PUT', PATH, 200, narrow());
      await call('PUT', PATH, 200, settings({}));
      await sync(gateway, { allowLargeSync: true });
      await call('PUT', PATH, 200, settings({}, { pathDisplay: { rootGroupId: [...tenant.groups.keys()][0] } }));
      await sync(gateway, { allowLargeSync: true });
    });

    it('counts a membership once that goes with its group and with its member', async () => {
      const { directory } = await call<{ directory: { memberships: number } }>('GET', '/overview', 200);
      const nowhere = settings({ mode: 'groups', groupIds: ['00000000-0000-4000-8000-000000000009'] });
      const { removals } = await call<Refused>('PUT', PATH, 409, nowhere);
      assert.ok(directory.memberships > 0);
      assert.equal(removals.memberships, directory.memberships);
    });

    it('of designated groups names whose people were never read', async () => {
      const unknown = 'deadbeef-0000-4000-8000-000000000000';
      const [root = ''] = tenant.groups.keys();
      const refused = await call<Refused>('PUT', PATH, 409, settings({ mode: 'groups', groupIds: [root, unknown] }));
      assert.deepEqual(refused.notRead, [unknown]);
      assert.ok(refused.removals.groups > 0);
      const items = await listAll<Item>(call, `/plans/${refused.planId}/changes`);
      const reasons = new Set(items.filter(({ action }) => action === 'deactivate').map(({ reason }) => reason));
      assert.deepEqual([...reasons], ['NotInSelectedGroup']);
    });
  });
