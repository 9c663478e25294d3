import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { UpstreamError } from '#core/errors.ts';
import { type Failed, makePace, type Outcome, RUN_LIMITS } from '#providers/microsoft365/graph/pace.ts';
import { makeTestClock } from './support.ts';

const error = new UpstreamError('no', { failure: 'server' });
const broken: Failed = { retry: true, error };
const never = new AbortController().signal;

/** Answers these in turn, then a value. */
function script(...answers: Failed[]): () => Promise<Outcome<string>> {
  return async () => answers.shift() ?? { value: 'done' };
}

describe('trying again', () => {
  it('waits exactly as long as the other side asks', async () => {
    const clock = makeTestClock();
    const pace = makePace(clock, RUN_LIMITS);
    assert.equal(await pace.run(script({ ...broken, busy: true, waitMs: 17_000 }), never), 'done');
    assert.deepEqual(clock.slept, [17_000]);
    assert.equal(pace.throttledMs(), 17_000);
  });

  it('lets all requests wait, and counts the time once', async () => {
    const clock = makeTestClock();
    const pace = makePace(clock, RUN_LIMITS);
    const start = clock.now().getTime();
    const busy: Failed = { ...broken, busy: true, waitMs: 5_000 };
    const seen: number[] = [];
    const other = async (): Promise<Outcome<string>> => {
      seen.push(clock.now().getTime() - start);
      return { value: 'done' };
    };
    const throttled = [pace.run(script(busy), never), pace.run(script(busy), never)];
    await turn();
    await Promise.all([...throttled, pace.run(other, never)]);
    assert.equal(pace.throttledMs(), 5_000);
    assert.ok(seen.every((at) => at >= 5_000));
  });

  it('backs off longer and longer after what was broken, up to a limit, then gives up', async () => {
    const clock = makeTestClock();
    await assert.rejects(
      makePace(clock, RUN_LIMITS).run(async () => broken, never),
      error,
    );
    assert.equal(clock.slept.length, RUN_LIMITS.attemptsMax - 1);
    clock.slept.forEach((ms, index) => {
      const limit = Math.min(30_000, 500 * 2 ** index);
      assert.ok(ms >= limit / 2 && ms <= limit, `${ms}`);
    });
  });

  it('gives up when the waits add up, or one is too long', async () => {
    for (const waitMs of [60_000, RUN_LIMITS.waitMsMax + 1]) {
      const clock = makeTestClock();
      const start = clock.now().getTime();
      await assert.rejects(
        makePace(clock, RUN_LIMITS).run(async () => ({ ...broken, busy: true, waitMs }), never),
        error,
      );
      assert.ok(clock.now().getTime() - start <= RUN_LIMITS.waitMsMax);
    }
  });

  it('asks again after a day, whoever wants to be left alone for longer', async () => {
    const clock = makeTestClock();
    const pace = makePace(clock, RUN_LIMITS);
    const years: Failed = { ...broken, busy: true, waitMs: 1e12 };
    await assert.rejects(pace.run(script(years), never), error);
    await assert.rejects(pace.run(script(), never), ({ retryAfterMs }: UpstreamError) => retryAfterMs === 86_400_000);
    await clock.sleep(86_400_000, never);
    assert.equal(await pace.run(script(), never), 'done');
  });

  it('does not hammer somebody who says zero again and again', async () => {
    const clock = makeTestClock();
    const zero: Failed = { ...broken, busy: true, waitMs: 0 };
    await makePace(clock, RUN_LIMITS).run(script(zero, zero, zero), never);
    assert.ok(clock.slept.length >= 2);
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const pace = makePace(makeTestClock(), RUN_LIMITS);
    await assert.rejects(
      pace.run(async () => {
        stop.abort();
        return broken;
      }, stop.signal),
      { name: 'AbortError' },
    );
  });
});
