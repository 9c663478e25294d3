// What a source tells becomes one run, which begins after it; a mark outlives every run that did not see it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LATENCY_MAX_MS, QUIET_MS, SWEEP_MS } from '#core/debounce.ts';
import { makeLog } from '#platform/log.ts';
import { markInitialDone } from '#store/settings.ts';
import { markSource, readMark } from '#store/source-marks.ts';
import type { RunView } from '#store/views/runs.ts';
import { makeMarkFollower } from '#sync/follow-marks.ts';
import type { StartOptions, SyncService } from '#sync/service.ts';
import { makeClock } from '../support/clock.ts';
import { type DatabaseKind, eachDatabase } from '../support/database.ts';
import { makeSource, openSync } from '../support/source.ts';

const KIND = 'microsoft365';

eachDatabase('a source that tells of changes', (open, _kind: DatabaseKind) => {
  it('is read once for a burst, after a quiet moment or the longest wait', async () => {
    const database = await open();
    const api = await openSync(database, makeSource());
    await markInitialDone(database.knex, KIND);
    const clock = makeClock(new Date().toISOString());
    const started: StartOptions[] = [];
    const sync: SyncService = {
      ...api.service,
      async start(options) {
        started.push(options);
        return {} as RunView;
      },
    };
    const follower = makeMarkFollower({ database, sync, clock, log: makeLog('fatal') });
    const at = (instant: Date | undefined, ms: number): void =>
      clock.set(new Date((instant?.getTime() ?? 0) + ms).toISOString());
    await follower.tick();
    assert.equal(started.length, 0, 'nothing was told');
    await markSource(database.knex, KIND);
    const mark = await readMark(database.knex, KIND);
    at(mark?.last_at, QUIET_MS - 1);
    await follower.tick();
    assert.equal(started.length, 0, 'too soon');
    at(mark?.last_at, QUIET_MS);
    await follower.tick();
    await follower.tick();
    assert.deepEqual(started, [{ mode: 'incremental', trigger: 'notification', requestedBy: 'notification' }]);
    const tried = (await readMark(database.knex, KIND))?.tried_at ?? undefined;
    at(tried, SWEEP_MS);
    await follower.tick();
    assert.equal(started.length, 2, 'the sweep tries again what came to no good end');
    assert.ok(LATENCY_MAX_MS < SWEEP_MS);
    await api.close();
  });

  it('keeps its mark until a run that began after it was read to the end', async () => {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    source.users.set('u1', { userName: 'u1' });
    await api.sync();
    await markSource(database.knex, KIND);
    source.lie = 'cut';
    assert.equal((await api.sync({ mode: 'incremental' })).status, 'failed');
    assert.ok(await readMark(database.knex, KIND), 'a read that stopped has not seen it');
    source.lie = undefined;
    await api.sync({ mode: 'incremental', preview: true });
    assert.ok(await readMark(database.knex, KIND), 'a preview changes nothing, so the change is still to come');
    await database.knex.raw(
      `update source_marks set first_at = first_at, last_at = clock_timestamp() + interval '1 hour'`,
    );
    await api.sync({ mode: 'incremental' });
    const left = await readMark(database.knex, KIND);
    assert.deepEqual(left?.first_at, left?.last_at, 'what was told after the run began is what is left');
    await database.knex.raw(
      `update source_marks set first_at = now() - interval '1 hour', last_at = now() - interval '1 hour'`,
    );
    await api.sync({ mode: 'incremental' });
    assert.equal(await readMark(database.knex, KIND), undefined);
    await api.close();
  });
});
