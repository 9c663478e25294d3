import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { postgresMissing } from '../support/database.ts';
import {
  connect,
  expectStatus,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { type Exposed, readMetrics } from '../support/metrics.ts';
import { startProxy } from '../support/postgres-proxy.ts';
import { startScimApp } from '../support/scim-app-server.ts';

/** The table of docs/metrics.md: name and type. */
function documented(): Map<string, string> {
  const text = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  return new Map([...text.matchAll(/^\| `([a-z_0-9]+)` +\| (\w+) /gm)].map(([, name = '', type = '']) => [name, type]));
}

describe('what Prometheus is told', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let gateway: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 30, groups: 3, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    gateway = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    await connect(gateway, settingsFor(tenant, graph));
  });
  after(async () => {
    await gateway?.close();
    await graph?.close();
  });

  it('is what docs/metrics.md lists, by name and type', async () => {
    const { types } = await readMetrics(gateway.base);
    const table = documented();
    const own = [...types].filter(([name]) => name.startsWith('sluice_')).sort();
    assert.deepEqual(own, [...table].filter(([name]) => name.startsWith('sluice_')).sort());
    for (const name of table.keys()) assert.ok(types.has(name), `${name} is documented and not there`);
  });

  it('tells how the directory, the runs and the source stand', async () => {
    const metrics = await readMetrics(gateway.base);
    assert.equal(metrics.value('sluice_resources', { type: 'User' }), 30);
    assert.equal(metrics.value('sluice_last_run', { status: 'succeeded' }), 1);
    assert.equal(metrics.value('sluice_last_run', { status: 'failed' }), 0);
    assert.ok((metrics.value('sluice_last_success_age_seconds') ?? -1) >= 0);
    assert.equal(metrics.value('sluice_plans_held'), 0);
    assert.ok((metrics.value('sluice_source_request_seconds_count', { outcome: 'ok' }) ?? 0) > 2);
    assert.ok((metrics.value('sluice_source_resource_units_total') ?? 0) > 0);
    assert.equal(metrics.value('sluice_database_up'), 1);
    assert.ok(metrics.types.has('nodejs_eventloop_lag_p99_seconds'));
  });

  it('counts the directory exactly, whatever was added since the last count', async () => {
    const user = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'by.hand@contoso.example' };
    await expectStatus(gateway.call('POST', '/scim/v2/Users', user), 201);
    assert.equal((await readMetrics(gateway.base)).value('sluice_resources', { type: 'User' }), 31);
  });

  it('counts throttling as it happens', async () => {
    graph.setFaults({ script: [{ path: '/users', fault: { kind: 'status', status: 429 }, times: 1 }] });
    await sync(gateway);
    graph.setFaults({});
    const metrics = await readMetrics(gateway.base);
    assert.equal(metrics.value('sluice_source_request_seconds_count', { outcome: 'throttled' }), 1);
  });

  it('names routes and never paths, so that labels stay few', async () => {
    const { body } = await gateway.call<{ Resources: { id: string }[] }>('GET', '/scim/v2/Users?count=5');
    for (const { id } of body.Resources) {
      await gateway.call('GET', `/scim/v2/Users/${id}`);
      await gateway.call('GET', `/scim/v2/Users/${id}?attributes=userName`);
    }
    await gateway.call('GET', '/api/v1/sync-runs/nonsense');
    for (const path of ['/a', '/b', '/c/d']) await fetch(gateway.base + path);
    const metrics = await readMetrics(gateway.base);
    const count = (route: string, status: string): number | undefined =>
      metrics.value('sluice_http_request_seconds_count', { method: 'GET', route, status });
    assert.equal(count('/scim/v2/Users/:id', '2xx'), 10);
    assert.equal(count('/api/v1/sync-runs/:id', '4xx'), 1);
    assert.equal(count('other', '4xx'), 3);
    for (const route of metrics.labels('route')) assert.doesNotMatch(route, /[0-9a-f]{8}-|nonsense|\?/);
  });

  it('tells of each target how far it is behind, what was done, and how long a leaver had to wait', async (context) => {
    const target = await startScimApp({ token: 'their-token' });
    context.after(() => target.close());
    const push = { baseUrl: target.url, auth: { kind: 'bearer', token: 'their-token' } };
    const { body: app } = await expectStatus(
      gateway.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Wiki', push }),
      201,
    );
    const reach = async (is: (metrics: Exposed) => boolean): Promise<Exposed> => {
      for (;;) {
        const metrics = await readMetrics(gateway.base);
        if (is(metrics)) return metrics;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const byHand = () => [...target.users.values()].some(({ userName }) => userName === 'by.hand@contoso.example');
    const created = { app: app.id, outcome: 'created' };
    const waiting = (metrics: Exposed, state: string): number | undefined =>
      metrics.value('sluice_deliveries', { app: app.id, state });
    await reach((metrics) => (metrics.value('sluice_delivery_attempts_total', created) ?? 0) > 0);
    // There may be more to come, which is behind again.
    const idle = await reach(
      (metrics) => byHand() && waiting(metrics, 'pending') === 0 && waiting(metrics, 'sending') === 0,
    );
    assert.equal(idle.value('sluice_target_lag_seconds', { app: app.id }), 0);
    const { body } = await gateway.call<{ Resources: { id: string }[] }>(
      'GET',
      '/scim/v2/Users?filter=userName%20eq%20%22by.hand@contoso.example%22',
    );
    await expectStatus(gateway.call('DELETE', `/scim/v2/Users/${body.Resources[0]?.id}`), 204);
    await reach((metrics) => metrics.value('sluice_deprovision_seconds_count', { app: app.id }) === 1);
  });
});

it('still tells of itself when the database is away', { skip: postgresMissing }, async (context) => {
  const { DATABASE_URL = '' } = await freshStorage('postgres');
  const proxy = await startProxy(DATABASE_URL);
  const gateway = await startGateway({ DATABASE_URL: proxy.url });
  context.after(() => gateway.close());
  await proxy.close();
  const metrics = await readMetrics(gateway.base);
  assert.equal(metrics.value('sluice_database_up'), 0);
  assert.equal(metrics.types.has('sluice_resources'), false);
  assert.ok((metrics.value('process_resident_memory_bytes') ?? 0) > 0);
  const ready = await fetch(`${gateway.base}/readyz`);
  assert.equal(ready.status, 503);
  const { checks } = (await ready.json()) as { checks: { name: string; ok: boolean; detail?: string }[] };
  assert.deepEqual(
    checks.filter(({ ok }) => !ok).map(({ name }) => name),
    ['database'],
  );
  assert.equal((await fetch(`${gateway.base}/healthz`)).status, 200);
});
