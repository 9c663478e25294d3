// What matching and planning make of each other: links beside memberships, removals and the guard.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, it } from 'node:test';
import type { HoldReason } from '#core/guard-reasons.ts';
import type { RunPolicy } from '#core/policy.ts';
import { USER_SCHEMA } from '#core/resource.ts';
import { writeResources } from '#store/directory/resources.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, POLICY, readDirectory, type Source, type Sync } from '../support/source.ts';

const ADOPTING: RunPolicy = { ...POLICY, matching: { matching: ['userName'], adoptManual: 'onMatch' } };

eachDatabase('links in a plan', (open) => {
  let source: Source;
  let api: Sync;
  let policy: RunPolicy;

  beforeEach(async () => {
    policy = ADOPTING;
    source = makeSource();
    source.users.set('bob', { userName: 'bob' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['bob'] });
    api = await openSync(await open(), source, () => policy);
    assert.equal((await api.sync()).status, 'succeeded');
  });
  afterEach(() => api.close());

  async function byHand(userName: string): Promise<string> {
    const id = randomUUID();
    const body = { schemas: [USER_SCHEMA], userName, active: true };
    const row = {
      ...{ id, resource_type: 'User' as const, origin: 'manual' as const, external_id: null },
      ...{ name_key: userName, display: userName, unique_key: userName, active: true },
      ...{
        body: JSON.stringify(body),
        search: JSON.stringify(body),
        digest: null,
        manager_external_id: null,
        manager_id: null,
      },
      left: false,
      left_since: null,
    };
    await writeResources(api.database.knex, [row]);
    return id;
  }

  async function items(run: RunView): Promise<readonly ItemView[]> {
    const plan = { id: run.planId ?? '', provider: run.provider, supersedes: null };
    return (await listItems(api.database.knex, plan, { limit: 500 })).items;
  }

  function reasonsOf(run: RunView): readonly HoldReason[] {
    return (run.guard as { reasons: HoldReason[] } | null)?.reasons ?? [];
  }

  async function membersOf(name: string): Promise<readonly string[]> {
    const found = Object.values(await readDirectory(api.database)).find(({ body }) => body['displayName'] === name);
    return found?.related ?? [];
  }

  it('makes whom it adopts a member of their groups in the same run, and nothing of it in the next', async () => {
    const id = await byHand('ada');
    source.users.set('ada', { userName: 'ada' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['bob', 'ada'] });
    const run = await api.sync();
    assert.deepEqual([run.status, run.counts], ['succeeded', { linked: 1, membershipsChanged: 1 }]);
    assert.ok((await membersOf('Payroll')).includes(id));
    assert.deepEqual((await api.sync()).counts, {});
  });

  it('does not count links for the guard, and counts those that disable somebody as removals', async () => {
    for (let index = 0; index < 12; index += 1) {
      await byHand(`person${index}`);
      source.users.set(`p${index}`, { userName: `person${index}`, active: index % 2 === 0 });
    }
    const linked = await api.sync();
    assert.deepEqual([linked.status, linked.counts], ['succeeded', { linked: 12 }]);
    for (let index = 20; index < 40; index += 1) {
      await byHand(`person${index}`);
      source.users.set(`p${index}`, { userName: `person${index}`, active: false });
    }
    const held = await api.sync();
    assert.equal(held.status, 'held');
    assert.deepEqual(
      reasonsOf(held).map(({ code, class: kind, count }) => [code, kind, count]),
      [['share-exceeded', 'remove', 20]],
    );
  });

  it('plans nobody as a member who does not come: neither a twin nor whose name somebody else keeps', async () => {
    policy = { ...ADOPTING, onLeaveScope: 'keep' };
    source.users.delete('bob');
    source.users.set('heir', { userName: 'bob' });
    source.users.set('cyd', { userName: 'cyd' });
    source.users.set('twin', { userName: 'cyd' });
    source.groups.set('g1', { displayName: 'Payroll', members: ['cyd', 'twin', 'heir'] });
    const run = await api.sync();
    assert.equal(run.status, 'succeeded');
    const reasons = (await items(run)).map(({ reason }) => reason).sort();
    assert.deepEqual(reasons, ['DuplicateSourceEntries', 'DuplicateTargetEntries', 'MembersChanged', 'NewInSource']);
    const [change] = (await items(run)).filter(({ action }) => action === 'membership');
    assert.equal(change?.added, 1);
    assert.deepEqual((await api.sync()).counts, { skipped: 2 });
  });

  it('leaves whom a pin keeps as they are out of a reset', async () => {
    source.users.set('bob', { userName: 'bob', title: 'Boss' });
    const changed = await api.sync();
    const reverting = await api.carriedOut((to) => to.revert(changed.id, 'test'));
    await api.approve(reverting.planId);
    source.users.set('bob', { userName: 'robert', title: 'Boss' });
    source.users.set('heir', { userName: 'bob' });
    const before = await readDirectory(api.database);
    const run = await api.sync({ resetAccountMapping: true });
    const links = (await items(run)).filter(({ reason }) => reason === 'Relinked');
    assert.deepEqual(links, []);
    assert.deepEqual(await readDirectory(api.database), before);
  });

  it('waits for nobody where a reset changes nothing', async () => {
    const run = await api.sync({ resetAccountMapping: true });
    assert.deepEqual([run.status, reasonsOf(run)], ['succeeded', []]);
  });

  it('holds everything when links are given up, also what was approved in advance', async () => {
    source.users.set('bob', { userName: 'robert' });
    source.users.set('heir', { userName: 'bob' });
    const before = await readDirectory(api.database);
    const held = await api.sync({ resetAccountMapping: true, allowLargeSync: true });
    assert.deepEqual([held.status, reasonsOf(held)[0]?.code], ['held', 'account-mapping-reset']);
    assert.deepEqual(Object.keys(held.counts), ['held']);
    assert.deepEqual(await readDirectory(api.database), before);
    assert.equal((await api.approve(held.planId)).status, 'succeeded');
    const [id = ''] = Object.keys(before).filter((one) => before[one]?.body['externalId'] === 'bob');
    assert.equal((await readDirectory(api.database))[id]?.body['externalId'], 'heir');
  });

  it('carries out a reset by which somebody and their manager both go on with other accounts', async () => {
    source.users.set('ada', { userName: 'ada' });
    source.users.set('bob', { userName: 'bob', manager: 'ada' });
    assert.equal((await api.sync()).status, 'succeeded');
    for (const name of ['ada', 'bob']) {
      const id = await byHand(`${name}, made by hand`);
      await api.database.knex.raw(
        `insert into disputes (provider, resource_type, external_id, reason, attribute, candidates, status, resource_id, decided_at)
         values ('microsoft365', 'User', ?, 'Disputed', 'emails', array[?::uuid], 'adopted', ?, now())`,
        [name, id, id],
      );
    }
    policy = { ...ADOPTING, onLeaveScope: 'delete' };
    const held = await api.sync({ resetAccountMapping: true });
    assert.equal(held.status, 'held');
    const { status, counts, error } = await api.approve(held.planId);
    assert.deepEqual([status, error], ['succeeded', null]);
    assert.deepEqual(counts, { linked: 2, deleted: 2, membershipsChanged: 1 });
    const people = Object.entries(await readDirectory(api.database)).filter(([, { body }]) => 'userName' in body);
    const [[ada = ''] = [], [, bob] = []] = people.sort(([, a], [, b]) =>
      String(a.body['userName']).localeCompare(String(b.body['userName'])),
    );
    assert.equal(JSON.stringify(bob?.body).includes(ada), true);
    assert.deepEqual((await api.sync()).counts, {});
  });

  it('does not approve a plan whose links were changed since it was made', async () => {
    source.users.set('bob', { userName: 'robert' });
    source.users.set('heir', { userName: 'bob' });
    const held = await api.sync({ resetAccountMapping: true });
    await api.database.knex('plan_links').update({ external_id: 'mallory' });
    await assert.rejects(api.service.approve(held.planId ?? '', 'test'), { reason: 'plan-tampered' });
  });
});
