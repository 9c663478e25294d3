import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { createApp } from '#http/app.ts';
import { makeMetrics } from '#http/metrics.ts';
import { makeLog } from '#platform/log.ts';

it('asks the database once for all who want to know at the same time whether it is ready, and again after', async (context) => {
  let asked = 0;
  let answer = (): void => undefined;
  const app = createApp({
    edges: undefined,
    log: makeLog('silent'),
    readiness: async () => {
      asked += 1;
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { ready: asked === 1, checks: [] };
    },
    metrics: makeMetrics({
      build: { version: 'test', role: 'all', database: 'none' },
      figures: async () => {
        throw new Error('nobody counts here');
      },
      pool: () => ({ used: 0, free: 0, waiting: 0 }),
    }),
    translate: (error) => error,
  });
  let arrived = 0;
  let onArrival = (): void => undefined;
  const server = createServer((request, response) => {
    app(request, response);
    arrived += 1;
    onArrival();
  }).listen(0, '127.0.0.1');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const arrivals = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onArrival = () => arrived === count && resolve();
    });
  const ask = (): Promise<number> => fetch(`http://127.0.0.1:${port}/readyz`).then(({ status }) => status);

  const all = arrivals(20);
  const many = Array.from({ length: 20 }, ask);
  await all;
  assert.equal(asked, 1);
  answer();
  assert.deepEqual(new Set(await Promise.all(many)), new Set([200]));
  const next = arrivals(21);
  const later = ask();
  await next;
  assert.equal(asked, 2);
  answer();
  assert.equal(await later, 503);
});
