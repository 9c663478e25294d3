import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, it } from 'node:test';
import { GatewayError } from '#core/errors.ts';
import type { RunPolicy } from '#core/policy.ts';
import { GROUP_SCHEMA } from '#core/resource.ts';
import { writeResources } from '#store/directory/resources.ts';
import { listPins, releasePin, releasePinsOf } from '#store/plan/pins.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, POLICY, readDirectory, type Served, type Source, type Sync } from '../support/source.ts';

eachDatabase('undoing a run', (open) => {
  let source: Source;
  let api: Sync;
  let policy: RunPolicy;

  beforeEach(async () => {
    policy = POLICY;
    source = makeSource();
    for (const id of ['ada', 'bob', 'cyd', 'dan', 'eve'])
      source.users.set(id, { userName: id, title: 'Clerk', ...(id === 'ada' ? {} : { manager: 'ada' }) });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob', 'cyd', 'g2'] });
    source.groups.set('g2', { displayName: 'Board', members: ['ada', 'eve'] });
    api = await openSync(await open(), source, () => policy);
    assert.equal((await api.sync()).status, 'succeeded');
  });
  afterEach(() => api.close());

  const revert = (run: RunView): Promise<RunView> => api.carriedOut((to) => to.revert(run.id, 'test'));
  const undo = async (run: RunView): Promise<RunView> => api.approve((await revert(run)).planId);
  const directory = (): Promise<Record<string, Served>> => readDirectory(api.database);

  async function items(run: RunView, filter: { outcome?: string; action?: string } = {}): Promise<readonly ItemView[]> {
    const plan = { id: run.planId ?? '', provider: run.provider, supersedes: null };
    return (await listItems(api.database.knex, plan, { limit: 500, ...filter })).items;
  }

  async function idOf(externalId: string): Promise<string> {
    const found = Object.entries(await directory()).find(([, { body }]) => body['externalId'] === externalId);
    return found?.[0] ?? '';
  }

  function change(): void {
    source.users.set('ada', { userName: 'bob', title: 'Boss' });
    source.users.set('bob', { userName: 'ada', title: 'Clerk' });
    source.users.delete('cyd');
    source.users.set('dan', { userName: 'dan', active: false, manager: 'bob' });
    source.users.set('fay', { userName: 'fay', manager: 'ada' });
    source.groups.delete('g2');
    source.groups.set('g1', { displayName: 'Pay', members: ['bob', 'fay', 'eve'] });
    source.groups.set('g3', { displayName: 'New', members: ['fay', 'ada', 'g1'] });
  }

  it('restores what SCIM answered before, ids and memberships included, and the next run leaves it so', async () => {
    const before = await directory();
    change();
    const run = await api.sync({ allowLargeSync: true });
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
    const after = await directory();
    assert.notDeepEqual(after, before);
    const reverted = await undo(run);
    assert.equal(reverted.status, 'succeeded');
    assert.deepEqual([reverted.trigger, reverted.reverts], ['revert', run.id]);
    assert.deepEqual(await directory(), before);
    for (const options of [{}, { allowLargeSync: true }]) {
      const next = await api.sync(options);
      assert.deepEqual([next.status, Object.keys(next.counts)], ['succeeded', ['skipped']]);
      const skipped = await items(next);
      assert.ok(skipped.length > 5 && skipped.every(({ reason }) => reason === 'Pinned'));
      assert.deepEqual(await directory(), before);
    }
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, {}, 'nothing new: nothing to plan');
    assert.ok((await releasePinsOf(api.database.knex, run.id)) > 0);
    await api.sync({ allowLargeSync: true, mode: 'incremental' });
    assert.deepEqual(await directory(), after);
  });

  it('leaves nothing for a run to change once the source says again what was restored', async () => {
    const [users, groups] = [new Map(source.users), new Map(source.groups)];
    change();
    const run = await api.sync({ allowLargeSync: true });
    await undo(run);
    const versions = async () =>
      (
        await api.database.query({
          text: 'select id, version from resources where deleted_at is null order by id',
          values: [],
        })
      ).rows;
    const restored = await versions();
    source.users.clear();
    source.groups.clear();
    for (const [id, user] of users) source.users.set(id, user);
    for (const [id, group] of groups) source.groups.set(id, group);
    await releasePinsOf(api.database.knex, run.id);
    for (const mode of ['full', 'full', 'incremental'] as const) {
      const next = await api.sync({ mode });
      assert.deepEqual([next.status, next.counts, next.planned?.['update'] ?? 0], ['succeeded', {}, 0]);
    }
    assert.deepEqual(await versions(), restored);

    source.users.set('dan', { userName: 'dan', title: 'Boss', manager: 'ada' });
    assert.deepEqual((await api.sync()).counts, { updated: 1 });
  });

  it('gives the deleted back with their ids, into groups made by hand, too', async () => {
    policy = { ...POLICY, onLeaveScope: 'delete' };
    const [manual, cyd] = [randomUUID(), await idOf('cyd')];
    const body = { schemas: [GROUP_SCHEMA], displayName: 'By hand' };
    await writeResources(api.database.knex, [
      {
        ...{ id: manual, resource_type: 'Group', origin: 'manual', external_id: null, name_key: 'by hand' },
        ...{
          display: 'By hand',
          unique_key: null,
          active: true,
          body: JSON.stringify(body),
          search: JSON.stringify(body),
          digest: null,
        },
        ...{ manager_external_id: null, manager_id: null, left: false },
      },
    ]);
    const text = `insert into group_members (group_id, member_id, member_type) values ($1, $2, 'User')`;
    await api.database.query({ text, values: [manual, cyd] });
    await api.database.query({ text: 'update resources set member_count = 1 where id = $1', values: [manual] });
    const before = await directory();
    source.users.delete('cyd');
    const run = await api.sync();
    assert.equal((await directory())[cyd], undefined);
    assert.deepEqual((await directory())[manual]?.related, []);
    await undo(run);
    assert.deepEqual(await directory(), before);
  });

  it('waits for approval with the guard’s opinion beside, whatever syncs meanwhile', async () => {
    source.users.set('fay', { userName: 'fay' });
    const run = await api.sync();
    const after = await directory();
    const waiting = await revert(run);
    assert.equal(waiting.status, 'held');
    assert.equal((waiting.guard as { reasons: { code: string }[] }).reasons[0]?.code, 'revert');
    assert.deepEqual(await directory(), after);
    source.users.set('ada', { userName: 'ada', title: 'Boss' });
    await api.sync();
    await api.approve(waiting.planId);
    assert.equal(
      Object.values(await directory()).some(({ body }) => body['externalId'] === 'fay'),
      false,
    );
    const newer = await revert(run);
    assert.deepEqual(
      (await items(newer)).map(({ outcome }) => outcome),
      ['stale'],
    );
    assert.equal(newer.status, 'succeeded');
  });

  it('leaves alone what has changed since, lists it as stale, and restores the rest', async () => {
    for (const id of ['ada', 'bob']) source.users.set(id, { userName: id, title: 'Wrong' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['cyd', 'g2'] });
    const run = await api.sync();
    source.users.set('ada', { userName: 'ada', title: 'Right' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['cyd', 'g2', 'ada'] });
    await api.sync();
    const reverted = await undo(run);
    assert.deepEqual(
      (await items(reverted, { outcome: 'stale' })).map(({ externalId }) => externalId),
      ['ada'],
    );
    const now = await directory();
    assert.equal(now[await idOf('ada')]?.body['title'], 'Right');
    assert.equal(now[await idOf('bob')]?.body['title'], 'Clerk');
    assert.deepEqual(
      now[await idOf('g1')]?.related,
      [await idOf('ada'), await idOf('bob'), await idOf('cyd'), await idOf('g2')].sort(),
    );
  });

  it('pins only the class of change that was undone', async () => {
    source.users.set('bob', { userName: 'bob' });
    source.groups.set('g2', { displayName: 'Board', members: ['ada'] });
    await undo(await api.sync());
    assert.equal((await directory())[await idOf('bob')]?.body['title'], 'Clerk');
    source.users.set('bob', { userName: 'bob', title: 'Other' });
    source.groups.set('g2', { displayName: 'Board', members: ['ada', 'dan'] });
    await api.sync();
    const board = (await directory())[await idOf('g2')]?.related;
    assert.deepEqual(board, [await idOf('ada'), await idOf('dan'), await idOf('eve')].sort());
    assert.equal((await directory())[await idOf('bob')]?.body['title'], 'Clerk');
    source.users.delete('bob');
    await api.sync();
    assert.equal((await directory())[await idOf('bob')]?.body['active'], false);
    const { items: pins } = await listPins(api.database.knex, { limit: 50 });
    assert.deepEqual(pins.map((pin) => [pin.label, pin.class]).sort(), [
      ['Board', 'membership'],
      ['bob', 'update'],
    ]);
    for (const { id } of pins) assert.equal(await releasePin(api.database.knex, id), true);
    await api.sync();
    assert.deepEqual((await directory())[await idOf('g2')]?.related, [await idOf('ada'), await idOf('dan')].sort());
  });

  it('can itself be undone, which releases what it had pinned', async () => {
    change();
    const run = await api.sync({ allowLargeSync: true });
    const after = await directory();
    await undo(await undo(run));
    assert.deepEqual(await directory(), after);
    assert.deepEqual((await listPins(api.database.knex, { limit: 50 })).items, []);
    assert.deepEqual((await api.sync()).counts['skipped'], undefined);
    assert.deepEqual(await directory(), after);
  });

  it('undoes the first run of all', async () => {
    const { rows } = await api.database.query<{ id: string }>({ text: 'select id from runs' });
    await api.approve((await api.carriedOut((to) => to.revert(rows[0]?.id ?? '', 'test'))).planId);
    assert.deepEqual(await directory(), {});
    await api.sync({ allowLargeSync: true });
    assert.deepEqual(await directory(), {});
  });

  it('is refused when there is nothing to undo, or no longer', async () => {
    const refused = (reason: string) => (error: unknown) => error instanceof GatewayError && error.reason === reason;
    const idle = await api.sync();
    await assert.rejects(api.service.revert(idle.id, 'test'), refused('nothing-to-revert'));
    await assert.rejects(api.service.revert(randomUUID(), 'test'), refused('run-not-found'));
    source.users.set('fay', { userName: 'fay' });
    const run = await api.sync();
    await api.database.query({ text: 'delete from plans where run_id = $1', values: [run.id] });
    await assert.rejects(api.service.revert(run.id, 'test'), refused('retention-over'));
  });
});
