import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makePace } from '#targets/scim-app/pace.ts';
import { makeClock } from '../support/clock.ts';

const signal = new AbortController().signal;

/** A clock on which each waits by itself, as many do at once. */
function parallelClock() {
  const clock = makeClock('2026-11-26T00:00:00Z');
  const ends: number[] = [];
  return { clock: { ...clock, sleep: async (ms: number) => void ends.push(ms) }, ends };
}

describe('the pace of a target', () => {
  it('gives each request the next gap, reads and writes apart', async () => {
    const { clock, ends } = parallelClock();
    const pace = makePace({ readsPerSecond: 10, writesPerSecond: 4 }, clock);
    await Promise.all([1, 2, 3, 4].map(() => pace.turn('write', signal)));
    assert.deepEqual(ends.splice(0), [250, 500, 750]);
    await Promise.all([1, 2, 3].map(() => pace.turn('read', signal)));
    assert.deepEqual(ends, [100, 200]);
  });

  it('sends no more in any second than it may, however many want to', async () => {
    const clock = makeClock('2026-11-26T00:00:00Z');
    const pace = makePace({ readsPerSecond: null, writesPerSecond: 3 }, clock);
    const at: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      await pace.turn('write', signal);
      at.push(clock.elapsed());
    }
    for (const [n, time] of at.entries()) assert.ok((at[n + 3] ?? Infinity) - time >= 999, `${at}`);
  });

  it('refuses everything while the target rests, and never shortens a rest', async () => {
    const clock = makeClock('2026-11-26T00:00:00Z');
    const pace = makePace({ readsPerSecond: null, writesPerSecond: null }, clock);
    await pace.turn('read', signal);
    pace.rest(60_000);
    pace.rest(1_000);
    await assert.rejects(pace.turn('read', signal), { kind: 'throttled', retryAfterMs: 60_000 });
    assert.throws(() => pace.checkRest(), { kind: 'throttled' });
    await clock.sleep(60_001, signal);
    await pace.turn('write', signal);
  });
});
