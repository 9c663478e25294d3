import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { estimateMsLeft, type RunTimes } from '#core/estimate.ts';

const startedAt = '2026-11-25T00:00:00.000Z';
const took = (reading: number, planning: number, applying: number): RunTimes => ({
  reading: { startedAt, ms: reading, done: 1_000 },
  planning: { startedAt, ms: planning, done: 0 },
  applying: { startedAt, ms: applying, done: 10 },
});
const EARLIER = [took(10_000, 1_000, 500), took(12_000, 1_000, 500), took(90_000, 9_000, 9_000)];

describe('the estimate of a run', () => {
  it('is unknown while there is nothing to go by', () => {
    assert.equal(estimateMsLeft({ phase: 'reading', done: 500, total: null, ms: 5_000 }, []), null);
    assert.equal(estimateMsLeft({ phase: 'planning', done: 0, total: null, ms: 5_000 }, []), null);
    assert.equal(estimateMsLeft({ phase: 'applying', done: 0, total: 100, ms: 0 }, []), null);
  });

  it('expects what earlier runs took in the middle, so that one bad day does not count', () => {
    assert.equal(estimateMsLeft({ phase: 'reading', done: 0, total: null, ms: 0 }, EARLIER), 12_000 + 1_000 + 500);
  });

  it('follows the pace of the run itself once a tenth is done', () => {
    assert.equal(estimateMsLeft({ phase: 'reading', done: 50, total: null, ms: 6_000 }, EARLIER), 950 * 12 + 1_500);
    assert.equal(estimateMsLeft({ phase: 'reading', done: 500, total: null, ms: 30_000 }, EARLIER), 30_000 + 1_500);
  });

  it('never falls below nothing when a run is larger or slower than any before', () => {
    assert.equal(estimateMsLeft({ phase: 'reading', done: 5_000, total: null, ms: 60_000 }, EARLIER), 1_500);
    assert.equal(estimateMsLeft({ phase: 'planning', done: 0, total: null, ms: 60_000 }, EARLIER), 500);
  });

  it('needs no earlier run while applying, since the end is known', () => {
    assert.equal(estimateMsLeft({ phase: 'applying', done: 25, total: 100, ms: 1_000 }, []), 3_000);
    assert.equal(estimateMsLeft({ phase: 'applying', done: 0, total: 100, ms: 0 }, EARLIER), 100 * 50);
    assert.equal(estimateMsLeft({ phase: 'applying', done: 100, total: 100, ms: 4_000 }, EARLIER), 0);
  });
});
