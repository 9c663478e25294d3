import assert from 'node:assert/strict';
import type { lookup } from 'node:dns';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isLoopbackAddress, isNowhereAddress, isPublicAddress } from '#platform/addresses.ts';
import { checkOutgoingUrl, postOutgoing } from '#platform/fetch.ts';
import { insideLookup } from '#platform/inside.ts';
import { sendMail } from '#platform/mail.ts';
import { connect } from '#providers/ldap/connection.ts';
import { parseSettings as parseLdap } from '#providers/ldap/settings.ts';
import { parseSettings as parseMicrosoft365 } from '#providers/microsoft365/settings.ts';
import { writeCertificate } from '../support/certificate.ts';
import { ended, startScript } from '../support/child.ts';

const STRICT = { allowLoopback: false };
const LOOSE = { allowLoopback: true };

describe('addresses', () => {
  it('are public only when the internet at large means something by them', () => {
    for (const address of [
      '8.8.8.8',
      '1.1.1.1',
      '172.15.255.255',
      '172.32.0.1',
      '2606:4700:4700::1111',
      '2a00:1450::1',
    ])
      assert.ok(isPublicAddress(address), address);
    for (const address of [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.169.254', '172.16.0.1', '172.31.255.255'],
      ...['192.168.1.1', '198.18.0.1', '203.0.113.9', '224.0.0.1', '255.255.255.255', '240.0.0.1'],
      ...[
        '::',
        '::1',
        'fe80::1',
        'fc00::1',
        'fd12::1',
        'ff02::1',
        '::ffff:10.0.0.1',
        '::ffff:8.8.8.8',
        '64:ff9b::a00:1',
      ],
      ...['2002:a00:1::', '2001:db8::1', '2001::1', 'not an address', ''],
    ])
      assert.ok(!isPublicAddress(address), address);
    assert.ok(isLoopbackAddress('127.8.8.8') && isLoopbackAddress('::1') && !isLoopbackAddress('10.0.0.1'));
  });
});

describe('what lives in a private network', () => {
  it('may have any address but those where credentials of the machine are, or nobody is', () => {
    for (const address of [
      '10.1.2.3',
      '192.168.0.1',
      '127.0.0.1',
      '::1',
      'fd12::1',
      '::ffff:10.0.0.1',
      '8.8.8.8',
      '64:ff9b::10.0.0.1',
    ])
      assert.ok(!isNowhereAddress(address), address);
    for (const address of [
      ...['169.254.169.254', '0.0.0.0', '168.63.129.16', '100.100.100.200', '224.0.0.1', '255.255.255.255'],
      ...['::', 'fe80::1', 'ff02::1', 'fd00:ec2::254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe'],
      ...['64:ff9b::a9fe:a9fe', '2002:a9fe:a9fe::1', '::169.254.169.254', '64:ff9b::168.63.129.16', '2002:e000:1::'],
    ])
      assert.ok(isNowhereAddress(address), address);
  });

  it('is not connected to at such an address, by mail, LDAP or Graph', async () => {
    const mail = {
      from: 'a@b.example',
      to: ['c@d.example'],
      subject: '',
      text: '',
      html: '',
      messageId: 'x',
      attachments: [],
    };
    for (const host of ['169.254.169.254', 'fe80::1'])
      await assert.rejects(sendMail({ host, port: 25, security: 'none' }, mail), { reason: 'address-refused' });
    const ldap = parseLdap({
      ...{ preset: 'openldap', url: 'ldaps://169.254.169.254', users: { base: 'dc=example' } },
    });
    await assert.rejects(connect(ldap, AbortSignal.timeout(120_000)), { reason: 'address-refused' });
    for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]'])
      assert.throws(
        () => parseMicrosoft365({ endpoints: { graph: `https://${host}`, login: 'https://login.example.com' } }),
        /endpoints\.graph: leads to an address/,
      );
  });

  it('is not connected to when its name leads there', async () => {
    const found = await new Promise<unknown>((resolve) => {
      insideLookup('169.254.169.254', {}, (error, address) => resolve(error ?? address));
    });
    assert.equal((found as { reason?: string }).reason, 'address-refused');
  });
});

describe('what goes by the proxy that Node was told of', () => {
  it('is looked up there, and neither an address that no server has nor what the machine provides goes by it', async () => {
    const tunnels: string[] = [];
    const direct: string[] = [];
    const folder = mkdtempSync(join(tmpdir(), 'sluice-proxy-'));
    const cert = await writeCertificate(folder);
    const key = readFileSync(join(folder, 'key.pem'));
    const graph = createHttpsServer({ cert, key }, (_request, response) => void response.end('theirs'));
    await new Promise<void>((resolve) => graph.listen(0, '127.0.0.1', resolve));
    const server = createServer((request, response) => {
      direct.push(request.url ?? '');
      response.end('ours');
    });
    server.on('connect', ({ url }, socket) => {
      tunnels.push(url ?? '');
      const there = createConnection((graph.address() as AddressInfo).port, '127.0.0.1');
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(there).pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const script = `
      import dns from 'node:dns';
      import { syncBuiltinESMExports } from 'node:module';
      const looked: string[] = [];
      dns.lookup = ((name, _options, done) => {
        looked.push(name);
        done(null, [{ address: '169.254.169.254', family: 4 }]);
      }) as typeof dns.lookup;
      syncBuiltinESMExports();
      const { insideFetch, machineFetch, refusalIn } = await import('#platform/inside-fetch.ts');
      const answers: string[] = [];
      for (const url of ['https://localhost/', 'https://169.254.169.254/', 'https://[fe80::1]/', 'https://direct.example/'])
        answers.push(await insideFetch(url).then((answer) => answer.text(), (error) => refusalIn(error)?.reason ?? 'not reached'));
      answers.push(await machineFetch('http://0.0.0.0:${port}/identity').then((answer) => answer.text()));
      console.log(JSON.stringify({ answers, looked }));`;
    const proxy = `http://127.0.0.1:${port}`;
    const environment = {
      ...{ NODE_USE_ENV_PROXY: '1', HTTPS_PROXY: proxy, HTTP_PROXY: proxy, NO_PROXY: 'direct.example' },
      NODE_EXTRA_CA_CERTS: join(folder, 'cert.pem'),
    };
    const { out, err } = await ended(startScript(script, environment));
    server.close();
    graph.close();
    rmSync(folder, { recursive: true });
    assert.notEqual(out, '', err);
    assert.deepEqual(JSON.parse(out), {
      answers: ['theirs', 'address-refused', 'address-refused', 'address-refused', 'ours'],
      looked: ['direct.example'],
    });
    assert.deepEqual([tunnels, direct], [['localhost:443'], ['/identity']]);
  });
});

describe('an outgoing URL', () => {
  it('is https to a public host, however the address is written', () => {
    assert.equal(checkOutgoingUrl('https://hooks.example.com:8443/x?y', STRICT).port, '8443');
    for (const url of [
      ...[
        'http://example.com',
        'ftp://example.com',
        'example.com',
        'https://user:pass@example.com',
        'https://localhost/',
      ],
      ...['https://127.0.0.1/', 'https://0x7f.1/', 'https://2130706433/', 'https://10.0.0.1/', 'https://[::1]/'],
      ...['https://[::ffff:10.0.0.1]/', 'https://169.254.169.254/latest/meta-data', 'https://x.localhost/'],
    ])
      assert.throws(() => checkOutgoingUrl(url, STRICT), { reason: 'url-refused' }, url);
  });

  it('may lead to this machine when the operator says so, and still nowhere private', () => {
    for (const url of ['http://127.0.0.1:1/', 'http://localhost/', 'https://[::1]/']) checkOutgoingUrl(url, LOOSE);
    for (const url of ['http://10.0.0.1/', 'https://192.168.0.1/', 'http://example.com/'])
      assert.throws(() => checkOutgoingUrl(url, LOOSE), { reason: 'url-refused' }, url);
  });
});

describe('an outgoing POST', () => {
  let server: Server;
  let base: string;
  let posts = 0;

  before(async () => {
    server = createServer((request, response) => {
      posts += 1;
      request.resume();
      if (request.url === '/silent') return;
      if (request.url === '/redirect') response.writeHead(302, { location: `${base}/elsewhere` }).end();
      else if (request.url === '/undated') {
        response.sendDate = false;
        response.writeHead(503, { 'retry-after': new Date(Date.now() + 3_600_000).toUTCString() }).end();
      } else if (request.url === '/endless') {
        const more = (): void => void response.write('x'.repeat(65_536), () => !response.destroyed && more());
        more();
      } else response.writeHead(429, { 'retry-after': '12' }).end('slow down');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const post = (path: string, timeoutMs = 5_000) =>
    postOutgoing({ url: `${base}${path}`, headers: {}, body: 'ä', timeoutMs }, LOOSE);

  it('answers whatever status came, follows nothing, and reads no more than it needs', async () => {
    assert.deepEqual(await post('/'), { status: 429, retryAfterMs: 12_000, text: 'slow down' });
    const { retryAfterMs = 0 } = await post('/undated');
    assert.ok(retryAfterMs > 3_000_000 && retryAfterMs <= 3_600_000, 'by our clock where theirs is not told');
    const before = posts;
    assert.equal((await post('/redirect')).status, 302);
    assert.equal(posts, before + 1);
    assert.ok((await post('/endless')).text.length <= 16 * 1024);
  });

  it('gives up in time, and says what is wrong with the other side', async () => {
    await assert.rejects(post('/silent', 50), { reason: 'timeout' });
    await assert.rejects(postOutgoing({ url: 'http://127.0.0.1:1/', headers: {}, body: '', timeoutMs: 5_000 }, LOOSE), {
      reason: 'unreachable',
    });
  });

  it('does not connect to a name that leads to a private address', async () => {
    const before = posts;
    const url = `https://hooks.example.com:${(server.address() as AddressInfo).port}/`;
    for (const addresses of [['127.0.0.1'], ['10.0.0.1', '::1']]) {
      const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      const resolve = ((_name: string, _options: object, done: (error: null, all: object[]) => void) =>
        done(null, found)) as unknown as typeof lookup;
      await assert.rejects(
        postOutgoing({ url, headers: {}, body: '', timeoutMs: 5_000 }, { allowLoopback: false, lookup: resolve }),
        { reason: 'address-refused' },
      );
    }
    assert.equal(posts, before);
  });
});
