import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import {
  addMember,
  addUser,
  makeTenant,
  makeUser,
  removeUser,
  softDeleteUser,
  type Tenant,
  updateUser,
} from '#demo/tenant.ts';
import { checkedCall, listAll, tokenWith } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  approve,
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';

interface Item {
  readonly action: string;
  readonly reason: string;
  readonly id: string | null;
  readonly externalId: string;
  readonly detail: string | null;
  readonly outcome: string;
  readonly held: boolean;
}

interface Dispute {
  readonly id: string;
  readonly externalId: string;
  readonly reason: string;
  readonly attribute: string;
  readonly status: string;
  readonly candidates: readonly { readonly id: string; readonly origin: string }[];
}

/** The same people and groups under other ids, as after a move to another tenant. */
function moved(tenant: Tenant): { tenant: Tenant; newId: (id: string) => string } {
  const newId = (id: string): string => `ffffffff${id.slice(8)}`;
  const renamed = <Item extends { id: string }>(items: Map<string, Item>): Map<string, Item> =>
    new Map([...items.values()].map((item) => [newId(item.id), { ...item, id: newId(item.id) }]));
  return {
    newId,
    tenant: {
      ...tenant,
      id: newId(tenant.id),
      users: renamed(tenant.users),
      groups: renamed(tenant.groups),
      others: renamed(tenant.others),
      members: new Map([...tenant.members].map(([id, members]) => [newId(id), new Set([...members].map(newId))])),
      managers: new Map([...tenant.managers].map(([id, manager]) => [newId(id), newId(manager)])),
    },
  };
}

for (const kind of ['embedded', 'postgres'] as const)
  describe(`who is who (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let api: TestGateway;
    const call = checkedCall(() => api);
    const changes = (run: RunBody, query = '') => listAll<Item>(call, `/sync-runs/${run.id}/changes?limit=500${query}`);
    const disputes = () => listAll<Dispute>(call, '/disputes?status=open');
    const make = async (body: Record<string, unknown>): Promise<string> =>
      (await call<{ id: string }>('POST', '/users', 201, body)).id;

    before(async () => {
      tenant = makeTenant({ users: 60, groups: 8, membersPerGroup: 5 });
      graph = await startTenant(tenant);
      api = await startGateway(await freshStorage(kind));
      await connect(api, settingsFor(tenant, graph));
    });
    after(async () => {
      await api?.close();
      await graph?.close();
    });

    it('brings somebody made by hand whom the provider shows too before a person, and adopts only then', async () => {
      const id = await make({ userName: 'newcomer@contoso.example', title: 'By hand' });
      const newcomer = { ...makeUser('newcomer', 9001), userPrincipalName: 'Newcomer@contoso.example' };
      const [group] = tenant.groups.keys();
      addUser(tenant, newcomer);
      addMember(tenant, group ?? '', newcomer.id);
      const run = await sync(api);
      assert.equal(run.status, 'succeeded');
      const [item] = await changes(run, '&reason=Disputed');
      assert.deepEqual([item?.action, item?.externalId, item?.id], ['skip', newcomer.id, id]);
      const [dispute] = await disputes();
      assert.deepEqual(
        [dispute?.externalId, dispute?.attribute, dispute?.candidates.map((candidate) => candidate.id)],
        [newcomer.id, 'userName', [id]],
      );
      assert.equal((await call('GET', `/users/${id}`, 200))['title'], 'By hand');
      const viewer = await tokenWith(call, 'viewer');
      await call('POST', `/disputes/${dispute?.id}/adopt`, 403, {}, viewer);
      await call('POST', `/disputes/${dispute?.id}/adopt`, 200, {});
      const adopting = await sync(api, { preview: true });
      const [planned] = await changes(adopting, '&reason=Adopted');
      assert.deepEqual([planned?.action, planned?.id, planned?.externalId], ['update', id, newcomer.id]);
      const applied = await sync(api);
      assert.deepEqual([applied.counts['linked'], applied.counts['updated']], [1, undefined]);
      const { ids, ...served } = await readServed(api);
      assert.equal(ids[newcomer.id], id);
      assert.deepEqual(served, pictureOf(tenant));
      const adopted = await call<{ state: { origin: string }; externalId: string }>('GET', `/users/${id}`, 200);
      assert.deepEqual([adopted.state.origin, adopted.externalId], ['microsoft365', newcomer.id]);
      assert.deepEqual(await listAll(call, '/disputes'), []);
      assert.deepEqual(Object.keys((await sync(api)).counts), ['skipped']);
    });

    it('skips whoever a person says is somebody else, and never asks again', async () => {
      const id = await make({ userName: 'namesake@contoso.example' });
      const record = { ...makeUser('namesake', 9002), userPrincipalName: 'namesake@contoso.example' };
      addUser(tenant, record);
      await sync(api);
      const [dispute] = await disputes();
      const refused = await call<{ status: string }>('POST', `/disputes/${dispute?.id}/refuse`, 200);
      assert.equal(refused.status, 'refused');
      const run = await sync(api);
      const [item] = await changes(run, `&reason=ManualOrigin`);
      assert.deepEqual([item?.action, item?.externalId], ['skip', record.id]);
      assert.deepEqual(await disputes(), []);
      await call('DELETE', `/users/${id}`, 204);
      assert.equal((await sync(api)).counts['created'], 1);
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
    });

    it('holds a record that fits two people for a person, and links the one who is chosen', async () => {
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph, { adoptManual: 'onMatch' }));
      const emails = (value: string) => [{ value, type: 'work' }];
      const [one, two, three] = [
        await make({ userName: 'one@hand.example', emails: emails('twice@contoso.example') }),
        await make({ userName: 'two@hand.example', emails: emails('twice@contoso.example') }),
        await make({ userName: 'three@hand.example', emails: emails('once@contoso.example') }),
      ];
      const twice = { ...makeUser('twice', 9003), mail: 'Twice@contoso.example', proxyAddresses: [] };
      const once = {
        ...makeUser('once', 9004),
        mail: 'first@contoso.example',
        proxyAddresses: ['smtp:ONCE@contoso.example'],
      };
      for (const user of [twice, once]) addUser(tenant, user);
      const run = await sync(api);
      const [held] = await changes(run, '&reason=MatchAmbiguous');
      assert.equal(held?.externalId, twice.id);
      assert.ok(held?.detail?.includes(one) && held.detail.includes(two));
      const [linked] = await changes(run, '&reason=Adopted');
      assert.deepEqual([linked?.id, linked?.externalId, linked?.detail], [three, once.id, 'emails']);
      const [dispute] = await disputes();
      const refused = await call<{ code: string }>('POST', `/disputes/${dispute?.id}/adopt`, 409, {});
      assert.equal(refused.code, 'dispute-ambiguous');
      await call('POST', `/disputes/${dispute?.id}/adopt`, 400, { resourceId: three });
      await call('POST', `/disputes/${dispute?.id}/adopt`, 200, { resourceId: two });
      await sync(api);
      const { ids } = await readServed(api);
      assert.deepEqual([ids[twice.id], ids[once.id]], [two, three]);
      await call('DELETE', `/users/${one}`, 204);
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph));
      await sync(api);
    });

    it('counts a reset that changes no link for nothing, and keeps everybody as they are', async () => {
      const before = await readServed(api);
      const run = await sync(api, { resetAccountMapping: true });
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(Object.keys(run.counts), ['skipped']);
      assert.deepEqual(await readServed(api), before);
    });

    it('refuses to run against another tenant, and goes on there after a reset with every id kept', async () => {
      const before = await readServed(api);
      const { tenant: elsewhere, newId } = moved(tenant);
      const other = await startTenant(elsewhere);
      try {
        await call('PUT', '/providers/microsoft365', 200, settingsFor(elsewhere, other));
        const refused = await sync(api, { allowLargeSync: true });
        assert.deepEqual([refused.status, refused.error?.code], ['failed', 'tenant-changed']);
        assert.match(refused.error?.remedy ?? '', /resetAccountMapping/);
        // To take the settings away first is no way around it.
        await call('POST', '/providers/microsoft365/deactivate', 200, {});
        await call('DELETE', '/providers/microsoft365', 204);
        assert.equal((await connect(api, settingsFor(elsewhere, other))).error?.code, 'tenant-changed');
        assert.deepEqual(await readServed(api), before);
        const person = [...elsewhere.users.keys()].find((id) => elsewhere.users.get(id)?.['accountEnabled'] === true);
        updateUser(elsewhere, person ?? '', { jobTitle: 'Moved' });
        const held = await sync(api, { resetAccountMapping: true, allowLargeSync: true });
        assert.equal(held.status, 'held');
        assert.equal(held.guard?.reasons[0]?.code, 'account-mapping-reset');
        const items = await changes(held, '&reason=Relinked');
        assert.equal(items.length, elsewhere.users.size + elsewhere.groups.size);
        assert.ok(items.every(({ outcome, detail }) => outcome === 'held' && detail === 'userName'));
        assert.deepEqual(await readServed(api), before);
        const again = await sync(api, { allowLargeSync: true });
        assert.equal(again.error?.code, 'tenant-changed', 'until the reset was approved');
        const run = await approve(api, (await sync(api, { resetAccountMapping: true })).planId);
        assert.equal(run.status, 'succeeded', JSON.stringify(run));
        assert.equal(run.counts['linked'], items.length);
        assert.deepEqual(
          Object.keys(run.counts).filter((name) => !['linked', 'skipped', 'membershipsChanged'].includes(name)),
          [],
        );
        const { ids, ...served } = await readServed(api);
        assert.deepEqual(served, pictureOf(elsewhere));
        assert.deepEqual(
          ids,
          Object.fromEntries(Object.entries(before.ids).map(([externalId, id]) => [newId(externalId), id])),
        );
        const next = await sync(api);
        assert.deepEqual([next.status, Object.keys(next.counts)], ['succeeded', ['skipped']]);
      } finally {
        await other.close();
      }
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph));
      await approve(api, (await sync(api, { resetAccountMapping: true })).planId);
      assert.deepEqual((await readServed(api)).ids, before.ids);
    });

    it('lets accounts exchange their links in a reset of these two alone', async () => {
      const [one, two, three, four] = [...tenant.users.values()]
        .filter((user) => user['accountEnabled'] === true)
        .slice(5, 10);
      assert.ok(one && two && three && four);
      const { ids } = await readServed(api);
      const [first, second] = [ids[one.id] ?? '', ids[two.id] ?? ''];
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph, { matching: ['userName'] }));
      const name = one['userPrincipalName'];
      updateUser(tenant, one.id, { userPrincipalName: two['userPrincipalName'] });
      updateUser(tenant, two.id, { userPrincipalName: name });
      const other = three['userPrincipalName'];
      updateUser(tenant, three.id, { userPrincipalName: four['userPrincipalName'] });
      updateUser(tenant, four.id, { userPrincipalName: other });
      const held = await sync(api, { resetAccountMapping: [first, second] });
      const relinked = await changes(held, '&reason=Relinked');
      assert.deepEqual(
        new Map(relinked.map(({ externalId, id }) => [externalId, id])),
        new Map([
          [one.id, second],
          [two.id, first],
        ]),
      );
      assert.equal((await approve(api, held.planId)).status, 'succeeded');
      const after = await readServed(api);
      assert.deepEqual([after.ids[one.id], after.ids[two.id]], [second, first]);
      assert.deepEqual([after.ids[three.id], after.ids[four.id]], [ids[three.id], ids[four.id]]);
      const { ids: _ids, ...served } = after;
      assert.deepEqual(served, pictureOf(tenant));
      assert.deepEqual(Object.keys((await sync(api)).counts), ['skipped']);
    });

    it('makes a new account for a record whose own went to another one', async () => {
      const [one] = [...tenant.users.values()].filter((user) => user['accountEnabled'] === true).slice(12, 13);
      assert.ok(one);
      const account = (await readServed(api)).ids[one.id] ?? '';
      const heir = { ...makeUser('heir', 9005), userPrincipalName: one['userPrincipalName'] };
      addUser(tenant, heir);
      updateUser(tenant, one.id, { userPrincipalName: 'other@contoso.example' });
      const held = await sync(api, { resetAccountMapping: true });
      const run = await approve(api, held.planId);
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      const { ids, ...served } = await readServed(api);
      assert.equal(ids[heir.id], account);
      assert.notEqual(ids[one.id], account);
      assert.deepEqual(served, pictureOf(tenant));
      removeUser(tenant, heir.id);
    });

    it('gives the account back to whom the tenant made anew, by what ties them to its own directory, and not by the name', async () => {
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph));
      const tied = (index: number) => ({ onPremisesImmutableId: `anchor+${index}==` });
      const old = [9006, 9007, 9008].map((index) => ({ ...makeUser('first', index), ...tied(index) }));
      const [left, untied, replaced] = old;
      assert.ok(left && untied && replaced);
      for (const user of old) addUser(tenant, user);
      await sync(api);
      const { ids } = await readServed(api);
      for (const user of [left, untied]) softDeleteUser(tenant, user.id);
      assert.equal((await sync(api)).counts['deactivated'], 2);
      removeUser(tenant, replaced.id);
      const [back, namesake, renamed] = [
        { ...makeUser('anew', 9006), ...tied(9006) },
        makeUser('anew', 9007),
        { ...makeUser('anew', 9009), ...tied(9008) },
      ];
      for (const user of [back, namesake, renamed]) addUser(tenant, user);
      const run = await sync(api);
      const relinked = await changes(run, '&reason=Relinked');
      assert.deepEqual(
        new Map(relinked.map(({ externalId, id, detail }) => [externalId, `${id} ${detail}`])),
        new Map([
          [back.id, `${ids[left.id]} anchors`],
          [renamed.id, `${ids[replaced.id]} anchors`],
        ]),
      );
      const after = await readServed(api);
      assert.deepEqual([after.ids[back.id], after.ids[renamed.id]], [ids[left.id], ids[replaced.id]]);
      assert.ok(after.ids[namesake.id] !== undefined && after.ids[namesake.id] !== ids[untied.id]);
      const account = await call<{ active: boolean }>('GET', `/users/${ids[left.id]}`, 200);
      assert.equal(account.active, true);
      assert.deepEqual(Object.keys((await sync(api)).counts), ['skipped']);
    });
  });
