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
  removeGroup,
  removeMember,
  removeUser,
  type Tenant,
  updateUser,
} from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import {
  approve,
  connect,
  expectStatus,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { pictureOf, readServed } from '../support/served.ts';

const USERS = 300;

for (const kind of ['embedded', 'postgres'] as const)
  describe(`a tenant through a sync (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let api: TestGateway;
    const someone = (index: number): string =>
      [...tenant.users.keys()].filter((id) => tenant.users.get(id)?.['accountEnabled'] === true)[index] ?? '';
    const group = (index: number): string => [...tenant.groups.keys()][index] ?? '';

    before(async () => {
      tenant = makeTenant({ users: USERS, groups: 20, membersPerGroup: 12, cycle: true });
      graph = await startTenant(tenant);
      api = await startGateway(await freshStorage(kind));
    });
    after(async () => {
      await api?.close();
      await graph?.close();
    });

    it('serves every user, group and membership of the tenant after the first run, and nothing more', async () => {
      const run = await connect(api, settingsFor(tenant, graph));
      assert.equal(run.status, 'succeeded');
      assert.equal(run.trigger, 'connect');
      assert.equal(run.counts['created'], USERS + 20);
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
    });

    it('shows devices and contacts as skipped, with their reason', async () => {
      const runs = await api.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs');
      const { body } = await api.call<{ items: { resourceType: string; reason: string; outcome: string }[] }>(
        'GET',
        `/api/v1/sync-runs/${runs.body.items[0]?.id}/changes?action=skip`,
      );
      assert.ok(body.items.length > 0);
      assert.deepEqual([...new Set(body.items.map(({ reason }) => reason))], ['UnsupportedObjectType']);
      assert.deepEqual([...new Set(body.items.map(({ outcome }) => outcome))], ['skipped']);
    });

    it('plans nothing when nothing changed', async () => {
      const run = await sync(api);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(Object.keys(run.counts), ['skipped']);
    });

    it('keeps the SCIM id through a rename, a swap of names and a changed manager', async () => {
      const earlier = (await readServed(api)).ids;
      const [a, b, c] = [someone(10), someone(11), someone(12)];
      const names = [a, b].map((id) => tenant.users.get(id)?.['userPrincipalName']);
      updateUser(tenant, a, { userPrincipalName: names[1] });
      updateUser(tenant, b, { userPrincipalName: names[0] });
      updateUser(tenant, c, { userPrincipalName: 'renamed@contoso.example', displayName: 'Renamed', mail: null });
      tenant.managers.set(c, a);
      const run = await sync(api);
      assert.equal(run.status, 'succeeded');
      assert.equal(run.counts['updated'], 3);
      const { ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
      assert.deepEqual(ids, earlier);
    });

    it('applies joiners, leavers, moves and deleted groups', async () => {
      addUser(tenant, makeUser('joiner', 9001));
      addMember(tenant, group(1), makeUser('joiner', 9001).id);
      removeMember(tenant, group(2), [...(tenant.members.get(group(2)) ?? [])][0] ?? '');
      removeUser(tenant, someone(20));
      removeGroup(tenant, group(3));
      addGroup(tenant, makeGroup('new', 500));
      addMember(tenant, makeGroup('new', 500).id, someone(5));
      const run = await sync(api);
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      assert.equal(run.counts['deactivated'], 1);
      assert.equal(run.counts['deleted'], 1);
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
    });

    it('gives a user name to the newcomer when its holder has left, and keeps both ids', async () => {
      const leaver = someone(30);
      const name = String(tenant.users.get(leaver)?.['userPrincipalName']);
      removeUser(tenant, leaver);
      const newcomer = { ...makeUser('newcomer', 9003), userPrincipalName: name };
      addUser(tenant, newcomer);
      const run = await sync(api);
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      const { ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
      assert.notEqual(ids[newcomer.id], ids[leaver]);
    });

    it('gives the old id back to somebody who returns', async () => {
      const person = someone(40);
      const user = tenant.users.get(person);
      assert.ok(user);
      const earlier = (await readServed(api)).ids[person];
      removeUser(tenant, person);
      await sync(api);
      assert.equal((await readServed(api)).users[person], undefined);
      addUser(tenant, user);
      await sync(api);
      const { ids, ...served } = await readServed(api);
      assert.equal(ids[person], earlier);
      assert.deepEqual(served, pictureOf(tenant));
    });

    it('keeps the members of a group that begins to hide them, and says so', async () => {
      const id = group(5);
      const record = tenant.groups.get(id);
      assert.ok(record);
      const expected = pictureOf(tenant);
      const earlier = new Set(tenant.members.get(id));
      const outsider = [...tenant.users.keys()].find((user) => !earlier.has(user)) ?? '';
      tenant.groups.set(id, { ...record, visibility: 'HiddenMembership' });
      addMember(tenant, id, outsider);
      const run = await sync(api);
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, expected);
      const { body } = await api.call<{ items: { externalId: string }[] }>(
        'GET',
        `/api/v1/sync-runs/${run.id}/changes?reason=HiddenMembership`,
      );
      assert.deepEqual(
        body.items.map(({ externalId }) => externalId),
        [id],
      );
      tenant.groups.set(id, record);
      assert.equal((await sync(api)).counts['membershipsChanged'], 1);
      const { ids: _again, ...shown } = await readServed(api);
      assert.deepEqual(shown, pictureOf(tenant));
    });

    it('skips the second of two users with one user name and loses nobody in silence', async () => {
      const twin = {
        ...makeUser('twin', 9007),
        userPrincipalName: String(tenant.users.get(someone(50))?.['userPrincipalName']).toUpperCase(),
      };
      addUser(tenant, twin);
      const run = await sync(api);
      const { body } = await api.call<{ items: { reason: string; externalId: string }[] }>(
        'GET',
        `/api/v1/sync-runs/${run.id}/changes?reason=DuplicateSourceEntries`,
      );
      assert.equal(body.items.length, 1);
      removeUser(tenant, twin.id);
      await sync(api);
    });

    it('holds a mass of leavers while joiners go on, and applies exactly what was approved', async () => {
      const leavers = Array.from({ length: 60 }, (_, index) => someone(60 + index));
      const gone = leavers.map((id) => tenant.users.get(id));
      const memberships = new Map([...tenant.members].map(([id, members]) => [id, new Set(members)]));
      const managers = new Map(tenant.managers);
      for (const id of leavers) removeUser(tenant, id);
      addUser(tenant, makeUser('joiner', 9002));
      const held = await sync(api);
      assert.equal(held.status, 'held');
      assert.ok(held.guard?.held.includes('remove'));
      assert.equal(held.counts['created'], 1);
      const before = await readServed(api);
      assert.ok(leavers.every((id) => before.users[id] !== undefined));
      const run = await approve(api, held.planId);
      assert.equal(run.status, 'succeeded');
      const again = await expectStatus(
        api.call<{ status: string }>('POST', `/api/v1/plans/${held.planId}/approve`),
        202,
      );
      assert.equal(again.body.status, 'applied');
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
      for (const user of gone) if (user !== undefined) addUser(tenant, user);
      for (const [id, members] of memberships) tenant.members.set(id, members);
      for (const [id, manager] of managers) tenant.managers.set(id, manager);
      const back = await sync(api, { allowLargeSync: true });
      assert.equal(back.status, 'succeeded');
      const { ids: _again, ...restored } = await readServed(api);
      assert.deepEqual(restored, pictureOf(tenant));
    });

    it('rejects a held plan and leaves everything as it is', async () => {
      const everybody = new Map(tenant.users);
      for (const id of [...tenant.users.keys()].slice(0, 100)) tenant.users.delete(id);
      const held = await sync(api);
      assert.equal(held.status, 'held');
      const rejected = await expectStatus(
        api.call<{ status: string }>('POST', `/api/v1/plans/${held.planId}/reject`, { reason: 'a bad read' }),
        200,
      );
      assert.equal(rejected.body.status, 'rejected');
      const refused = await api.call<{ code: string }>('POST', `/api/v1/plans/${held.planId}/approve`);
      assert.equal(refused.status, 409);
      assert.equal(refused.body.code, 'plan-not-waiting');
      for (const [id, user] of everybody) tenant.users.set(id, user);
    });

    it('removes nobody when the provider answers that it has nobody, even with approval in advance', async () => {
      const everybody = new Map(tenant.users);
      const expected = await readServed(api);
      tenant.users.clear();
      const held = await sync(api, { allowLargeSync: true });
      assert.equal(held.status, 'held');
      assert.equal(held.guard?.reasons[0]?.code, 'source-empty');
      assert.deepEqual(Object.keys((await readServed(api)).users), Object.keys(expected.users));
      for (const [id, user] of everybody) tenant.users.set(id, user);
      const run = await sync(api);
      assert.equal(run.status, 'succeeded', JSON.stringify(run));
      const { ids: _ids, ...served } = await readServed(api);
      assert.deepEqual(served, pictureOf(tenant));
    });
  });
