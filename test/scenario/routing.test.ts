// Rules that place people into groups made by hand.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import {
  addGroup,
  addMember,
  addUser,
  makeGroup,
  makeTenant,
  makeUser,
  removeMember,
  updateUser,
} from '#demo/tenant.ts';
import { checkedCall, listAll } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  EVERY_GROUP_TYPE,
  freshStorage,
  saveSettings,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';

interface Shown {
  readonly id: string;
  readonly externalId: string;
  readonly displayName: string;
  readonly members?: readonly { readonly value: string }[];
}

for (const kind of ['embedded', 'postgres'] as const)
  describe(`routing (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    const tenant = makeTenant({ users: 0, groups: 0 });
    const staff = makeGroup('routing', 0);
    const person = (index: number): string => makeUser('routing', index).id;
    let graph: GraphServer;
    let gateway: TestGateway;
    const call = checkedCall(() => gateway);
    const settings = (destination: object, more: object = {}) =>
      settingsFor(tenant, graph, { scope: { groupTypes: EVERY_GROUP_TYPE }, destination, ...more });
    const RULES = [
      { filter: 'department eq "Sales"', destinationGroup: 'Sellers' },
      { filter: 'memberOf eq "Staff" or department eq "Sales"', destinationGroup: 'Staff seats' },
    ];

    before(async () => {
      addGroup(tenant, { ...staff, displayName: 'Staff' });
      for (let index = 1; index <= 5; index += 1)
        addUser(tenant, { ...makeUser('routing', index), department: index <= 2 ? 'Sales' : 'Legal' });
      addMember(tenant, staff.id, person(3));
      graph = await startTenant(tenant);
      gateway = await startGateway(await freshStorage(kind));
      const run = await connect(gateway, settings({ rules: RULES, default: 'Main' }));
      assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
    });
    after(async () => {
      await gateway.close();
      await graph.close();
    });

    async function groups(): Promise<Record<string, readonly string[]>> {
      const users = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Users?count=100');
      const names = new Map(users.body.Resources.map(({ id, externalId }) => [id, externalId]));
      const found = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Groups?count=100');
      return Object.fromEntries(
        found.body.Resources.map(({ displayName, members = [] }) => [
          displayName,
          members.map(({ value }) => names.get(value) ?? value).sort(),
        ]),
      );
    }
    const ids = (...indexes: number[]): string[] => indexes.map(person).sort();

    it('makes the groups by hand that it needs, and places each person by the first rule, or by default', async () => {
      assert.deepEqual(await groups(), {
        Staff: ids(3),
        Sellers: ids(1, 2),
        'Staff seats': ids(3),
        Main: ids(4, 5),
      });
      const { items } = await call<{ items: { displayName: string; origin: string }[] }>('GET', '/groups', 200);
      assert.deepEqual(
        items
          .filter(({ origin }) => origin === 'manual')
          .map(({ displayName }) => displayName)
          .sort(),
        ['Main', 'Sellers', 'Staff seats'],
      );
      const again = await sync(gateway);
      assert.deepEqual([again.counts['created'] ?? 0, again.counts['membershipsChanged'] ?? 0], [0, 0]);
    });

    it('moves people when their record or their groups change, whatever the run reads', async () => {
      updateUser(tenant, person(1), { department: 'Legal' });
      removeMember(tenant, staff.id, person(3));
      addMember(tenant, staff.id, person(4));
      const run = await sync(gateway, { mode: 'incremental', allowLargeSync: true });
      assert.equal(run.status, 'succeeded');
      const now = await groups();
      assert.deepEqual([now['Sellers'], now['Staff seats'], now['Main']], [ids(2), ids(4), ids(1, 3, 5)]);
      const items = await listAll<{ reason: string }>(call, `/sync-runs/${run.id}/changes?action=membership`);
      assert.ok(items.some(({ reason }) => reason === 'RoutedHere'));
    });

    it('takes back nobody whom it has not placed', async () => {
      const all = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Groups?count=100');
      const sellers = all.body.Resources.find(({ displayName }) => displayName === 'Sellers')?.id ?? '';
      const users = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Users?count=100');
      const five = users.body.Resources.find(({ externalId }) => externalId === person(5))?.id ?? '';
      const { status } = await gateway.call('PATCH', `/scim/v2/Groups/${sellers}`, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'add', path: 'members', value: [{ value: five }] }],
      });
      assert.ok(status === 200 || status === 204, String(status));
      await sync(gateway, { allowLargeSync: true });
      assert.deepEqual((await groups())['Sellers'], ids(2, 5));
    });

    it('places by every rule that is true, and takes back what no rule says any more', async () => {
      await saveSettings(gateway, settings({ rules: RULES, match: 'all' }));
      await sync(gateway, { allowLargeSync: true });
      const now = await groups();
      assert.deepEqual([now['Sellers'], now['Staff seats'], now['Main']], [ids(2, 5), ids(2, 4), []]);
      await saveSettings(gateway, settings({}));
      await sync(gateway, { allowLargeSync: true });
      const last = await groups();
      assert.deepEqual([last['Sellers'], last['Staff seats'], last['Main']], [ids(5), [], []]);
    });

    it('refuses rules that cannot be', async () => {
      for (const destination of [
        { rules: [{ filter: 'colour eq "red"', destinationGroup: 'x' }] },
        { rules: [{ filter: 'mail pr', destinationGroup: ' ' }] },
        { rules: [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => ({ filter: `memberOf eq "${n}"`, destinationGroup: 'x' })) },
      ])
        await call('PUT', '/providers/microsoft365', 400, settings(destination));
    });
  });
