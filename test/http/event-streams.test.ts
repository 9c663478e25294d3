import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import express, { type Request, type Response } from 'express';
import { givePrincipal } from '#http/auth.ts';
import { makeEventStreams } from '#http/event-streams.ts';
import { checkedCall } from '../support/checked.ts';
import { makeClock } from '../support/clock.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

class Reader extends EventEmitter {
  readonly lines: string[] = [];
  readonly destroyed = false;
  takes = true;
  status(): this {
    return this;
  }
  set(): this {
    return this;
  }
  write(text: string): boolean {
    this.lines.push(text);
    return this.takes;
  }
  destroy(): void {
    this.emit('close');
  }
}

describe('event streams', () => {
  const clock = makeClock('2026-11-26T12:00:00Z');

  function signIn(request: Request, tokenId: string, actor?: string): void {
    const named = actor === undefined ? {} : { actor };
    givePrincipal(request, { tokenId, appId: null, name: '', scopes: [], scope: null, subject: null, ...named });
  }

  function opener(limits = {}) {
    const streams = makeEventStreams(clock, limits);
    return (tokenId: string, actor?: string) => {
      const request = {} as Request;
      signIn(request, tokenId, actor);
      const reader = new Reader();
      return { reader, stream: streams.open(request, reader as unknown as Response) };
    };
  }

  it('are so many of one token, and of everybody, and one that ends makes room', () => {
    const open = opener({ ofOne: 2, ofAll: 3 });
    const first = open('a');
    open('session of a', 'token:a');
    assert.throws(() => open('a'), { reason: 'too-many-streams', retryAfterMs: 30_000 });
    open('b');
    assert.throws(() => open('c'), { reason: 'too-many-streams' });
    first.reader.emit('close');
    assert.equal(first.stream.gone.aborted, true);
    open('c');
    assert.throws(() => open('b'), { reason: 'too-many-streams' });
  });

  it('take no place for a reader who left while it was looked up who asks', async (context) => {
    const streams = makeEventStreams(clock, { ofOne: 1 });
    const ended = new EventEmitter();
    const app = express().get('/:how', async (request, response) => {
      if (request.params['how'] === 'gone') {
        ended.emit('asked');
        await once(response, 'close');
      }
      signIn(request, 'a');
      const stream = streams.open(request, response);
      await stream.send('one\n\n');
      ended.emit('sent', stream.gone.aborted);
    });
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => {
      server.closeAllConnections();
      server.close();
    });
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    for (let count = 0; count < 3; count += 1) {
      const asked = once(ended, 'asked');
      const sent = once(ended, 'sent');
      const leaving = ask(`${base}/gone`, { agent: false }).on('error', () => undefined);
      leaving.end();
      await asked;
      leaving.destroy();
      assert.deepEqual(await sent, [true]);
    }
    const stays = await fetch(`${base}/stays`);
    assert.equal(stays.status, 200);
    await stays.body?.cancel();
  });

  it('let a reader go who takes nothing, and wait for one who is slow', async () => {
    const open = opener();
    const { reader, stream } = open('a');
    await stream.send('one');
    reader.takes = false;
    await stream.send('two');
    assert.equal(stream.gone.aborted, true);
    const slow = open('a');
    slow.reader.takes = false;
    const { sleep } = clock;
    clock.sleep = () => new Promise(() => setImmediate(() => slow.reader.emit('drain')));
    await slow.stream.send('one');
    clock.sleep = sleep;
    assert.equal(slow.stream.gone.aborted, false);
  });

  it('say that they are still there by a clock that nobody sets', async () => {
    const { reader, stream } = opener()('a');
    let elapsed = clock.elapsed();
    clock.elapsed = () => elapsed;
    await stream.beat();
    assert.equal(reader.lines.length, 1);
    clock.set('2026-11-26T08:00:00Z');
    elapsed += 15_001;
    await stream.beat();
    await stream.beat();
    assert.deepEqual(reader.lines.slice(1), [': still here\n\n']);
    assert.equal(stream.age(), 15_001);
  });
});

describe('a viewer who opens streams without end', () => {
  let api: TestGateway;
  const call = checkedCall(() => api);
  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
  });
  after(() => api?.close());

  it('is answered at once where only the head is asked for', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const options = { method: 'HEAD', headers, signal: AbortSignal.timeout(5_000) };
    const answer = await fetch(`${api.base}/api/v1/events`, options);
    assert.deepEqual([answer.status, answer.headers.get('content-type')], [200, 'text/event-stream; charset=utf-8']);
  });

  it('is told that there are too many, and keeps nobody else from theirs', async () => {
    const viewer = { name: 'wallboard', scopes: ['viewer'] };
    const { token } = await call<{ token: string }>('POST', '/tokens', 201, viewer);
    const other = await call<{ token: string }>('POST', '/tokens', 201, viewer);
    const close = new AbortController();
    const open = (as: string) =>
      fetch(`${api.base}/api/v1/events`, { headers: { authorization: `Bearer ${as}` }, signal: close.signal });
    for (let count = 0; count < 100; count += 1) assert.equal((await open(token)).status, 200);
    const refused = await open(token);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '30']);
    assert.equal(((await refused.json()) as { code: string }).code, 'too-many-streams');
    await call('GET', '/apps', 200, undefined, token);
    assert.equal((await open(other.token)).status, 200);
    close.abort();
  });
});
