import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type AnswerVerdict,
  blameMessages,
  GIVE_UP_MS,
  judgeSetAnswer,
  judgeWebhookAnswer,
  nextHealth,
  retryWaitMs,
  type StreamHealth,
} from '#core/event-retry.ts';

const HEALTHY: StreamHealth = { failures: 0, failingSince: null, retryAt: null };
const outcome = (verdict: AnswerVerdict, isFirstTry = true, retryAfterMs = 0) => ({
  verdict,
  isFirstTry,
  retryAfterMs,
});
const at = (hours: number): Date => new Date(Date.UTC(2026, 10, 26) + hours * 3_600_000);

describe('when an event is sent again', () => {
  it('waits no longer than the specification says, and never less than the receiver asked for', () => {
    const longest = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 50 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 86_400_000 }),
        (failures, random, asked) => {
          const wait = retryWaitMs(failures, random, asked);
          const most = (longest[Math.min(Math.max(failures, 1), 9) - 1] ?? 0) * 1_000;
          assert.ok(wait >= Math.max(asked, 1_000));
          assert.ok(wait <= Math.max(most, asked, 1_000));
        },
      ),
    );
  });

  it('spreads over the whole wait, so that what failed together does not come back together', () => {
    assert.ok(retryWaitMs(9, 0.01) < 3_600_000);
    assert.ok(retryWaitMs(9, 0.99) > 23 * 3_600_000);
  });

  it('knows what an answer speaks of', () => {
    for (const status of [200, 201, 202, 204]) assert.equal(judgeWebhookAnswer(status), 'delivered');
    for (const status of [400, 409, 413, 415, 422]) assert.equal(judgeWebhookAnswer(status), 'refused');
    for (const status of [301, 302, 307, 401, 403, 404, 408, 429, 500, 502, 503])
      assert.equal(judgeWebhookAnswer(status), 'failed', String(status));
    assert.equal(judgeWebhookAnswer(410), 'gone');
    assert.equal(judgeSetAnswer(202, ''), 'delivered');
    assert.equal(judgeSetAnswer(400, '{"err":"invalid_request"}'), 'rejected');
    assert.equal(judgeSetAnswer(400, '<html>'), 'rejected');
    for (const err of ['invalid_key', 'invalid_issuer', 'invalid_audience', 'authentication_failed', 'access_denied'])
      assert.equal(judgeSetAnswer(400, JSON.stringify({ err })), 'failed', err);
    assert.equal(judgeSetAnswer(503, '{"err":"invalid_request"}'), 'failed');
  });

  it('takes one success for good, whatever else came of the round', () => {
    const down = { failures: 7, failingSince: at(0), retryAt: at(1) };
    const { disable, ...health } = nextHealth(down, [outcome('delivered')], { now: at(200), random: 1 });
    assert.deepEqual(health, HEALTHY);
    assert.equal(disable, undefined);
    const mixed = nextHealth(down, [outcome('delivered'), outcome('failed')], { now: at(200), random: 1 });
    assert.deepEqual([mixed.failures, mixed.failingSince, mixed.disable], [1, at(200), undefined]);
  });

  it('gives up after days of failures only, and not because of one message', () => {
    let health = HEALTHY;
    let hours = 0;
    for (; hours * 3_600_000 < GIVE_UP_MS; hours += 12) {
      const { disable, ...next } = nextHealth(health, [outcome('failed')], { now: at(hours), random: 0.5 });
      assert.equal(disable, undefined);
      health = next;
    }
    assert.equal(nextHealth(health, [outcome('failed')], { now: at(hours), random: 0.5 }).disable, 'gave-up');
    let odd = nextHealth(HEALTHY, [outcome('refused')], { now: at(0), random: 0.5 });
    for (let day = 1; day < 30; day += 1) {
      odd = nextHealth(odd, [outcome('refused', false)], { now: at(24 * day), random: 0.5 });
      assert.deepEqual([odd.disable, odd.retryAt], [undefined, null]);
    }
  });

  it('blames a message for its failure only while the receiver takes others, or is not failing otherwise', () => {
    const failed = (more: object = {}) => {
      const bare = { ...outcome('failed', false), asksToWait: false, wasPassed: true };
      return { ...bare, ...more };
    };
    const taken = { ...outcome('delivered'), asksToWait: false, wasPassed: false };
    const down: StreamHealth = { failures: 2, failingSince: at(0), retryAt: at(1) };
    const verdictOf = (health: StreamHealth, ...outcomes: ReturnType<typeof failed>[]) =>
      blameMessages(health, outcomes).verdicts.at(-1);
    assert.equal(verdictOf(HEALTHY, failed()), 'refused');
    assert.equal(verdictOf(HEALTHY, failed({ wasPassed: false })), 'failed');
    assert.equal(verdictOf(HEALTHY, failed({ wasPassed: false }), failed()), 'failed');
    assert.equal(verdictOf(HEALTHY, failed({ asksToWait: true })), 'failed');
    assert.equal(verdictOf(HEALTHY, ...Array(5).fill(failed())), 'failed');
    assert.equal(verdictOf(down, failed()), 'failed');
    assert.equal(verdictOf(down, taken, failed({ wasPassed: false })), 'refused');
    assert.equal(verdictOf(down, taken, failed({ isFirstTry: true })), 'failed');
    const { health } = blameMessages({ failures: 1, failingSince: at(0), retryAt: at(1) }, [failed()]);
    assert.deepEqual(health, HEALTHY);
    assert.deepEqual(blameMessages(down, [failed()]).health, down);
  });

  it('waits for a receiver that refuses everything', () => {
    let health: StreamHealth = HEALTHY;
    for (let n = 0; n < 5; n += 1) health = nextHealth(health, [outcome('refused')], { now: at(n), random: 1 });
    assert.notEqual(health.retryAt, null);
  });
});
