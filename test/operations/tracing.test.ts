import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { makeLog } from '#platform/log.ts';
import { startTracing } from '#platform/tracing.ts';
import { ended, startFile } from '../support/child.ts';
import { makeFolder } from '../support/database.ts';
import { connect, freshStorage, settingsFor, startGateway, startTenant, type TestGateway } from '../support/gateway.ts';
import { startReceiver } from '../support/receiver.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const TRACEPARENT = `00-${TRACE}-b7ad6b7169203331-01`;
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

/** Takes OTLP over HTTP and keeps what came as bytes: strings stand in protobuf as they are. */
async function startCollector() {
  const bodies: Buffer[] = [];
  const types = new Set<string>();
  const server = createServer(async (request, response) => {
    types.add(`${request.url} ${request.headers['content-type']}`);
    bodies.push(Buffer.concat(await Array.fromAsync(request)));
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    types,
    has: (what: string | Buffer) => Buffer.concat(bodies).includes(what),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

describe('traces', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let gateway: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 10, groups: 1, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    gateway = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
  });
  after(async () => {
    await gateway?.close();
    await graph?.close();
  });

  /** A webhook that is sent while the request is answered, and the headers that it came with. */
  async function testWebhook(): Promise<Readonly<Record<string, unknown>>> {
    const receiver = await startReceiver();
    const webhook = { on: 'always', url: receiver.url, secret: SECRET };
    const response = await fetch(`${gateway.base}/api/v1/notifications/test`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer test-admin-token-0123456789',
        'content-type': 'application/json',
        traceparent: TRACEPARENT,
      },
      body: JSON.stringify({ email: null, webhook }),
    });
    assert.equal(response.status, 200, await response.text());
    await receiver.close();
    return receiver.received[0]?.headers ?? {};
  }

  it('that a caller began are passed on, without an exporter and without a span of ours', async () => {
    assert.equal((await testWebhook())['traceparent'], TRACEPARENT);
  });

  it('tell of runs, their phases, Graph, requests and webhooks, in the trace of the caller, and of nobody by name', async () => {
    const collector = await startCollector();
    process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = collector.url;
    process.env['OTEL_RESOURCE_ATTRIBUTES'] = 'deployment.environment.name=proving-ground';
    const tracing = await startTracing(process.env, { version: '9.9.9', log: makeLog('silent') });
    await connect(gateway, settingsFor(tenant, graph));
    const sent = String((await testWebhook())['traceparent']);
    await gateway.call('GET', '/scim/v2/Users?filter=userName%20eq%20%22canary-of-a-query%22');
    await tracing?.close();
    delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
    delete process.env['OTEL_RESOURCE_ATTRIBUTES'];
    await collector.close();

    assert.deepEqual([...collector.types], ['/v1/traces application/x-protobuf']);
    const spans = ['run', 'run read', 'run plan', 'run apply', 'graph GET', 'webhook POST', 'GET /scim/v2/Users'];
    for (const name of [...spans, 'PUT /api/v1/providers/:kind', 'sluice', '9.9.9', 'proving-ground'])
      assert.ok(collector.has(name), name);
    // The webhook's own span is part of the caller's trace, and is what the receiver is told.
    assert.match(sent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`));
    assert.notEqual(sent, TRACEPARENT);
    assert.ok(collector.has(Buffer.from(sent.slice(36, 52), 'hex')));
    const someone = tenant.users.values().next().value;
    for (const secret of ['canary-of-a-query', graph.application.secret, SECRET, String(someone?.['displayName'])])
      assert.ok(!collector.has(String(secret)), String(secret));
  });

  it('are not made, and their library is not loaded, unless an exporter is named', async () => {
    assert.equal(await startTracing({}, { version: '1', log: makeLog('silent') }), undefined);
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' };
    assert.equal(await startTracing(off, { version: '1', log: makeLog('silent') }), undefined);
    const none = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_TRACES_EXPORTER: 'none' };
    assert.equal(await startTracing(none, { version: '1', log: makeLog('silent') }), undefined);
  });

  it('that cannot be sent as asked stop the start with a sentence', async () => {
    const environment = {
      DATABASE_URL: '',
      DATA_DIR: makeFolder(),
      PORT: '0',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    };
    const { code, err } = await ended(
      startFile('src/main.ts', { ...environment, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }),
    );
    assert.equal(code, 1);
    assert.match(err, /OTEL_EXPORTER_OTLP_PROTOCOL is "grpc".*tracing-invalid.*http\/protobuf/);
  });
});

it('a line that belongs to a request names it, and the trace of whoever called', async () => {
  const gateway = await spawnLogging();
  const headers = { 'x-request-id': 'request-7', traceparent: TRACEPARENT };
  await fetch(`${gateway.base}/api/v1/providers`, { headers: { ...headers, authorization: 'Bearer wrong' } });
  await gateway.stop();
  const lines = gateway.lines().filter(({ request }) => request === 'request-7');
  assert.deepEqual(
    lines.map(({ msg, trace }) => [msg, trace]),
    [
      ['request refused', TRACE],
      ['request answered', TRACE],
    ],
  );
});

async function spawnLogging() {
  const storage = await freshStorage('embedded');
  const child = startFile('src/main.ts', {
    DATABASE_URL: '',
    ...storage,
    PORT: '0',
    ADMIN_TOKEN: '',
    LOG_LEVEL: 'debug',
  });
  let out = '';
  const port = await new Promise<string>((resolve) => {
    child.stdout?.on('data', (chunk) => {
      out += chunk;
      const found = /"port":(\d+)\D/.exec(out)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return {
    base: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill('SIGTERM');
      await ended(child);
    },
    lines: (): Record<string, unknown>[] =>
      out
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
  };
}
