import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UpstreamError } from '#core/errors.ts';
import { batchGet } from '#providers/microsoft365/graph/batch.ts';
import { makeBudget, slowdownMs } from '#providers/microsoft365/graph/budget.ts';
import { openGraph } from '#providers/microsoft365/graph/client.ts';
import { ASK_LIMITS, makePace, RUN_LIMITS } from '#providers/microsoft365/graph/pace.ts';
import { parseSettings } from '#providers/microsoft365/settings.ts';
import { makeTestClock, settingsFor, startScripted } from './support.ts';

const never = new AbortController().signal;
const cost = (units: number): Headers => new Headers({ 'x-ms-resource-unit': String(units) });

describe('the budget of resource units', () => {
  it('makes everybody wait for the next ten seconds when it is spent, for less after a 429', () => {
    const clock = makeTestClock();
    const pauses: number[] = [];
    const budget = makeBudget(clock, { pause: (ms) => void pauses.push(ms) });
    for (let count = 0; count < 639; count += 1) budget.spend(200, cost(10));
    assert.equal(pauses.length, 0);
    budget.spend(200, cost(10));
    assert.deepEqual(pauses, [10_000]);
    const other = makeBudget(clock, { pause: (ms) => void pauses.push(ms) });
    other.spend(429, cost(0));
    for (let count = 0; count < 448; count += 1) other.spend(200, cost(10));
    assert.deepEqual(pauses, [10_000, 10_000]);
  });

  it('slows down before a 429, the more the nearer the limit is', () => {
    const at = (share: string): number => slowdownMs(new Headers({ 'x-ms-throttle-limit-percentage': share }));
    assert.deepEqual(['0.8', '0.9', '1', '1.8', '0.79', 'nonsense'].map(at), [500, 1500, 2500, 5000, 0, 0]);
    assert.equal(slowdownMs(new Headers()), 0);
  });

  it('holds the next request back as soon as an answer says that the limit is near', async () => {
    const graph = await startScripted(() => ({
      headers: { 'x-ms-throttle-limit-percentage': '1' },
      body: { value: [] },
    }));
    try {
      const clock = makeTestClock();
      const client = openGraph(parseSettings(settingsFor(graph, 'contoso.example')), clock, RUN_LIMITS);
      await client.get('/users', () => true, { signal: never });
      assert.deepEqual(clock.slept, []);
      await client.get('/users', () => true, { signal: never });
      assert.deepEqual(clock.slept, [2_500]);
      assert.equal(client.cost().throttledMs, 5_000);
    } finally {
      await graph.close();
    }
  });

  it('is spent by each step of a batch, and smaller after a 429 of one', async () => {
    let asked = 0;
    const graph = await startScripted(({ body }) => {
      const { requests } = JSON.parse(body) as { requests: { id: string }[] };
      asked += 1;
      const status = asked === 1 ? 429 : 200;
      const headers = { 'X-Ms-Resource-Unit': '230', ...(status === 429 ? { 'Retry-After': '1' } : {}) };
      return { body: { responses: requests.map(({ id }) => ({ id, status, headers, body: {} })) } };
    });
    try {
      const clock = makeTestClock();
      const client = openGraph(parseSettings(settingsFor(graph, 'contoso.example')), clock, RUN_LIMITS);
      const urls = Array.from({ length: 10 }, (_, index) => `/users/${index}`);
      await batchGet(client, urls, { signal: never });
      assert.deepEqual(clock.slept, [1_000], 'as the steps ask');
      await client.post('/$batch', { requests: [] }, () => true, { signal: never });
      assert.deepEqual(clock.slept, [1_000, 9_000], '4,600 of what were 6,400 units are too many now');
    } finally {
      await graph.close();
    }
  });
});

describe('one pause for a whole provider', () => {
  it('keeps an administrator from asking while a run was told to wait, and says so at once', async () => {
    const clock = makeTestClock();
    const gate = { pausedUntil: 0 };
    makePace(clock, RUN_LIMITS, gate).pause(60_000);
    const asking = makePace(clock, ASK_LIMITS, gate);
    await assert.rejects(
      asking.run(async () => assert.fail('nothing may be sent'), never),
      (error) => error instanceof UpstreamError && error.failure === 'throttled' && error.retryAfterMs === 60_000,
    );
    const running = makePace(clock, RUN_LIMITS, gate);
    assert.equal(await running.run(async () => ({ value: 'done' }), never), 'done');
    assert.deepEqual(clock.slept, [60_000]);
  });
});
