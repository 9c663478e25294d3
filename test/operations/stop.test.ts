import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { openDatabase, sql } from '#store/database.ts';
import { makeFolder, postgresMissing } from '../support/database.ts';
import {
  ADMIN_TOKEN,
  connect,
  expectStatus,
  freshStorage,
  type GatewayProcess,
  settingsFor,
  spawnGateway,
  startTenant,
  untilOver,
} from '../support/gateway.ts';

describe('a gateway that is asked to stop', { skip: postgresMissing }, () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let ca: string;
  let storage: Record<string, string>;
  let gateway: GatewayProcess;

  before(async () => {
    tenant = makeTenant({ users: 40, groups: 2, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    ca = join(makeFolder(), 'ca.pem');
    writeFileSync(ca, graph.ca);
    storage = await freshStorage('postgres');
    gateway = await spawnGateway(storage, ca);
    await connect(gateway, settingsFor(tenant, graph));
  });
  after(async () => {
    await gateway?.kill();
    await graph?.close();
  });

  it('ends streams, answers what is under way, gives leases back and goes, in the middle of a run', async () => {
    graph.setFaults({
      script: [{ path: '/users', fault: { kind: 'status', status: 503, retryAfter: '600' }, times: 50 }],
    });
    const { body: run } = await expectStatus(gateway.call<{ id: string }>('POST', '/api/v1/sync-runs', {}), 202);
    await untilRunning(gateway, run.id);
    const streams = await Promise.all([
      openStream(gateway, '/api/v1/events'),
      openStream(gateway, `/api/v1/sync-runs/${run.id}/events`),
    ]);
    const slow = beginPut(
      gateway,
      '/api/v1/guard',
      JSON.stringify({ enabled: true, percent: 20, minObjects: 10, maxDeletes: 500 }),
    );
    // The gateway has the head of the request, and says that it wants the rest.
    await once(slow.request, 'continue');
    const gone = once(gateway.child, 'close');
    let log = '';
    gateway.child.stdout?.on('data', (chunk) => {
      log += chunk;
      // Only now does the rest of the body come.
      if (log.includes('"stopping"') && !slow.request.writableEnded) slow.finish();
    });
    gateway.child.kill('SIGTERM');
    for (const stream of streams) for await (const _chunk of stream);
    assert.equal(await slow.status, 200);
    assert.deepEqual(await gone, [0, null], log);
    assert.match(log, /"stopped"/);
    const interrupted = log.split('\n').find((line) => line.includes('"run interrupted"'));
    assert.equal(JSON.parse(interrupted ?? '{}').run, run.id);
    const database = await openDatabase({ databaseUrl: storage['DATABASE_URL'] });
    const { rows } = await sql(database.knex, 'select name from leases where expires_at > now()');
    await database.close();
    assert.deepEqual(rows, []);

    graph.setFaults({});
    gateway = await spawnGateway(storage, ca);
    // The next process takes it up at once, since nobody holds the lease.
    assert.match((await untilOver(gateway, run.id)).status, /abandoned|succeeded/);
  });
});

async function untilRunning(gateway: GatewayProcess, runId: string): Promise<void> {
  for (;;) {
    const { body } = await gateway.call<{ status: string }>('GET', `/api/v1/sync-runs/${runId}`);
    if (body.status === 'running') return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function openStream(gateway: GatewayProcess, path: string): Promise<Readable> {
  const response = await fetch(gateway.base + path, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  assert.equal(response.status, 200);
  return Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
}

/** A request of which the last half is sent later. */
function beginPut(gateway: GatewayProcess, path: string, body: string) {
  const request = httpRequest(gateway.base + path, {
    method: 'PUT',
    headers: {
      authorization: `Bearer ${ADMIN_TOKEN}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      expect: '100-continue',
    },
  });
  const half = Math.floor(body.length / 2);
  request.once('continue', () => request.write(body.slice(0, half)));
  request.flushHeaders();
  const status = new Promise<number | undefined>((resolve, reject) => {
    request.once('response', (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.once('error', reject);
  });
  return { request, status, finish: () => request.end(body.slice(half)) };
}
