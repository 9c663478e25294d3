// Reading changes must come to what reading everything comes to, over random histories of a source; and must do no more
// than what changed asks for.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { makeLog } from '#platform/log.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { touch } from '#store/mirror/touched.ts';
import { writeSetting } from '#store/source/settings.ts';
import { listItems } from '#store/views/items.ts';
import { readPlan } from '#store/views/plans.ts';
import type { RunView } from '#store/views/runs.ts';
import { deleteResource, patchResource } from '#sync/edits.ts';
import { makeReadMemory } from '#sync/read/read-memory.ts';
import { eachDatabase, emptyDatabase } from '../support/database.ts';
import { tryHistories } from '../support/histories.ts';
import {
  makeSource,
  NOT_BY_GROUPS,
  openSync,
  readDirectory,
  type Served,
  type Source,
  type Sync,
} from '../support/source.ts';

/** Nothing waits, so that what is compared is reading and planning. */
const OPEN_GUARD = { enabled: false };

const person = fc.nat(6).map((index) => `u${index}`);
const group = fc.nat(2).map((index) => `g${index}`);
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('join'),
      person,
      title: fc.constantFrom('red', 'blue'),
      manager: fc.option(person),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('name'), person, name: fc.constantFrom('ann', 'ben', 'cat') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('leave'), person, how: fc.constantFrom('softDeleted', 'hardDeleted') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('out'), person }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('group'),
      group,
      members: fc.uniqueArray(fc.oneof(person, group)),
      out: fc.option(fc.constant('GroupTypeExcluded'), { freq: 3, nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dissolve'), group }) },
);
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

const step = fc.record({
  events: fc.array(event, { maxLength: 5 }),
  mode: fc.constantFrom('incremental' as const, 'incremental' as const, 'full' as const),
  /** Somebody looks at what a run would do, before more happens. */
  preview: fc.option(fc.constantFrom('incremental' as const, 'full' as const), { freq: 3, nil: undefined }),
  /** The read stops before its end, or its checkpoint has expired. */
  trouble: fc.option(fc.constantFrom('cut' as const, 'expired' as const), { freq: 3, nil: undefined }),
});

function happen(source: Source, event: Event): void {
  if (event.kind === 'join') {
    source.gone.delete(event.person);
    const { out: _out, manager: _manager, ...kept } = source.users.get(event.person) ?? { userName: event.person };
    source.users.set(event.person, {
      ...kept,
      title: event.title,
      ...(event.manager === null ? {} : { manager: event.manager }),
    });
  } else if (event.kind === 'leave') {
    if (source.users.delete(event.person)) source.gone.set(event.person, event.how as 'softDeleted');
  } else if (event.kind === 'group') {
    source.groups.set(event.group, { displayName: event.group, members: event.members, out: event.out });
  } else if (event.kind === 'dissolve') source.groups.delete(event.group);
  else {
    const user = source.users.get(event.person);
    if (user === undefined) return;
    source.users.set(
      event.person,
      event.kind === 'out' ? { ...user, out: 'ScopeFilterFalse' } : { ...user, userName: event.name },
    );
  }
}

/** People and groups by the provider's id, without ids that are ours. */
function pictureOf(directory: Record<string, Served>): unknown {
  const names = new Map(Object.entries(directory).map(([id, { body }]) => [id, String(body['externalId'])]));
  const rows = Object.entries(directory).map(([id, { body, related }]) => {
    const text = JSON.stringify(body).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (found) => names.get(found) ?? found);
    return [names.get(id), { ...JSON.parse(text), related: related.map((other) => names.get(other)).sort() }];
  });
  return Object.fromEntries(rows);
}

const CHANGING = ['created', 'updated', 'deactivated', 'deleted', 'membershipsChanged'];

function applied({ counts }: RunView): number {
  return CHANGING.reduce((sum, name) => sum + (counts[name] ?? 0), 0);
}

/** A reference to somebody whom one run deletes goes with the next. */
async function settle(api: Sync, mode: 'incremental' | 'full'): Promise<void> {
  for (let round = 0; round < 4; round += 1) if (applied(await api.sync({ mode })) === 0) return;
}

/** A preview changes nothing that is served, and what it has read is not lost to the runs after it. */
async function look(api: Sync, mode: 'incremental' | 'full'): Promise<void> {
  const before = await readDirectory(api.database);
  await api.sync({ mode, preview: true });
  assert.deepEqual(await readDirectory(api.database), before);
}

/** Asked again, this source says what it knows. */
function lookAt(source: Source): SecondLook {
  const here = (type: ResourceType): ReadonlyMap<string, unknown> => (type === 'User' ? source.users : source.groups);
  return {
    showsAll: true,
    isThere: async (type, ids) => new Map(ids.map((id) => [id, here(type).has(id)])),
    isRestorable: async (ids) => new Map(ids.map((id) => [id, source.gone.get(id) === 'softDeleted'])),
    count: async (type) => here(type).size,
    async *members(groups) {
      for (const group of groups) {
        const named = source.groups.get(group)?.members.filter((id) => source.users.has(id)) ?? [];
        const members = named.map((externalId) => ({ externalId, type: 'User' as const }));
        yield { type: 'members', group, members, skipped: [], complete: true };
      }
    },
  };
}

eachDatabase('reading what changed', (open) => {
  it('comes to what reading everything comes to, for any history, previews in between included', async () => {
    const database = await open();
    await tryHistories(fc.array(step, { minLength: 1, maxLength: 5 }), 25, async (steps) => {
      await emptyDatabase(database);
      const source = makeSource();
      const api = await openSync(database, source);
      try {
        await writeSetting(database.knex, 'guard', OPEN_GUARD);
        await api.sync();
        for (const { events, mode, trouble, preview } of steps) {
          for (const [index, one] of events.entries()) {
            happen(source, one);
            if (preview !== undefined && index * 2 <= events.length) await look(api, preview);
          }
          source.lie = trouble === 'cut' ? 'cut' : undefined;
          if (trouble === 'expired') source.checkpoints.clear();
          const run = await api.sync({ mode });
          if (mode === 'incremental' && trouble === 'expired') assert.equal(run.mode, 'full');
        }
        source.lie = undefined;
        await settle(api, 'incremental');
        const byChanges = pictureOf(await readDirectory(database));
        await settle(api, 'full');
        assert.deepEqual(byChanges, pictureOf(await readDirectory(database)));
      } finally {
        await api.close();
      }
    });
  });

  it('asks for the links of who came back, also when the read that saw them stopped early', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    source.users.set('bob', { userName: 'bob' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      const before = pictureOf(await readDirectory(api.database));
      source.users.delete('ada');
      source.gone.set('ada', 'softDeleted');
      await api.sync({ mode: 'full' });
      source.gone.delete('ada');
      source.users.set('ada', { userName: 'ada' });
      source.lie = 'cut';
      assert.equal((await api.sync({ mode: 'full' })).status, 'incomplete');
      source.lie = undefined;
      assert.equal((await api.sync({ mode: 'incremental' })).status, 'succeeded');
      assert.deepEqual(pictureOf(await readDirectory(api.database)), before);
    } finally {
      await api.close();
    }
  });

  it('gives back the groups of whoever went to the recycle bin while members were read, and was restored', async () => {
    for (const looksTwice of [false, true]) {
      const source = makeSource();
      for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
      if (looksTwice) source.look = lookAt(source);
      const database = await open();
      await emptyDatabase(database);
      const api = await openSync(database, source);
      try {
        await writeSetting(database.knex, 'guard', OPEN_GUARD);
        await api.sync();
        source.groups.set('g2', { displayName: 'Sales', members: ['ada', 'bob'] });
        source.meanwhile = () => {
          source.users.delete('ada');
          source.gone.set('ada', 'softDeleted');
        };
        await api.sync({ mode: 'full' });
        source.meanwhile = undefined;
        const { ada } = pictureOf(await readDirectory(database)) as Record<string, Served & { active: boolean }>;
        assert.deepEqual([ada?.active, ada?.related], [true, looksTwice ? ['g1'] : []]);
        source.gone.delete('ada');
        source.users.set('ada', { userName: 'ada' });
        assert.equal((await api.sync({ mode: 'incremental' })).mode, 'incremental');
        const restored = pictureOf(await readDirectory(database)) as Record<string, Served>;
        assert.deepEqual(restored['ada']?.related, ['g1', 'g2']);
        // Who was taken out of a group meanwhile is out, listed or not.
        source.groups.set('g1', { displayName: 'Payroll', members: ['bob'] });
        await api.sync({ mode: 'full' });
        const after = pictureOf(await readDirectory(database)) as Record<string, Served>;
        assert.deepEqual(after['ada']?.related, ['g2']);
      } finally {
        await api.close();
      }
    }
  });

  it('asks once for the members of a group from which somebody was deleted, and not with each read after it', async () => {
    for (const groupsFirst of [false, true]) {
      const source = makeSource();
      source.groupsFirst = groupsFirst;
      for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
      const look = lookAt(source);
      const asked: string[] = [];
      source.look = {
        ...look,
        showsAll: !groupsFirst,
        members(groups, signal) {
          asked.push(...groups);
          return look.members(groups, signal);
        },
      };
      const database = await open();
      await emptyDatabase(database);
      const api = await openSync(database, source);
      try {
        await writeSetting(database.knex, 'guard', OPEN_GUARD);
        await api.sync();
        source.users.delete('ada');
        source.gone.set('ada', 'hardDeleted');
        await api.sync({ mode: 'full' });
        asked.length = 0;
        for (let reads = 0; reads < 2; reads += 1) await api.sync({ mode: 'full' });
        assert.deepEqual(asked, []);
        const { rows } = await database.query<{ id: string }>({
          text: 'select member_external_id as id from mirror_members',
        });
        assert.deepEqual(rows, [{ id: 'bob' }]);
      } finally {
        await api.close();
      }
    }
  });

  it('keeps the members of a group that is not found when it is read once more', async () => {
    const source = makeSource();
    for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
    const look = lookAt(source);
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      const before = pictureOf(await readDirectory(api.database));
      source.groups.set('g1', { displayName: 'Payroll', members: ['bob'] });
      source.look = {
        ...look,
        async *members(groups) {
          for (const group of groups)
            yield { type: 'members', group, members: [], skipped: [], complete: true, hidden: true };
        },
      };
      await api.sync({ mode: 'full' });
      assert.deepEqual(pictureOf(await readDirectory(api.database)), before);
      source.look = look;
      await api.sync({ mode: 'full' });
      const { ada } = pictureOf(await readDirectory(api.database)) as Record<string, Served>;
      assert.deepEqual(ada?.related, []);
    } finally {
      await api.close();
    }
  });

  it('takes nobody out of a group who does not name it yet after a restore, and asks again', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    source.users.set('bob', { userName: 'bob' });
    for (const id of ['g1', 'g2']) source.groups.set(id, { displayName: id, members: ['ada', 'bob'] });
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      const before = pictureOf(await readDirectory(api.database));
      source.users.delete('ada');
      source.gone.set('ada', 'softDeleted');
      await api.sync({ mode: 'incremental' });
      source.groups.set('g2', { displayName: 'g2', members: ['ada', 'bob'], out: 'GroupTypeExcluded' });
      await api.sync({ mode: 'full' });
      source.groups.set('g2', { displayName: 'g2', members: ['ada', 'bob'] });
      source.gone.delete('ada');
      source.users.set('ada', { userName: 'ada' });
      source.unnamed = new Set(['g1', 'g2']);
      await api.sync({ mode: 'incremental' });
      source.unnamed = new Set();
      await api.sync({ mode: 'incremental' });
      assert.deepEqual(pictureOf(await readDirectory(api.database)), before);
    } finally {
      await api.close();
    }
  });

  it('takes nobody who is new here from a part of a record', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      source.thin = new Set(['ada', 'bob']);
      source.users.set('bob', { userName: 'bob', active: false, title: 'Clerk' });
      assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { created: 1 });
      const { bob } = pictureOf(await readDirectory(api.database)) as Record<string, Record<string, unknown>>;
      assert.deepEqual([bob?.['active'], bob?.['title']], [false, 'Clerk']);
    } finally {
      await api.close();
    }
  });

  it('reads everything next where somebody who is new here is told of in part and not found by id', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      source.thin = new Set(['bob']);
      source.unfound = new Set(['bob']);
      source.users.set('bob', { userName: 'bob', active: false });
      const short = await api.sync({ mode: 'incremental' });
      assert.deepEqual([short.mode, short.status, short.counts], ['incremental', 'succeeded', {}]);
      const whole = await api.sync({ mode: 'incremental' });
      assert.deepEqual([whole.mode, whole.modeReason, whole.counts], ['full', 'no-checkpoint', { created: 1 }]);
      assert.equal((await api.sync({ mode: 'incremental' })).mode, 'incremental');
    } finally {
      await api.close();
    }
  });

  it('reads everything once for somebody whom neither a list nor their id shows, however often they are told of', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    const api = await openSync(await open(), source);
    const change = async (title: string) => {
      source.users.set('ghost', { userName: 'ghost', title });
      return api.sync({ mode: 'incremental' });
    };
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      source.thin = new Set(['ghost', 'bob']);
      source.unfound = new Set(['ghost', 'bob']);
      source.unlisted = new Set(['ghost']);
      assert.equal((await change('one')).mode, 'incremental');
      assert.equal((await change('two')).mode, 'full');
      for (const title of ['three', 'four']) assert.equal((await change(title)).mode, 'incremental', title);
      // Somebody else is looked for in the lists all the same.
      source.users.set('bob', { userName: 'bob' });
      assert.equal((await change('five')).mode, 'incremental');
      const whole = await change('six');
      assert.deepEqual([whole.mode, whole.counts], ['full', { created: 1 }]);
      // Once there is a way to read them, they come.
      source.unfound = new Set();
      assert.deepEqual((await change('seven')).counts, { created: 1 });
    } finally {
      await api.close();
    }
  });

  it('knows the members of a group that comes into scope after a full read that did not ask for them', async () => {
    const source = makeSource();
    for (const id of ['ada', 'bob', 'cyd']) source.users.set(id, { userName: id });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'cyd'], out: 'GroupTypeExcluded' });
      await api.sync({ mode: 'full' });
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'cyd'] });
      const run = await api.sync({ mode: 'incremental' });
      assert.deepEqual([run.mode, run.counts], ['incremental', { created: 1, membershipsChanged: 1 }]);
      const { g1 } = pictureOf(await readDirectory(api.database)) as Record<string, Served>;
      assert.deepEqual(g1?.related, ['ada', 'cyd']);
    } finally {
      await api.close();
    }
  });

  it('takes nobody away who moved between selected groups while the read of it stops halfway', async () => {
    for (const nested of ['include', 'flatten'] as const) {
      const source = makeSource();
      source.scope = { ...NOT_BY_GROUPS, selected: ['top', 'other'], nested };
      for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
      source.groups.set('top', { displayName: 'Top', members: ['g1', 'g2'] });
      source.groups.set('other', { displayName: 'Other', members: ['bob'] });
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada'] });
      source.groups.set('g2', { displayName: 'Sales', members: [] });
      const database = await open();
      await emptyDatabase(database);
      const api = await openSync(database, source);
      try {
        await writeSetting(database.knex, 'guard', OPEN_GUARD);
        await api.sync();
        const before = pictureOf(await readDirectory(database)) as Record<string, Served & { active: boolean }>;
        source.groups.set('g1', { displayName: 'Payroll', members: [] });
        source.groups.set('g2', { displayName: 'Sales', members: ['ada'] });
        source.lie = 'departures';
        const half = await api.sync({ mode: 'incremental' });
        assert.equal(half.status, 'incomplete');
        assert.equal(half.counts['deactivated'], undefined, `${nested}: somebody who only moved was taken away`);
        if (nested === 'flatten') assert.deepEqual(pictureOf(await readDirectory(database)), before);
        source.lie = undefined;
        assert.equal((await api.sync({ mode: 'incremental' })).status, 'succeeded');
        const { ada } = pictureOf(await readDirectory(database)) as typeof before;
        assert.deepEqual([ada?.active, ada?.related], [true, nested === 'flatten' ? ['top'] : ['g2', 'top']]);
        // Who left for good, by as little of the read, goes with the next one that reaches its end.
        source.groups.set('g2', { displayName: 'Sales', members: [] });
        source.lie = 'departures';
        await api.sync({ mode: 'incremental' });
        source.lie = undefined;
        assert.equal((await api.sync({ mode: 'incremental' })).counts['deactivated'], 1);
      } finally {
        await api.close();
      }
    }
  });

  it('takes nobody away who moved between selected groups while a full read read them, and lets go who left', async () => {
    const source = makeSource();
    source.scope = { ...NOT_BY_GROUPS, selected: ['g1', 'g2'] };
    for (const id of ['ada', 'bob', 'cyd']) source.users.set(id, { userName: id });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
    source.groups.set('g2', { displayName: 'Sales', members: ['cyd'] });
    const asked: string[][] = [];
    source.look = {
      showsAll: true,
      isThere: async () => new Map(),
      isRestorable: async () => new Map(),
      count: async () => undefined,
      async *members(groups) {
        for (const group of groups) yield { type: 'members', group, members: [], skipped: [], complete: true };
      },
      async groupsOf(_type, ids) {
        asked.push([...ids].sort());
        // Of somebody who left, what they say of themselves may lag.
        const told = { ada: ['g2', 'elsewhere'], bob: ['g1'] };
        return new Map(Object.entries(told).filter(([id]) => ids.includes(id)));
      },
    };
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', OPEN_GUARD);
      await api.sync();
      source.groups.set('g1', { displayName: 'Payroll', members: [] });
      const moved = await api.sync({ mode: 'full' });
      assert.deepEqual(asked, [['ada', 'bob']]);
      assert.deepEqual([moved.status, moved.counts['deactivated']], ['succeeded', 1]);
      const { ada, bob } = pictureOf(await readDirectory(api.database)) as Record<string, Served & { active: boolean }>;
      assert.deepEqual([ada?.active, ada?.related, bob?.active], [true, ['g2'], false]);
      source.groups.set('g2', { displayName: 'Sales', members: ['ada', 'cyd'] });
      for (const mode of ['incremental', 'full'] as const) assert.equal(applied(await api.sync({ mode })), 0, mode);
      assert.equal(asked.length, 1);
    } finally {
      await api.close();
    }
  });

  it('does not count as settled whom a read has shown that broke off', async () => {
    const source = makeSource();
    for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
    const api = await openSync(await open(), source);
    try {
      await api.sync();
      const { settled } = makeReadMemory(api.database.knex, 'microsoft365');
      source.users.set('ada', { userName: 'ada', title: 'Dr' });
      source.users.set('cyd', { userName: 'cyd' });
      source.lie = 'cut';
      assert.equal((await api.sync({ mode: 'incremental' })).status, 'incomplete');
      assert.deepEqual([...(await settled('User', ['ada', 'bob', 'cyd', 'dan']))], ['bob']);
    } finally {
      await api.close();
    }
  });

  it('plans nothing where nothing changed, and leaves a waiting plan waiting', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    for (let index = 0; index < 40; index += 1) source.users.set(`u${index}`, { userName: `u${index}` });
    await writeSetting(database.knex, 'guard', { minObjects: 1, percent: 30 });
    await api.sync();
    for (let index = 0; index < 30; index += 1) source.users.delete(`u${index}`);
    const held = await api.sync({ mode: 'incremental' });
    assert.deepEqual([held.mode, held.status, held.counts], ['incremental', 'held', { held: 30 }]);
    const idle = await api.sync({ mode: 'incremental' });
    assert.deepEqual([idle.status, idle.planId], ['succeeded', null]);
    assert.equal((await readPlan(database.knex, held.planId ?? ''))?.status, 'held');
    source.users.set('u35', { userName: 'u35', title: 'new' });
    const next = await api.sync({ mode: 'incremental' });
    assert.deepEqual([next.status, next.counts], ['held', { held: 30, updated: 1 }], 'what waited is planned again');
    await api.approve(next.planId);
    const directory = Object.values(await readDirectory(database));
    assert.equal(directory.filter(({ body }) => body['active'] === false).length, 30);
    await api.close();
  });

  it('compares only who was touched', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    await writeSetting(database.knex, 'guard', OPEN_GUARD);
    for (let index = 0; index < 5; index += 1) source.users.set(`u${index}`, { userName: `u${index}` });
    await api.sync();
    // A difference that nobody touched: only a full run may see it.
    await database.knex.raw(`update mirror_records set digest = '\\x00' where external_id = 'u1'`);
    source.users.set('u2', { userName: 'u2', title: 'new' });
    const run = await api.sync({ mode: 'incremental' });
    const plan = await readPlan(database.knex, run.planId ?? '');
    assert.ok(plan !== undefined);
    const { items } = await listItems(database.knex, plan, { limit: 100 });
    assert.deepEqual(
      items.map(({ externalId, action }) => [externalId, action]),
      [['u2', 'update']],
    );
    await database.knex.transaction((tx) => touch(tx, 'microsoft365', 'User', ['u1']));
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { updated: 1 });
    await api.close();
  });

  it('overwrites what was edited or deleted here, although the source did not change', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    await writeSetting(database.knex, 'guard', OPEN_GUARD);
    await writeSetting(database.knex, 'directory', { localEdits: 'overwrite' });
    for (const id of ['a', 'b', 'c']) source.users.set(id, { userName: id, title: 'true' });
    source.groups.set('g', { displayName: 'g', members: ['a', 'b'] });
    await api.sync();
    const before = pictureOf(await readDirectory(database));
    const groups = makeServedGroups(database, makeLog('fatal'));
    const parts = { database, reader: makeResourceReader(database, groups), schemas: RESOURCE_SCHEMAS };
    const { rows } = await database.query<{ id: string; external_id: string }>({
      text: 'select id, external_id from resources',
    });
    const idOf = (name: string): string => rows.find(({ external_id: found }) => found === name)?.id ?? '';
    const edit = { type: 'User' as const, actor: 'test' };
    const operation = { op: 'replace', path: 'title', value: 'edited', tolerant: true } as const;
    await patchResource(parts, { ...edit, id: idOf('a') }, [operation]);
    await deleteResource(parts, { ...edit, id: idOf('b') });
    await groups.stop();
    assert.notDeepEqual(pictureOf(await readDirectory(database)), before);
    const run = await api.sync({ mode: 'incremental' });
    assert.deepEqual([run.mode, run.counts], ['incremental', { created: 1, updated: 1, membershipsChanged: 1 }]);
    assert.deepEqual(pictureOf(await readDirectory(database)), before);
    await api.close();
  });

  it('deletes whose days since they left are over', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    await writeSetting(database.knex, 'guard', OPEN_GUARD);
    for (const id of ['a', 'b']) source.users.set(id, { userName: id });
    await api.sync();
    source.users.delete('a');
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { deactivated: 1 });
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, {});
    await database.knex.raw(`update resources set left_at = left_at - interval '31 days'`);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { deleted: 1 });
    await api.close();
  });

  it('says why it reads everything', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    const modeOf = ({ mode, modeReason }: RunView): unknown[] => [mode, modeReason];
    assert.deepEqual(modeOf(await api.sync({ mode: 'incremental' })), ['full', 'no-checkpoint']);
    assert.deepEqual(modeOf(await api.sync({ mode: 'incremental' })), ['incremental', null]);
    source.checkpoints.clear();
    assert.deepEqual(modeOf(await api.sync({ mode: 'incremental' })), ['full', 'checkpoint-expired']);
    await database.knex.raw('update provider_settings set config_version = config_version + 1');
    assert.deepEqual(modeOf(await api.sync({ mode: 'incremental' })), ['full', 'settings-changed']);
    await api.close();
  });
});
