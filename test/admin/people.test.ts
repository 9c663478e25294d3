import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, removeUser, type Tenant } from '#demo/tenant.ts';
import { checkedCall, listAll, tokenWith } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

interface Resource {
  readonly id: string;
  readonly externalId?: string;
  readonly userName?: string;
  readonly displayName?: string;
  readonly title?: string;
  readonly active?: boolean;
  readonly members?: readonly { value: string }[];
  readonly groups?: readonly { value: string }[];
  readonly meta: { readonly version: string };
  readonly state: { readonly origin: string; readonly overridden: boolean; readonly memberCount?: number };
}

interface Line {
  readonly id: string;
  readonly origin: string;
  readonly userName: string | null;
  readonly displayName: string | null;
  readonly email: string | null;
  readonly overridden: boolean;
}

const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const replacing = (path: string, value: unknown) => ({
  schemas: [PATCH],
  Operations: [{ op: 'replace', path, value }],
});

for (const kind of ['embedded', 'postgres'] as const)
  describe(`people and groups in the admin API (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let api: TestGateway;
    const call = checkedCall(() => api);
    const user = (id: string) => call<Resource>('GET', `/users/${id}`, 200);

    before(async () => {
      tenant = makeTenant({ users: 60, groups: 6, membersPerGroup: 5 });
      graph = await startTenant(tenant);
      api = await startGateway(await freshStorage(kind));
      await connect(api, settingsFor(tenant, graph));
    });
    after(async () => {
      await api?.close();
      await graph?.close();
    });

    const ofSource = async (index: number): Promise<Line> =>
      (await listAll<Line>(call, '/users?origin=microsoft365&active=true'))[index] ?? assert.fail();

    it('makes, reads, replaces, changes and deletes an entry of its own', async () => {
      const made = await call<Resource>('POST', '/users', 201, { userName: 'ada@hand.example', title: 'Countess' });
      assert.equal(made.state.origin, 'manual');
      const whole = await user(made.id);
      assert.equal(whole.title, 'Countess');
      const replaced = await call<Resource>('PUT', `/users/${made.id}`, 200, { ...whole, title: 'Programmer' });
      assert.equal(replaced.title, 'Programmer');
      assert.notEqual(replaced.meta.version, whole.meta.version);
      const patched = await call<Resource>('PATCH', `/users/${made.id}`, 200, replacing('displayName', 'Ada'));
      assert.deepEqual([patched.displayName, patched.title], ['Ada', 'Programmer']);
      const taken = await call<{ code: string }>('POST', '/users', 409, { userName: 'ADA@hand.example' });
      assert.equal(taken.code, 'name-taken');
      await call('PATCH', `/users/${made.id}`, 200, replacing('displayName', 'Ada'));
      await call('DELETE', `/users/${made.id}`, 204);
      await call('GET', `/users/${made.id}`, 404);
      const acts = await listAll<{ action: string; object: string; objectName: string; detail: unknown }>(
        call,
        '/audit?action=user',
      );
      assert.deepEqual(
        acts.filter(({ object }) => object === made.id).map(({ action, detail }) => [action, detail]),
        [
          ['user.delete', null],
          ['user.change', { attributes: ['displayName'] }],
          ['user.change', { attributes: ['title'] }],
          ['user.create', null],
        ],
        'what changed nothing, and what was refused, are no acts',
      );
      assert.deepEqual(
        acts.filter(({ object }) => object === made.id).map(({ objectName }) => objectName),
        ['Ada', 'Ada', 'Ada', 'Ada'],
        'the name that was known last',
      );
      const history = await listAll<{ operation: string; actor: string }>(call, `/users/${made.id}/history?limit=2`);
      assert.deepEqual(
        history.map(({ operation }) => operation),
        ['delete', 'update', 'update', 'create'],
      );
      assert.ok(history.every(({ actor }) => actor.startsWith('token:')));
    });

    it('keeps groups with their members, and leaves them alone when a PUT says nothing of them', async () => {
      const member = await ofSource(0);
      const made = await call<Resource>('POST', '/groups', 201, {
        displayName: 'By hand',
        members: [{ value: member.id }],
      });
      assert.deepEqual(
        made.members?.map(({ value }) => value),
        [member.id],
      );
      assert.equal(made.state.memberCount, 1);
      const renamed = await call<Resource>('PUT', `/groups/${made.id}`, 200, { displayName: 'Still by hand' });
      assert.equal(renamed.members?.length, 1);
      assert.deepEqual(
        (await listAll<{ id: string }>(call, `/groups/${made.id}/members`)).map(({ id }) => id),
        [member.id],
      );
      assert.ok((await user(member.id)).groups?.some(({ value }) => value === made.id));
      const emptied = await call<Resource>('PUT', `/groups/${made.id}`, 200, { ...renamed, members: [] });
      assert.equal(emptied.members, undefined);
      await call('DELETE', `/groups/${made.id}`, 204);
    });

    it('lists members through groups in groups, each once with the way, in circles too, page by page', async () => {
      const make = async (displayName: string, members: readonly string[]) =>
        (await call<Resource>('POST', '/groups', 201, { displayName, members: members.map((value) => ({ value })) }))
          .id;
      const [ada, ben] = await Promise.all(
        ['way-ada', 'way-ben'].map(async (userName) => (await call<Resource>('POST', '/users', 201, { userName })).id),
      );
      assert.ok(ada && ben);
      const team = await make('Team', [ada, ben]);
      const sales = await make('Sales', [team]);
      const all = await make('All of us', [sales, ada]);
      await call('PATCH', `/groups/${team}`, 200, {
        schemas: [PATCH],
        Operations: [{ op: 'add', path: 'members', value: [{ value: all }] }],
      });
      interface Member {
        readonly id: string;
        readonly path: readonly { display: string }[];
        readonly ways: number;
      }
      const found = await listAll<Member>(call, `/groups/${all}/members?transitive=true&limit=1`);
      const ways = new Map(found.map(({ id, path, ways: n }) => [id, [path.map(({ display }) => display), n]]));
      assert.equal(found.length, 4);
      assert.deepEqual(ways.get(ada), [[], 2]);
      assert.deepEqual(ways.get(ben), [['Sales', 'Team'], 1]);
      assert.deepEqual(ways.get(team), [['Sales'], 1]);
      assert.deepEqual(await call('GET', `/groups/${all}/members/count`, 200), { users: 2, groups: 2 });
      const within = await call<{ items: { id: string; groupCount: number }[] }>('GET', `/groups?within=${all}`, 200);
      assert.deepEqual(
        within.items.map(({ id, groupCount }) => [id, groupCount]),
        [[sales, 1]],
      );
      const top = await call<{ items: { id: string }[] }>('GET', '/groups?top=true&limit=500', 200);
      assert.ok(!top.items.some(({ id }) => [team, sales, all].includes(id)));
      for (const id of [team, sales, all]) await call('DELETE', `/groups/${id}`, 204);
      for (const id of [ada, ben]) await call('DELETE', `/users/${id}`, 204);
    });

    it('writes only to the version that was read', async () => {
      const { id, meta } = await call<Resource>('POST', '/users', 201, { userName: 'version@hand.example' });
      await call('PATCH', `/users/${id}`, 200, replacing('title', 'First'));
      const late = await fetch(`${api.base}/api/v1/users/${id}`, {
        method: 'DELETE',
        headers: { authorization: 'Bearer test-admin-token-0123456789', 'if-match': meta.version },
      });
      assert.equal(late.status, 412);
      await call('DELETE', `/users/${id}`, 204);
    });

    it('finds by the beginning of a name, by address and by id, in pages without loss', async () => {
      const everybody = await listAll<Line>(call, '/users?limit=7');
      assert.equal(everybody.length, tenant.users.size);
      assert.equal(new Set(everybody.map(({ id }) => id)).size, everybody.length);
      const names = everybody.map(({ userName }) => (userName ?? '').toLowerCase());
      assert.deepEqual(names, names.toSorted());
      const foreign = everybody.find(({ displayName }) => /^[^\p{ASCII}]/u.test(displayName ?? ''))?.displayName;
      const latin = everybody.find(({ displayName }) => /^[A-Z][a-z]+ [A-Z]/.test(displayName ?? ''))?.displayName;
      for (const [search, property] of [
        ['USER1', 'userName'],
        [latin?.toUpperCase() ?? '', 'displayName'],
        [foreign?.slice(0, 1) ?? '', 'displayName'],
      ] as const) {
        const expected = everybody.filter(
          (line) =>
            line.userName?.toLowerCase().startsWith(search.toLowerCase()) ||
            line.displayName?.toLowerCase().startsWith(search.toLowerCase()),
        );
        assert.ok(expected.some((line) => line[property]?.toLowerCase().startsWith(search.toLowerCase())));
        assert.deepEqual(await listAll(call, `/users?limit=3&search=${encodeURIComponent(search)}`), expected);
      }
      const one = everybody[20] ?? assert.fail();
      const source = [...tenant.users.values()].find(({ userPrincipalName }) => userPrincipalName === one.userName);
      const addresses = source?.['proxyAddresses'] as string[];
      const alias = addresses[1]?.slice('smtp:'.length).toUpperCase() ?? '';
      for (const search of [one.id.toUpperCase(), source?.id ?? '', alias]) {
        const found = await listAll<Line>(call, `/users?search=${encodeURIComponent(search)}`);
        assert.deepEqual(
          found.map(({ id }) => id),
          [one.id],
        );
      }
      assert.deepEqual(await listAll(call, '/users?search=%25'), []);
      const wrong = await call<{ detail: string }>('GET', '/users?cursor=nonsense', 400);
      assert.match(wrong.detail, /nextCursor/);
    });

    it('lets a viewer read and an operator write', async () => {
      const [viewer, operator] = [await tokenWith(call, 'viewer'), await tokenWith(call, 'operator')];
      await call('GET', '/users?limit=1', 200, undefined, viewer);
      await call('POST', '/users', 403, { userName: 'no@hand.example' }, viewer);
      const { id } = await call<Resource>('POST', '/users', 201, { userName: 'yes@hand.example' }, operator);
      await call('DELETE', `/users/${id}`, 403, undefined, viewer);
      await call('DELETE', `/users/${id}`, 204, undefined, operator);
    });

    it('never touches what was made by hand in a sync, whoever comes and goes', async () => {
      const member = await ofSource(1);
      const byHand = { userName: 'grace@hand.example', active: false, externalId: 'nobody of the source' };
      const person = await call<Resource>('POST', '/users', 201, byHand);
      const group = await call<Resource>('POST', '/groups', 201, {
        displayName: 'Sales 1',
        members: [{ value: person.id }, { value: member.id }],
      });
      const before = [await user(person.id), await call('GET', `/groups/${group.id}`, 200)];
      removeUser(tenant, [...tenant.users.keys()].at(-1) ?? '');
      assert.equal((await sync(api)).status, 'succeeded');
      assert.deepEqual([await user(person.id), await call('GET', `/groups/${group.id}`, 200)], before);
    });

    it('refuses an edit of what the provider owns, and says where to make it', async () => {
      const { id } = await ofSource(2);
      for (const [method, body] of [
        ['PATCH', replacing('title', 'Edited')],
        ['PUT', { userName: 'edited@contoso.example' }],
        ['DELETE', undefined],
      ] as const) {
        const refused = await call<{ code: string; remedy: string }>(method, `/users/${id}`, 400, body);
        assert.equal(refused.code, 'owned-by-provider');
        assert.match(refused.remedy, /next run/);
      }
    });

    it('takes it when the settings say so, shows it as overridden, and overwrites it in a run without news', async () => {
      await call('PUT', '/directory', 200, { localEdits: 'overwrite' });
      const [changed, replaced, deleted] = [await ofSource(3), await ofSource(4), await ofSource(5)];
      const original = [await user(changed.id), await user(replaced.id), await user(deleted.id)];
      assert.ok(original.every(({ state }) => !state.overridden));
      await call('PATCH', `/users/${changed.id}`, 200, replacing('title', 'Edited'));
      // A client that knows nothing of externalId must not cut the link to the source.
      await call('PUT', `/users/${replaced.id}`, 200, { userName: 'edited@contoso.example', active: false });
      await call('DELETE', `/users/${deleted.id}`, 204);
      assert.equal((await user(changed.id)).state.overridden, true);
      assert.equal((await user(replaced.id)).externalId, original[1]?.externalId);
      const flagged = (await listAll<Line>(call, '/users?origin=microsoft365')).filter(({ overridden }) => overridden);
      assert.deepEqual(flagged.map(({ id }) => id).sort(), [changed.id, replaced.id].sort());
      const run = await sync(api);
      assert.equal(run.status, 'succeeded');
      assert.deepEqual([run.counts['updated'], run.counts['created']], [2, 1]);
      const withoutTimes = ({ meta: _meta, ...rest }: Resource) => rest;
      assert.deepEqual(
        [await user(changed.id), await user(replaced.id), await user(deleted.id)].map(withoutTimes),
        original.map(withoutTimes),
      );
    });

    it('overwrites members that were changed by hand', async () => {
      const groups = await listAll<Line & { memberCount: number }>(call, '/groups?origin=microsoft365');
      const { id, memberCount } = groups.find((group) => group.memberCount > 2) ?? assert.fail();
      const before = await listAll(call, `/groups/${id}/members`);
      await call('PUT', `/groups/${id}`, 200, { displayName: 'Robbed', members: [] });
      assert.equal((await call<Resource>('GET', `/groups/${id}`, 200)).state.overridden, true);
      assert.equal((await sync(api)).status, 'succeeded');
      const after = await call<Resource>('GET', `/groups/${id}`, 200);
      assert.deepEqual([after.state.overridden, after.state.memberCount], [false, memberCount]);
      assert.deepEqual(await listAll(call, `/groups/${id}/members`), before);
    });

    it('deactivates a leaver again who was switched on by hand', async () => {
      const { id } = await ofSource(6);
      const { externalId = '' } = await user(id);
      removeUser(tenant, externalId);
      await sync(api);
      await call('PATCH', `/users/${id}`, 200, replacing('active', true));
      assert.equal((await user(id)).active, true);
      await sync(api);
      assert.equal((await user(id)).active, false);
    });

    it('lists who was removed, brings them back under the same id, and says when the source would take them away again', async () => {
      interface Kept {
        readonly refusal: { readonly code: string; readonly message: string } | null;
      }
      const restore = async (id: string) => {
        const run = await call<{ id: string; trigger: string }>('POST', `/users/${id}/restore`, 202);
        assert.equal(run.trigger, 'restore');
        const over = await untilOver(api, run.id);
        assert.deepEqual([over.status, over.error], ['succeeded', null]);
        return over;
      };
      const made = await call<Resource>('POST', '/users', 201, { userName: 'gone-and-back', title: 'Lead' });
      const refused = await call<{ code: string }>('POST', `/users/${made.id}/restore`, 409);
      assert.equal(refused.code, 'not-removed');
      await call('DELETE', `/users/${made.id}`, 204);
      const removed = await call<{ items: { id: string; deletedAt: string }[] }>(
        'GET',
        '/users?removed=true&search=gone-',
        200,
      );
      assert.deepEqual(
        removed.items.map(({ id, deletedAt }) => [id, Number.isNaN(Date.parse(deletedAt))]),
        [[made.id, false]],
      );
      const other = await call<Resource>('POST', '/users', 201, { userName: 'gone-and-back' });
      assert.equal((await call<Kept>('GET', `/users/${made.id}/restore`, 200)).refusal?.code, 'name-taken');
      await call('DELETE', `/users/${other.id}`, 204);
      const run = await restore(made.id);
      assert.deepEqual(run.counts, { created: 1 });
      const back = await user(made.id);
      assert.deepEqual([back.userName, back.title, back.state.origin], ['gone-and-back', 'Lead', 'manual']);

      const leaver = await ofSource(8);
      const { groups = [], externalId = '' } = await user(leaver.id);
      removeUser(tenant, externalId);
      await sync(api);
      const kept = await call<Kept>('GET', `/users/${leaver.id}/restore`, 200);
      assert.equal(kept.refusal?.code, 'source-would-remove');
      assert.match(kept.refusal?.message ?? '', /Microsoft 365 would take .* away again at the next sync/);
      await call('POST', `/users/${leaver.id}/restore`, 409);
      await call('POST', '/providers/microsoft365/deactivate', 200, {});
      await restore(leaver.id);
      const again = await user(leaver.id);
      assert.equal(again.active, true);
      const ids = (of: readonly { value: string }[]) => of.map(({ value }) => value).sort();
      assert.deepEqual(ids(again.groups ?? []), ids(groups));
    });
  });
