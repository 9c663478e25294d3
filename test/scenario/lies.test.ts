// A source that lies, seen from outside only: whatever it says of a sudden, no reader of SCIM and no app that is written to
// hears of it before a person has looked at it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Fault } from '#demo/faults.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import {
  addMember,
  addUser,
  makeTenant,
  removeGroup,
  removeMember,
  removeUser,
  restoreUser,
  softDeleteUser,
  type Tenant,
  type TenantUser,
  updateUser,
} from '#demo/tenant.ts';
import { systemClock } from '#platform/clock.ts';
import { checkedCall } from '../support/checked.ts';
import { postgresMissing } from '../support/database.ts';
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
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

type Mode = 'full' | 'incremental';

interface Lie {
  readonly what: string;
  readonly tell: (tenant: Tenant, graph: GraphServer) => void;
  /** How the run ends: `held` for a person, or with nothing that it could use. */
  readonly ends?: readonly string[];
  /** Of those that only a read of everything can be told. */
  readonly only?: Mode;
}

const users = (tenant: Tenant): TenantUser[] => [...tenant.users.values()];
const share = (tenant: Tenant, percent: number): TenantUser[] =>
  users(tenant)
    .filter((user) => user['accountEnabled'] === true)
    .slice(0, Math.ceil((tenant.users.size * percent) / 100));
const broken = (path: string, fault: Fault, times = 1_000) => ({ script: [{ path, fault, times }] });
const emptied = (tenant: Tenant): string =>
  [...tenant.members].sort(([, one], [, other]) => other.size - one.size)[0]?.[0] ?? '';

const LIES: readonly Lie[] = [
  {
    what: 'has nobody and nothing',
    tell: (tenant) => {
      for (const { id } of users(tenant)) softDeleteUser(tenant, id);
      for (const id of [...tenant.groups.keys()]) removeGroup(tenant, id);
    },
  },
  { what: 'has nobody, but its groups', tell: (tenant) => tenant.users.clear(), only: 'full' },
  {
    what: 'ends after half of its people as if that were all',
    tell: (tenant) => {
      for (const { id } of users(tenant).slice(60)) tenant.users.delete(id);
    },
    only: 'full',
  },
  {
    what: 'leaves three of its people out of a list that looks whole',
    tell: (_tenant, graph) => graph.setFaults(broken('/v1.0/users', { kind: 'short', lacks: 3 })),
    ends: ['incomplete'],
    only: 'full',
  },
  {
    what: 'leaves a group out of a list that looks whole',
    tell: (_tenant, graph) => graph.setFaults(broken('/v1.0/groups', { kind: 'short', lacks: 1 })),
    ends: ['incomplete'],
    only: 'full',
  },
  {
    what: 'leaves a member out of each group, the first time that it is asked',
    tell: (tenant, graph) => graph.setFaults(broken('/members', { kind: 'short', lacks: 1 }, tenant.groups.size)),
    ends: ['succeeded'],
    only: 'full',
  },
  {
    what: 'says of a group that it lists that there is none',
    tell: (tenant, graph) =>
      graph.setFaults(broken(`/v1.0/groups/${emptied(tenant)}`, { kind: 'status', status: 404 })),
    ends: ['succeeded'],
    only: 'full',
  },
  {
    what: 'breaks off each page of people',
    tell: (_tenant, graph) => graph.setFaults(broken('/users', { kind: 'truncate' })),
    ends: ['failed', 'incomplete'],
  },
  {
    what: 'answers something else when it is asked for groups',
    tell: (_tenant, graph) => graph.setFaults(broken('/groups', { kind: 'notAPage' })),
    ends: ['failed', 'incomplete'],
  },
  {
    what: 'disables 30 % of its people',
    tell: (tenant) => {
      for (const { id } of share(tenant, 30)) updateUser(tenant, id, { accountEnabled: false });
    },
  },
  {
    what: 'strips one group of all its members',
    tell: (tenant) => {
      const group = emptied(tenant);
      for (const member of [...(tenant.members.get(group) ?? [])]) removeMember(tenant, group, member);
    },
  },
  {
    what: 'strips every group of its members',
    tell: (tenant) => {
      for (const [group, members] of tenant.members)
        for (const member of [...members]) removeMember(tenant, group, member);
    },
  },
  {
    what: 'blanks the department of everybody',
    tell: (tenant) => {
      for (const { id } of users(tenant)) updateUser(tenant, id, { department: null });
    },
  },
  {
    what: 'blanks the address of everybody',
    tell: (tenant) => {
      for (const { id } of users(tenant)) updateUser(tenant, id, { mail: null, proxyAddresses: [] });
    },
  },
  {
    what: 'renames everybody at once',
    tell: (tenant) => {
      for (const { id } of users(tenant))
        updateUser(tenant, id, { userPrincipalName: `renamed-${id}@contoso.example`, displayName: 'Renamed' });
    },
  },
  {
    what: 'has everybody under another id',
    tell: (tenant) => {
      for (const user of users(tenant)) {
        const groups = [...tenant.members].filter(([, members]) => members.has(user.id)).map(([group]) => group);
        const id = `ffffffff${user.id.slice(8)}`;
        removeUser(tenant, user.id);
        addUser(tenant, { ...user, id });
        for (const group of groups) addMember(tenant, group, id);
      }
    },
  },
  {
    what: 'gives everybody the name of somebody else',
    tell: (tenant) => {
      const all = users(tenant);
      const names = all.map((user) => user['userPrincipalName']);
      for (const [index, { id }] of all.entries())
        updateUser(tenant, id, { userPrincipalName: names[(index + 1) % names.length] });
    },
  },
];

/** Counts of what a run has done. */
const CHANGING = ['created', 'updated', 'linked', 'deactivated', 'deleted', 'membershipsChanged'];

for (const kind of ['embedded', 'postgres'] as const)
  describe(`a source that lies (${kind})`, { skip: kind === 'postgres' && postgresMissing }, () => {
    let tenant: Tenant;
    let graph: GraphServer;
    let app: ScimAppServer;
    let appId: string;
    let api: TestGateway;
    let markers = 0;
    const call = checkedCall(() => api);

    before(async () => {
      tenant = makeTenant({ users: 120, groups: 12, membersPerGroup: 8, seed: `lies ${kind}` });
      graph = await startTenant(tenant);
      app = await startScimApp({ token: 'secret-token' });
      api = await startGateway({ ...(await freshStorage(kind)), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
      await connect(api, settingsFor(tenant, graph));
      const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'secret-token' }, guard: null };
      appId = (await call<{ id: string }>('POST', '/apps', 201, { name: 'Downstream', push })).id;
      await written();
    });
    after(async () => {
      await api?.close();
      await app?.close();
      await graph?.close();
    });

    /** All that a reader of SCIM sees. */
    async function served(): Promise<unknown> {
      const read = async (path: string): Promise<unknown> =>
        (await api.call('GET', `/scim/v2/${path}?count=1000`, undefined)).body;
      return { users: await read('Users'), groups: await read('Groups') };
    }

    /** What was written to the app since the last time, once somebody made by hand has come through behind it. */
    async function written(): Promise<readonly string[]> {
      markers += 1;
      const userName = `marker-${markers}@hand.example`;
      await call('POST', '/users', 201, { userName });
      const isThere = (): boolean => [...app.users.values()].some((user) => user['userName'] === userName);
      for (let open = true; open; await systemClock.sleep(20)) {
        const { deliveries } = await call<{ deliveries: Record<string, number> }>('GET', `/apps/${appId}/push`, 200);
        open = !isThere() || deliveries['pending'] !== 0 || deliveries['sending'] !== 0;
      }
      const writes = app.takeWrites().map(({ method, path, body }) => `${method} ${path} ${JSON.stringify(body)}`);
      return writes.filter((write) => !write.includes(userName));
    }

    /** How many changes of the directory consumers may read. */
    async function journal(): Promise<number> {
      let length = 0;
      for (let after = ''; ; ) {
        const page: { items: unknown[]; nextCursor: string; more: boolean } = await call(
          'GET',
          `/changes?limit=1000${after === '' ? '' : `&after=${after}`}`,
          200,
        );
        length += page.items.length;
        after = page.nextCursor;
        if (!page.more) return length;
      }
    }

    function remember(): () => void {
      const { users: people, groups, members, managers, deletedUsers, deletedGroups } = structuredClone(tenant);
      const put = <Key, Value>(to: Map<Key, Value>, from: Map<Key, Value>): void => {
        to.clear();
        for (const [key, value] of from) to.set(key, value);
      };
      return () => {
        put(tenant.users, people);
        put(tenant.groups, groups);
        put(tenant.members, members);
        put(tenant.managers, managers);
        put(tenant.deletedUsers, deletedUsers);
        put(tenant.deletedGroups, deletedGroups);
        graph.setFaults({});
      };
    }

    for (const mode of ['full', 'incremental'] as const) {
      for (const { what, tell, ends = ['held'] } of LIES.filter(({ only = mode }) => only === mode))
        it(`tells nobody that it ${what} (${mode})`, async () => {
          const [before, length] = [await served(), await journal()];
          const restore = remember();
          try {
            tell(tenant, graph);
            const run = await sync(api, { mode });
            assert.ok(ends.includes(run.status), JSON.stringify(run));
            assert.deepEqual(await served(), before);
            assert.equal(await journal(), length);
            for (const name of CHANGING) assert.equal(run.counts[name], undefined, JSON.stringify(run.counts));
            if (run.status === 'held') await call('POST', `/plans/${run.planId}/reject`, 200, { reason: 'a lie' });
          } finally {
            restore();
          }
          const next = await sync(api);
          assert.equal(next.status, 'succeeded', JSON.stringify(next));
          assert.deepEqual(await served(), before);
        });

      it(`has written nothing of it to the app (${mode})`, async () => assert.deepEqual(await written(), []));
    }

    it('tells everybody once a person has approved it', async () => {
      const before = await served();
      const disabled = share(tenant, 30);
      for (const { id } of disabled) updateUser(tenant, id, { accountEnabled: false });
      const run = await approve(api, (await sync(api)).planId);
      assert.equal(run.status, 'succeeded');
      assert.notDeepEqual(await served(), before);
      assert.equal((await written()).length >= disabled.length, true);
      assert.deepEqual(app.violations, []);
    });

    const active = async (id: string): Promise<unknown> => {
      const path = `/scim/v2/Users?filter=${encodeURIComponent(`externalId eq "${id}"`)}`;
      const { body } = await api.call<{ Resources: { active: unknown }[] }>('GET', path, undefined);
      return body.Resources[0]?.active;
    };
    const someone = (): TenantUser => {
      const user = users(tenant).findLast((one) => one['accountEnabled'] === true);
      assert.ok(user);
      return user;
    };

    it('brings nobody back who has just left, because a list lags', async () => {
      const leaver = someone();
      softDeleteUser(tenant, leaver.id);
      assert.equal((await sync(api, { mode: 'incremental' })).counts['deactivated'], 1);
      graph.setFaults(broken('/v1.0/users', { kind: 'stale', objects: [leaver] }));
      const run = await sync(api);
      graph.setFaults({});
      assert.equal(run.status, 'succeeded');
      assert.equal(await active(leaver.id), false);
      restoreUser(tenant, leaver.id);
      await sync(api);
      assert.equal(await active(leaver.id), true, 'and gives back whoever is really there');
    });

    it('is read by id where its lists never show some of what is there, and lets go whoever is not', async () => {
      const [listed, newcomer] = users(tenant).filter((one) => one['accountEnabled'] === true);
      const hidden = users(tenant).at(-1);
      const hiddenGroup = [...tenant.groups.keys()].at(-1) ?? '';
      assert.ok(listed !== undefined && hidden !== undefined && newcomer !== undefined);
      updateUser(tenant, hidden.id, { accountEnabled: true });
      await sync(api);
      const short = (path: string) => ({ path, fault: { kind: 'short', lacks: 1 } as const, times: 1_000 });
      const members = { path: '/members', fault: { kind: 'repeat' } as const, times: 1_000 };
      graph.setFaults({ script: [members, ...['/v1.0/users', '/v1.0/groups'].map(short)] });
      softDeleteUser(tenant, listed.id);
      tenant.deletedUsers.delete(listed.id);
      updateUser(tenant, hidden.id, { displayName: 'Hidden Person' });
      for (const member of [...(tenant.members.get(hiddenGroup) ?? [])].slice(0, 1))
        removeMember(tenant, hiddenGroup, member);
      if (tenant.members.get(hiddenGroup)?.has(newcomer.id) !== true) addMember(tenant, hiddenGroup, newcomer.id);
      const first = await sync(api);
      assert.deepEqual([first.status, first.error?.code], ['incomplete', 'list-short']);
      assert.equal(await active(listed.id), true);
      for (let run = 0; run < 2; run += 1) {
        assert.equal((await sync(api)).status, 'succeeded', `run ${run}`);
        assert.deepEqual([await active(listed.id), await active(hidden.id)], [false, true]);
      }
      type List = { Resources: { externalId: string; members?: unknown[] }[] };
      const { users: people, groups } = (await served()) as { users: List; groups: List };
      assert.match(JSON.stringify(people), /Hidden Person/);
      const group = groups.Resources.find(({ externalId }) => externalId === hiddenGroup);
      const there = [...(tenant.members.get(hiddenGroup) ?? [])].filter(
        (id) => tenant.users.has(id) || tenant.groups.has(id),
      );
      assert.equal(group?.members?.length, there.length);
      // One that was in the lists until now shows again that they are short.
      graph.setFaults({ script: [{ ...short('/v1.0/users'), fault: { kind: 'short', lacks: 2 } }] });
      assert.equal((await sync(api)).error?.code, 'list-short');
      graph.setFaults({});
      assert.equal((await sync(api)).status, 'succeeded');
    });

    it('lets go whoever is not there when asked by id, where neither batches nor the recycle bin answer', async () => {
      const leaver = someone();
      softDeleteUser(tenant, leaver.id);
      const refused = (path: string) => ({ path, fault: { kind: 'status', status: 403 } as const, times: 1_000 });
      graph.setFaults({ script: [refused('/$batch'), refused('/deletedItems')] });
      const run = await sync(api);
      graph.setFaults({});
      assert.equal(run.status, 'succeeded');
      assert.equal(run.counts['deactivated'], 1);
      const { items } = await call<{ items: { reason: string }[] }>(
        'GET',
        `/plans/${run.planId}/changes?limit=10`,
        200,
      );
      assert.ok(
        items.some(({ reason }) => reason === 'SourceSoftDeleted'),
        'the gentler of the two',
      );
    });

    it('believes the number of people where nobody can be asked for by id, and the list where nothing can be asked', async () => {
      const missing = users(tenant).at(-1)?.id ?? '';
      const short = { path: '/v1.0/users', fault: { kind: 'short', lacks: 1 } as const, times: 1_000 };
      const refused = (path: string) => ({ path, fault: { kind: 'status', status: 403 } as const, times: 1_000 });
      graph.setFaults({ script: [refused(`/v1.0/users/${missing}`), short] });
      const run = await sync(api);
      assert.equal(run.status, 'incomplete');
      assert.equal(run.error?.code, 'list-short');
      assert.equal(await active(missing), true);
      graph.setFaults({ script: [refused('/v1.0/users/'), short] });
      assert.equal((await sync(api)).status, 'succeeded');
      assert.equal(await active(missing), false);
      graph.setFaults({});
    });
  });
