// Files behind a URL: a server of the test, on loopback.
import assert from 'node:assert/strict';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Checkpoint, Page } from '#core/pages.ts';
import { systemClock } from '#platform/clock.ts';
import { csv } from '#providers/csv/index.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { NO_UPLOADS } from './support.ts';

const CONTENT = 'id,userName\nu1,kim\n';

describe('a file behind a URL', () => {
  let server: Server;
  let url: string;
  let answer: RequestListener;
  before(async () => {
    server = createServer((request, response) => answer(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hr/users.csv?key=secret`;
  });
  after(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  beforeEach(() => {
    answer = (_request, response) => response.end(CONTENT);
  });

  const open = (source: object = {}, allowLoopback = true) => {
    const parts = { clock: systemClock, schemas: RESOURCE_SCHEMAS, uploads: NO_UPLOADS, inboundDir: '/nowhere' };
    const kind = csv({ ...parts, outgoing: { allowLoopback } });
    return kind.open(kind.parseSettings({ source: { kind: 'url', users: url, ...source } }));
  };
  const read = async (provider = open()): Promise<Page[]> => {
    const pages: Page[] = [];
    for await (const page of provider.pages(new AbortController().signal)) pages.push(page);
    return pages;
  };
  const endOf = (pages: readonly Page[]): Checkpoint => {
    const end = pages.at(-1);
    assert.ok(end?.type === 'end' && end.checkpoint !== undefined);
    return end.checkpoint;
  };
  const changes = async (checkpoint: Checkpoint) => {
    const types: string[] = [];
    for await (const page of open().changes?.pages(checkpoint, new AbortController().signal) ?? [])
      types.push(page.type);
    return types;
  };

  it('is read, with the credential of the settings', async () => {
    let authorization: string | undefined;
    answer = (request, response) => {
      authorization = request.headers.authorization;
      response.end(CONTENT);
    };
    // As a terminal copies it.
    const [users] = await read(open({ authorization: 'Bearer secret\n' }));
    assert.equal(users?.type === 'records' && users.records.length, 1);
    assert.equal(authorization, 'Bearer secret');
    for (const value of ['', 'Bearer one\ntwo', 'Bearer 비밀'])
      assert.throws(
        () => open({ authorization: value }),
        /source.authorization: expected the value of an Authorization/,
      );
  });

  it('ends a read at once while the server says that it is the same', async () => {
    for (const [header, value, condition] of [
      ['etag', '"1"', 'if-none-match'],
      ['last-modified', 'Thu, 26 Nov 2026 00:00:00 GMT', 'if-modified-since'],
    ] as const) {
      let current: string = value;
      answer = (request, response) => {
        if (request.headers[condition] === current) return void response.writeHead(304).end();
        response.writeHead(200, { [header]: current }).end(CONTENT);
      };
      const checkpoint = endOf(await read());
      assert.deepEqual(await changes(checkpoint), ['end']);
      current = header === 'etag' ? '"2"' : 'Thu, 26 Nov 2026 01:00:00 GMT';
      await assert.rejects(changes(checkpoint), { code: 'ERR_CHECKPOINT_EXPIRED' });
    }
    answer = (_request, response) => response.end(CONTENT);
    await assert.rejects(changes(endOf(await read())), { code: 'ERR_CHECKPOINT_EXPIRED' });
  });

  it('is an incomplete read when it breaks off, or when nobody can tell', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': CONTENT.length + 10 });
      response.write(CONTENT, () => response.destroy());
    };
    await assert.rejects(read(), { reason: 'download-cut-off', failure: 'source-incomplete' });
    answer = (_request, response) => {
      response.write(CONTENT, () => response.destroy());
    };
    await assert.rejects(read(), { reason: 'download-cut-off' });
    answer = (request) => {
      // As servers of the first days: neither a length nor pieces, and the end of the connection is the end.
      request.socket.end(`HTTP/1.0 200 OK\r\n\r\n${CONTENT}`);
    };
    await assert.rejects(read(), { reason: 'download-cut-off' });
  });

  it('says what the server answers, and never its whole URL', async () => {
    for (const [status, reason] of [
      [401, 'credentials-refused'],
      [404, 'file-missing'],
      [302, 'redirect-refused'],
      [500, 'server'],
    ] as const) {
      answer = (_request, response) => void response.writeHead(status, { location: 'http://127.0.0.1/' }).end();
      await assert.rejects(read(), (error: Error & { reason: string }) => {
        assert.equal(error.reason, reason);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
    }
  });

  it('must be https and public', async () => {
    await assert.rejects(read(open({}, false)), { reason: 'url-refused' });
    for (const users of ['https://10.0.0.1/users.csv', 'https://[::1]/users.csv', 'https://169.254.169.254/latest'])
      await assert.rejects(read(open({ users }, false)), { reason: 'url-refused' });
    await assert.rejects(read(open({ users: 'https://localhost/users.csv' }, false)), { reason: 'url-refused' });
  });
});
