import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, it } from 'node:test';
import { ConflictError, InputError } from '#core/errors.ts';
import type { ScheduleSettings } from '#core/schedule.ts';
import { makeLog, tapLog } from '#platform/log.ts';
import type { Database } from '#store/database.ts';
import { insertRun } from '#store/run/runs.ts';
import { saveProvider, setActive, writeSetting } from '#store/source/settings.ts';
import { listRuns, type RunView } from '#store/views/runs.ts';
import { makeSyncService } from '#sync/decide.ts';
import { makeSchedule, nextSlot, previousSlot } from '#sync/schedule.ts';
import type { StartOptions, SyncService } from '#sync/service.ts';
import { makeClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync } from '../support/source.ts';

const DAILY = { enabled: true, kind: 'daily', time: '03:00', timeZone: 'Europe/Berlin' } as const;

/** With a source, and runs that nobody carries out. */
async function openSchedule(open: () => Promise<Database>) {
  const database = await open();
  await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: '', changed: true });
  await setActive(database.knex, 'microsoft365', true);
  const clock = makeClock('2026-11-24T10:00:00Z');
  const sync = makeSyncService({ database, worker: undefined });
  return { database, clock, schedule: makeSchedule({ database, clock, sync, log: makeLog('fatal') }) };
}

eachDatabase('the schedule', (open) => {
  let database: Database;
  let started: StartOptions[];
  const clock = makeClock('2026-11-24T10:00:00Z');
  const sync = (busy = false): SyncService => ({
    async start(options, claim) {
      if (busy) throw new ConflictError('A run is in progress.', { reason: 'run-in-progress' });
      if ((await claim?.(database.knex, randomUUID())) === false) throw new ConflictError('Taken.');
      started.push(options);
      return { id: '00000000-0000-4000-8000-000000000001' } as RunView;
    },
    cancel: async () => undefined,
    approve: async () => assert.fail('not asked for'),
    reject: async () => assert.fail('not asked for'),
    revert: async () => assert.fail('not asked for'),
    revertWrite: async () => assert.fail('not asked for'),
  });
  const replica = (busy = false) => {
    const made = makeSchedule({ database, sync: sync(busy), clock, log: makeLog('fatal') });
    // That it wants a preview first is a test of its own.
    return {
      ...made,
      change: (settings: ScheduleSettings) => made.change(settings, { withoutPreview: true }),
    };
  };

  beforeEach(async () => {
    database = await open();
    started = [];
    clock.set('2026-11-24T10:00:00Z');
    await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: '', changed: true });
    await setActive(database.knex, 'microsoft365', true);
  });

  it('says in lines of the log, and nowhere else, that a tick was missed', async (context) => {
    const said: string[] = [];
    const log = tapLog(makeLog('fatal'), { level: 'warn', mask: (text) => text, take: (line) => said.push(line) });
    const ownForm = context.mock.method(console, 'warn', () => undefined);
    context.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: clock.now() });
    const made = makeSchedule({ database, sync: sync(), clock, log });
    made.start();
    // Nothing could run for three minutes.
    context.mock.timers.setTime(clock.now().getTime() + 180_000);
    context.mock.timers.tick(60_000);
    context.mock.timers.reset();
    await made.stop();
    await made.tick();
    assert.ok(said.length > 0);
    for (const line of said) assert.match(JSON.parse(line).says, /missed/);
    assert.equal(ownForm.mock.callCount(), 0);
  });

  it('is off until somebody turns it on', async () => {
    assert.equal((await replica().describe()).enabled, false);
    await replica().tick();
    assert.equal(started.length, 0);
  });

  it('runs each slot once, however many replicas tick, and says when the next one is', async () => {
    const replicas = [replica(), replica(), replica()];
    assert.equal((await replicas[0]?.change(DAILY))?.nextRunAt, '2026-11-25T02:00:00.000Z');
    clock.set('2026-11-25T01:59:59Z');
    for (const one of replicas) await one.tick();
    assert.equal(started.length, 0);
    clock.set('2026-11-25T02:00:00Z');
    await Promise.all(replicas.map((one) => one.tick()));
    clock.set('2026-11-25T02:01:00Z');
    for (const one of replicas) await one.tick();
    assert.deepEqual(
      started.map(({ trigger, requestedBy }) => [trigger, requestedBy]),
      [['schedule', 'schedule']],
    );
    assert.equal((await replica().describe()).nextRunAt, '2026-11-26T02:00:00.000Z');
  });

  it('makes up once for a slot that was missed while nothing ran, and not for one long past', async () => {
    await replica().change(DAILY);
    clock.set('2026-11-25T08:00:00Z');
    await replica().tick();
    await replica().tick();
    assert.deepEqual(
      started.map(({ trigger }) => trigger),
      ['catch-up'],
    );
    await replica().change({ ...DAILY, kind: 'interval', everyMinutes: 10_080 });
    clock.set('2026-11-27T00:01:00Z');
    await replica().tick();
    assert.equal(started.length, 1, 'that of the week was a day and a minute ago');
    clock.set('2026-11-26T23:59:00Z');
    await replica().tick();
    assert.equal(started.length, 2);
  });

  it('does not run a slot that had passed when it was turned on', async () => {
    clock.set('2026-11-25T02:30:00Z');
    await replica().change(DAILY);
    await replica().tick();
    assert.equal(started.length, 0);
  });

  it('takes a change at once, and runs nothing without an active provider', async () => {
    await replica().change({ ...DAILY, kind: 'interval', everyMinutes: 15 });
    clock.set('2026-11-24T10:15:00Z');
    await replica().tick();
    assert.equal(started.length, 1);
    await setActive(database.knex, 'microsoft365', false);
    clock.set('2026-11-24T10:30:00Z');
    await replica().tick();
    assert.equal(started.length, 1);
    await replica().change({ ...DAILY, enabled: false });
    assert.equal((await replica().describe()).nextRunAt, null);
  });

  it('lets a run that is under way stand for the slot', async () => {
    await replica().change(DAILY);
    clock.set('2026-11-25T02:00:00Z');
    await replica(true).tick();
    await replica().tick();
    assert.equal(started.length, 0);
  });

  it('keeps the daily slot for the first minute in which no run of changes, and no preview, is under way', async () => {
    await replica().change(DAILY);
    const run = { provider: 'microsoft365', trigger: 'manual', requestedBy: 'somebody', configVersion: '1' } as const;
    const options = { allowLargeSync: false, resetAccountMapping: false } as const;
    for (const [place, kind] of (
      [
        { mode: 'incremental', preview: false },
        { mode: 'full', preview: true },
      ] as const
    ).entries()) {
      const id = await insertRun(database.knex, { ...run, ...kind, options });
      clock.set(`2026-11-${25 + place}T02:00:00Z`);
      await replica(true).tick();
      assert.equal(started.length, place);
      await database.knex('runs').where({ id }).update({ status: 'succeeded' });
      clock.set(`2026-11-${25 + place}T02:01:00Z`);
      await replica().tick();
      assert.equal(started.length, place + 1);
    }
  });

  it('refuses what can never be due', async () => {
    for (const wrong of [
      { time: '24:00' },
      { timeZone: 'Nowhere' },
      { kind: 'interval', everyMinutes: 0 },
      { kind: 'cron', cron: '* *' },
    ] as const)
      await assert.rejects(replica().change({ ...DAILY, ...wrong }), InputError);
    for (const [cron, said] of [
      ['0 3 * *', /five fields/],
      ['0 0 30 2 *', /"0 0 30 2 \*" .*never comes due/],
      ['0 25 * * *', /"0 25 \* \* \*" cannot be read/],
    ] as const)
      await assert.rejects(replica().change({ ...DAILY, kind: 'cron', cron }), said);
  });
});

it('reads cron expressions in their zone, as far ahead as a leap day', () => {
  const cron = { enabled: true, kind: 'cron', timeZone: 'Asia/Seoul' } as const;
  const at = new Date('2026-11-24T12:32:00Z');
  assert.equal(previousSlot({ ...cron, cron: '*/15 * * * *' }, at)?.toISOString(), '2026-11-24T12:30:00.000Z');
  assert.equal(nextSlot({ ...cron, cron: '0 3 * * *' }, at)?.toISOString(), '2026-11-24T18:00:00.000Z');
  assert.equal(
    nextSlot({ ...cron, cron: '0 3 29 2 *' }, new Date())
      ?.toISOString()
      .slice(4, 13),
    '-02-28T18',
  );
});

eachDatabase('a slot and its run', (open) => {
  it('come together: a process that dies in between leaves neither, and the next tick makes up for it', async () => {
    const database = await open();
    await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: '', changed: true });
    await setActive(database.knex, 'microsoft365', true);
    const clock = makeClock('2026-11-24T10:00:00Z');
    const real = makeSyncService({ database, worker: undefined });
    const dying: SyncService = {
      ...real,
      start: (options, claim) =>
        real.start(options, async (tx, runId) => {
          await claim?.(tx, runId);
          throw new Error('the process dies here');
        }),
    };
    const parts = { database, clock, log: makeLog('silent' as 'fatal') };
    const schedule = makeSchedule({ ...parts, sync: real });
    await schedule.change(DAILY, { withoutPreview: true });
    clock.set('2026-11-25T02:00:00Z');
    await makeSchedule({ ...parts, sync: dying }).tick();
    assert.equal((await listRuns(database.knex, { limit: 10 })).items.length, 0);
    clock.set('2026-11-25T02:01:00Z');
    await schedule.tick();
    await schedule.tick();
    const runs = (await listRuns(database.knex, { limit: 10 })).items;
    assert.deepEqual(
      runs.map(({ trigger, mode }) => [trigger, mode]),
      [['schedule', 'full']],
    );
  });

  it('are missed aloud: that nothing started it, that another run made up for it, and that nothing will any more', async () => {
    const { database, clock, schedule } = await openSchedule(open);
    await schedule.change(DAILY, { withoutPreview: true });
    const missed = async (at: string): Promise<readonly unknown[]> => {
      clock.set(at);
      const found = (await schedule.describe()).missed;
      return found === null ? [] : [found.dueAt, found.state, found.runId];
    };
    const dueAt = '2026-11-25T02:00:00.000Z';
    assert.deepEqual(await missed('2026-11-25T08:00:00Z'), [], 'no source was active yet');
    await database.knex.raw(`update provider_settings set activated_at = '2026-11-20'`);
    assert.deepEqual(await missed('2026-11-25T01:00:00Z'), [], 'that of the day before belongs to another schedule');
    assert.deepEqual(await missed('2026-11-25T02:01:00Z'), [], 'the tick may still come');
    assert.deepEqual(await missed('2026-11-25T08:00:00Z'), [dueAt, 'not-started', null]);
    await schedule.tick();
    const [run] = (await listRuns(database.knex, { limit: 1 })).items;
    assert.deepEqual(await missed('2026-11-25T08:01:00Z'), [dueAt, 'started-late', run?.id]);
    await database.knex.raw(`update runs set trigger = 'schedule'`);
    assert.deepEqual(await missed('2026-11-25T08:02:00Z'), []);
    await schedule.change({ ...DAILY, kind: 'interval', everyMinutes: 10_080 }, { withoutPreview: true });
    assert.deepEqual(await missed('2026-11-26T03:00:00Z'), ['2026-11-26T00:00:00.000Z', 'not-started', null]);
    assert.deepEqual(await missed('2026-11-28T03:00:00Z'), ['2026-11-26T00:00:00.000Z', 'passed', null]);
    await writeSetting(database.knex, 'schedule', {
      settings: { ...DAILY, timeZone: 'Moon/Crater' },
      since: '2026-11-24T10:00:00Z',
    });
    assert.deepEqual(await missed('2026-11-28T03:00:00Z'), [null, 'time-zone-unknown', null]);
  });

  it('read everything once a day, and what changed in between, whatever is run by hand before', async () => {
    const { database, clock, schedule } = await openSchedule(open);
    await schedule.change(
      { enabled: true, kind: 'interval', everyMinutes: 60, timeZone: 'UTC' },
      { withoutPreview: true },
    );
    const modes: string[] = [];
    for (const [hour, readAt] of [
      ['11:00', null],
      ['12:00', '2026-11-24T11:00:00Z'],
      ['13:00', '2026-11-23T13:00:00Z'],
    ]) {
      if (readAt !== null)
        await database.knex.raw(
          `insert into mirror_state (provider, read_at) values ('microsoft365', ?)
           on conflict (provider) do update set read_at = excluded.read_at`,
          [readAt ?? ''],
        );
      clock.set(`2026-11-24T${hour}:00Z`);
      await schedule.tick();
      const [run] = (await listRuns(database.knex, { limit: 1 })).items;
      modes.push(run?.mode ?? '');
      await database.knex.raw(`update runs set status = 'succeeded'`);
    }
    assert.deepEqual(modes, ['full', 'incremental', 'full']);
    // A daily run is the safety net, however lately everything was read.
    await schedule.change({ enabled: true, kind: 'daily', time: '14:00', timeZone: 'UTC' }, { withoutPreview: true });
    await database.knex.raw(`update mirror_state set read_at = '2026-11-24T13:59:00Z'`);
    clock.set('2026-11-24T13:58:00Z');
    await makeSyncService({ database, worker: undefined }).start({ trigger: 'manual', requestedBy: 'ada' });
    await database.knex.raw(`update runs set status = 'succeeded'`);
    assert.equal((await schedule.describe()).nextRunAt, '2026-11-24T14:00:00.000Z');
    clock.set('2026-11-24T14:00:00Z');
    await schedule.tick();
    const [daily] = (await listRuns(database.knex, { limit: 1 })).items;
    assert.deepEqual([daily?.trigger, daily?.mode, daily?.status], ['schedule', 'full', 'queued']);
  });

  it('read everything again when that stopped, in turn with what changed, until it comes to its end', async () => {
    const source = makeSource();
    source.users.set('ada', { userName: 'ada' });
    const api = await openSync(await open(), source);
    const db = api.database.knex;
    await writeSetting(db, 'guard', { enabled: false });
    assert.equal((await api.sync()).status, 'succeeded');
    const clock = makeClock(new Date().toISOString());
    const sync = makeSyncService({ database: api.database, worker: undefined });
    const schedule = makeSchedule({ database: api.database, clock, sync, log: makeLog('fatal') });
    const hourly: ScheduleSettings = { enabled: true, kind: 'interval', everyMinutes: 60, timeZone: 'UTC' };
    await schedule.change(hourly, { withoutPreview: true });
    source.lie = 'cut';
    assert.equal((await api.sync({ mode: 'full' })).status, 'incomplete');
    const modes: string[] = [];
    const statuses = ['incomplete', 'incomplete', 'incomplete', 'succeeded', 'succeeded'];
    for (const [hour, status] of statuses.entries()) {
      if (status === 'succeeded') source.lie = undefined;
      clock.set(new Date(Date.now() + (hour + 1) * 3_600_000).toISOString());
      await schedule.tick();
      const [run] = (await listRuns(db, { limit: 1 })).items;
      modes.push(run?.mode ?? '');
      await db.raw(`update runs set status = 'cancelled' where status = 'queued'`);
      await api.sync({ mode: run?.mode ?? 'full' });
    }
    assert.deepEqual(modes, ['incremental', 'full', 'incremental', 'full', 'incremental']);
    await api.close();
  });
});
