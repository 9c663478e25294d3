// What a failure means for an object and for its target.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TargetError } from '#core/target.ts';
import { type Consequence, consequenceOf } from '#outbound/push/settle.ts';

const NOW = new Date('2026-11-27T10:00:00Z');

function lost(reason: string, attempts: number, failures: number): Consequence {
  const error = new TargetError('Nothing came back.', { kind: 'network', reason, unknown: true });
  return consequenceOf(error, { attempts, maxAttempts: 8, failures, now: NOW, random: () => 0.5 });
}

describe('a connection that is lost', () => {
  it('while the target takes others counts against the object: first at once, then with gaps, and in the end not any more', () => {
    const tries = Array.from({ length: 8 }, (_, n) => lost('timeout', n + 1, 0));
    assert.deepEqual(
      tries.map(({ state, attempts }) => [state, attempts]),
      [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [n === 8 ? 'dead' : 'pending', n]),
    );
    const gaps = tries.map(({ readyAt }) => (readyAt.getTime() - NOW.getTime()) / 1_000);
    assert.deepEqual(gaps, [0, 0, 0, 15, 60, 240, 960, 3_840]);
    assert.ok(tries.every(({ restUntil, counts }) => restUntil !== undefined && !counts));
  });

  it('in an outage, or never was, counts against nobody', () => {
    for (const [reason, failures] of [
      ['timeout', 1],
      ['connection-lost', 7],
      ['unreachable', 0],
    ] as const) {
      const { state, attempts, readyAt } = lost(reason, 8, failures);
      assert.deepEqual([state, attempts, readyAt], ['pending', 7, NOW], reason);
    }
    assert.equal(lost('connection-lost', 1, 7).quarantine, true);
  });
});

describe('a rest of the target', () => {
  it('is told as asked for only where it said so itself', () => {
    const rested = (retryAfterMs: number | undefined): readonly [boolean, boolean] => {
      const error = new TargetError('It failed.', { kind: 'throttled', reason: 'target-throttled', retryAfterMs });
      const situation = { attempts: 1, maxAttempts: 8, failures: 0, now: NOW, random: () => 0.5 };
      const { restUntil, isAsked } = consequenceOf(error, situation);
      return [restUntil !== undefined, isAsked];
    };
    assert.deepEqual([60_000, 0, undefined].map(rested), [
      [true, true],
      [true, false],
      [true, false],
    ]);
    assert.deepEqual(
      [lost('timeout', 1, 0)].map(({ restUntil, isAsked }) => [restUntil !== undefined, isAsked]),
      [[true, false]],
    );
  });
});
