// Whole reads of a simulated tenant, through https, MSAL and the Graph client.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CredentialsError, UpstreamError } from '#core/errors.ts';
import type { Fault } from '#demo/faults.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addMember, makeTenant, removeGroup, type Tenant } from '#demo/tenant.ts';
import { describeProvider, gather, readAll } from '../../contract/provider.ts';
import { makeTestClock, openProvider, settingsFor, startTenant } from './support.ts';

let tenant: Tenant;
let graph: GraphServer;

before(async () => {
  tenant = makeTenant({ users: 2_100, groups: 40, membersPerGroup: 20, cycle: true });
  graph = await startTenant(tenant);
});
after(() => graph.close());

const open = (changes: Record<string, unknown> = {}) => openProvider(settingsFor(graph, tenant.id, changes));

/** Direct members that a directory can hold, of every group. */
function directMembers(): Map<string, Set<string>> {
  const isKnown = (id: string) => tenant.users.has(id) || tenant.groups.has(id);
  return new Map([...tenant.members].map(([group, ids]) => [group, new Set([...ids].filter(isKnown))]));
}

describeProvider('microsoft365', () => ({
  open: () => open().provider,
  users: new Set(tenant.users.keys()),
  groups: new Set(tenant.groups.keys()),
  members: directMembers(),
}));

describe('a full read', () => {
  const script = (path: string, fault: Fault, times = 1) => graph.setFaults({ script: [{ path, fault, times }] });

  it('is whole through every fault that can be survived, at once', async () => {
    for (const seed of ['one', 'two']) {
      graph.setFaults({ chance: 0.3, seed });
      const read = await gather(open().provider);
      assert.deepEqual(read.ids.User, new Set(tenant.users.keys()));
      assert.deepEqual(read.members, directMembers());
    }
    graph.setFaults({});
  });

  it('names the manager of everybody who has one', async () => {
    for (const page of await readAll(open().provider)) {
      if (page.type !== 'records' || page.resourceType !== 'User') continue;
      for (const { id, manager } of page.records as { id: string; manager?: { id: string } }[])
        assert.equal(manager?.id, tenant.managers.get(id));
    }
  });

  it('counts devices and contacts as skipped, with a reason', async () => {
    const skipped = (await readAll(open().provider)).flatMap((page) => (page.type === 'members' ? page.skipped : []));
    const others = [...tenant.members.values()].flatMap((ids) => [...ids].filter((id) => tenant.others.has(id)));
    assert.deepEqual(skipped.map(({ externalId }) => externalId).sort(), others.sort());
    assert.deepEqual([...new Set(skipped.map(({ reason }) => reason))], ['UnsupportedObjectType']);
    assert.deepEqual([...new Set(skipped.map(({ objectType }) => objectType))].sort(), ['device', 'orgContact']);
  });

  it('asks for the members of groups in scope only', async () => {
    const read = await gather(open({ scope: { groupTypes: ['distribution'] } }).provider);
    assert.equal(read.ids.Group.size, tenant.groups.size);
    assert.ok(read.members.size > 0 && read.members.size < tenant.groups.size);
  });

  it('waits as long as it is told to, in seconds or by a date', async () => {
    const date = new Date(Math.floor(Date.now() / 1000) * 1000 + 3_600_000).toUTCString();
    for (const [retryAfter, least, most] of [
      ['11', 11_000, 11_000],
      ['0', 0, 0],
    ] as const) {
      const clock = makeTestClock();
      script('/groups/', { kind: 'status', status: 429, retryAfter });
      const { provider } = openProvider(settingsFor(graph, tenant.id), clock);
      await readAll(provider);
      assert.ok(provider.cost().throttledMs >= least && provider.cost().throttledMs <= most);
    }
    // An hour is more than a run waits for: it ends, and says when to come back.
    script('/users', { kind: 'status', status: 429, retryAfter: date });
    await assert.rejects(readAll(open().provider), (error: UpstreamError) => {
      assert.equal(error.failure, 'throttled');
      assert.ok((error.retryAfterMs ?? 0) > 3_500_000);
      return true;
    });
    graph.setFaults({});
  });

  it('goes on with a fresh token when the old one is revoked in the middle', async () => {
    const { provider } = open();
    const before = graph.requests.get(`/{id}/oauth2/v2.0/token`) ?? 0;
    let pages = 0;
    for await (const page of provider.pages(new AbortController().signal)) {
      pages += 1;
      if (page.type === 'records' && pages === 1) graph.revokeTokens();
    }
    assert.ok(pages > 40);
    assert.equal((graph.requests.get(`/{id}/oauth2/v2.0/token`) ?? 0) - before, 2);
  });

  for (const [what, path, fault, reason] of [
    ['a page that links to itself', '/users', { kind: 'loop' }, 'page-loop'],
    ['a page that links to another host', '/users', { kind: 'foreignLink' }, 'foreign-next-link'],
    ['a page without a list', '/groups', { kind: 'notAPage' }, 'page-without-list'],
    ['a page cut off every time', '/members', { kind: 'truncate' }, undefined],
    ['connections that always break', '/users', { kind: 'drop' }, 'graph-unreachable'],
    ['a server error every time', '/members', { kind: 'status', status: 500 }, 'server'],
  ] as const)
    it(`ends without an end after ${what}`, async () => {
      script(path, fault, 1_000);
      const { provider } = open();
      const pages: string[] = [];
      await assert.rejects(
        async () => {
          for await (const { type } of provider.pages(new AbortController().signal)) pages.push(type);
        },
        (error) => {
          assert.ok(error instanceof UpstreamError, String(error));
          assert.ok((error.remedy ?? '').length > 0);
          if (reason !== undefined) assert.equal(error.reason, reason);
          return true;
        },
      );
      assert.ok(!pages.includes('end'));
      graph.setFaults({});
    });

  it('is whole where the recycle bin cannot be read, whatever it answers', async () => {
    for (const fault of [{ kind: 'status', status: 500 }, { kind: 'drop' }, { kind: 'notAPage' }] as const) {
      script('/deletedItems', fault, 1_000);
      const pages = await readAll(open().provider);
      assert.equal(pages.at(-1)?.type, 'end');
      assert.equal(
        pages.some(({ type }) => type === 'gone'),
        false,
        'nothing is said of how anybody left',
      );
    }
    graph.setFaults({});
  });

  it('of designated groups asks by id for members whom a list of people leaves out', async () => {
    const small = makeTenant({ users: 100, groups: 2 });
    const [group = ''] = small.groups.keys();
    for (const id of [...small.users.keys()].slice(0, 60)) addMember(small, group, id);
    const server = await startTenant(small);
    try {
      server.setFaults({ script: [{ path: '/v1.0/users', fault: { kind: 'short', lacks: 90 }, times: 1_000 }] });
      const scope = { mode: 'groups', groupIds: [group] };
      const read = await gather(openProvider(settingsFor(server, small.id, { scope })).provider);
      const people = [...read.members.values()].flatMap((members) => [...members].filter((id) => small.users.has(id)));
      assert.ok((server.requests.get('/v1.0/users') ?? 0) > 0, 'everybody was listed');
      assert.ok(people.length > 20);
      assert.deepEqual(read.ids.User, new Set(people));
    } finally {
      await server.close();
    }
  });

  it('does not say who is in a group that is deleted between list and members', async () => {
    const [group = ''] = tenant.groups.keys();
    const before = { record: tenant.groups.get(group), members: tenant.members.get(group) };
    const { provider } = open();
    const seen: boolean[] = [];
    for await (const page of provider.pages(new AbortController().signal)) {
      if (page.type === 'records' && page.resourceType === 'Group') removeGroup(tenant, group);
      if (page.type === 'members' && page.group === group)
        seen.push(page.complete && page.members.length === 0 && page.hidden === true);
    }
    assert.deepEqual(seen, [true]);
    if (before.record !== undefined && before.members !== undefined) {
      tenant.groups.set(group, before.record);
      tenant.members.set(group, before.members);
    }
  });

  it('goes on without the members of a group that hides them, unless it may read those', async () => {
    const small = makeTenant({ users: 20, groups: 4, membersPerGroup: 5 });
    const [group = ''] = small.groups.keys();
    small.groups.set(group, { id: group, ...small.groups.get(group), visibility: 'HiddenMembership' });
    const roles = ['User.Read.All', 'GroupMember.Read.All'];
    for (const [granted, hidden] of [
      [roles, true],
      [[...roles, 'Member.Read.Hidden'], undefined],
    ] as const) {
      const server = await startTenant(small, { application: { roles: granted } });
      const pages = await readAll(openProvider(settingsFor(server, small.id)).provider);
      const last = pages.findLast((page) => page.type === 'members' && page.group === group);
      assert.ok(last?.type === 'members' && last.complete);
      assert.equal(last.hidden, hidden);
      assert.equal(
        last.skipped.some(({ reason }) => reason === 'HiddenMembership'),
        hidden === true,
      );
      assert.equal(pages.at(-1)?.type, 'end');
      await server.close();
    }
  });

  it('needs both permissions, and names the one that is missing', async () => {
    for (const [roles, missing] of [
      [['GroupMember.Read.All'], 'User.Read.All'],
      [['User.Read.All'], 'GroupMember.Read.All'],
    ] as const) {
      const poor = await startTenant(tenant, { application: { roles } });
      const groupIds = [...tenant.groups.keys()].slice(0, 2);
      for (const scope of [undefined, { mode: 'groups', groupIds }]) {
        const { provider } = openProvider(settingsFor(poor, tenant.id, scope && { scope }));
        await assert.rejects(readAll(provider), (error) => {
          assert.ok(error instanceof CredentialsError && error.failure === 'consent');
          assert.equal(error.reason, 'permission-missing');
          assert.match(error.message, new RegExp(missing));
          assert.match(error.remedy ?? '', new RegExp(missing));
          return true;
        });
      }
      await poor.close();
    }
  });
});
