import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#store/database.ts';
import { sql } from '#store/database.ts';
import { takeLease } from '#store/leases.ts';
import { findOpenRun, finishRun, insertRun, requestCancel, requeueRun, startRun } from '#store/run/runs.ts';
import { type RunView, readRun } from '#store/views/runs.ts';
import { makeProgress } from '#sync/progress.ts';
import { CancelledError } from '#sync/run.ts';
import { makeRunWatcher } from '#sync/watch/watch-runs.ts';
import { makeClock, type TestClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';

const COST = { requests: 3, resourceUnits: 5, bytes: 700, throttledMs: 0 };

eachDatabase('the progress of a run', (open) => {
  let database: Database;
  let clock: TestClock;

  beforeEach(async () => {
    database = await open();
    clock = makeClock('2026-11-25T10:00:00.000Z');
  });

  async function startedRun(): Promise<string> {
    const options = { allowLargeSync: false, resetAccountMapping: false };
    const run = { provider: 'microsoft365', mode: 'full', preview: false, trigger: 'manual', options } as const;
    const id = await insertRun(database.knex, { ...run, requestedBy: 'test', configVersion: '1' });
    await startRun(database.knex, id ?? '');
    return id ?? '';
  }

  async function progressOf(id: string) {
    const run = await findOpenRun(database.knex);
    const signal = new AbortController().signal;
    const lease = await takeLease(database.knex, 'sync', 'test', 3_600_000);
    if (lease === undefined) throw new Error('no lease');
    return makeProgress({
      lease,
      db: database.knex,
      run: { id, phases: run?.phases ?? {} },
      clock,
      signal,
      cost: () => COST,
    });
  }

  async function view(id: string): Promise<RunView> {
    const run = await readRun(database.knex, id);
    return run ?? assert.fail('the run is gone');
  }

  it('is stored at each new phase and at the end of one, with the time that each took and what it has cost', async () => {
    const id = await startedRun();
    const progress = await progressOf(id);
    await progress({ phase: 'reading', done: 0, total: null });
    clock.set('2026-11-25T10:00:00.100Z');
    await progress({ phase: 'reading', done: 40, total: null });
    assert.equal((await view(id)).progress.done, 0, 'a moment later is too soon to write');
    clock.set('2026-11-25T10:00:04.000Z');
    await progress({ phase: 'planning', done: 0, total: null });
    clock.set('2026-11-25T10:00:05.000Z');
    await progress({ phase: 'applying', done: 1, total: 2 });
    clock.set('2026-11-25T10:00:05.010Z');
    await progress({ phase: 'applying', done: 2, total: 2 });
    const { progress: shown, steps, cost } = await view(id);
    assert.deepEqual([shown.phase, shown.done, shown.total, shown.estimatedSecondsLeft], ['applying', 2, 2, 0]);
    assert.deepEqual(
      steps.map(({ name, state, done, ms }) => [name, state, done, ms]),
      [
        ['reading', 'succeeded', 40, 4_000],
        ['planning', 'succeeded', 0, 1_000],
        ['applying', 'running', 2, 10],
      ],
    );
    assert.equal(cost?.requests, 3);
  });

  it('goes on where it was after an interruption, and waiting for an approval is no work', async () => {
    const id = await startedRun();
    await (await progressOf(id))({ phase: 'applying', done: 0, total: 4 });
    clock.set('2026-11-25T10:00:02.000Z');
    const first = await progressOf(id);
    await first({ phase: 'applying', done: 1, total: 4 });
    clock.set('2026-11-25T10:00:05.000Z');
    await first({ phase: 'applying', done: 4, total: 4 });
    await finishRun(database.knex, id, { status: 'held' });
    const held = await view(id);
    assert.equal(held.steps[0]?.ms, 3_000);
    await sql(
      database.knex,
      `update runs set finished_at = finished_at - interval '2 days', started_at = started_at - interval '2 days'`,
    );
    assert.ok((held.cost?.wallMs ?? 0) < 60_000);
    assert.equal(await requeueRun(database.knex, id), true);
    await startRun(database.knex, id);
    assert.ok(((await view(id)).cost?.wallMs ?? 0) < 60_000);
  });

  it('ends a step when its work was done, and not when somebody approved', async () => {
    const id = await startedRun();
    const planning = await progressOf(id);
    await planning({ phase: 'planning', done: 0, total: null });
    clock.set('2026-11-25T10:00:03.000Z');
    await planning({ phase: 'planning', done: 7, total: 7 });
    await finishRun(database.knex, id, { status: 'held' });
    assert.equal(await requeueRun(database.knex, id), true);
    await startRun(database.knex, id);
    clock.set('2026-11-26T10:00:00.000Z');
    await (await progressOf(id))({ phase: 'applying', done: 0, total: 7 });
    assert.deepEqual(
      (await view(id)).steps.map(({ name, done, ms, finishedAt }) => [name, done, ms, finishedAt]),
      [
        ['planning', 7, 3_000, '2026-11-25T10:00:03.000Z'],
        ['applying', 0, 0, null],
      ],
    );
  });

  it('estimates the end from earlier runs that went to theirs', async () => {
    for (const status of ['succeeded', 'failed'] as const) {
      const id = await startedRun();
      const factor = status === 'failed' ? 100 : 1;
      await sql(database.knex, 'update runs set phases = ?::jsonb where id = ?', [
        JSON.stringify({ reading: { startedAt: '2026-11-24T00:00:00Z', ms: 60_000 * factor, done: 600 } }),
        id,
      ]);
      await finishRun(database.knex, id, { status });
    }
    const id = await startedRun();
    assert.equal((await view(id)).progress.estimatedEndAt, null);
    await (await progressOf(id))({ phase: 'reading', done: 0, total: null });
    const { estimatedSecondsLeft, estimatedEndAt } = (await view(id)).progress;
    assert.equal(estimatedSecondsLeft, 60);
    assert.ok(Date.parse(estimatedEndAt ?? '') > Date.now());
    await finishRun(database.knex, id, { status: 'succeeded' });
    assert.equal((await view(id)).progress.estimatedSecondsLeft, null);
  });

  it('stops the run when somebody asked for it', async () => {
    const id = await startedRun();
    const progress = await progressOf(id);
    await requestCancel(database.knex, id);
    await assert.rejects(progress({ phase: 'reading', done: 0, total: null }), CancelledError);
  });

  it('is followed by many listeners with one query for all, and each hears the end', async () => {
    const id = await startedRun();
    const watcher = makeRunWatcher({ db: database.knex, clock: systemClock });
    let queries = 0;
    database.knex.on('query', ({ sql: text }: { sql: string }) => {
      if (text.includes('from runs r')) queries += 1;
    });
    const gone = new AbortController();
    let ended = false;
    const follow = async (): Promise<RunView[]> => {
      const seen: RunView[] = [];
      for await (const run of watcher.watch(id, gone.signal)) {
        seen.push(run);
        if (ended || run.status !== 'running') continue;
        ended = true;
        await finishRun(database.knex, id, { status: 'succeeded' });
      }
      return seen;
    };
    const all = await Promise.all(Array.from({ length: 20 }, follow));
    for (const seen of all) assert.equal(seen.at(-1)?.status, 'succeeded');
    assert.ok(queries < all.length, `${queries} queries for ${all.length} listeners`);
    await watcher.stop();
    assert.deepEqual(await follow(), [], 'nothing is watched once it was stopped');
  });

  it('ends a watch whose run is gone, and one whose listener left', async () => {
    const id = await startedRun();
    const watcher = makeRunWatcher({ db: database.knex, clock: systemClock });
    const left = new AbortController();
    const leaving = (async () => {
      for await (const _run of watcher.watch(id, left.signal)) left.abort();
    })();
    await leaving;
    await sql(database.knex, 'delete from runs');
    for await (const _run of watcher.watch(id, new AbortController().signal)) assert.fail('there is none');
    await watcher.stop();
  });
});
