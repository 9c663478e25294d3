// Random histories of a simulated tenant, read by changes and by whole: after each run what is served is the tenant.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { GraphServer } from '#demo/graph-server.ts';
import {
  addMember,
  addUser,
  makeRandom,
  makeTenant,
  makeUser,
  removeGroup,
  removeMember,
  removeUser,
  restoreGroup,
  restoreUser,
  setManager,
  softDeleteUser,
  type Tenant,
  updateGroup,
  updateUser,
} from '#demo/tenant.ts';
import { eachDatabase } from '../support/database.ts';
import {
  connect,
  expectStatus,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

const PUBLIC = 'https://gateway.example';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

import { tryHistories } from '../support/histories.ts';

type Random = () => number;

const pick = <Item>(random: Random, items: readonly Item[]): Item | undefined =>
  items[Math.floor(random() * items.length)];

let names = 0;

/** What may happen in a tenant. Each takes whom it wants, and does nothing where there is nobody. */
const EVENTS: Readonly<Record<string, (tenant: Tenant, random: Random) => void>> = {
  join(tenant) {
    names += 1;
    addUser(tenant, makeUser(`late ${tenant.id}`, 10_000 + names));
  },
  joinWithReports(tenant, random) {
    names += 1;
    const boss = makeUser(`late ${tenant.id}`, 10_000 + names);
    const report = pick(random, [...tenant.users.keys()]);
    // The reference may be there before the manager is.
    if (report !== undefined) setManager(tenant, report, boss.id);
    addUser(tenant, boss);
  },
  rename(tenant, random) {
    names += 1;
    const id = pick(random, [...tenant.users.keys()]);
    if (id !== undefined)
      updateUser(tenant, id, { userPrincipalName: `renamed${names}@contoso.example`, displayName: `R ${names}` });
  },
  unset(tenant, random) {
    const id = pick(random, [...tenant.users.keys()]);
    if (id !== undefined) updateUser(tenant, id, { department: null, jobTitle: random() < 0.5 ? null : 'Fellow' });
  },
  disable(tenant, random) {
    const id = pick(random, [...tenant.users.keys()]);
    if (id !== undefined) updateUser(tenant, id, { accountEnabled: random() < 0.5 });
  },
  leave(tenant, random) {
    softDeleteUser(tenant, pick(random, [...tenant.users.keys()]) ?? '');
  },
  restore(tenant, random) {
    restoreUser(tenant, pick(random, [...tenant.deletedUsers.keys()]) ?? '');
  },
  purge(tenant, random) {
    removeUser(tenant, pick(random, [...tenant.deletedUsers.keys()]) ?? '');
  },
  remove(tenant, random) {
    removeUser(tenant, pick(random, [...tenant.users.keys()]) ?? '');
  },
  manage(tenant, random) {
    const [id, boss] = [pick(random, [...tenant.users.keys()]), pick(random, [...tenant.users.keys()])];
    if (id !== undefined) setManager(tenant, id, random() < 0.3 ? null : (boss ?? null));
  },
  enter(tenant, random) {
    const group = pick(random, [...tenant.groups.keys()]);
    const everybody = [...tenant.users.keys(), ...tenant.groups.keys(), ...tenant.others.keys()];
    for (let count = 0; count < 4; count += 1) addMember(tenant, group ?? '', pick(random, everybody) ?? '');
  },
  exit(tenant, random) {
    const group = pick(random, [...tenant.groups.keys()]) ?? '';
    const members = [...(tenant.members.get(group) ?? [])];
    for (let count = 0; count < 3; count += 1) removeMember(tenant, group, pick(random, members) ?? '');
  },
  renameGroup(tenant, random) {
    names += 1;
    const id = pick(random, [...tenant.groups.keys()]);
    if (id !== undefined) updateGroup(tenant, id, { displayName: `Group ${names}` });
  },
  dissolve(tenant, random) {
    removeGroup(tenant, pick(random, [...tenant.groups.keys()]) ?? '');
  },
  revive(tenant, random) {
    restoreGroup(tenant, pick(random, [...tenant.deletedGroups.keys()]) ?? '');
  },
};

const step = fc.record({
  events: fc.array(fc.constantFrom(...Object.keys(EVENTS)), { minLength: 1, maxLength: 6 }),
  mode: fc.constantFrom('incremental', 'incremental', 'incremental', 'full'),
  trouble: fc.option(fc.constantFrom('faults', 'forgotten', 'cut'), { freq: 3, nil: undefined }),
  seed: fc.nat(),
});

interface Resource {
  readonly id: string;
  readonly externalId: string;
  readonly userName?: string;
  readonly displayName?: string;
  readonly title?: string;
  readonly active?: boolean;
  readonly members?: readonly { readonly value: string }[];
  readonly [ENTERPRISE]?: { readonly department?: string; readonly manager?: { readonly value: string } };
}

async function readAll(api: TestGateway, token: string, type: 'Users' | 'Groups'): Promise<readonly Resource[]> {
  const all: Resource[] = [];
  for (;;) {
    const path = `/scim/v2/${type}?count=200&startIndex=${all.length + 1}`;
    const { body } = await expectStatus(api.call<{ Resources?: Resource[] }>('GET', path, undefined, token), 200);
    if ((body.Resources ?? []).length === 0) return all;
    all.push(...(body.Resources ?? []));
  }
}

/** Whoever is in the tenant is served as there, and whoever is not is gone, or inactive and in no group. */
async function assertServed(api: TestGateway, token: string, tenant: Tenant, what: string): Promise<void> {
  const users = await readAll(api, token, 'Users');
  const groups = await readAll(api, token, 'Groups');
  const idOf = new Map([...users, ...groups].map(({ id, externalId }) => [id, externalId]));
  const live = users.filter(({ externalId }) => tenant.users.has(externalId));
  const served = live.map((user) => ({
    id: user.externalId,
    name: user.userName,
    title: user.title,
    active: user.active,
    department: user[ENTERPRISE]?.department,
    manager: managerIn(tenant, idOf.get(user[ENTERPRISE]?.manager?.value ?? '')),
  }));
  const wanted = [...tenant.users.values()].map((user) => ({
    id: user.id,
    name: user['userPrincipalName'],
    title: user['jobTitle'] ?? undefined,
    active: user['accountEnabled'],
    department: user['department'] ?? undefined,
    manager: managerIn(tenant, tenant.managers.get(user.id)),
  }));
  assert.deepEqual(sorted(served), sorted(wanted), what);
  for (const { externalId, active } of users)
    assert.ok(active === false || tenant.users.has(externalId), `${what}: ${externalId} is not there any more`);
  const teams = groups.map(({ externalId, displayName, members = [] }) => ({
    id: externalId,
    name: displayName,
    members: members.map(({ value }) => idOf.get(value)).sort(),
  }));
  const isKnown = (id: string): boolean => tenant.users.has(id) || tenant.groups.has(id);
  const wantedTeams = [...tenant.groups.values()].map(({ id, displayName }) => ({
    id,
    name: displayName,
    members: [...(tenant.members.get(id) ?? [])].filter(isKnown).sort(),
  }));
  assert.deepEqual(sorted(teams), sorted(wantedTeams), what);
}

/** Of a manager in the recycle bin Graph says nothing, and the account is still here. */
function managerIn(tenant: Tenant, id: string | undefined): string | undefined {
  return id !== undefined && tenant.users.has(id) ? id : undefined;
}

function sorted<Item extends { id: string }>(items: readonly Item[]): Item[] {
  return items.toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

interface Subject {
  readonly api: TestGateway;
  readonly graph: GraphServer;
  readonly token: string;
  readonly tenant: Tenant;
}

async function runOnce(
  { api, graph }: Subject,
  mode: string,
  trouble: string | undefined,
  seed: number,
): Promise<RunBody> {
  if (trouble === 'faults') graph.setFaults({ chance: 0.1, seed: String(seed) });
  if (trouble === 'cut')
    graph.setFaults({
      script: [{ path: seed % 2 === 0 ? '/groups/delta' : '/users/delta', fault: { kind: 'notAPage' }, times: 3 }],
    });
  if (trouble === 'forgotten') graph.forgetDeltas();
  // Told of each change before, while and after it is read: that must change nothing.
  for (const status of await graph.subscriptions.notify()) assert.equal(status, 202);
  const run = await syncNow(api, mode);
  graph.setFaults({});
  return run;
}

/** A run of ours, after one that a notification has started meanwhile. */
async function syncNow(api: TestGateway, mode: string): Promise<RunBody> {
  for (;;) {
    const { status, body } = await api.call<RunBody & { runId: string }>('POST', '/api/v1/sync-runs', { mode });
    if (status === 202) return untilOver(api, body.id);
    assert.equal(status, 409, JSON.stringify(body));
    await untilOver(api, body.runId);
  }
}

interface Notified {
  readonly state: string;
  /** The first change that no run has seen. */
  readonly changedSince: string | null;
}

async function notified(api: TestGateway): Promise<Notified> {
  const { body } = await api.call<{ items: { kind: string; notifications: Notified }[] }>('GET', '/api/v1/providers');
  const found = body.items.find(({ kind }) => kind === 'microsoft365');
  assert.ok(found !== undefined);
  return found.notifications;
}

eachDatabase('a tenant read by its changes', (_open, kind) => {
  it('is served as it is after every run of any history', async () => {
    let round = 0;
    await tryHistories(fc.array(step, { minLength: 4, maxLength: 10 }), kind === 'embedded' ? 2 : 4, async (steps) => {
      round += 1;
      const tenant = makeTenant({ users: 40, groups: 12, membersPerGroup: 8, seed: `history ${round}` });
      const graph = await startTenant(tenant, {
        application: { roles: ['User.Read.All', 'GroupMember.Read.All', 'Group.Read.All'] },
        deltas: { pageSize: 4, membersPerObject: 2 },
        deliverTo: (url) => url.replace(PUBLIC, api.base),
      });
      const api = await startGateway(await freshStorage(kind), PUBLIC);
      try {
        await expectStatus(api.call('PUT', '/api/v1/guard', { enabled: false }), 200);
        await connect(api, settingsFor(tenant, graph));
        const app = await api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Reader' });
        const made = await api.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {});
        const subject: Subject = { api, graph, tenant, token: made.body.token };
        await assertServed(api, subject.token, tenant, 'the first run');
        const until = performance.now() + 180_000;
        while ((await notified(api)).state !== 'active')
          assert.ok(performance.now() < until, 'the subscriptions are not made');
        for (const [index, { events, mode, trouble, seed }] of steps.entries()) {
          const random = makeRandom(String(seed));
          for (const event of events) EVENTS[event]?.(tenant, random);
          let run = await runOnce(subject, mode, trouble, seed);
          if (trouble === 'cut') run = await runOnce(subject, 'incremental', undefined, seed);
          assert.equal(run.status, 'succeeded', JSON.stringify(run));
          assert.equal((await notified(api)).changedSince, null, 'what was told before the run was read');
          // Who was the manager of somebody that is deleted goes with the next run.
          if (index % 3 === 2) await syncNow(api, 'incremental');
          await assertServed(
            api,
            subject.token,
            tenant,
            `step ${index}: ${mode} with ${trouble} after ${events.join(', ')}`,
          );
        }
      } finally {
        await api.close();
        await graph.close();
      }
    });
  });
});

eachDatabase('an incremental cycle', (_open, kind) => {
  /** Requests of a cycle in which the same ten people and two groups changed, and what it planned. */
  async function cycle(users: number, groups: number): Promise<{ requests: number; planned: number; mode: string }> {
    const tenant = makeTenant({ users, groups, membersPerGroup: 10, seed: `size ${users}` });
    const graph = await startTenant(tenant);
    const api = await startGateway(await freshStorage(kind));
    try {
      await expectStatus(api.call('PUT', '/api/v1/guard', { enabled: false }), 200);
      await connect(api, settingsFor(tenant, graph));
      const ordinary = [...tenant.users.values()].filter(({ accountEnabled }) => accountEnabled === true);
      for (const { id } of ordinary.slice(20, 30)) updateUser(tenant, id, { jobTitle: 'Changed' });
      const [one = '', other = ''] = [...tenant.groups.keys()];
      const [leaver = ''] = [...(tenant.members.get(one) ?? [])];
      removeMember(tenant, one, leaver);
      updateGroup(tenant, other, { displayName: 'Renamed' });
      const run = await sync(api, { mode: 'incremental' });
      assert.equal(run.status, 'succeeded');
      const { body } = await api.call<{ mode: string; cost: { requests: number } }>(
        'GET',
        `/api/v1/sync-runs/${run.id}`,
      );
      const { updated = 0, membershipsChanged = 0 } = run.counts;
      return { requests: body.cost.requests, planned: updated + membershipsChanged, mode: body.mode };
    } finally {
      await api.close();
      await graph.close();
    }
  }

  it('costs what changed, whatever the size of the tenant', async () => {
    const small = await cycle(100, 5);
    const large = await cycle(3_000, 60);
    assert.deepEqual(large, small);
    assert.deepEqual(large, { requests: 2, planned: 12, mode: 'incremental' });
  });
});
