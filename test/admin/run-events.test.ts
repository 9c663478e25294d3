import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import {
  ADMIN_TOKEN,
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

interface Shown extends RunBody {
  readonly progress: { readonly done: number; readonly estimatedSecondsLeft: number | null };
  readonly steps: readonly { readonly name: string; readonly state: string; readonly done: number }[];
  readonly cost: {
    readonly requests: number;
    readonly resourceUnits: number;
    readonly bytes: number;
    readonly wallMs: number;
  };
}

describe('a run as people see it', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 6, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  async function events(runId: string, lastEventId?: string) {
    const response = await fetch(`${api.base}/api/v1/sync-runs/${runId}/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
    });
    const text = await response.text();
    const ids = [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id ?? '');
    const runs = [...text.matchAll(/^data: (.+)$/gm)].map(([, data]): Shown => JSON.parse(data ?? ''));
    return { status: response.status, type: response.headers.get('content-type'), ids, runs };
  }

  it('tells its phases, its end, and what it cost, each event with an id', async () => {
    const { body } = await api.call<{ id: string }>('POST', '/api/v1/sync-runs', {});
    const { status, type, ids, runs } = await events(body.id);
    assert.equal(status, 200);
    assert.match(type ?? '', /^text\/event-stream/);
    assert.equal(new Set(ids).size, runs.length);
    for (const run of runs) assert.deepEqual(problemsOf('GET', `/sync-runs/${body.id}`, 200, run), []);
    const last = runs.at(-1);
    assert.equal(last?.status, 'succeeded');
    assert.deepEqual(
      last?.steps.map(({ name, state }) => [name, state]),
      [
        ['reading', 'succeeded'],
        ['planning', 'succeeded'],
      ],
    );
    assert.equal(last?.steps[0]?.done, 72, '60 people, 6 groups, and the members of 6 groups');
    assert.ok((last?.cost.requests ?? 0) > 0 && (last?.cost.resourceUnits ?? 0) > 0 && (last?.cost.bytes ?? 0) > 0);
    assert.ok((last?.cost.wallMs ?? 0) > 0);
  });

  it('sends to whoever comes back only what has changed since, and lets one who heard the end go', async () => {
    const { id } = await sync(api);
    const heard = await events(id);
    const end = heard.ids.at(-1) ?? '';
    assert.equal(heard.runs.length, 1);
    assert.deepEqual((await events(id, 'of another time')).ids, [end]);
    assert.deepEqual([(await events(id, end)).status, (await events(id, end)).runs], [204, []]);
  });

  it('has cost something even when it is cancelled or fails', async () => {
    graph.setFaults({ script: [{ path: '/members', fault: { kind: 'foreignLink' }, times: 1_000 }] });
    const incomplete = (await sync(api)) as Shown;
    assert.equal(incomplete.status, 'incomplete');
    assert.ok(incomplete.cost.requests > 0);
    graph.setFaults({ script: [{ path: '/users', fault: { kind: 'status', status: 403 }, times: 1_000 }] });
    const failed = (await sync(api)) as Shown;
    graph.setFaults({});
    assert.deepEqual([failed.status, failed.error?.failure], ['failed', 'consent']);
    assert.ok((failed.error?.remedy ?? '').length > 0);
    assert.ok(failed.cost.requests > 0);
  });

  it('is a task with its steps, among all tasks or those of a state', async () => {
    type Tasks = { items: { type: string; category: string; state: string; steps: { name: string }[] }[] };
    for (const [path, states] of [
      ['/tasks', ['succeeded', 'failed', 'incomplete']],
      ['/tasks?state=failed', ['failed']],
    ] as const) {
      const { body, status } = await api.call<Tasks>('GET', `/api/v1${path}`);
      assert.deepEqual(problemsOf('GET', '/tasks', status, body), []);
      const runs = body.items.filter(({ category }) => category === 'sync');
      assert.ok(runs.every(({ type }) => type === 'directory'));
      assert.deepEqual([...new Set(runs.map(({ state }) => state))].sort(), [...states].sort());
      assert.equal(runs[0]?.steps[0]?.name, 'reading');
    }
  });

  it('keeps the log of a run that asked for it, without the secrets of its provider', async () => {
    const { id } = await sync(api, { logLevel: 'debug', mode: 'full' });
    const get = (run: string) =>
      fetch(`${api.base}/api/v1/sync-runs/${run}/log`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    let answer = await get(id);
    // Its last lines are written when the run is over already.
    while (answer.status === 404) answer = await get(id);
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/x-ndjson/);
    assert.match(answer.headers.get('content-disposition') ?? '', new RegExp(`attachment.*${id}\\.ndjson`));
    const text = await answer.text();
    const messages = text
      .trimEnd()
      .split('\n')
      .map((line): string => JSON.parse(line).msg);
    for (const message of ['graph request', 'page read', 'plan made', 'run finished'])
      assert.ok(messages.includes(message), message);
    for (const canary of [
      graph.application.secret,
      'Bearer ',
      'access_token',
      [...tenant.users.values()][0]?.['userPrincipalName'],
    ])
      assert.ok(!text.includes(String(canary)), String(canary));
    const silent = await sync(api);
    assert.equal((await get(silent.id)).status, 404);
    const { body } = await api.call<{ code: string }>('GET', `/api/v1/sync-runs/${silent.id}/log`);
    assert.equal(body.code, 'log-not-kept');
  });

  it('says that the credential is refused, and what to do', async () => {
    const saved = settingsFor(tenant, graph, { credential: { kind: 'clientSecret', secret: 'wrong' } });
    await api.call('PUT', '/api/v1/providers/microsoft365', saved);
    const run = await sync(api);
    assert.deepEqual([run.status, run.error?.failure], ['failed', 'auth']);
    assert.ok((run.error?.remedy ?? '').length > 0);
  });
});
