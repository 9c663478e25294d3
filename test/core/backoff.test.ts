import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fullJitter, objectRetryMs, probeGapMs, retryAfterMs, targetRestMs } from '#core/backoff.ts';
import { TargetError, type TargetFailure } from '#core/target.ts';
import { consequenceOf } from '#outbound/push/settle.ts';

const now = new Date('2026-11-26T00:00:00Z');

describe('backing off', () => {
  it('stays between nothing and the most, however often it failed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, share) => {
        const wait = fullJitter(attempt, 1_000, 60_000, () => share);
        assert.ok(wait >= 0 && wait <= 60_000);
        assert.ok(objectRetryMs(attempt, () => share) >= 1_000);
      }),
    );
  });

  it('waits as long as it is asked to, and a day at most', () => {
    assert.equal(
      targetRestMs(1, 7_000, () => 0),
      7_000,
    );
    assert.equal(
      targetRestMs(1, 10 ** 12, () => 0),
      24 * 3_600_000,
    );
    assert.deepEqual([0, 2, 9, 99].map(probeGapMs), [60_000, 300_000, 86_400_000, 86_400_000]);
  });

  it('finds a target again before it was away three times as long as it was', () => {
    let waited = 0;
    for (let probes = 0; probes < 8; probes += 1) {
      const next = waited + probeGapMs(probes);
      assert.ok(probes === 0 || next <= 3 * waited, `after ${waited} ms`);
      waited = next;
    }
  });

  it('gives an object up after the better part of a day, not within an hour', () => {
    const tries = [1, 2, 3, 4, 5, 6, 7];
    const total = (share: number) => tries.reduce((sum, attempt) => sum + objectRetryMs(attempt, () => share), 0);
    assert.ok(total(0.5) > 6 * 3_600_000 && total(1) < 16 * 3_600_000, `${total(0.5)} to ${total(1)}`);
    assert.ok(objectRetryMs(1, () => 1) <= 30_000);
  });

  it('takes each kind of failure as it is meant', () => {
    const taken = (kind: TargetFailure, attempts = 1) =>
      consequenceOf(new TargetError('x', { kind, reason: kind }), {
        attempts,
        maxAttempts: 3,
        failures: 0,
        now,
        random: () => 1,
      });
    assert.deepEqual([taken('server').state, taken('server', 3).state], ['pending', 'dead']);
    for (const kind of ['conflict', 'refused', 'unsupported'] as const) assert.equal(taken(kind).state, 'dead');
    for (const kind of ['credentials', 'contract'] as const)
      assert.deepEqual([taken(kind, 9).state, taken(kind).quarantine], ['pending', true]);
    for (const kind of ['network', 'throttled'] as const) {
      assert.equal(taken(kind, 9).state, 'pending');
      assert.ok((taken(kind).restUntil ?? now) > now);
      assert.equal(taken(kind, 9).attempts, 8, 'the target failed, not the object');
    }
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-11-24T12:00:00Z');
  const read = (headers: Record<string, string>) => retryAfterMs(new Headers(headers), now);

  it('is seconds or a date', () => {
    assert.equal(read({ 'retry-after': '7' }), 7_000);
    assert.equal(read({ 'retry-after': '0' }), 0);
    assert.equal(read({ 'retry-after': 'Tue, 24 Nov 2026 12:00:09 GMT' }), 9_000);
    assert.equal(read({ 'retry-after': 'Tue, 24 Nov 2026 11:00:00 GMT' }), 0);
  });

  it('is measured by the clock of whoever sent it', () => {
    const headers = { 'retry-after': 'Tue, 24 Nov 2026 13:00:05 GMT', date: 'Tue, 24 Nov 2026 13:00:00 GMT' };
    assert.equal(read(headers), 5_000);
  });

  it('is nothing when absent or unreadable', () => {
    assert.equal(read({}), undefined);
    for (const text of ['soon', '-1', '', '12 minutes']) assert.equal(read({ 'retry-after': text }), undefined, text);
  });
});
