// What a target may answer, and what becomes of it: by a server that misbehaves on purpose.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type HttpClient, makeHttpClient } from '#platform/http-client.ts';

describe('a client that keeps its connections', () => {
  let server: Server;
  let client: HttpClient;
  let url = '';
  let asked = 0;
  let answer: (response: ServerResponse) => void = () => undefined;

  before(async () => {
    server = createServer((request, response) => {
      asked += 1;
      request.resume().on('end', () => answer(response));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    client = makeHttpClient({ allowLoopback: true }, { connections: 2, answerMs: 120_000 });
  });
  after(async () => {
    await client.close();
    server.closeAllConnections();
    server.close();
  });

  const signal = (): AbortSignal => AbortSignal.timeout(240_000);
  const get = (how: typeof answer, path = '/', stop = signal()) => {
    answer = how;
    return client.request({ method: 'GET', url: `${url}${path}`, headers: {} }, stop);
  };

  it('hands on status, headers and text, however the text is cut', async () => {
    const text = '\u{1F4A7} Grüße';
    const bytes = Buffer.from(`\uFEFF${text}`);
    const cut = await get((response) => {
      response.writeHead(299, { 'X-One': 'one', 'set-cookie': ['a=1', 'b=2'] });
      response.write(bytes.subarray(0, 5));
      setImmediate(() => response.end(bytes.subarray(5)));
    });
    assert.deepEqual([cut.status, cut.text], [299, text]);
    assert.deepEqual([cut.headers['x-one'], cut.headers['set-cookie']], ['one', 'a=1']);
    const empty = await get((response) => response.writeHead(204).end());
    assert.deepEqual([empty.status, empty.text], [204, '']);
    const early = await get((response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      response.end('late');
    });
    assert.deepEqual([early.status, early.text], [200, 'late']);
  });

  it('waits no longer for an answer that comes drop by drop', async (context) => {
    const { setTimeout } = globalThis;
    // The limit of the whole answer alone comes sooner than it should: those of its parts are met.
    const sooner = (run: () => void, ms: number) => setTimeout(run, ms === 125_000 ? 100 : ms);
    context.mock.method(globalThis, 'setTimeout', sooner as typeof setTimeout);
    let drips: NodeJS.Timeout | undefined;
    const dripping = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': '1000000' });
      drips = setInterval(() => response.write('x'), 20);
    };
    try {
      await assert.rejects(
        get(dripping),
        ({ reason, cause }: Error & { reason?: string; cause?: { code?: string } }) => {
          assert.deepEqual([reason, cause?.code], ['timeout', 'ERR_ANSWER_TIMEOUT']);
          return true;
        },
      );
    } finally {
      clearInterval(drips);
    }
  });

  it('sends nothing any more of what waited for a connection until it was over', async (context) => {
    const single = makeHttpClient({ allowLoopback: true }, { connections: 1, answerMs: 15_000 });
    context.after(() => single.close());
    const ask = () => single.request({ method: 'POST', url, headers: {}, body: '{}' }, signal());
    asked = 0;
    const held = Promise.withResolvers<ServerResponse>();
    answer = held.resolve;
    const first = ask();
    const response = await held.promise;
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const queued = assert.rejects(ask(), { reason: 'timeout' });
    context.mock.timers.tick(20_000);
    await queued;
    context.mock.timers.reset();
    answer = (later) => later.end();
    response.end();
    await first;
    await ask();
    assert.equal(asked, 2);
  });

  it('follows no redirect', async () => {
    asked = 0;
    const { status } = await get((response) => response.writeHead(302, { location: `${url}/elsewhere` }).end());
    assert.deepEqual([status, asked], [302, 1]);
  });

  it('says whether anything may have been done', async (context) => {
    await assert.rejects(
      get((response) => void response.socket?.destroy()),
      { reason: 'connection-lost' },
    );
    const half = (response: ServerResponse): void => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setImmediate(() => response.socket?.destroy());
    };
    await assert.rejects(get(half), { reason: 'connection-lost' });
    const hasty = makeHttpClient({ allowLoopback: true }, { connections: 1, answerMs: 300 });
    context.after(() => hasty.close());
    answer = () => undefined;
    await assert.rejects(hasty.request({ method: 'GET', url, headers: {} }, signal()), { reason: 'timeout' });
    const large = (response: ServerResponse): void => void response.end(Buffer.alloc(17 * 1024 * 1024, 32));
    await assert.rejects(get(large), { reason: 'answer-too-large' });
    const closed = client.request({ method: 'GET', url: 'http://127.0.0.1:1/', headers: {} }, signal());
    await assert.rejects(closed, { reason: 'unreachable' });
  });

  it('stops at once when it is told to, before and meanwhile, and goes on afterwards', async () => {
    asked = 0;
    const over = new AbortController();
    over.abort(new Error('over before'));
    await assert.rejects(
      get(() => undefined, '/', over.signal),
      /over before/,
    );
    assert.equal(asked, 0);
    const stop = new AbortController();
    const under = get(() => stop.abort(new Error('over')), '/', stop.signal);
    await assert.rejects(under, /over/);
    // More than there are connections: those who wait for one are let go as well.
    const all = new AbortController();
    const many = [1, 2, 3, 4].map(() =>
      get(() => asked >= 3 && all.abort(new Error('all over')), '/', all.signal).then(
        () => 'answered',
        (error: Error) => error.message,
      ),
    );
    assert.deepEqual(await Promise.all(many), Array(4).fill('all over'));
    assert.equal((await get((response) => response.end('well'))).text, 'well');
  });

  it('connects to no private address, by number or by name', async () => {
    const strict = makeHttpClient({ allowLoopback: false }, { connections: 1 });
    const ask = (host: string) => strict.request({ method: 'GET', url: `https://${host}/`, headers: {} }, signal());
    await assert.rejects(ask('10.0.0.1'), { reason: 'url-refused' });
    await strict.close();
    const lookup = ((_host: string, _options: object, callback: (error: null, found: object[]) => void) =>
      callback(null, [{ address: '10.0.0.1', family: 4 }])) as never;
    const named = makeHttpClient({ allowLoopback: false, lookup }, { connections: 1 });
    const told = named.request({ method: 'GET', url: 'https://app.example/', headers: {} }, signal());
    await assert.rejects(told, { reason: 'address-refused' });
    await named.close();
  });
});
