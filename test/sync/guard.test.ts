import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import fc from 'fast-check';
import { differences } from '#core/differences.ts';
import type { GuardSettings } from '#core/guard.ts';
import { writeSetting } from '#store/source/settings.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, NOT_BY_GROUPS, openSync, readDirectory, type Source, type Sync } from '../support/source.ts';

eachDatabase('a plan under the guard', (open) => {
  let source: Source;
  let api: Sync;

  beforeEach(async () => {
    source = makeSource();
    for (let index = 0; index < 60; index += 1)
      source.users.set(`u${index}`, { userName: `user${index}`, title: 'Clerk', displayName: `User ${index}` });
    source.groups.set('g1', { displayName: 'Payroll', members: people(0, 12) });
    source.groups.set('g2', { displayName: 'Admins', members: ['u0', 'u1'] });
    source.groups.set('g3', { displayName: 'Everybody', members: people(0, 60) });
    api = await openSync(await open(), source);
    assert.equal((await api.sync()).status, 'succeeded');
  });
  afterEach(() => api.close());

  const people = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, index) => `u${from + index}`);

  function leave(ids: readonly string[]): void {
    for (const id of ids) source.users.delete(id);
    for (const [id, group] of source.groups)
      source.groups.set(id, { ...group, members: group.members.filter((member) => !ids.includes(member)) });
  }

  function guard(settings: Partial<GuardSettings>): Promise<void> {
    return writeSetting(api.database.knex, 'guard', settings);
  }

  async function items(run: RunView, outcome?: string): Promise<readonly ItemView[]> {
    const plan = { id: run.planId ?? '', provider: run.provider, supersedes: null };
    return (await listItems(api.database.knex, plan, { limit: 500, outcome })).items;
  }

  const labels = (of: readonly ItemView[]): (string | null)[] => of.map(({ label }) => label).sort();

  async function active(): Promise<Set<unknown>> {
    const served = Object.values(await readDirectory(api.database));
    return new Set(served.filter(({ body }) => body['active'] === true).map(({ body }) => body['externalId']));
  }

  async function members(group: string): Promise<number> {
    const served = Object.values(await readDirectory(api.database));
    return served.find(({ body }) => body['externalId'] === group)?.related.length ?? -1;
  }

  it('holds a mass of leavers with their memberships, and lets everything else go on', async () => {
    leave(people(0, 20));
    source.users.set('new', { userName: 'new' });
    const run = await api.sync();
    assert.equal(run.status, 'held');
    assert.equal((await items(run, 'held')).length, 20);
    assert.ok((await active()).has('new'));
    assert.deepEqual([await members('g1'), await members('g3')], [12, 60]);
    await api.approve(run.planId);
    assert.deepEqual([await members('g1'), await members('g3')], [0, 40]);
    assert.equal((await active()).size, 41);
    const { counts } = await api.sync();
    assert.deepEqual(counts, {});
  });

  it('holds with a mass of joiners what their groups win by them, and new groups with their members', async () => {
    for (let index = 0; index < 20; index += 1) source.users.set(`new${index}`, { userName: `new${index}` });
    source.groups.set('g1', { displayName: 'Payroll', members: [...people(0, 12), 'new1', 'new2'] });
    source.groups.set('g2', { displayName: 'Admins', members: ['u0', 'u1', 'u2', 'new1'] });
    source.groups.set('g4', { displayName: 'Fresh', members: ['u5', 'new3'] });
    const run = await api.sync();
    assert.deepEqual(run.counts, { held: 23, membershipsChanged: 1 });
    assert.deepEqual(run.countsByType, {
      User: { held: 20 },
      Group: { held: 3, membershipsChanged: 1 },
      Other: {},
      Membership: { added: 2, removed: 0 },
    });
    assert.deepEqual(run.plannedByType, {
      User: { create: 20 },
      Group: { create: 1, membership: 3 },
      Other: {},
      Membership: { added: 6, removed: 0 },
    });
    assert.deepEqual([await members('g1'), await members('g2'), await members('g4')], [12, 3, -1]);
    const waiting = (await items(run, 'held')).filter(({ action }) => action === 'membership');
    assert.deepEqual(labels(waiting), ['Fresh', 'Payroll']);
    assert.deepEqual(waiting[0]?.heldBy, ['share-exceeded']);
    const approved = await api.approve(run.planId);
    assert.deepEqual([approved.status, approved.counts['stale']], ['succeeded', undefined]);
    assert.deepEqual([await members('g1'), await members('g2'), await members('g4')], [14, 4, 2]);
    assert.deepEqual((await api.sync()).counts, {});
  });

  it('says of whoever comes back that they had left, and counts them for none of those who are here', async () => {
    leave(people(0, 50));
    const gone = await api.sync();
    assert.equal((await api.approve(gone.planId)).status, 'succeeded');
    for (const id of people(0, 50)) source.users.set(id, { userName: `user${id.slice(1)}` });
    const run = await api.sync();
    const { reasons } = run.guard as { reasons: { code: string; message: string; returning?: number }[] };
    assert.deepEqual(
      run.steps.map(({ name, done }) => [name, done]).at(-1),
      ['planning', run.counts['held']],
      'the time that planning took is known though nothing was applied',
    );
    const share = reasons.find(({ code }) => code === 'share-exceeded');
    assert.equal(share?.returning, 50, JSON.stringify(reasons));
    assert.match(
      share?.message ?? '',
      /^50 users who had left would come back beside 10 users; the limit is 10 % of the users/,
    );
  });

  it('counts whom the provider disables among the leavers', async () => {
    const disable = (ids: readonly string[]): void => {
      for (const id of ids) source.users.set(id, { userName: `user${id.slice(1)}`, active: false });
    };
    disable(['u30']);
    assert.equal((await api.sync()).status, 'succeeded');
    disable(people(0, 20));
    const run = await api.sync();
    assert.deepEqual((run.guard as { held: string[] }).held, ['remove']);
    assert.equal((await active()).size, 59);
    assert.ok((await items(run, 'held')).every(({ reason }) => reason === 'SourceDisabled'));
  });

  it('lets a single leaver pass while a mass of leavers waits, and holds a second mass', async () => {
    leave(people(0, 20));
    await api.sync();
    leave(['u40']);
    const lane = await api.sync();
    assert.deepEqual(labels((await items(lane)).filter((item) => item.lane)), ['user40']);
    assert.equal((await active()).has('u40'), false);
    assert.equal((await active()).size, 59);
    leave(people(41, 45));
    assert.equal((await api.sync()).status, 'held');
    assert.equal((await active()).size, 55);
    leave(['u50']);
    await api.sync();
    assert.equal((await active()).size, 55, 'the lane is full');
  });

  it('does not take a mass for single leavers', async () => {
    leave(people(0, 20));
    await api.sync();
    leave(people(30, 45));
    await api.sync();
    assert.equal((await active()).size, 60);
  });

  it('holds the group that is stripped of its members, and no other', async () => {
    source.groups.set('g2', { displayName: 'Admins', members: [] });
    source.groups.set('g1', { displayName: 'Payroll', members: people(0, 11) });
    const run = await api.sync();
    assert.deepEqual(labels(await items(run, 'held')), ['Admins']);
    assert.deepEqual((await items(run, 'held'))[0]?.heldBy, ['group-emptied']);
    assert.deepEqual([await members('g1'), await members('g2')], [11, 2]);
    await api.approve(run.planId);
    assert.equal(await members('g2'), 0);
  });

  it('holds whom a selected group takes out of scope by losing them all, and nobody who leaves one by himself', async () => {
    source.groups.set('g4', { displayName: 'Finance', members: people(50, 53) });
    source.scope = { ...NOT_BY_GROUPS, selected: ['g1', 'g4'] };
    await api.sync({ allowLargeSync: true });
    assert.equal((await active()).size, 15);
    source.groups.set('g4', { displayName: 'Finance', members: [] });
    source.groups.set('g1', { displayName: 'Payroll', members: people(1, 12) });
    const run = await api.sync();
    const held = await items(run, 'held');
    assert.deepEqual(labels(held), ['user50', 'user51', 'user52']);
    assert.deepEqual(held[0]?.heldBy, ['group-emptied']);
    assert.deepEqual([(await active()).size, await members('g1'), await members('g4')], [14, 11, 3]);
    await api.approve(run.planId);
    assert.deepEqual([(await active()).size, await members('g4')], [11, 0]);
    // A group that is lost itself takes its people along: that it has none any more says nothing.
    source.groups.set('g5', { displayName: 'Ops', members: people(55, 58) });
    source.scope = { ...NOT_BY_GROUPS, selected: ['g1', 'g5'] };
    await api.sync({ allowLargeSync: true });
    source.groups.set('g5', { displayName: 'Ops', members: people(55, 58), out: 'GroupTypeExcluded' });
    assert.equal((await api.sync()).status, 'succeeded');
    assert.equal((await active()).size, 11);
  });

  it('holds the updates that empty an attribute for those who have it, and no others', async () => {
    for (const id of people(0, 15)) source.users.set(id, { userName: `user${id.slice(1)}`, department: 'Sales' });
    assert.equal((await api.sync({ allowLargeSync: true })).status, 'succeeded');
    await guard({ percent: 100 });
    for (const id of people(0, 15)) source.users.set(id, { userName: `user${id.slice(1)}` });
    source.users.set('u30', { userName: 'renamed' });
    const run = await api.sync();
    assert.equal(run.status, 'held');
    const held = await items(run, 'held');
    assert.deepEqual(labels(held), labels((await items(run)).filter(({ label }) => label !== 'renamed')));
    assert.deepEqual(held[0]?.heldBy, ['attribute-emptied']);
    assert.match((run.guard as { reasons: { message: string }[] }).reasons[0]?.message ?? '', /15 of the 15 people/);
  });

  it('never removes or empties what is protected by itself', async () => {
    await guard({ protect: 'userName eq "user3" or groups.display eq "Admins" or displayName eq "Single"' });
    source.groups.set('g4', { displayName: 'Single', members: ['u5'] });
    await api.sync();
    source.groups.set('g4', { displayName: 'Single', members: [] });
    leave(['u1', 'u3', 'u7']);
    const run = await api.sync({ allowLargeSync: true });
    assert.equal(run.status, 'held');
    assert.deepEqual(labels(await items(run, 'held')), ['Single', 'user1', 'user3']);
    assert.equal((await active()).has('u7'), false);
    await api.approve(run.planId);
    assert.equal((await active()).size, 57);
  });

  it('holds everything as soon as one thing is held, when told to', async () => {
    await guard({ holds: 'plan' });
    source.groups.set('g2', { displayName: 'Admins', members: [] });
    source.users.set('new', { userName: 'new' });
    const run = await api.sync();
    assert.deepEqual(labels(await items(run, 'held')), ['Admins', 'new']);
  });

  it('brings held joiners into their groups when they are approved', async () => {
    const joiners = people(100, 120);
    for (const id of joiners) source.users.set(id, { userName: id });
    source.groups.set('g1', { displayName: 'Payroll', members: [...people(0, 11), ...joiners] });
    const run = await api.sync();
    assert.deepEqual((run.guard as { held: string[] }).held, ['create']);
    assert.equal(await members('g1'), 11);
    await api.approve(run.planId);
    assert.equal(await members('g1'), 31);
    assert.deepEqual((await api.sync()).counts, {});
  });

  it('removes nobody after a read that was cut short, nor from a provider that shows nobody', async () => {
    source.lie = 'cut';
    source.users.delete('u0');
    assert.equal((await api.sync()).status, 'incomplete');
    source.lie = 'nobody';
    const run = await api.sync({ allowLargeSync: true });
    assert.equal(run.status, 'held');
    assert.equal((await active()).size, 60);
  });

  it('names exactly the attributes that differ', async () => {
    const user = fc.record(
      {
        userName: fc.constantFrom('a', 'b'),
        displayName: fc.constantFrom('x', 'y'),
        title: fc.constantFrom('x', 'y'),
        department: fc.constantFrom('x', 'y'),
        manager: fc.constantFrom('u1', 'u2', 'u3'),
      },
      { requiredKeys: ['userName'] },
    );
    await guard({ enabled: false });
    await fc.assert(
      fc.asyncProperty(user, async (changed) => {
        source.users.set('u59', changed);
        const run = await api.sync();
        for (const { action, before, after, attributes } of await items(run))
          if (action === 'update')
            assert.deepEqual(
              attributes,
              differences(before as object, after as object).map(({ path }) => path),
            );
      }),
      { numRuns: 15 },
    );
  });
});
