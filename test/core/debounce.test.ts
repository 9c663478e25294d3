import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dueAt as due, LATENCY_MAX_MS, type Mark, QUIET_MS } from '#core/debounce.ts';

const SWEEP_MS = 3_600_000;
const dueAt = (mark: Omit<Mark, 'sweepMs'>): number => due({ ...mark, sweepMs: SWEEP_MS });

describe('a mark', () => {
  it('is due when the source has been quiet for a moment, or has gone on for too long', () => {
    assert.equal(dueAt({ firstAt: 0, lastAt: 0, triedAt: null }), QUIET_MS);
    assert.equal(dueAt({ firstAt: 0, lastAt: 60_000, triedAt: null }), 60_000 + QUIET_MS);
    assert.equal(dueAt({ firstAt: 0, lastAt: LATENCY_MAX_MS, triedAt: null }), LATENCY_MAX_MS);
  });

  it('is tried again by the sweep, and sooner when something new was told', () => {
    assert.equal(dueAt({ firstAt: 0, lastAt: 0, triedAt: 1_000 }), 1_000 + SWEEP_MS);
    assert.equal(dueAt({ firstAt: 0, lastAt: 5_000, triedAt: 1_000 }), 5_000 + QUIET_MS);
  });
});
