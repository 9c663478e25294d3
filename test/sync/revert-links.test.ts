// Undoing runs that linked: whose an account is, and by which anchor, comes back with its values, and stays so.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, it } from 'node:test';
import fc from 'fast-check';
import type { RunPolicy } from '#core/policy.ts';
import { GROUP_SCHEMA, type Origin, type ResourceType, USER_SCHEMA } from '#core/resource.ts';
import { writeResources } from '#store/directory/resources.ts';
import { adopt } from '#store/plan/disputes.ts';
import { listPins, releasePinsOf } from '#store/plan/pins.ts';
import { writeSetting } from '#store/source/settings.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase, emptyDatabase } from '../support/database.ts';
import { tryHistories } from '../support/histories.ts';
import { makeSource, openSync, POLICY, readDirectory, type Source, type Sync } from '../support/source.ts';

const ADOPTING: RunPolicy = { ...POLICY, matching: { matching: ['userName'], adoptManual: 'onMatch' } };
const ASKING: RunPolicy = { ...POLICY, matching: { matching: ['userName'], adoptManual: 'ask' } };

eachDatabase('undoing links', (open) => {
  let source: Source;
  let api: Sync;
  let policy: RunPolicy;

  beforeEach(async () => {
    policy = ADOPTING;
    source = makeSource();
    for (const id of ['ada', 'bob', 'cyd']) source.users.set(id, { userName: id, title: 'Clerk' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
    api = await openSync(await open(), source, () => policy);
    assert.equal((await api.sync()).status, 'succeeded');
  });
  afterEach(() => api.close());

  /** What SCIM serves, and whose each account is. */
  async function picture(): Promise<unknown> {
    return { served: await readDirectory(api.database), links: await links() };
  }

  async function links(): Promise<Record<string, string>> {
    const { rows } = await api.database.query<{ id: string; link: string }>({
      text: `select id, origin || ' ' || coalesce(external_id, '-') as link from resources where deleted_at is null`,
    });
    return Object.fromEntries(rows.map(({ id, link }) => [id, link]));
  }

  async function idOf(link: string): Promise<string> {
    return Object.entries(await links()).find(([, its]) => its === link)?.[0] ?? '';
  }

  async function made(name: string, origin: Origin = 'manual', type: ResourceType = 'User'): Promise<string> {
    const id = randomUUID();
    const external = origin === 'manual' ? {} : { externalId: `${origin}-${name}` };
    const body =
      type === 'User'
        ? { schemas: [USER_SCHEMA], userName: name, active: true, title: 'By hand', ...external }
        : { schemas: [GROUP_SCHEMA], displayName: name, ...external };
    await writeResources(api.database.knex, [
      {
        ...{ id, resource_type: type, origin, external_id: external.externalId ?? null, name_key: name.toLowerCase() },
        ...{ display: name, unique_key: type === 'User' ? name : null, active: true, body: JSON.stringify(body) },
        ...{ search: JSON.stringify(body).toLowerCase(), digest: null, manager_external_id: null, manager_id: null },
        left: false,
      },
    ]);
    return id;
  }

  const revert = (run: RunView): Promise<RunView> => api.carriedOut((to) => to.revert(run.id, 'test'));
  async function undo(run: RunView): Promise<RunView> {
    const undone = await api.approve((await revert(run)).planId);
    assert.equal(undone.status, 'succeeded', JSON.stringify(undone.error));
    return undone;
  }

  async function items(run: RunView): Promise<readonly ItemView[]> {
    if (run.planId === null) return [];
    const plan = { id: run.planId, provider: run.provider, supersedes: null };
    return (await listItems(api.database.knex, plan, { limit: 500 })).items;
  }

  /** Neither a full run nor one of changes does it again, nor one that was given leave in advance. */
  async function staysAs(before: unknown): Promise<void> {
    for (const options of [{}, { allowLargeSync: true }, { mode: 'incremental' as const }]) {
      const next = await api.sync(options);
      assert.equal(next.status, 'succeeded');
      assert.ok(
        (await items(next)).every(({ reason }) => reason === 'Pinned'),
        JSON.stringify(await items(next)),
      );
      assert.deepEqual(await picture(), before);
    }
  }

  async function release(run: RunView): Promise<void> {
    assert.ok((await releasePinsOf(api.database.knex, run.id)) > 0);
  }

  it('gives whom a run adopted back into the hands that made them, out of the groups that it brought', async () => {
    const id = await made('dan');
    source.users.set('d', { userName: 'dan', title: 'Boss' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob', 'd'] });
    const before = await picture();
    const run = await api.sync();
    const after = await picture();
    assert.deepEqual(run.counts, { linked: 1, membershipsChanged: 1 });
    assert.equal((await links())[id], 'microsoft365 d');
    const [adopted] = (await items(run)).filter(({ reason }) => reason === 'Adopted');
    const [manual, linked] = [
      { origin: 'manual', externalId: null },
      { origin: 'microsoft365', externalId: 'd' },
    ];
    assert.deepEqual(adopted?.link, { before: manual, after: linked });

    const reverted = await undo(run);
    const [back] = (await items(reverted)).filter(({ action }) => action === 'update');
    assert.deepEqual([back?.link, back?.outcome], [{ before: linked, after: manual }, 'applied']);
    assert.deepEqual(await picture(), before);
    const { items: pins } = await listPins(api.database.knex, { limit: 10 });
    assert.deepEqual(
      pins.map((pin) => [pin.class, pin.resourceId === id, pin.externalId]),
      [
        ['link', true, 'd'],
        ['membership', false, 'g1'],
      ],
    );
    await staysAs(before);
    await release(run);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { linked: 1, membershipsChanged: 1 });
    assert.deepEqual(await picture(), after);
  });

  it('undoes what a person decided about somebody disputed, and asks anew once the pin is released', async () => {
    policy = ASKING;
    const id = await made('dan');
    source.users.set('d', { userName: 'dan' });
    await api.sync();
    const before = await picture();
    const { rows } = await api.database.query<{ id: string }>({ text: 'select id from disputes' });
    await adopt(api.database.knex, rows[0]?.id ?? '', id, 'test');
    const run = await api.sync();
    assert.equal((await links())[id], 'microsoft365 d');
    await undo(run);
    assert.deepEqual(await picture(), before);
    await staysAs(before);
    await release(run);
    const asking = await api.sync();
    assert.deepEqual(
      (await items(asking)).map(({ reason }) => reason),
      ['Disputed'],
    );
    assert.deepEqual(await picture(), before);
  });

  it('gives whom a matching link took back to their provider, and does not call the link a former one', async () => {
    const id = await made('dan', 'ldap');
    source.users.set('d', { userName: 'dan', title: 'Boss' });
    const before = await picture();
    const run = await api.sync();
    assert.deepEqual([run.counts, (await links())[id]], [{ linked: 1 }, 'microsoft365 d']);
    await undo(run);
    assert.deepEqual([(await links())[id], await picture()], ['ldap ldap-dan', before]);
    await staysAs(before);
    policy = { ...POLICY, matching: { matching: ['externalId'], adoptManual: 'never' } };
    await release(run);
    await api.sync();
    assert.equal((await links())[id], 'ldap ldap-dan', 'by a corrected matching it is somebody else');
  });

  it('restores links that a reset exchanged, also of accounts that lost theirs and of those made in their place', async () => {
    source.users.set('ada', { userName: 'bob', title: 'Clerk' });
    source.users.set('bob', { userName: 'robert', title: 'Clerk' });
    policy = { ...ADOPTING, onLeaveScope: 'deactivate' };
    const [ada, bob] = [await idOf('microsoft365 ada'), await idOf('microsoft365 bob')];
    const before = await picture();
    const held = await api.sync({ resetAccountMapping: true });
    const lost = (await items(held)).filter(({ reason }) => reason === 'LinkLost');
    assert.deepEqual(
      lost.map(({ id, action, link }) => [id, action, link?.after]),
      [[ada, 'deactivate', { origin: 'microsoft365', externalId: null }]],
    );
    const run = await api.approve(held.planId);
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
    const after = await links();
    assert.deepEqual([after[bob], after[ada]], ['microsoft365 ada', 'microsoft365 -']);
    const gone = (await readDirectory(api.database))[ada]?.body;
    assert.deepEqual([gone?.['active'], gone?.['externalId']], [false, undefined]);
    const born = await idOf('microsoft365 bob');
    assert.ok(born !== '' && born !== bob);
    assert.deepEqual((await api.sync()).counts, {}, 'nothing is left over for the next run');

    const reverted = await undo(run);
    assert.equal(reverted.status, 'succeeded');
    assert.ok((await items(reverted)).every(({ outcome }) => outcome === 'applied'));
    assert.deepEqual(await picture(), before);
    const again = await api.sync({ resetAccountMapping: true });
    assert.deepEqual(
      (await items(again)).filter(({ reason }) => ['Relinked', 'LinkLost', 'NewInSource'].includes(reason)),
      [],
    );
  });

  it('ends only the link of an account that stays when nobody means it any more', async () => {
    source.users.set('ada', { userName: 'bob' });
    source.users.set('bob', { userName: 'robert' });
    policy = { ...ADOPTING, onLeaveScope: 'keep' };
    const ada = await idOf('microsoft365 ada');
    const before = await picture();
    const run = await api.approve((await api.sync({ resetAccountMapping: true })).planId);
    const { active, externalId } = (await readDirectory(api.database))[ada]?.body ?? {};
    assert.deepEqual([active, externalId, (await links())[ada]], [true, undefined, 'microsoft365 -']);
    await undo(run);
    assert.deepEqual(await picture(), before);
  });

  it('restores a group that was adopted, with the members that somebody gave it', async () => {
    const [id, cyd] = [await made('Board', 'manual', 'Group'), await idOf('microsoft365 cyd')];
    const text = `insert into group_members (group_id, member_id, member_type) values ($1, $2, 'User')`;
    await api.database.query({ text, values: [id, cyd] });
    await api.database.query({ text: 'update resources set member_count = 1 where id = $1', values: [id] });
    source.groups.set('g2', { displayName: 'Board', members: ['ada', 'g1'] });
    const before = await picture();
    const held = await api.sync();
    const run = held.status === 'held' ? await api.approve(held.planId) : held;
    assert.equal((await links())[id], 'microsoft365 g2');
    await undo(run);
    assert.deepEqual(await picture(), before);
    await staysAs(before);
  });

  it('leaves alone whose link somebody else has got since', async () => {
    source.users.set('heir', { userName: 'bob' });
    source.users.set('bob', { userName: 'robert', out: 'GuestExcluded' });
    const bob = await idOf('microsoft365 bob');
    policy = { ...ADOPTING, onLeaveScope: 'keep' };
    const run = await api.approve((await api.sync({ resetAccountMapping: [bob] })).planId);
    const waiting = await revert(run);
    assert.equal((await links())[bob], 'microsoft365 heir');
    source.users.set('bob', { userName: 'robert' });
    await api.sync();
    const [born, after] = [await idOf('microsoft365 bob'), await links()];
    assert.ok(born !== '' && born !== bob);
    const outcomesIn = async (of: RunView): Promise<readonly string[]> =>
      (await items(of)).filter(({ action }) => action === 'update').map(({ outcome }) => outcome);
    assert.deepEqual(await outcomesIn(await api.approve(waiting.planId)), ['conflict']);
    assert.deepEqual(await links(), after);
    assert.deepEqual(await outcomesIn(await revert(run)), ['stale']);
    assert.deepEqual(await links(), after);
  });

  it('can itself be undone: the links are there again, and no pin is left', async () => {
    await made('dan');
    await made('eve', 'ldap');
    source.users.set('d', { userName: 'dan' });
    source.users.set('e', { userName: 'eve' });
    const run = await api.sync();
    const after = await picture();
    await undo(await undo(run));
    assert.deepEqual(await picture(), after);
    assert.deepEqual((await listPins(api.database.knex, { limit: 10 })).items, []);
    await api.sync();
    assert.deepEqual(await picture(), after);
  });

  it('restores whose everybody was, whatever a run linked, took away, exchanged or made', async () => {
    const name = fc.constantFrom('ann', 'ben', 'cat', 'dov', 'eve');
    const history = fc.record({
      first: fc.uniqueArray(name, { maxLength: 4 }),
      second: fc.uniqueArray(name, { maxLength: 5 }),
      others: fc.uniqueArray(fc.record({ name, origin: fc.constantFrom('manual' as const, 'ldap' as const) }), {
        selector: (one) => one.name,
        maxLength: 3,
      }),
      onLeaveScope: fc.constantFrom('deactivate' as const, 'delete' as const, 'keep' as const),
      reset: fc.boolean(),
    });
    await tryHistories(history, 10, async ({ first, second, others, onLeaveScope, reset }) => {
      await api.close();
      await emptyDatabase(api.database);
      source = makeSource();
      policy = { ...ADOPTING, onLeaveScope };
      api = await openSync(api.database, source, () => policy);
      await writeSetting(api.database.knex, 'guard', { enabled: false });
      const show = (names: readonly string[]): void => {
        source.users.clear();
        for (const [index, userName] of names.entries()) source.users.set(`u${index}`, { userName, title: userName });
        source.groups.set('g', { displayName: 'Group', members: [...source.users.keys()] });
      };
      show(first);
      await api.sync();
      for (const other of others) if (!first.includes(other.name)) await made(other.name, other.origin);
      show(second);
      const before = await picture();
      const run = await api.sync({ resetAccountMapping: reset });
      const over = run.status === 'held' ? await api.approve(run.planId) : run;
      assert.equal(over.status, 'succeeded', JSON.stringify(over.error));
      if (!(await items(over)).some(({ outcome }) => outcome === 'applied')) return;
      const after = await picture();
      const undone = await undo(over);
      assert.deepEqual(await picture(), before);
      await undo(undone);
      assert.deepEqual(await picture(), after);
    });
  });

  it('seals what a link was before', async () => {
    await made('dan');
    source.users.set('d', { userName: 'dan' });
    const waiting = await revert(await api.sync());
    for (const column of ['before_origin', 'before_external_id', 'after_origin', 'after_external_id']) {
      const was = await api.database.knex('plan_items').where({ plan_id: waiting.planId }).first(column);
      const set = (value: unknown) =>
        api.database
          .knex('plan_items')
          .where({ plan_id: waiting.planId })
          .update({ [column]: value });
      await set('ldap');
      await assert.rejects(api.service.approve(waiting.planId ?? '', 'test'), { reason: 'plan-tampered' }, column);
      await set(was[column]);
    }
    assert.equal((await api.approve(waiting.planId)).status, 'succeeded');
  });
});
