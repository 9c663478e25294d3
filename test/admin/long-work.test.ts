// What takes long: in turns, and no longer than somebody waits for it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import express, { type ErrorRequestHandler } from 'express';
import { sendLines } from '#admin/formats.ts';
import { answerWhileWanted, makeLongWork } from '#admin/long-work.ts';
import { RateError } from '#core/errors.ts';
import { givePrincipal } from '#http/auth.ts';
import { openDatabase } from '#store/database.ts';
import { type Call, checkedCall, tokenWith } from '../support/checked.ts';
import { freshStorage, startGateway } from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

async function listen(context: TestContext, app: express.Express): Promise<string> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('exports', () => {
  it('are three of one actor at a time, and who leaves makes room', async (context) => {
    const longWork = makeLongWork();
    let begun = 0;
    async function* lines(): AsyncGenerator<string> {
      begun += 1;
      // More than anybody takes who does not read.
      for (;;) yield 'x'.repeat(65_536);
    }
    const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
      response.status(error instanceof RateError ? 429 : 500).end();
    };
    const app = express()
      .get('/:who', async (request, response) => {
        givePrincipal(request, {
          ...{ tokenId: request.params.who, appId: null, name: '', scopes: [], scope: null, subject: null },
        });
        await sendLines(longWork, { request, response }, { name: 'x', format: 'csv', lines: lines() });
      })
      .use(answerError);
    const base = await listen(context, app);
    const leave = new AbortController();
    const ask = (who: string, signal?: AbortSignal) => fetch(`${base}/${who}`, { ...(signal && { signal }) });

    const first = await Promise.all([ask('a', leave.signal), ask('a'), ask('a')]);
    assert.deepEqual(
      first.map(({ status }) => status),
      [200, 200, 200],
    );
    // Those whose turn never comes end with the server.
    const waiting = Array.from({ length: 11 }, () =>
      ask('a').then(
        ({ status }) => status,
        () => 0,
      ),
    );
    assert.equal(await Promise.race(waiting), 429);
    assert.equal(begun, 3);
    assert.equal((await ask('b')).status, 200);
    leave.abort();
    const statuses: number[] = [];
    const next = new Promise<void>((resolve) => {
      for (const one of waiting)
        void one.then((status) => {
          statuses.push(status);
          if (statuses.length === 2) resolve();
        });
    });
    await next;
    assert.deepEqual(statuses.toSorted(), [200, 429]);
  });
});

describe('what nobody waits for any more', () => {
  it('ends, and is no error', async (context) => {
    const reached: string[] = [];
    let onEnd = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      onEnd = resolve;
    });
    const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
      reached.push(String(error));
      response.end();
    };
    const app = express()
      .get('/', async (_request, response) => {
        response.writeHead(200).flushHeaders();
        await answerWhileWanted(response, async (left) => {
          await once(left, 'abort');
          left.throwIfAborted();
        }).finally(onEnd);
      })
      .get('/broken', async (_request, response) => {
        await answerWhileWanted(response, async () => {
          throw new Error('broken');
        });
      })
      .use(answerError);
    const base = await listen(context, app);
    const leave = new AbortController();
    await fetch(base, { signal: leave.signal });
    leave.abort();
    await ended;
    await fetch(`${base}/broken`);
    assert.deepEqual(reached, ['Error: broken']);
  });
});

describe('verification of the audit log', () => {
  it('is one of one actor at a time, and of others meanwhile', async (context) => {
    const storage = await freshStorage('postgres');
    const api = await startGateway(storage);
    context.after(() => api.close());
    const call: Call = checkedCall(() => api);
    const viewer = await tokenWith(call, 'viewer');
    const database = await openDatabase({ databaseUrl: storage['DATABASE_URL'] });
    context.after(() => database.close());
    const path = '/audit/verification';
    let asked: readonly Promise<number>[] = [];
    await database.knex.transaction(async (tx) => {
      await tx.raw('lock table audit_anchor in access exclusive mode');
      asked = Array.from({ length: 7 }, async () => {
        const { status, body, headers } = await api.call('GET', `/api/v1${path}`);
        assert.deepEqual(problemsOf('GET', path, status, body), []);
        if (status === 429) assert.equal(headers.get('retry-after'), '30');
        return status;
      });
      assert.equal(await Promise.race(asked), 429);
    });
    await call('GET', path, 200, undefined, viewer);
    assert.deepEqual((await Promise.all(asked)).toSorted(), [200, 200, 200, 200, 200, 200, 429]);
  });
});
