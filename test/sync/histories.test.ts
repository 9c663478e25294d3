// Laws of the whole journey, over random histories of a source: joiners, leavers, renames, swaps, moves, restores, and
// reads that lie.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import type { RunPolicy } from '#core/policy.ts';
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { writeResources } from '#store/directory/resources.ts';
import { releasePinsOf } from '#store/plan/pins.ts';
import { writeSetting } from '#store/source/settings.ts';
import { listItemMembers } from '#store/views/item-members.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import { readPlan } from '#store/views/plans.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase, emptyDatabase } from '../support/database.ts';
import { tryHistories } from '../support/histories.ts';
import {
  makeSource,
  openSync,
  POLICY,
  readDirectory,
  type Served,
  type Source,
  type SourceUser,
  type Sync,
} from '../support/source.ts';

const person = fc.nat(8).map((index) => `u${index}`);
const group = fc.nat(3).map((index) => `g${index}`);
const word = fc.constantFrom('red', 'blue');

/** One thing that happens in the source. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('join'), person, title: word, manager: fc.option(person) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('leave'),
      person,
      how: fc.constantFrom('', 'softDeleted', 'hardDeleted'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('out'), person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('disable'), person }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('swap'), person, other: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('departments'), department: fc.option(word) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('group'),
      group,
      displayName: word,
      members: fc.uniqueArray(fc.oneof({ weight: 4, arbitrary: person }, { weight: 1, arbitrary: group })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('dissolve'), group }) },
);
type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

const step = fc.record({
  events: fc.array(event, { maxLength: 6 }),
  lie: fc.option(fc.constantFrom('cut' as const, 'nobody' as const), { freq: 4, nil: undefined }),
  /** What becomes of a plan that waits. */
  answer: fc.constantFrom('approve' as const, 'reject' as const, 'ignore' as const),
  undo: fc.boolean(),
  leave: fc.constantFrom('deactivate' as const, 'delete' as const),
});

function happen(source: Source, event: Event): void {
  if (event.kind === 'join') {
    source.gone.delete(event.person);
    const before = source.users.get(event.person);
    const { out: _out, manager: _manager, ...kept } = before ?? { userName: freeName(source, event.person) };
    const manager = event.manager === null ? {} : { manager: event.manager };
    source.users.set(event.person, { ...kept, active: true, title: event.title, ...manager });
  } else if (event.kind === 'leave') {
    source.users.delete(event.person);
    if (event.how === 'softDeleted' || event.how === 'hardDeleted') source.gone.set(event.person, event.how);
    else source.gone.delete(event.person);
  } else if (event.kind === 'out') change(source, event.person, { out: 'ScopeFilterFalse' });
  else if (event.kind === 'disable') change(source, event.person, { active: false });
  else if (event.kind === 'swap') {
    const [one, other] = [source.users.get(event.person), source.users.get(event.other)];
    if (one === undefined || other === undefined || event.person === event.other) return;
    source.users.set(event.person, { ...one, userName: other.userName });
    source.users.set(event.other, { ...other, userName: one.userName });
  } else if (event.kind === 'departments')
    for (const [id, { department: _department, ...user }] of source.users)
      source.users.set(id, { ...user, ...(event.department === null ? {} : { department: event.department }) });
  else if (event.kind === 'group')
    source.groups.set(event.group, { displayName: event.displayName, members: event.members });
  else source.groups.delete(event.group);
}

function change(source: Source, id: string, changes: Partial<SourceUser>): void {
  const user = source.users.get(id);
  if (user !== undefined) source.users.set(id, { ...user, ...changes });
}

/** A name that nobody in the source has, so that it may be one that somebody who left has given up. */
function freeName(source: Source, id: string): string {
  const taken = new Set([...source.users.values()].map(({ userName }) => userName));
  return ['ann', 'ben', 'cat', 'dov', id].find((name) => !taken.has(name)) ?? id;
}

/** The directory in the words of the source: people and groups by the provider's id, without who has left. */
interface Picture {
  readonly users: Record<string, unknown>;
  readonly groups: Record<string, unknown>;
}

function pictureOf(source: Source): Picture {
  const inScope = new Map([...source.users].filter(([, user]) => user.out === undefined));
  const users = [...inScope].map(([id, { userName, active = true, title, department }]) => [
    id,
    { userName, active, title, department },
  ]);
  const groups = [...source.groups].map(([id, { displayName, members }]) => [
    id,
    { displayName, members: members.filter((member) => inScope.has(member) || source.groups.has(member)).sort() },
  ]);
  return { users: Object.fromEntries(users), groups: Object.fromEntries(groups) };
}

function pictureFrom(directory: Record<string, Served>, inScope: (id: string) => boolean): Picture {
  const names = new Map(Object.entries(directory).map(([id, { body }]) => [id, String(body['externalId'])]));
  const picture: Picture = { users: {}, groups: {} };
  for (const { type, body, related } of Object.values(directory)) {
    const id = body['externalId'];
    if (typeof id !== 'string') continue;
    const { userName, active, title, displayName } = body;
    const department = (body[ENTERPRISE_SCHEMA] as { department?: string } | undefined)?.department;
    if (type === 'Group')
      picture.groups[id] = { displayName, members: related.map((member) => names.get(member)).sort() };
    else if (inScope(id)) picture.users[id] = { userName, active, title, department };
    else assert.equal(active, false, `${id} has left and is still active`);
  }
  return picture;
}

eachDatabase('over any history of a source', (open) => {
  it('follows the source, does exactly what its plans say, and can take it back', async () => {
    const database = await open();
    await tryHistories(fc.array(step, { minLength: 1, maxLength: 5 }), 12, async (steps) => {
      await emptyDatabase(database);
      const source = makeSource();
      let policy: RunPolicy = POLICY;
      const api = await openSync(database, source, () => policy);
      try {
        await writeSetting(database.knex, 'guard', { minObjects: 1, percent: 30 });
        const manual = await addManual(api);
        for (const { events, lie, answer, undo, leave } of steps) {
          policy = { ...POLICY, onLeaveScope: leave };
          for (const one of events) happen(source, one);
          source.lie = lie;
          const before = await readDirectory(database);
          let run = await api.sync();
          await assertSaid(api, run, before);
          if (lie !== undefined) await assertNobodyRemoved(api, before);
          if (run.status === 'held' && lie === undefined && answer === 'approve') {
            run = await api.approve(run.planId);
            await assertSaid(api, run, before);
          } else if (run.status === 'held' && answer === 'reject') await api.service.reject(run.planId ?? '', 'test');
          if (undo && applied(run)) await assertUndone(api, run, before);
        }
        source.lie = undefined;
        await settle(api);
        const directory = await readDirectory(database);
        const inScope = (id: string): boolean => source.users.get(id)?.out === undefined && source.users.has(id);
        assert.deepEqual(pictureFrom(directory, inScope), pictureOf(source));
        for (const [id, served] of Object.entries(manual)) assert.deepEqual(directory[id], served);
        const second = await api.sync();
        assert.deepEqual([second.status, applied(second)], ['succeeded', false], JSON.stringify(second));
      } finally {
        await api.close();
      }
    });
  });
});

function applied({ counts }: RunView): boolean {
  return ['created', 'updated', 'deactivated', 'deleted', 'membershipsChanged'].some((name) => (counts[name] ?? 0) > 0);
}

/** Honest runs until nothing waits. A reference to somebody whom one deletes goes with the next. */
async function settle(api: Sync): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    const run = await api.sync();
    if (run.status === 'held') await api.approve(run.planId);
    if (!applied(run) && run.status === 'succeeded') return;
  }
}

async function itemsOf(api: Sync, run: RunView): Promise<readonly ItemView[]> {
  const plan = run.planId === null ? undefined : await readPlan(api.database.knex, run.planId);
  if (plan === undefined) return [];
  return (await listItems(api.database.knex, plan, { limit: 500 })).items;
}

/** What a run has changed is what its plan says was applied: nothing more, nothing else, nothing less. */
async function assertSaid(api: Sync, run: RunView, before: Record<string, Served>): Promise<void> {
  const bodies = new Map(Object.entries(before).map(([id, { body }]) => [id, body]));
  const owned = new Set(Object.entries(before).flatMap(([id, { body }]) => ('externalId' in body ? [id] : [])));
  const members = new Set(
    Object.entries(before).flatMap(([id, { type, related }]) =>
      type === 'Group' ? related.map((member) => `${id} ${member}`) : [],
    ),
  );
  for (const { seq, action, id, outcome, after } of await itemsOf(api, run)) {
    if (outcome !== 'applied' || id === null) continue;
    if (action === 'create' || action === 'update' || action === 'deactivate')
      bodies.set(id, after as Record<string, unknown>);
    if (action === 'create') owned.add(id);
    if (action === 'delete') bodies.delete(id);
    for (const pair of members) {
      const [of = '', member] = pair.split(' ');
      const goes = member === id && (action === 'delete' || (action === 'deactivate' && owned.has(of)));
      if (goes || (of === id && action === 'delete')) members.delete(pair);
    }
    if (action !== 'membership') continue;
    const plan = { id: run.planId ?? '', provider: run.provider };
    const page = await listItemMembers(api.database.knex, plan, String(seq), { limit: 500 });
    for (const { change, member } of page?.items ?? []) {
      if (change === 'removed') members.delete(`${id} ${member.id}`);
      else if (bodies.has(member.id ?? '')) members.add(`${id} ${member.id}`);
    }
  }
  const now = await readDirectory(api.database);
  assert.deepEqual(
    Object.fromEntries(Object.entries(now).map(([id, { body }]) => [id, body])),
    Object.fromEntries(bodies),
  );
  const pairs = Object.entries(now).flatMap(([id, { type, related }]) =>
    type === 'Group' ? related.map((member) => `${id} ${member}`) : [],
  );
  assert.deepEqual(pairs.sort(), [...members].sort());
}

/** A read that was cut short, or showed nobody, has taken nothing away. */
async function assertNobodyRemoved(api: Sync, before: Record<string, Served>): Promise<void> {
  const now = await readDirectory(api.database);
  for (const [id, { type, related }] of Object.entries(before)) {
    assert.ok(now[id], 'a resource is gone');
    if (type === 'Group') assert.ok(related.every((member) => now[id]?.related.includes(member)));
  }
}

/** Undone, SCIM answers as before the run; the next run leaves it so; released, the change is planned again. */
async function assertUndone(api: Sync, run: RunView, before: Record<string, Served>): Promise<void> {
  const waiting = await api.carriedOut((service) => service.revert(run.id, 'test'));
  await api.approve(waiting.planId);
  assert.deepEqual(await readDirectory(api.database), before);
  const released = await releasePinsOf(api.database.knex, run.id);
  assert.ok(released > 0);
}

async function addManual(api: Sync): Promise<Record<string, Served>> {
  const [user, group] = [randomUUID(), randomUUID()];
  const person = { schemas: [USER_SCHEMA], userName: 'by.hand', active: true };
  const team = { schemas: [GROUP_SCHEMA], displayName: 'red' };
  const row = (id: string, body: object, name: string, type: 'User' | 'Group') => ({
    ...{ id, resource_type: type, origin: 'manual' as const, external_id: null, name_key: name, display: name },
    ...{
      unique_key: type === 'User' ? name : null,
      active: true,
      body: JSON.stringify(body),
      search: JSON.stringify(body),
    },
    ...{ digest: null, manager_external_id: null, manager_id: null, left: false },
  });
  await writeResources(api.database.knex, [row(user, person, 'by.hand', 'User'), row(group, team, 'red', 'Group')]);
  const text = `insert into group_members (group_id, member_id, member_type) values ($1, $2, 'User')`;
  await api.database.query({ text, values: [group, user] });
  await api.database.query({ text: 'update resources set member_count = 1 where id = $1', values: [group] });
  return readDirectory(api.database);
}
