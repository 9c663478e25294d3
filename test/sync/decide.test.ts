import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { ConflictError, GatewayError } from '#core/errors.ts';
import { makeLog } from '#platform/log.ts';
import { SEAL } from '#store/plan/plan-seal.ts';
import { findRunToCarryOut } from '#store/run/runs.ts';
import { saveProvider, setActive } from '#store/source/settings.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import { readPlan } from '#store/views/plans.ts';
import { type RunView, readRun } from '#store/views/runs.ts';
import { makeSchedule } from '#sync/schedule.ts';
import { makeClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, POLICY, readDirectory, type Source, type Sync } from '../support/source.ts';

eachDatabase('a stored plan', (open) => {
  let source: Source;
  let api: Sync;

  beforeEach(async () => {
    source = makeSource();
    for (const id of ['a', 'b', 'c']) source.users.set(id, { userName: id });
    source.groups.set('g', { displayName: 'Group', members: ['a', 'b'] });
    api = await openSync(await open(), source, () => ({ ...POLICY, initialRun: 'preview' }));
  });
  afterEach(() => api.close());

  const query = (text: string, values: unknown[] = []) => api.database.query({ text, values });

  async function items(run: RunView, filter: { outcome?: string; compared?: 'added' | 'same' | 'dropped' } = {}) {
    const plan = await readPlan(api.database.knex, run.planId ?? '');
    assert.ok(plan);
    return (await listItems(api.database.knex, plan, { limit: 500, ...filter })).items;
  }

  const labels = (of: readonly ItemView[]): string[] => of.map(({ action, label }) => `${action} ${label}`).sort();

  const refusal = (reason: string) => (error: unknown) => {
    assert.ok(error instanceof GatewayError);
    assert.equal(error.reason, reason);
    assert.ok((error.remedy ?? '').length > 0);
    return true;
  };

  it('is refused while its provider is not active, and is done when it is again', async () => {
    const run = await api.sync();
    assert.equal(run.status, 'held');
    await setActive(api.database.knex, 'microsoft365', false);
    await assert.rejects(api.service.approve(run.planId ?? '', 'test'), refusal('provider-not-active'));
    assert.equal((await readPlan(api.database.knex, run.planId ?? ''))?.status, 'held');
    await setActive(api.database.knex, 'microsoft365', true);
    assert.equal((await api.approve(run.planId)).status, 'succeeded');
  });

  it('is refused when it is not what was made, whatever was changed in it', async () => {
    const run = await api.sync();
    assert.equal(run.status, 'held');
    for (const change of [
      `update plan_items set after = replace(after, '"userName":"a"', '"userName":"root"')`,
      `update plan_items set action = 'delete' where seq = 1`,
      'update plan_members set removed = true',
      'delete from plan_members',
      `update plans set counts = '{}'`,
      `update plans set expires_at = expires_at + interval '1 day'`,
      'update plans set config_version = 7',
      'delete from plan_items where seq = 2',
    ]) {
      await query('create table kept_items as select * from plan_items');
      await query('create table kept_members as select * from plan_members');
      await query('create table kept_plans as select * from plans');
      await query(change);
      await assert.rejects(api.service.approve(run.planId ?? '', 'test'), refusal('plan-tampered'), change);
      await query(`delete from plan_members; delete from plan_items;
        insert into plan_items select * from kept_items; insert into plan_members select * from kept_members;
        update plans p set counts = k.counts, expires_at = k.expires_at, config_version = k.config_version from kept_plans k;
        drop table kept_items; drop table kept_members; drop table kept_plans`);
    }
    assert.deepEqual(await readDirectory(api.database), {});
    assert.equal((await api.approve(run.planId)).status, 'succeeded');
    assert.equal(Object.keys(await readDirectory(api.database)).length, 4);
  });

  it('waits for a replica of the release that made it, whose rules are not known here', async () => {
    const { id, planId } = await api.sync();
    await query('update plans set seal = seal + 1');
    await assert.rejects(api.service.approve(planId ?? '', 'test'), refusal('plan-of-later-release'));
    // A replica that knows them approves it.
    await query(`with approved as (update plans set status = 'approved', decided_at = now() returning run_id)
      update runs set status = 'queued' where id = (select run_id from approved)`);
    assert.equal(await findRunToCarryOut(api.database.knex, SEAL), undefined);
    assert.equal((await findRunToCarryOut(api.database.knex, SEAL + 1))?.id, id);
    await query(`with known as (update plans set seal = seal - 1 returning id)
      update plan_items set outcome = 'pending' where outcome = 'held' and plan_id = (select id from known)`);
    assert.equal((await api.carriedOut(async () => ({ id }))).status, 'succeeded');
    assert.equal(Object.keys(await readDirectory(api.database)).length, 4);
  });

  it('can be cancelled where nobody is left who knows its rules, and the next run plans anew', async () => {
    const { id } = await api.sync();
    await query(`with approved as (update plans set seal = seal + 1, status = 'approved', decided_at = now() returning run_id)
      update runs set status = 'queued' where id = (select run_id from approved)`);
    const cancelled = await api.carriedOut(async (service) => {
      await service.cancel(id, 'test');
      return { id };
    });
    assert.equal(cancelled.status, 'cancelled');
    assert.deepEqual(await readDirectory(api.database), {});
    assert.equal((await api.approve((await api.sync()).planId)).status, 'succeeded');
    assert.equal(Object.keys(await readDirectory(api.database)).length, 4);
  });

  it('is applied once, however often and by however many it is approved', async () => {
    const { planId } = await api.sync();
    await api.carriedOut(async (service) => {
      const [one, other] = await Promise.all([
        service.approve(planId ?? '', 'test'),
        service.approve(planId ?? '', 'test'),
      ]);
      assert.equal(one.id, other.id);
      return one;
    });
    const again = await api.service.approve(planId ?? '', 'test');
    assert.equal(again.status, 'applied');
    const { rows } = await query(`select count(*)::int as count from audit where action = 'plan.approve'`);
    assert.equal(rows[0]?.['count'], 1);
  });

  it('that is cut short has counted what was applied, and not what was planned', async () => {
    for (let index = 0; index < 700; index += 1) source.users.set(`u${index}`, { userName: `u${index}` });
    const { planId } = await api.sync();
    await query(`create function refuse_more() returns trigger language plpgsql as $$
      begin
        if (select count(*) from resources) > 600 then raise 'no more'; end if;
        return null;
      end $$;
      create trigger refuse_more after insert on resources execute function refuse_more()`);
    const run = await api.approve(planId);
    assert.equal(run.status, 'failed');
    const applied = Object.keys(await readDirectory(api.database)).length;
    assert.ok(applied > 0 && applied < 700);
    assert.deepEqual([run.counts['created'], run.countsByType?.User['created']], [applied, applied]);
    assert.equal(run.counts['held'], undefined);
    await query('drop trigger refuse_more on resources; drop function refuse_more');
    assert.equal((await api.approve((await api.sync()).planId)).status, 'succeeded');
  });

  it('is refused when it has expired, and when it was rejected', async () => {
    const first = await api.sync();
    await query(`update plans set expires_at = now() - interval '1 second'`);
    await assert.rejects(api.service.approve(first.planId ?? '', 'test'), refusal('plan-expired'));
    const second = await api.sync();
    await api.service.reject(second.planId ?? '', 'test');
    await assert.rejects(api.service.approve(second.planId ?? '', 'test'), refusal('plan-not-waiting'));
  });

  it('that is rejected, or gives way, is counted as that by its run, and holds nothing any more', async () => {
    const first = await api.sync();
    const second = await api.sync();
    await api.service.reject(second.planId ?? '', 'test');
    for (const [{ id, counts }, outcome] of [
      [first, 'superseded'],
      [second, 'rejected'],
    ] as const) {
      const ended = await readRun(api.database.knex, id);
      assert.deepEqual([counts, ended?.status], [{ held: 5 }, 'cancelled']);
      assert.deepEqual([ended?.counts, ended?.countsByType?.User], [{ [outcome]: 5 }, { [outcome]: 3 }]);
    }
  });

  it('drops what changed since it was made, lists it, and applies the rest', async () => {
    await api.approve((await api.sync()).planId);
    for (const id of ['a', 'b', 'c']) source.users.set(id, { userName: id, title: 'New' });
    const preview = await api.sync({ preview: true });
    await query(`update resources set body = replace(body, '"active"', '"title":"Edited","active"'), version = version + 1
      where external_id = 'b'`);
    await api.approve(preview.planId);
    assert.deepEqual(labels(await items(preview, { outcome: 'stale' })), ['update b']);
    const titles = Object.values(await readDirectory(api.database)).map(({ body }) => body['title']);
    assert.deepEqual(titles.sort(), ['Edited', 'New', 'New', undefined]);
  });

  it('gives way to a newer one, which says what is different', async () => {
    const first = await api.sync();
    source.users.delete('c');
    source.users.set('d', { userName: 'd' });
    source.groups.set('g', { displayName: 'Group', members: ['a'] });
    const second = await api.sync();
    const [old, fresh] = [
      await readPlan(api.database.knex, first.planId ?? ''),
      await readPlan(api.database.knex, second.planId ?? ''),
    ];
    assert.deepEqual([old?.status, old?.supersededBy], ['superseded', second.planId]);
    assert.deepEqual(fresh?.supersedes, { planId: first.planId, added: 2, same: 3, dropped: 2 });
    assert.deepEqual(labels(await items(second, { compared: 'added' })), ['create d', 'membership Group']);
    assert.deepEqual(labels(await items(second, { compared: 'dropped' })), ['create c', 'membership Group']);
    assert.deepEqual(labels(await items(second, { compared: 'same' })), ['create Group', 'create a', 'create b']);
    await assert.rejects(api.service.approve(first.planId ?? '', 'test'), refusal('plan-not-waiting'));
  });

  it('of a preview changes nothing until it is approved, and then is applied as it was seen', async () => {
    await api.approve((await api.sync()).planId);
    const before = await readDirectory(api.database);
    const facts = async () => {
      const { rows } =
        await query(`select (select count(*) from changes) as changes, (select max(version) from resources) as version,
        (select last_success_at from provider_settings) as success`);
      return rows[0];
    };
    const untouched = await facts();
    source.users.set('d', { userName: 'd' });
    source.users.set('a', { userName: 'a', title: 'Seen' });
    const preview = await api.sync({ preview: true });
    assert.equal(preview.status, 'succeeded');
    assert.deepEqual([await readDirectory(api.database), await facts()], [before, untouched]);
    source.users.set('a', { userName: 'a', title: 'Not seen' });
    await api.approve(preview.planId);
    const served = Object.values(await readDirectory(api.database));
    assert.deepEqual(served.map(({ body }) => body['title']).filter(Boolean), ['Seen']);
    assert.equal(served.length, 5);
    // What the preview has read is not lost to the run after it, which plans what is still different.
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { updated: 1 });
  });

  it('of a preview leaves the next run as it would have been, also where what it saw came and went again', async () => {
    await api.approve((await api.sync()).planId);
    for (const mode of ['incremental', 'full'] as const) {
      const before = await readDirectory(api.database);
      source.users.set('d', { userName: 'd' });
      source.users.set('a', { userName: 'a', title: 'Seen' });
      source.groups.set('g', { displayName: 'Group', members: ['a'] });
      assert.equal((await api.sync({ mode, preview: true })).status, 'succeeded');
      source.users.set('a', { userName: 'a' });
      source.groups.set('g', { displayName: 'Group', members: ['a', 'b'] });
      source.users.delete('d');
      source.gone.set('d', 'hardDeleted');
      const run = await api.sync({ mode: 'incremental' });
      assert.deepEqual([run.status, run.counts], ['succeeded', {}], mode);
      assert.deepEqual(await readDirectory(api.database), before, mode);
    }
  });

  it('must be approved before the schedule is switched on, once for each version of the settings', async () => {
    const clock = makeClock('2026-11-25T10:00:00Z');
    const schedule = makeSchedule({ database: api.database, sync: api.service, clock, log: makeLog('fatal') });
    const daily = { enabled: true, kind: 'daily', time: '03:00', timeZone: 'UTC' } as const;
    const run = await api.sync({ preview: true });
    await assert.rejects(schedule.change(daily), refusal('preview-required'));
    assert.equal((await schedule.change({ ...daily, enabled: false })).enabled, false);
    await api.approve(run.planId);
    assert.equal((await schedule.change(daily)).enabled, true);
    await saveProvider(api.database.knex, {
      kind: 'microsoft365',
      settings: { other: true },
      secrets: (await secrets()) ?? '',
      changed: true,
    });
    assert.equal((await schedule.change({ ...daily, time: '04:00' })).time, '04:00');
    await schedule.change({ ...daily, enabled: false });
    await assert.rejects(schedule.change(daily), (error: unknown) => error instanceof ConflictError);
    assert.equal((await schedule.change(daily, { withoutPreview: true })).enabled, true);
  });

  async function secrets(): Promise<string | undefined> {
    const { rows } = await query('select secrets from provider_settings');
    return rows[0]?.['secrets'] as string | undefined;
  }
});
