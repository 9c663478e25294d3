// What a source tells becomes one run, which begins after it; a mark outlives every run that did not see it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { QUIET_MS } from '#core/debounce.ts';
import type { ProviderKind, SubscriptionKind } from '#core/provider.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { sql } from '#store/database.ts';
import { markInitialDone, saveProvider, setActive } from '#store/source/settings.ts';
import { markSource, readMark } from '#store/source/source-marks.ts';
import type { RunView } from '#store/views/runs.ts';
import type { StartOptions, SyncService } from '#sync/service.ts';
import { makeMarkFollower } from '#sync/watch/follow-marks.ts';
import { makeSubscriptionKeeper } from '#sync/watch/subscriptions.ts';
import { makeClock } from '../support/clock.ts';
import { type DatabaseKind, eachDatabase } from '../support/database.ts';
import { makeSource, openSync } from '../support/source.ts';

const KIND = 'microsoft365';
const SEAL = makeSeal(Buffer.alloc(32).toString('base64'));
const SOURCE = { kind: KIND, secretPaths: [], parseSettings: (value: unknown) => value };

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
    const sweepMs = 20 * 60_000;
    const kind = { ...SOURCE, subscriptions: { sweepMs: () => sweepMs } } as unknown as ProviderKind;
    const follower = makeMarkFollower({
      ...{ database, seal: SEAL, sync, clock, log: makeLog('fatal'), kinds: new Map([[KIND, kind]]) },
    });
    const at = (instant: Date | undefined, ms: number): void =>
      clock.set(new Date((instant?.getTime() ?? 0) + ms).toISOString());
    await follower.tick();
    assert.equal(started.length, 0, 'nothing was told');
    await markSource(database.knex, KIND);
    const first = await readMark(database.knex, KIND);
    // In a millisecond of its own: a Date knows no smaller part.
    const clockOf = async (): Promise<Date> => (await sql(database.knex, 'select clock_timestamp() as at')).rows[0].at;
    while ((await clockOf()) <= (first?.last_at ?? 0));
    await markSource(database.knex, KIND);
    const mark = await readMark(database.knex, KIND);
    assert.deepEqual(mark?.first_at, first?.first_at, 'a burst began with the first');
    assert.ok((mark?.last_at ?? 0) > (first?.last_at ?? 0), 'and goes on');
    at(mark?.last_at, QUIET_MS - 1);
    await follower.tick();
    assert.equal(started.length, 0, 'too soon');
    at(mark?.last_at, QUIET_MS);
    await follower.tick();
    await follower.tick();
    assert.deepEqual(started, [{ mode: 'incremental', trigger: 'notification', requestedBy: 'notification' }]);
    const tried = (await readMark(database.knex, KIND))?.tried_at ?? undefined;
    at(tried, sweepMs - 1);
    await follower.tick();
    assert.equal(started.length, 1, 'the sweep is not yet due');
    at(tried, sweepMs);
    await follower.tick();
    assert.equal(started.length, 2, 'the sweep tries again what came to no good end');
    await api.close();
  });

  it('is looked at again after 1, 5 and 15 minutes while runs find nothing, and no longer', async () => {
    const database = await open();
    const source = { ...makeSource(), followMs: [60_000, 300_000, 900_000] };
    const api = await openSync(database, source);
    source.users.set('u1', { userName: 'u1' });
    await api.sync();
    await markInitialDone(database.knex, KIND);
    const clock = makeClock(new Date().toISOString());
    let started = 0;
    const sync: SyncService = {
      ...api.service,
      async start() {
        started += 1;
        return {} as RunView;
      },
    };
    const kind = { ...SOURCE, subscriptions: { sweepMs: () => 3_600_000 } } as unknown as ProviderKind;
    const kinds = new Map([[KIND, kind]] as const);
    const parts = { database, seal: SEAL, sync, clock, log: makeLog('fatal'), kinds };
    /** How many runs a process that has just started would start then. */
    const startedAt = async (instant: number): Promise<number> => {
      started = 0;
      clock.set(new Date(instant).toISOString());
      const follower = makeMarkFollower(parts);
      await follower.tick();
      await follower.tick();
      return started;
    };
    const told = (minutes: number): Promise<unknown> =>
      database.knex.raw(`update source_marks set last_at = clock_timestamp() - interval '${minutes * 60 + 2} s',
        first_at = clock_timestamp() - interval '${minutes * 60 + 2} s'`);
    for (const [since, next] of [
      [0, 1],
      [1, 5],
      [5, 15],
    ] as const) {
      await markSource(database.knex, KIND);
      await told(since);
      assert.equal((await api.sync({ mode: 'incremental' })).status, 'succeeded');
      const mark = await readMark(database.knex, KIND);
      const due = (mark?.last_at.getTime() ?? 0) + next * 60_000;
      assert.equal(await startedAt(due - 1), 0);
      assert.equal(await startedAt(due), 1, 'once, until it has ended');
    }
    await told(15);
    await api.sync({ mode: 'incremental' });
    assert.equal(await readMark(database.knex, KIND), undefined, 'what was not found by now is not waited for');

    await markSource(database.knex, KIND);
    await told(0);
    await api.sync({ mode: 'incremental' });
    const looked = await readMark(database.knex, KIND);
    await markSource(database.knex, KIND);
    const again = await readMark(database.knex, KIND);
    assert.deepEqual([again?.follow_at, again?.tried_at], [null, null], 'what is told anew is a burst of its own');
    assert.ok((again?.first_at ?? 0) > (looked?.last_at ?? 0));
    await told(0);
    source.users.set('u2', { userName: 'u2' });
    await api.sync({ mode: 'incremental' });
    assert.equal(await readMark(database.knex, KIND), undefined, 'a run that finds something ends it');
    await api.close();
  });

  it('is subscribed to again well before the end, anew when it knows of nothing, and not by whoever is inactive', async () => {
    const database = await open();
    await saveProvider(database.knex, { kind: KIND, settings: {}, secrets: SEAL.seal('{}'), changed: false });
    await setActive(database.knex, KIND, true);
    const day = 86_400_000;
    // A little ahead of the database, whose clock says when the next try is.
    const began = Date.now() + 60_000;
    const clock = makeClock(new Date(began).toISOString());
    const asked: string[] = [];
    let isKnown = true;
    const answer = (expiresAt: Date) => ({ remoteId: `remote ${asked.length}`, expiresAt });
    const subscriptions: SubscriptionKind = {
      resources: ['users'],
      lifeMsMax: 29 * day,
      wanted: () => true,
      sweepMs: () => day,
      async create(_settings, { resource, notificationUrl, expiresAt }) {
        asked.push(`create ${resource} ${notificationUrl}`);
        return answer(expiresAt);
      },
      async renew(_settings, id, expiresAt) {
        asked.push(`renew ${id}`);
        return isKnown ? { remoteId: id, expiresAt } : undefined;
      },
      async remove(_settings, id) {
        asked.push(`remove ${id}`);
      },
    };
    const keeper = makeSubscriptionKeeper({
      ...{ database, seal: SEAL, clock, log: makeLog('fatal'), publicUrl: () => 'https://gateway.example' },
      kinds: new Map([[KIND, { ...SOURCE, subscriptions } as unknown as ProviderKind]]),
    });
    const askedAfter = async (days: number): Promise<string[]> => {
      asked.length = 0;
      clock.set(new Date(began + days * day).toISOString());
      await keeper.tick();
      return [...asked];
    };
    const made = 'create users https://gateway.example/hooks/microsoft365';
    assert.deepEqual(await askedAfter(0), [made]);
    assert.deepEqual(await askedAfter(19), []);
    assert.deepEqual(await askedAfter(21), ['renew remote 1']);
    isKnown = false;
    assert.deepEqual(await askedAfter(48), ['renew remote 1', made]);
    await setActive(database.knex, KIND, false);
    assert.deepEqual(await askedAfter(49), ['remove remote 2']);
    assert.deepEqual(await askedAfter(50), []);
    await keeper.stop();
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
    assert.ok(left);
    assert.deepEqual(left.first_at, left.last_at, 'what was told after the run began is what is left');
    await database.knex.raw(
      `update source_marks set first_at = now() - interval '1 hour', last_at = now() - interval '1 hour'`,
    );
    await api.sync({ mode: 'incremental' });
    assert.equal(await readMark(database.knex, KIND), undefined);
    await api.close();
  });
});
