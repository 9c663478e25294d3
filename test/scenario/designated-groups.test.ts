// Who comes in by membership: designated groups, groups in groups, groups in the filter, and the paths that show it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Fault } from '#demo/faults.ts';
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
  softDeleteUser,
  type Tenant,
  updateGroup,
  updateUser,
} from '#demo/tenant.ts';
import { checkedCall } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  approve,
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
import { startScimApp } from '../support/scim-app-server.ts';

const GATEWAY = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';

interface Shown {
  readonly id: string;
  readonly externalId: string;
  readonly active?: boolean;
  readonly displayName: string;
  readonly members?: readonly { readonly value: string }[];
  readonly [GATEWAY]?: { readonly affiliationPath?: string };
}

/** A small tenant: Company has Sales and Ops; Sales has Berlin, which has Company again. */
function makeCompany(): Tenant {
  const tenant = makeTenant({ users: 0, groups: 0 });
  ['Company', 'Sales', 'Ops', 'Berlin', 'Elsewhere', 'Team'].forEach((displayName, index) => {
    addGroup(tenant, { ...makeGroup('scope', index * 3), displayName, mailNickname: displayName.toLowerCase() });
  });
  for (let index = 1; index <= 8; index += 1) addUser(tenant, makeUser('scope', index));
  return tenant;
}

for (const kind of ['embedded', 'postgres'] as const)
  describe(`designated groups (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    const tenant = makeCompany();
    const person = (index: number): string => makeUser('scope', index).id;
    const group = (name: string): string =>
      [...tenant.groups.values()].find(({ displayName }) => displayName === name)?.id ?? assert.fail(name);
    let graph: GraphServer;
    let gateway: TestGateway;

    before(async () => {
      for (const [above, below] of [
        ['Company', 'Sales'],
        ['Company', 'Ops'],
        ['Sales', 'Berlin'],
        ['Berlin', 'Company'],
      ] as const)
        addMember(tenant, group(above), group(below));
      updateGroup(tenant, group('Team'), { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false });
      addMember(tenant, group('Company'), person(1));
      addMember(tenant, group('Sales'), person(2));
      addMember(tenant, group('Berlin'), person(3));
      addMember(tenant, group('Ops'), person(3));
      addMember(tenant, group('Ops'), person(4));
      addMember(tenant, group('Elsewhere'), person(5));
      addMember(tenant, group('Team'), person(6));
      const roles = ['User.Read.All', 'GroupMember.Read.All', 'Organization.Read.All', 'Group.Read.All'];
      graph = await startTenant(tenant, { application: { roles } });
      gateway = await startGateway({ ...(await freshStorage(kind)), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
      const run = await connect(gateway, settingsFor(tenant, graph, { scope: { ...grouped('Company') } }));
      assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
    });
    after(async () => {
      await gateway.close();
      await graph.close();
    });

    const grouped = (name: string, more: object = {}): object => ({
      mode: 'groups',
      groupIds: [group(name)],
      groupTypes: EVERY_GROUP_TYPE,
      ...more,
    });

    const call = checkedCall(() => gateway);

    async function use(scope: object, more: object = {}): Promise<void> {
      await saveSettings(gateway, settingsFor(tenant, graph, { scope, ...more }));
      const run = await sync(gateway, { allowLargeSync: true });
      if (run.status === 'held') await approve(gateway, run.planId);
      else assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
    }

    async function shown(type: string): Promise<readonly Shown[]> {
      const { body } = await gateway.call<{ Resources: Shown[] }>('GET', `/scim/v2/${type}?count=100`);
      return body.Resources ?? [];
    }

    const people = async (): Promise<string[]> =>
      (await shown('Users')).flatMap(({ externalId, active }) => (active === false ? [] : externalId)).sort();
    const groups = async (): Promise<string[]> => (await shown('Groups')).map(({ displayName }) => displayName).sort();
    const ids = (...indexes: number[]): string[] => indexes.map(person).sort();

    async function members(name: string): Promise<string[]> {
      const users = new Map((await shown('Users')).map(({ id, externalId }) => [id, externalId]));
      const found = (await shown('Groups')).find(({ displayName }) => displayName === name);
      return (found?.members ?? []).flatMap(({ value }) => users.get(value) ?? []).sort();
    }

    async function reasonOf(subject: string): Promise<string | undefined> {
      const path = `/explain?subject=${subject}`;
      const { explanation } = await call<{
        explanation: {
          reason: { code: string };
          scope: {
            inScope: boolean;
            clauses: { holds: boolean; reason: string | null; seen: { path?: string } }[];
          } | null;
        };
      }>('GET', path, 200);
      const failed = explanation.scope?.clauses.find(({ holds }) => !holds);
      if (explanation.scope !== null) {
        assert.equal(failed === undefined, explanation.scope.inScope);
        if (failed !== undefined) assert.equal(failed.reason, explanation.reason.code);
      }
      return explanation.reason.code;
    }

    async function noPathOf(subject: string): Promise<string | undefined> {
      type Scope = { path: string | null; noPath: { code: string } | null };
      const { explanation } = await call<{ explanation: { scope: Scope } }>('GET', `/explain?subject=${subject}`, 200);
      return explanation.scope.noPath?.code;
    }

    it('brings in the selected group, the groups below it, and their people, and reads nobody else', async () => {
      assert.deepEqual(await people(), ids(1, 2, 3, 4));
      assert.deepEqual(await groups(), ['Berlin', 'Company', 'Ops', 'Sales']);
      assert.equal(graph.requests.has('/v1.0/users'), false);
      assert.equal(graph.requests.has('/v1.0/groups'), false);
      assert.equal(await reasonOf(person(3)), 'InScope');
      assert.equal(await reasonOf(person(3).toUpperCase()), 'InScope', 'an id is found as people paste it');
      assert.equal(await reasonOf(person(7)), 'NotInSelectedGroup', 'nobody else was asked for');
    });

    it('shows the shortest path, and of two the first by name', async () => {
      const paths = new Map((await shown('Users')).map((user) => [user.externalId, user[GATEWAY]?.affiliationPath]));
      assert.equal(paths.get(person(1)), 'Company');
      assert.equal(paths.get(person(2)), 'Company/Sales');
      assert.equal(paths.get(person(3)), 'Company/Ops');
    });

    it('judges a person again when only a membership changed, in the same run', async () => {
      addMember(tenant, group('Sales'), person(7));
      removeMember(tenant, group('Sales'), person(2));
      const run = await sync(gateway, { allowLargeSync: true });
      assert.equal(run.status, 'succeeded');
      assert.deepEqual(await people(), ids(1, 3, 4, 7));
      assert.equal(await reasonOf(person(2)), 'NotInSelectedGroup');
      removeUser(tenant, person(7));
      await sync(gateway, { allowLargeSync: true });
      addUser(tenant, makeUser('scope', 7));
      addMember(tenant, group('Sales'), person(2));
      await sync(gateway, { allowLargeSync: true });
      assert.deepEqual(await people(), ids(1, 2, 3, 4));
    });

    it('lets nobody go whom the lists of members leave out, or a group that is not found, and who says to be in it', async () => {
      const [everybody, all] = [await people(), await groups()];
      const at = (path: string, fault: Fault) =>
        graph.setFaults({ script: [{ path: `/v1.0/groups/${group('Ops')}${path}`, fault, times: 1_000 }] });
      at('/members', { kind: 'short', lacks: 1 });
      const short = await sync(gateway);
      assert.deepEqual([short.status, await people(), await groups()], ['succeeded', everybody, all]);
      assert.deepEqual(await members('Ops'), ids(3, 4));
      at('', { kind: 'status', status: 404 });
      const unknown = await sync(gateway);
      assert.deepEqual([unknown.status, unknown.error?.code], ['incomplete', 'members-not-found']);
      assert.deepEqual([await people(), await groups()], [everybody, all]);
      // Whoever moves while the lists are read is in none of them.
      graph.setFaults({});
      removeMember(tenant, group('Ops'), person(4));
      addMember(tenant, group('Sales'), person(4));
      graph.setFaults({
        script: [{ path: `/v1.0/groups/${group('Sales')}/members`, fault: { kind: 'short', lacks: 1 }, times: 1 }],
      });
      assert.equal((await sync(gateway)).status, 'succeeded');
      assert.deepEqual([await people(), await members('Sales')], [everybody, ids(2, 4)]);
      graph.setFaults({});
      removeMember(tenant, group('Sales'), person(4));
      addMember(tenant, group('Ops'), person(4));
      await sync(gateway);
      assert.deepEqual([await people(), await members('Ops')], [everybody, ids(3, 4)]);
    });

    it('ignores groups in groups, or those too deep, whatever texts they have', async () => {
      for (const name of ['Sales', 'Berlin']) updateGroup(tenant, group(name), { description: 'cut \ud83d, \u0000' });
      await use(grouped('Company', { nestedGroups: 'ignore' }));
      assert.deepEqual(await people(), ids(1));
      assert.deepEqual(await groups(), ['Company']);
      assert.equal(await reasonOf(group('Sales')), 'NestedGroupIgnored');
      await use(grouped('Company', { maxDepth: 1 }));
      assert.deepEqual(await people(), ids(1, 2, 3, 4));
      assert.deepEqual(await groups(), ['Company', 'Ops', 'Sales']);
      assert.equal(await reasonOf(group('Berlin')), 'NestedGroupIgnored');
    });

    it('flattens: people below are members of the selected group', async () => {
      await use(grouped('Company', { nestedGroups: 'flatten' }));
      assert.deepEqual(await groups(), ['Company']);
      assert.deepEqual(await members('Company'), ids(1, 2, 3, 4));
      assert.equal(await reasonOf(group('Berlin')), 'NestedGroupFlattened');
      addMember(tenant, group('Berlin'), person(8));
      removeMember(tenant, group('Ops'), person(4));
      await sync(gateway, { allowLargeSync: true });
      assert.deepEqual(await members('Company'), ids(1, 2, 3, 8));
      addMember(tenant, group('Ops'), person(4));
      removeMember(tenant, group('Berlin'), person(8));
    });

    it('flattens or ignores in the whole directory too', async () => {
      const scope = { groupTypes: EVERY_GROUP_TYPE };
      await use({ ...scope, nestedGroups: 'flatten' });
      assert.deepEqual(await members('Sales'), ids(1, 2, 3, 4));
      assert.deepEqual(await members('Ops'), ids(3, 4));
      await use({ ...scope, nestedGroups: 'ignore' });
      assert.deepEqual(await members('Sales'), ids(2));
      assert.deepEqual(await people(), ids(1, 2, 3, 4, 5, 6, 7, 8));
      await use(scope);
      const sales = (await shown('Groups')).find(({ displayName }) => displayName === 'Sales');
      assert.equal(sales?.members?.length, 2);
    });

    it('filters by groups, whatever their type, in any combination', async () => {
      const scope = { groupTypes: ['security', 'mailEnabledSecurity', 'distribution'] };
      await use({ ...scope, filter: 'memberOf eq "Ops" or memberOf eq "team" and accountEnabled eq true' });
      assert.deepEqual(await people(), ids(3, 4, 6));
      assert.equal(await reasonOf(person(1)), 'ScopeFilterFalse');
      removeMember(tenant, group('Ops'), person(4));
      addMember(tenant, group('Ops'), person(1));
      await sync(gateway, { allowLargeSync: true });
      assert.deepEqual(await people(), ids(1, 3, 6));
      await use({ ...scope, filter: `not (memberOf eq "${group('Ops')}") and memberOf pr` });
      assert.deepEqual(await people(), ids(2, 5, 6));
      await use({ ...scope, filter: 'memberOf sw "sa" or memberOf ew "where" or memberOf co "erl"' });
      assert.deepEqual(await people(), ids(2, 3, 5));
      await use({ ...scope, filter: 'memberOf ne "Sales"' });
      assert.deepEqual(await people(), ids(1, 3, 4, 5, 6, 7, 8));
      removeMember(tenant, group('Ops'), person(1));
      addMember(tenant, group('Ops'), person(4));
    });

    it('shows paths from the path-display group in the whole directory, in every list and log', async () => {
      await use({ groupTypes: EVERY_GROUP_TYPE }, { pathDisplay: { rootGroupId: group('Sales') } });
      const paths = new Map((await shown('Users')).map((user) => [user.externalId, user[GATEWAY]?.affiliationPath]));
      assert.equal(paths.get(person(2)), 'Sales');
      assert.equal(paths.get(person(3)), 'Sales/Berlin');
      assert.equal(paths.get(person(1)), 'Sales/Berlin/Company');
      assert.equal(paths.get(person(5)), undefined);
      updateGroup(tenant, group('Berlin'), { displayName: 'Hamburg "HQ" \\ 1' });
      await sync(gateway);
      const renamed = (await shown('Users')).find(({ externalId }) => externalId === person(3));
      assert.equal(renamed?.[GATEWAY]?.affiliationPath, 'Sales/Hamburg "HQ" \\ 1');
      const second = await sync(gateway);
      assert.equal(second.counts['updated'] ?? 0, 0);
      assert.equal(second.counts['notUnderReferenceGroup'], 4);
      const { items } = await call<{ items: { externalId: string; affiliationPath: string | null }[] }>(
        'GET',
        '/users',
        200,
      );
      const listed = new Map(items.map(({ externalId, affiliationPath }) => [externalId, affiliationPath]));
      assert.deepEqual([listed.get(person(2)), listed.get(person(5))], ['Sales', null]);
      assert.deepEqual([await noPathOf(person(2)), await noPathOf(person(5))], [undefined, 'NotUnderReferenceGroup']);
      updateUser(tenant, person(2), { jobTitle: 'Told of' });
      const third = await sync(gateway);
      type Lines = { items: { id: string; affiliationPath: string | null }[] };
      const pathsIn = ({ items: lines }: Lines) => lines.map(({ affiliationPath }) => affiliationPath);
      assert.deepEqual(pathsIn(await call<Lines>('GET', `/sync-runs/${third.id}/changes`, 200)), ['Sales']);
      const receiver = await startScimApp();
      const push = { baseUrl: receiver.url, auth: { kind: 'none' } };
      const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'Wiki', push });
      const { id } = (await shown('Users')).find(({ externalId }) => externalId === person(2)) ?? assert.fail();
      const read = () => call<Lines>('GET', `/deliveries?resourceId=${id}`, 200);
      let sent = await read();
      while (sent.items.length === 0) sent = await read();
      const [line] = sent.items;
      const one = await call<Lines['items'][number]>('GET', `/deliveries/${line?.id}`, 200);
      const own = await call<Lines>('GET', `/apps/${app.id}/deliveries?resourceId=${id}`, 200);
      assert.deepEqual([pathsIn(sent), pathsIn(own), one.affiliationPath], [['Sales'], ['Sales'], 'Sales']);
      await receiver.close();
    });

    it('can be picked by name or address, and are looked at before they are saved', async () => {
      const source = '/providers/microsoft365/source/groups';
      const byName = await call<{ items: { displayName: string; type: string; memberCount: number }[] }>(
        'GET',
        `${source}?search=company`,
        200,
      );
      assert.deepEqual(byName.items, [
        { id: group('Company'), displayName: 'Company', type: 'security', memberCount: 3 },
      ]);
      const address = tenant.groups.get(group('Team'))?.['mail'] ?? 'team@contoso.example';
      updateGroup(tenant, group('Team'), { mail: address });
      const byMail = await call<{ items: { displayName: string }[] }>('GET', `${source}?search=${address}`, 200);
      assert.deepEqual(
        byMail.items.map(({ displayName }) => displayName),
        ['Team'],
      );
      await call('GET', `${source}?cursor=nonsense`, 400);
      type Below = {
        items: { id: string; type: string; groupType?: string; userName?: string; path: string[] }[];
        counts: { users: number; groups: number };
      };
      const membersPath = `${source}/${group('Company')}/members`;
      const { items, counts } = await call<Below>('GET', membersPath, 200);
      // Company comes again through Berlin, and the third person through Berlin and Ops.
      assert.deepEqual(counts, { users: 4, groups: 4 });
      const ways = items.flatMap(({ id, path }) => (id === person(3) ? [path.slice(0, 2).join('/')] : []));
      assert.deepEqual(ways.sort(), ['Company/Ops', 'Company/Sales']);
      const direct = await call<Below>('GET', `${membersPath}?transitive=false`, 200);
      assert.deepEqual(direct.counts, { users: 1, groups: 2 });
      for (const { type, groupType, userName } of items)
        assert.match(String(type === 'group' ? groupType : userName), type === 'group' ? /^[a-zA-Z0-9]+$/ : /@/);
      const scope = {
        mode: 'groups',
        groupIds: [group('Company'), group('Team'), 'deadbeef-0000-4000-8000-000000000000'],
        groupTypes: ['security'],
      };
      const { checks } = await call<{ checks: { name: string; ok: boolean; detail: string }[] }>(
        'POST',
        '/providers/microsoft365/test',
        200,
        settingsFor(tenant, graph, { scope }),
      );
      const selected = checks.filter(({ name }) => name === 'selected-group');
      assert.deepEqual(
        selected.map(({ ok }) => ok),
        [true, false, false],
      );
      assert.match(selected[0]?.detail ?? '', /"Company" has 3 members/);
      assert.match(selected[1]?.detail ?? '', /microsoft365/);
      assert.match(selected[2]?.detail ?? '', /no group deadbeef/);
      removeGroup(tenant, group('Team'));
      const empty = { ...makeGroup('scope', 90), displayName: 'Empty' };
      addGroup(tenant, empty);
      const left = { mode: 'groups', groupIds: [scope.groupIds[1], empty.id], groupTypes: EVERY_GROUP_TYPE };
      const draft = settingsFor(tenant, graph, { scope: left });
      const again = await call<{ checks: typeof checks }>('POST', '/providers/microsoft365/test', 200, draft);
      const told = again.checks.filter(({ name }) => name === 'selected-group');
      assert.deepEqual(
        told.map(({ ok }) => ok),
        [false, true],
      );
      assert.match(told[0]?.detail ?? '', /"Team" is in the recycle bin/);
      assert.match(told[1]?.detail ?? '', /"Empty" is empty/);
    });

    it('goes by what becomes of whoever is in the recycle bin, designated or still listed as a member', async () => {
      const both = { ...makeGroup('scope', 96), displayName: 'Both', mailEnabled: true, securityEnabled: false };
      addGroup(tenant, { ...both, groupTypes: ['Unified'] });
      for (const index of [7, 8]) addMember(tenant, both.id, person(index));
      const policies = { onLeaveScope: 'delete', onSourceSoftDelete: 'keep' };
      await use(grouped('Both', policies));
      const isServed = async (): Promise<boolean> => (await groups()).includes('Both');
      assert.deepEqual([await people(), await isServed()], [ids(7, 8), true]);
      softDeleteUser(tenant, person(7));
      const listed = { '@odata.type': '#microsoft.graph.user', id: person(7) };
      const path = `/v1.0/groups/${both.id}/members`;
      graph.setFaults({ script: [{ path, fault: { kind: 'stale', objects: [listed] }, times: 1_000 }] });
      await sync(gateway);
      assert.deepEqual([await people(), await isServed()], [ids(7, 8), true]);
      graph.setFaults({});
      removeGroup(tenant, both.id);
      await sync(gateway, { allowLargeSync: true });
      assert.equal(await isServed(), true);
    });
  });
