import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant } from '#demo/tenant.ts';
import {
  connect,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

interface Costs {
  readonly items: readonly {
    readonly month: string;
    readonly runs: number;
    readonly requests: number;
    readonly resourceUnits: number;
    readonly bytes: number;
    readonly wallMs: number;
  }[];
  readonly forecast: { readonly requests: number };
  readonly advice: string | null;
}

describe('what runs cost', () => {
  let graph: GraphServer;
  let api: TestGateway;

  before(async () => {
    const tenant = makeTenant({ users: 30, groups: 3, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  async function costs(): Promise<Costs> {
    const { status, body } = await api.call<Costs>('GET', '/api/v1/costs?months=3');
    assert.equal(status, 200);
    assert.deepEqual(problemsOf('GET', '/costs', 200, body), []);
    return body;
  }

  it('is summed by month over all runs, in requests, resource units, bytes and time', async () => {
    const run = (await sync(api)) as unknown as { cost: Record<string, number> };
    const { items } = await costs();
    assert.equal(items.length, 1);
    assert.match(items[0]?.month ?? '', /^\d{4}-\d{2}$/);
    assert.equal(items[0]?.runs, 2);
    assert.equal(items[0]?.requests, 2 * (run.cost['requests'] ?? 0));
    assert.equal(items[0]?.resourceUnits, 2 * (run.cost['resourceUnits'] ?? 0));
    assert.ok((items[0]?.bytes ?? 0) > 0 && (items[0]?.wallMs ?? 0) > 0);
  });

  it('comes with advice when the month will cost more than it may', async () => {
    assert.equal((await costs()).advice, null);
    assert.equal((await api.call('PUT', '/api/v1/costs/budget', { requests: 1 })).status, 200);
    assert.match((await costs()).advice ?? '', /less often/);
    assert.equal((await api.call('PUT', '/api/v1/costs/budget', { requests: 0 })).status, 400);
    assert.equal((await api.call('PUT', '/api/v1/costs/budget', {})).status, 200);
    assert.equal((await costs()).advice, null);
  });
});
