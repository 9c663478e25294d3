// What every answer carries, and what becomes of requests that are none.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { SECURITY_HEADERS } from '#http/security-headers.ts';
import { makeServer } from '#http/server.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

describe('every answer', () => {
  let api: TestGateway;
  before(async () => {
    api = await startGateway(await freshStorage('embedded'), 'https://sluice.example.com');
  });
  after(() => api?.close());

  const ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}` };

  it('has the security headers, whoever answers', async () => {
    const requests: [string, RequestInit][] = [
      ...[
        '/',
        '/healthz',
        '/readyz',
        '/metrics',
        '/nothing',
        '/api/docs',
        '/api/v1/apps',
        '/api/v1/nothing',
        '/%zz',
      ].map((path): [string, RequestInit] => [path, {}]),
      ...['/scim/v2/Users', '/scim/v2/Users/nobody', '/scim/v2/nothing', '/.well-known/jwks.json'].map(
        (path): [string, RequestInit] => [path, { headers: ADMIN }],
      ),
      ['/api/v1/apps', { headers: ADMIN }],
      ['/api/v1/apps', { method: 'POST', headers: { ...ADMIN, 'content-type': 'application/json' }, body: '{' }],
      ['/hooks/microsoft365', { method: 'POST', body: '{' }],
      ['/scim/v2/Users', { method: 'OPTIONS' }],
      ['/users/anything', { headers: { accept: 'text/html' } }],
    ];
    for (const [path, init] of requests) {
      const { headers, status } = await fetch(`${api.base}${path}`, { redirect: 'manual', ...init });
      const what = `${init.method ?? 'GET'} ${path} (${status})`;
      for (const [name, value] of SECURITY_HEADERS)
        if (name === 'content-security-policy') assert.match(headers.get(name) ?? '', /^default-src 'none'/, what);
        else if (name === 'cache-control')
          assert.match(headers.get(name) ?? '', /^(no-store|no-cache|public, max-age=300)$/, what);
        else assert.equal(headers.get(name), value, `${what}: ${name}`);
      assert.match(headers.get('strict-transport-security') ?? '', /^max-age=63072000/, what);
      assert.equal(headers.get('x-powered-by'), null, what);
      assert.equal(headers.get('access-control-allow-origin'), null, what);
    }
  });

  it('has the figures for Prometheus, which a proxy keeps inside, under one spelling of the path alone', async () => {
    const statuses = new Map<string, number>();
    for (const path of ['/metrics', '/metrics?x=1', '/metrics/', '/Metrics', '/METRICS'])
      statuses.set(path, (await fetch(`${api.base}${path}`)).status);
    assert.deepEqual([...statuses.values()], [200, 200, 404, 404, 404]);
  });

  it('to bytes that are no request is short, and has them too', async () => {
    const host = 'Host: x\r\n';
    for (const [bytes, status] of [
      ['nonsense\r\n\r\n', 400],
      ['GET /healthz HTTP/1.1\r\n\r\n', 400],
      [`GET /healthz HTTP/1.1\r\n${host}hOST: y\r\n\r\n`, 400],
      [`GET /healthz HTTP/1.1\r\n${host}Expect: magic\r\nHost: y\r\n\r\n`, 400],
      [`GET /healthz HTTP/1.1\r\n${host}Expect: magic\r\n${'X: x\r\n'.repeat(300)}\r\n`, 431],
      [`GET /healthz HTTP/1.1\r\n${host}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
      [`GET /healthz HTTP/1.1\r\n${host}Bad Header: x\r\n\r\n`, 400],
      [`GET /healthz HTTP/1.1\r\n${host}X: ${'x'.repeat(300 * 1024)}\r\n\r\n`, 431],
      [`GET /healthz HTTP/1.1\r\n${host}${'X: x\r\n'.repeat(300)}\r\n`, 431],
      ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ] as const) {
      const answer = await raw(api.base, bytes);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 60));
      assert.match(answer, /x-content-type-options: nosniff/);
      assert.match(answer, /content-security-policy: default-src 'none'/);
      assert.match(answer, /strict-transport-security: max-age=63072000/);
    }
    assert.match(
      await raw(api.base, `GET /healthz HTTP/1.1\r\n${host}Expect: magic\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1.1 200 /,
    );
  });

  it('to a body that is nested too deep is a refusal in words', async () => {
    const deep = '['.repeat(100_000) + ']'.repeat(100_000);
    for (const [method, path, body] of [
      ['PUT', '/api/v1/providers/ldap/draft', `{"step":"x","settings":{"a":${deep}}}`],
      ['POST', '/hooks/microsoft365', `{"value":${deep}}`],
      ['POST', '/scim/v2/Users', `{"schemas":${deep}}`],
    ] as const) {
      const headers = { ...ADMIN, 'content-type': 'application/json' };
      const answer = await fetch(`${api.base}${path}`, { method, headers, body });
      assert.equal(answer.status, 400, path);
      assert.match(await answer.text(), /nested deeper/);
    }
  });

  it('to a body with half of a character, which no text can hold, is a refusal in words', async () => {
    for (const [path, body] of [
      ['/api/v1/apps', '{"name":"a\\uD800"}'],
      ['/api/v1/apps', '{"name":"\\\\\\udc00b"}'],
      ['/scim/v2/Users', '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"\\ud800"}'],
    ] as const) {
      const headers = { ...ADMIN, 'content-type': 'application/json' };
      const answer = await fetch(`${api.base}${path}`, { method: 'POST', headers, body });
      assert.equal(answer.status, 400, body);
    }
    for (const name of ['\\ud800', '\u{1f600}']) {
      const headers = { ...ADMIN, 'content-type': 'application/json' };
      const body = JSON.stringify({ name });
      assert.equal((await fetch(`${api.base}/api/v1/apps`, { method: 'POST', headers, body })).status, 201, body);
    }
  });

  it('leaves the way back from a source to its route, also for a browser', async () => {
    const answer = await fetch(`${api.base}/connect/microsoft365?error=access_denied&state=x`, {
      headers: { accept: 'text/html' },
      redirect: 'manual',
    });
    assert.equal(answer.status, 303);
    assert.match(
      answer.headers.get('location') ?? '',
      /^https:\/\/sluice\.example\.com\/\?connect-failed=microsoft365/,
    );
  });
});

/** Everything that is answered to these bytes. */
function raw(base: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe('a server that is closed', () => {
  it('answers what is under way and what comes on that connection after, says that it was the last, and is done', async () => {
    const waiting: ServerResponse[] = [];
    const server = makeServer((_request, response) => void waiting.push(response));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').setEncoding('utf8');
    let text = '';
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    const ask = async (): Promise<ServerResponse> => {
      const come = once(server, 'request');
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await come;
      return waiting.at(-1) as ServerResponse;
    };
    const first = await ask();
    const closed = once(server, 'close');
    server.close();
    first.end('first');
    await once(socket, 'data');
    (await ask()).end('second');
    await closed;
    await once(socket.resume(), 'close');
    const [, before = '', after = ''] = text.split('HTTP/1.1 200 OK');
    assert.match(before, /keep-alive.*first/s);
    assert.match(after, /connection: close.*second/is);
  });
});
