import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

interface Status {
  readonly state: string;
  readonly deliveries: Record<string, number>;
  readonly restUntil: string | null;
  readonly deprovisioning: { count: number; worst: number } | null;
}

describe('the admin API of push targets', () => {
  let api: TestGateway;
  let app: ScimAppServer;
  let id: string;

  before(async () => {
    app = await startScimApp({ token: 'their-token' });
    api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
  });
  after(async () => {
    await api?.close();
    await app?.close();
    assert.deepEqual(app.violations, []);
  });

  async function call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    status: number,
    body?: unknown,
  ): Promise<Body> {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  async function until(isSo: (status: Status) => boolean): Promise<Status> {
    for (;;) {
      const status = await call<Status>('GET', `/apps/${id}/push`, 200);
      if (isSo(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const isThere = (count: number) => (status: Status) =>
    status.deliveries['delivered'] === count &&
    status.deliveries['pending'] === 0 &&
    status.deliveries['sending'] === 0;

  it('says what is wrong with settings, and never shows a credential', async () => {
    const refused = await call<{ code: string; problems: string[] }>('POST', '/apps', 400, {
      name: 'bad',
      push: { baseUrl: 'x', colour: 'red' },
    });
    assert.equal(refused.code, 'invalid-push');
    assert.equal(refused.problems.length, 3);
    const inside = { baseUrl: 'https://10.0.0.1/scim', auth: { kind: 'none' } };
    assert.equal(
      (await call<{ code: string }>('POST', '/apps', 400, { name: 'bad', push: inside })).code,
      'url-refused',
    );
    const push = { baseUrl: app.url, auth: { kind: 'bearer', token: 'wrong-token' } };
    const made = await call<{ id: string; push: { auth: object } }>('POST', '/apps', 201, { name: 'app', push });
    id = made.id;
    assert.deepEqual(made.push.auth, { kind: 'bearer' });
    assert.ok(!JSON.stringify(await call('GET', '/audit', 200)).includes('wrong-token'));
  });

  it('goes into quarantine with a wrong credential, and comes back with the right one', async () => {
    const out = await until(({ state }) => state === 'quarantined');
    assert.equal((out as unknown as { quarantine: { reason: string } }).quarantine.reason, 'target-refused-us');
    const tested = await call<{ ok: boolean; checks: { name: string; ok: boolean }[] }>(
      'POST',
      `/apps/${id}/push/test`,
      200,
    );
    assert.deepEqual([tested.ok, tested.checks.map(({ name }) => name)], [false, ['connect']]);
    const right = { baseUrl: app.url, auth: { kind: 'bearer', token: 'their-token' } };
    const before = app.asked.length;
    const better = await call<{ ok: boolean; checks: { name: string }[] }>('POST', `/apps/${id}/push/test`, 200, right);
    const names = ['connect', 'capabilities', 'find-user', 'find-group'];
    assert.deepEqual([better.ok, better.checks.map(({ name }) => name)], [true, names]);
    // It leaves nothing behind, there or here.
    assert.deepEqual([...new Set(app.asked.slice(before).map(({ method }) => method))], ['GET']);
    assert.equal((await call<Status>('GET', `/apps/${id}/push`, 200)).state, 'quarantined');
    await call('PATCH', `/apps/${id}`, 200, { push: right });
    await until(({ state }) => state === 'active');
    for (const nothing of [undefined, null])
      assert.equal((await call<{ ok: boolean }>('POST', `/apps/${id}/push/test`, 200, nothing)).ok, true);
    assert.equal(app.users.size, 0);
  });

  it('keeps a credential that is left out, but not for another host', async () => {
    await call('PATCH', `/apps/${id}`, 200, { push: { baseUrl: app.url, auth: { kind: 'bearer' }, guard: null } });
    const elsewhere = { baseUrl: 'http://localhost:1/', auth: { kind: 'bearer' } };
    assert.equal((await call<{ code: string }>('PATCH', `/apps/${id}`, 400, { push: elsewhere })).code, 'invalid-push');
  });

  it('takes another kind of credential in place of the one that is saved', async () => {
    const save = (auth: object) => call('PATCH', `/apps/${id}`, 200, { push: { baseUrl: app.url, auth, guard: null } });
    await call('POST', `/apps/${id}/push/pause`, 200);
    await save({ kind: 'basic', username: 'sluice', password: 'their-password' });
    await save({ kind: 'basic', username: 'sluice' });
    await save({ kind: 'none' });
    await save({ kind: 'bearer', token: 'their-token' });
    await call('POST', `/apps/${id}/push/resume`, 200);
  });

  it('shows the names of further headers, and keeps their values for the same host until they are taken out', async () => {
    const saved = async (headers: Record<string, string | null>): Promise<unknown> => {
      const push = { baseUrl: app.url, auth: { kind: 'bearer' }, guard: null, headers };
      return (await call<{ push: { headers: unknown } }>('PATCH', `/apps/${id}`, 200, { push })).push.headers;
    };
    const sent = async (): Promise<unknown> => {
      await call('POST', `/apps/${id}/push/test`, 200);
      return app.asked.at(-1)?.headers['x-api-key'];
    };
    assert.deepEqual(await saved({ 'X-Api-Key': 'key-of-theirs', 'X-Tenant': '7' }), {
      'X-Api-Key': null,
      'X-Tenant': null,
    });
    assert.equal(await sent(), 'key-of-theirs');
    assert.deepEqual(await saved({ 'X-Api-Key': null }), { 'X-Api-Key': null });
    assert.equal(await sent(), 'key-of-theirs');
    assert.deepEqual(await saved({}), {});
    assert.equal(await sent(), undefined);
    const unknown = { baseUrl: app.url, auth: { kind: 'bearer' }, guard: null, headers: { 'X-Api-Key': null } };
    const { problems } = await call<{ problems: string[] }>('PATCH', `/apps/${id}`, 400, { push: unknown });
    assert.match(problems[0] ?? '', /^push\.headers\.X-Api-Key: expected its value/);
  });

  it('pushes what is made, says how long a leaver took, and shows deliveries', async () => {
    const ada = await call<{ id: string }>('POST', '/users', 201, { schemas: [USER], userName: 'ada', active: true });
    await until(isThere(1));
    assert.equal([...app.users.values()][0]?.['externalId'], ada.id);
    await call('PATCH', `/users/${ada.id}`, 200, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'active', value: false }],
    });
    const { deprovisioning } = await until(({ deprovisioning: times }) => times !== null);
    assert.equal(deprovisioning?.count, 1);
    assert.equal([...app.users.values()][0]?.['active'], false);
    const list = await call<{ items: { state: string; action: string; id: string; exchanges: unknown[] }[] }>(
      'GET',
      `/apps/${id}/deliveries?state=delivered`,
      200,
    );
    assert.deepEqual(
      list.items.map(({ state, action }) => [state, action]),
      [['delivered', 'deactivated']],
    );
    assert.ok((list.items[0]?.exchanges.length ?? 0) > 0);
    assert.equal((await call<{ items: unknown[] }>('GET', `/apps/${id}/deliveries?state=dead`, 200)).items.length, 0);
    await call('POST', `/deliveries/${list.items[0]?.id}/replay`, 202);
    await call('POST', `/apps/${id}/deliveries/replay`, 202);
    await call('POST', '/deliveries/00000000-0000-4000-8000-000000000000/replay', 404);
  });

  it('pauses at once, shows what it would send, sends one object by hand, and resumes', async () => {
    await call('POST', `/apps/${id}/push/pause`, 200);
    const bob = await call<{ id: string }>('POST', '/users', 201, { schemas: [USER], userName: 'bob', active: true });
    await until(({ deliveries }) => deliveries['pending'] === 1);
    app.takeWrites();
    const dry = await call<{
      action: string;
      requests: { method: string; status: number | null }[];
      steps: { step: string }[];
    }>('POST', `/apps/${id}/push/provision`, 200, { resourceId: bob.id, dryRun: true });
    assert.deepEqual([dry.action, dry.requests.at(-1)?.method, dry.requests.at(-1)?.status], ['created', 'POST', null]);
    assert.deepEqual(
      dry.steps.map(({ step }) => step),
      ['connect', 'import', 'scope', 'match', 'action'],
    );
    const whole = await call<{ counts: Record<string, number> }>('POST', `/apps/${id}/push/dry-run`, 200, {});
    assert.equal(whole.counts['created'], 1);
    const probes = (): number =>
      app.asked.filter(({ path }) => path.includes('count=1') && !path.includes('filter')).length;
    const before = probes();
    await call('POST', `/apps/${id}/push/dry-run`, 200, {});
    assert.equal(probes() - before, 1);
    assert.deepEqual(app.takeWrites(), []);
    const real = await call<{ ok: boolean; action: string }>('POST', `/apps/${id}/push/provision`, 200, {
      resourceId: bob.id,
    });
    assert.deepEqual([real.ok, real.action], [true, 'created']);
    assert.equal(app.takeWrites().length, 1);
    await call('POST', `/apps/${id}/push/provision`, 404, { resourceId: '00000000-0000-4000-8000-000000000000' });
    await call('POST', `/apps/${id}/push/resume`, 200);
    await until(isThere(2));
    assert.deepEqual(app.takeWrites(), []);
  });

  it('asks nothing by hand while the target rests because it said so, whoever it said it to', async () => {
    await call('POST', `/apps/${id}/push/pause`, 200);
    const { items } = await call<{ items: { id: string; userName: string }[] }>('GET', '/users?search=bob', 200);
    const acts: [string, object | undefined][] = [
      ['test', undefined],
      ['test', { baseUrl: app.url, auth: { kind: 'bearer' }, timeoutSeconds: 5 }],
      ['dry-run', {}],
      ['provision', { resourceId: items[0]?.id }],
      ['provision', { resourceId: items[0]?.id, dryRun: true }],
    ];
    const { personality } = app;
    for (const [busy, body] of acts) {
      app.personality = { ...personality, failing: () => 429, failingSeconds: 3_600 };
      await call('POST', `/apps/${id}/push/${busy}`, 200, body);
      app.personality = personality;
      const { restUntil } = await call<Status>('GET', `/apps/${id}/push`, 200);
      assert.ok(Date.parse(restUntil ?? '') > Date.now() + 3_000_000, `${busy}: nobody else asks it within the hour`);
      const asked = app.asked.length;
      for (const [act, what] of acts) {
        const refused = await call<{ code: string; restUntil: string }>('POST', `/apps/${id}/push/${act}`, 409, what);
        assert.deepEqual([refused.code, refused.restUntil], ['target-asked-for-rest', restUntil], act);
      }
      assert.equal(app.asked.length, asked);
      app.endRest();
      await call('POST', `/apps/${id}/push/resume`, 200);
      await call('POST', `/apps/${id}/push/pause`, 200);
      assert.equal((await call<{ ok: boolean }>('POST', `/apps/${id}/push/test`, 200)).ok, true);
    }
    await call('POST', `/apps/${id}/push/resume`, 200);
    await until(isThere(2));
  });

  it('reconciles when asked, and mends what was changed there', async () => {
    const [first] = [...app.users.values()].filter((user) => user['userName'] === 'bob');
    if (first !== undefined) first['userName'] = 'robert';
    app.put('User', { schemas: [USER], userName: 'theirs' });
    await call('POST', `/apps/${id}/push/reconcile`, 202);
    let report: { finishedAt: string | null; counts: Record<string, number> } | undefined;
    while (report?.finishedAt == null)
      report = (
        await call<{ items: (typeof report & object)[] }>('GET', `/apps/${id}/push/reconciliations?limit=1`, 200)
      ).items[0];
    assert.deepEqual(report.counts, { users: 3, changed: 1, unmanaged: 1 });
    await until(isThere(2));
    assert.deepEqual([...app.users.values()].map((user) => user['userName']).sort(), ['ada', 'bob', 'theirs']);
  });

  it('is taken away without touching what is there', async () => {
    await call('POST', `/apps/${id}/push/clear`, 200, {
      learned: true,
      backfill: true,
      deadLetters: true,
      quarantine: true,
    });
    await call('POST', `/apps/${id}/push/departures`, 200, { decision: 'allow' });
    app.takeWrites();
    await call('PATCH', `/apps/${id}`, 200, { push: null });
    assert.equal((await call<{ code: string }>('GET', `/apps/${id}/push`, 404)).code, 'no-push');
    await call('DELETE', `/apps/${id}`, 204);
    assert.equal(app.users.size, 3);
  });
});
