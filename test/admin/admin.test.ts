import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import request from 'supertest';
import type { AdminParts } from '#admin/parts.ts';
import { adminRouter } from '#admin/router.ts';
import { ENTERPRISE_SCHEMA } from '#core/resource.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
import { listAll } from '../support/checked.ts';
import {
  ADMIN_TOKEN,
  approve,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { openapi, problemsOf } from '../support/openapi.ts';
import { routesOf } from '../support/routes.ts';

const UUID = '00000000-0000-4000-8000-000000000000';

interface Card {
  readonly kind: string;
  readonly available: boolean;
  readonly configured: boolean;
  readonly active: boolean;
  readonly connection: { readonly state: string };
  readonly lastRun: (RunBody & { readonly finishedAt: string | null }) | null;
  readonly lastSuccessAt: string | null;
  readonly actions: readonly { readonly name: string; readonly enabled: boolean; readonly reason: string | null }[];
}

/** Whether a run can be started from the card, and why not. */
function syncOf({ actions }: Card): [boolean | undefined, string | null | undefined] {
  const action = actions.find(({ name }) => name === 'sync');
  return [action?.enabled, action?.reason];
}

describe('the admin API', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 6, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  /** Calls, and holds the answer to openapi.yaml. */
  async function call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    status: number,
    body?: unknown,
    token?: string,
  ): Promise<Body> {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body, token);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  it('has exactly the routes that openapi.yaml names', () => {
    const documented = Object.entries(openapi.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    assert.deepEqual(adminRoutes().sort(), documented.sort());
  });

  it('answers nothing without a token, and says how to ask', async () => {
    for (const path of ['/providers', '/sync-runs', '/apps', '/audit', '/guard', '/schedule', '/tasks']) {
      const answer = await request(api.base).get(`/api/v1${path}`);
      assert.equal(answer.status, 401);
      assert.match(answer.headers['www-authenticate'] ?? '', /^Bearer/);
      assert.equal(answer.headers['content-type'], 'application/problem+json; charset=utf-8');
      assert.equal(answer.body.code, 'unauthenticated');
    }
  });

  it('shows a card for each kind, each of which can be configured', async () => {
    const { items } = await call<{ items: Card[] }>('GET', '/providers', 200);
    assert.deepEqual(
      items.map(({ kind, available, configured, active }) => [kind, available, configured, active]),
      ['microsoft365', 'scim', 'ldap', 'csv'].map((kind) => [kind, true, false, false]),
    );
    assert.deepEqual(items.map(syncOf), Array(4).fill([false, 'not-configured']));
  });

  it('refuses to run or activate before anything is configured', async () => {
    assert.equal((await call<{ code: string }>('POST', '/sync-runs', 409, {})).code, 'no-active-provider');
    assert.equal(
      (await call<{ code: string }>('POST', '/providers/microsoft365/activate', 409, {})).code,
      'not-configured',
    );
    assert.equal((await call<{ code: string }>('GET', '/providers/microsoft365', 404)).code, 'not-configured');
    assert.equal((await call<{ code: string }>('GET', '/providers/nonsense', 404)).code, 'provider-unknown');
  });

  it('names every setting that is unknown or wrong', async () => {
    const body = await call<{ code: string; problems: { path: string }[] }>('PUT', '/providers/microsoft365', 400, {
      ...settingsFor(tenant, graph),
      colour: 'red',
      scope: { filter: 'accountEnabled eq', mode: 'everything' },
    });
    assert.equal(body.code, 'settings-invalid');
    assert.deepEqual(body.problems.map(({ path }) => path).sort(), ['', 'scope.filter', 'scope.mode']);
  });

  it('keeps a secret that is left out, never shows it, and counts versions only when something changed', async () => {
    const first = await call<{ configVersion: number; secretsSet: string[] }>(
      'PUT',
      '/providers/microsoft365',
      200,
      settingsFor(tenant, graph, { initialRun: 'preview' }),
    );
    assert.deepEqual(first.secretsSet, ['credential.secret']);
    const same = await call<{ configVersion: number }>('PUT', '/providers/microsoft365', 200, first);
    assert.equal(same.configVersion, first.configVersion);
    assert.ok(!JSON.stringify(await call('GET', '/providers/microsoft365', 200)).includes('demo-secret'));
    assert.equal((await call<{ ok: boolean }>('POST', '/providers/microsoft365/test', 200)).ok, true);
    const changed = await call<{ configVersion: number }>('PUT', '/providers/microsoft365', 200, {
      ...first,
      clientId: 'other',
    });
    assert.equal(changed.configVersion, first.configVersion + 1);
  });

  it('holds the first run until it is approved, and then lets small ones pass; or starts none by itself', async () => {
    await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph, { initialRun: 'manual' }));
    assert.equal((await call('POST', '/providers/microsoft365/activate', 200))['lastRun'], null);
    await call('POST', '/providers/microsoft365/deactivate', 200);
    await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, graph, { initialRun: 'preview' }));
    const own = async (): Promise<Card> => (await call<{ items: Card[] }>('GET', '/providers', 200)).items[0] as Card;
    assert.deepEqual(syncOf(await own()), [false, 'inactive']);
    const card = await call<Card>('POST', '/providers/microsoft365/activate', 200);
    assert.equal(card.connection.state, 'unknown');
    assert.deepEqual([card.lastRun?.finishedAt, card.lastSuccessAt], [null, null]);
    const held = await untilOver(api, card.lastRun?.id ?? '');
    assert.equal(held.status, 'held');
    assert.equal(held.guard?.reasons[0]?.code, 'first-run');
    const plan = await call<{ status: string; hash: string; counts: { create: number } }>(
      'GET',
      `/plans/${held.planId}`,
      200,
    );
    assert.equal(plan.status, 'held');
    assert.equal(plan.counts.create, 66);
    const { items } = await call<{ items: { action: string }[] }>(
      'GET',
      `/plans/${held.planId}/changes?action=create&limit=5`,
      200,
    );
    assert.equal(items.length, 5);
    const approved = await call<{ runId: string }>('POST', `/plans/${held.planId}/approve`, 202);
    await fetch(`${api.base}/api/v1/sync-runs/${approved.runId}/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    }).then((answer) => answer.text());
    assert.equal((await call<{ status: string; hash: string }>('GET', `/plans/${held.planId}`, 200)).status, 'applied');
    assert.equal((await call<{ hash: string }>('GET', `/plans/${held.planId}`, 200)).hash, plan.hash);
    const refused = await call<{ status: number; planStatus: string }>('POST', `/plans/${held.planId}/reject`, 409);
    assert.deepEqual([refused.status, refused.planStatus], [409, 'applied']);
    const run = await sync(api);
    const after = await own();
    assert.deepEqual(syncOf(after), [true, null]);
    assert.deepEqual([after.lastRun?.id, after.lastRun?.status, after.lastRun?.error], [run.id, 'succeeded', null]);
    assert.deepEqual(after.lastRun?.counts, run.counts);
    assert.ok(Date.parse(after.lastSuccessAt ?? '') >= Date.parse(after.lastRun?.finishedAt ?? '') - 1_000);
  });

  it('previews without changing anything, and applies the previewed plan when it is approved', async () => {
    const user = [...tenant.users.keys()][3] ?? '';
    tenant.users.set(user, { ...tenant.users.get(user), id: user, displayName: 'Seen in a preview' });
    const preview = await sync(api, { preview: true, allowLargeSync: true, logLevel: 'debug' });
    assert.equal(preview.status, 'succeeded');
    const options = { allowLargeSync: true, resetAccountMapping: false, logLevel: 'debug' };
    assert.deepEqual((await call<{ options: object }>('GET', `/sync-runs/${preview.id}`, 200)).options, options);
    const { items: starts } = await call<{ items: { object: string; detail: object }[] }>(
      'GET',
      '/audit?action=run.start',
      200,
    );
    assert.deepEqual(starts[0], {
      ...starts[0],
      object: preview.id,
      detail: { trigger: 'manual', preview: true, ...options },
    });
    const found = async (): Promise<number> => {
      const filter = encodeURIComponent('displayName eq "seen in a preview"');
      return (await api.call<{ totalResults: number }>('GET', `/scim/v2/Users?filter=${filter}`)).body.totalResults;
    };
    assert.equal(await found(), 0);
    const { items } = await call<{
      items: { action: string; before: { displayName: string }; after: { displayName: string } }[];
    }>('GET', `/sync-runs/${preview.id}/changes?action=update`, 200);
    assert.equal(items[0]?.after.displayName, 'Seen in a preview');
    assert.notEqual(items[0]?.before.displayName, 'Seen in a preview');
    const { runId } = await call<{ runId: string }>('POST', `/plans/${preview.planId}/approve`, 202);
    await fetch(`${api.base}/api/v1/sync-runs/${runId}/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    }).then((answer) => answer.text());
    assert.equal(await found(), 1);
  });

  it('refuses a second run while one is under way, and names that one, or answers it to who wants to join', async () => {
    const start = (query = '') =>
      api.call<{ id: string; code: string; runId: string }>('POST', `/api/v1/sync-runs${query}`, {});
    const answers = await Promise.all([start(), start('?ifRunning=join'), start(), start('?ifRunning=join')]);
    const [started, refused] = [202, 409].map((status) => answers.find((one) => one.status === status));
    assert.ok(started !== undefined && refused !== undefined);
    assert.deepEqual(
      answers.map(({ status }) => status).filter((status) => status === 202),
      [202],
    );
    const { id } = started.body;
    assert.ok([answers[1], answers[3]].every((joined) => joined.status !== 409 && joined.body.id === id));
    assert.equal((await start('?ifRunning=perhaps')).status, 400);
    assert.deepEqual([refused.body.code, refused.body.runId], ['run-in-progress', id]);
    assert.equal(refused.headers.get('location'), `/api/v1/sync-runs/${id}`);
    assert.equal(started.headers.get('location'), `/api/v1/sync-runs/${id}`);
    await fetch(`${api.base}/api/v1/sync-runs/${id}/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    }).then((answer) => answer.text());
  });

  it('switches the schedule on only when a plan of the present settings was approved, or when told to', async () => {
    const daily = { enabled: true, kind: 'daily', time: '03:00', timeZone: 'UTC' };
    const settings = await call<Record<string, unknown>>('GET', '/providers/microsoft365', 200);
    await call('PUT', '/providers/microsoft365', 200, { ...settings, notifications: { enabled: false } });
    assert.equal((await call<{ code: string }>('PUT', '/schedule', 409, daily)).code, 'preview-required');
    await call('PUT', '/schedule', 200, { ...daily, withoutPreview: true });
    await call('PUT', '/schedule', 200, { ...daily, enabled: false });
    const { items } = await call<{ items: { action: string; detail: { withoutPreview?: boolean } }[] }>(
      'GET',
      '/audit?limit=2',
      200,
    );
    assert.deepEqual(
      items.map(({ detail }) => detail.withoutPreview),
      [undefined, true],
    );
    const { planId } = await sync(api, { preview: true });
    await approve(api, planId);
  });

  it('changes the schedule at once and refuses one that cannot be', async () => {
    const saved = await call<{ nextRunAt: string }>('PUT', '/schedule', 200, {
      enabled: true,
      kind: 'daily',
      time: '03:00',
      timeZone: 'Asia/Seoul',
    });
    assert.match(saved.nextRunAt, /T18:00:00\.000Z$/);
    for (const wrong of [
      { enabled: true, kind: 'daily', time: '25:00' },
      { enabled: true, kind: 'daily', time: '03:00', timeZone: 'Mars/Olympus' },
      { enabled: true, kind: 'interval', everyMinutes: 1 },
      { enabled: true, kind: 'cron', cron: 'now and then' },
    ])
      assert.equal((await call<{ code: string }>('PUT', '/schedule', 400, wrong)).code, 'schedule-invalid');
    assert.equal((await call<{ time: string }>('GET', '/schedule', 200)).time, '03:00');
    await call('PUT', '/schedule', 200, { enabled: false, kind: 'daily', time: '03:00', timeZone: 'UTC' });
  });

  it('turns the schedule off without asking when it would run', async () => {
    assert.equal((await call<{ nextRunAt: null }>('PUT', '/schedule', 200, { enabled: false })).nextRunAt, null);
    await call('PUT', '/schedule', 400, { enabled: true });
  });

  it('keeps the limits of the guard', async () => {
    assert.equal((await call<{ percent: number }>('GET', '/guard', 200)).percent, 10);
    await call('PUT', '/guard', 200, { percent: 25 });
    assert.equal((await call<{ percent: number; minObjects: number }>('GET', '/guard', 200)).percent, 25);
    await call('PUT', '/guard', 400, { percent: 250 });
    const protect = 'userName sw "admin" or displayName eq "Payroll" or groups.display eq "Board"';
    assert.equal((await call<{ protect: string }>('PUT', '/guard', 200, { protect })).protect, protect);
    for (const wrong of ['userName eq', 'shoeSize eq 43', 'userName eq "a" or shoeSize eq 43'])
      assert.equal((await call<{ code: string }>('PUT', '/guard', 400, { protect: wrong })).code, 'invalid-filter');
    await call('PUT', '/guard', 200, {});
  });

  it('makes apps and tokens, shows a token once, and lets a revoked one do nothing', async () => {
    const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'Wiki' });
    assert.equal((await call<{ code: string }>('POST', '/apps', 409, { name: 'WIKI' })).code, 'app-name-taken');
    const other = await call<{ id: string }>('POST', '/apps', 201, { name: 'Wiki of old' });
    assert.equal(
      (await call<{ code: string }>('PATCH', `/apps/${other.id}`, 409, { name: 'wiki' })).code,
      'app-name-taken',
    );
    const made = await call<{ id: string; token: string; scopes: string[] }>('POST', `/apps/${app.id}/tokens`, 201, {});
    assert.deepEqual(made.scopes, ['scim:read']);
    assert.equal((await api.call('GET', '/scim/v2/Users?count=1', undefined, made.token)).status, 200);
    assert.equal((await call<{ code: string }>('GET', '/providers', 403, undefined, made.token)).code, 'scope-missing');
    const listed = await call<{ items: { id: string; hint: string }[] }>('GET', `/apps/${app.id}/tokens`, 200);
    assert.ok(!JSON.stringify(listed).includes(made.token));
    assert.equal(listed.items[0]?.hint, made.token.slice(-4));
    await call('DELETE', `/apps/${app.id}/tokens/${made.id}`, 204);
    assert.equal((await api.call('GET', '/scim/v2/Users?count=1', undefined, made.token)).status, 401);
    const second = await call<{ id: string; token: string }>('POST', `/apps/${app.id}/tokens`, 201, {});
    assert.equal((await api.call('GET', '/scim/v2/Users?count=1', undefined, second.token)).status, 200);
    await call('DELETE', `/tokens/${second.id}`, 204);
    assert.equal((await api.call('GET', '/scim/v2/Users?count=1', undefined, second.token)).status, 401);
    await call('DELETE', `/tokens/${UUID}`, 404);
    const expired = await call<{ id: string; token: string; expiresAt: string }>(
      'POST',
      `/apps/${app.id}/tokens`,
      201,
      {
        expiresAt: '2020-01-01T00:00:00+02:00',
      },
    );
    assert.equal(expired.expiresAt, '2019-12-31T22:00:00.000Z');
    const tokens = await listAll<{ id: string }>(call, `/apps/${app.id}/tokens?limit=2`);
    assert.deepEqual(
      tokens.map(({ id }) => id),
      [made.id, second.id, expired.id],
    );
    assert.equal((await api.call('GET', '/scim/v2/Users?count=1', undefined, expired.token)).status, 401);
    assert.equal((await call<{ name: string }>('PATCH', `/apps/${app.id}`, 200, { name: 'Wiki 2' })).name, 'Wiki 2');
    await call('DELETE', `/apps/${app.id}`, 204);
    await call('GET', `/apps/${app.id}`, 404);
  });

  it('lists the tokens of apps and administrators in one place, makes such that belong to no app, and keeps the last', async () => {
    interface Listed {
      readonly items: readonly { id: string; appName: string | null; bootstrap: boolean; own: boolean }[];
      readonly nextCursor: string | null;
    }
    const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'Printer' });
    const ofApp = await call<{ id: string; token: string }>('POST', `/apps/${app.id}/tokens`, 201, {
      scopes: ['viewer'],
    });
    const seen = await call<Listed>('GET', `/apps/${app.id}/tokens`, 200, undefined, ofApp.token);
    assert.deepEqual(
      seen.items.map(({ own }) => own),
      [true],
    );
    const made = await call<{ id: string; token: string }>('POST', '/tokens', 201, {
      name: 'nightly report',
      scopes: ['admin'],
    });
    await call('POST', '/tokens', 400, { name: 'reads', scopes: ['scim:read'] });
    const first = await call<Listed>('GET', '/tokens?limit=1', 200);
    const next = await call<Listed>('GET', `/tokens?limit=1&cursor=${first.nextCursor}`, 200);
    assert.deepEqual(
      [...first.items, ...next.items].map(({ id, appName }) => [id, appName]),
      [
        [made.id, null],
        [ofApp.id, 'Printer'],
      ],
    );
    const whole = await call<Listed>('GET', '/tokens?state=live&limit=200', 200);
    assert.ok(!JSON.stringify(whole).includes(made.token));
    const own = whole.items.find((token) => token.own);
    assert.equal(own?.bootstrap, true);
    const viewer = await call<{ id: string; token: string }>('POST', '/tokens', 201, {
      name: 'eyes',
      scopes: ['viewer'],
    });
    await call('GET', '/tokens', 200, undefined, viewer.token);
    await call('POST', '/tokens', 403, { name: 'more', scopes: ['admin'] }, viewer.token);
    await call('DELETE', `/tokens/${made.id}`, 403, undefined, viewer.token);
    await call('GET', '/guard', 200, undefined, made.token);
    await call('DELETE', `/tokens/${made.id}`, 204);
    await call('GET', '/guard', 401, undefined, made.token);
    const part = { name: 'Users only', scope: { resourceTypes: ['User'] } };
    const scoped = await call<{ id: string }>('POST', '/apps', 201, part);
    const barred = await call<{ id: string; token: string }>('POST', `/apps/${scoped.id}/tokens`, 201, {
      scopes: ['admin'],
    });
    await call('GET', '/guard', 403, undefined, barred.token);
    assert.equal((await call<{ code: string }>('DELETE', `/tokens/${own?.id}`, 409)).code, 'last-admin-token');
    await call('DELETE', `/tokens/${barred.id}`, 204);
    await call('DELETE', `/apps/${scoped.id}`, 204);
    const over = await call<Listed>('GET', '/tokens?state=over&limit=200', 200);
    assert.ok(over.items.some(({ id }) => id === made.id));
    assert.ok(!over.items.some(({ id }) => id === ofApp.id));
    await call('DELETE', `/tokens/${viewer.id}`, 204);
    await call('DELETE', `/apps/${app.id}`, 204);
  });

  it('keeps the last token that may administer when its app would go, or get a scope', async (t) => {
    const other = await startGateway(await freshStorage('embedded'));
    t.after(() => other.close());
    const ask = async (method: string, path: string, body?: unknown, token = ADMIN_TOKEN) => {
      const answer = await other.call<{ id: string; token: string; code: string }>(
        method,
        `/api/v1${path}`,
        body,
        token,
      );
      return { status: answer.status, ...answer.body };
    };
    const app = await ask('POST', '/apps', { name: 'Automation' });
    const { token } = await ask('POST', `/apps/${app.id}/tokens`, { scopes: ['admin'] });
    const { items } = (await other.call<{ items: { id: string; own: boolean }[] }>('GET', '/api/v1/tokens')).body;
    const bootstrap = items.find(({ own }) => own)?.id;
    assert.equal((await ask('DELETE', `/tokens/${bootstrap}`, undefined, token)).status, 204);
    const scope = { resourceTypes: ['User'] };
    for (const refused of [
      await ask('DELETE', `/apps/${app.id}`, undefined, token),
      await ask('PATCH', `/apps/${app.id}`, { scope }, token),
    ])
      assert.deepEqual([refused.status, refused.code], [409, 'last-admin-token']);
    const spare = await ask('POST', '/tokens', { name: 'spare', scopes: ['admin'] }, token);
    assert.equal((await ask('PATCH', `/apps/${app.id}`, { scope }, token)).status, 200);
    assert.equal((await ask('DELETE', `/apps/${app.id}`, undefined, spare.token)).status, 204);
    assert.equal((await ask('GET', '/guard', undefined, spare.token)).status, 200);
  });

  it('says which methods an address takes', async () => {
    for (const [method, path, allow] of [
      ['PATCH', '/guard', 'GET, HEAD, PUT'],
      ['POST', `/sync-runs/${UUID}`, 'GET, HEAD'],
      ['GET', `/plans/${UUID}/approve`, 'POST'],
    ] as const) {
      const answer = await request(api.base)
        [method.toLowerCase() as 'get'](`/api/v1${path}`)
        .set('authorization', `Bearer ${ADMIN_TOKEN}`)
        .send(method === 'GET' ? undefined : {});
      assert.deepEqual([answer.status, answer.headers['allow']], [405, allow], `${method} ${path}`);
      assert.equal(answer.body.code, 'method-not-allowed');
    }
    assert.equal((await api.call('GET', '/api/v1/nowhere')).status, 404);
  });

  it('lets a viewer look and an operator run, and nothing more', async () => {
    const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'People' });
    const token = async (scope: string): Promise<string> =>
      (await call<{ token: string }>('POST', `/apps/${app.id}/tokens`, 201, { scopes: [scope] })).token;
    const [viewer, operator] = [await token('viewer'), await token('operator')];
    await call('GET', '/sync-runs', 200, undefined, viewer);
    await call('POST', '/sync-runs', 403, {}, viewer);
    await call('PUT', '/guard', 403, {}, operator);
    await call('PUT', '/providers/microsoft365', 403, {}, operator);
    assert.equal((await sync(api)).status, 'succeeded');
  });

  it('shows groups, members, fields and permissions of the source', async () => {
    const groups = await call<{ items: { id: string; displayName: string }[] }>(
      'GET',
      '/providers/microsoft365/source/groups',
      200,
    );
    assert.equal(groups.items.length, 6);
    const found = await call<{ items: unknown[] }>('GET', '/providers/microsoft365/source/groups?search=Sales', 200);
    assert.equal(found.items.length, 1);
    const members = await call<{ items: { path: string[] }[] }>(
      'GET',
      `/providers/microsoft365/source/groups/${groups.items[0]?.id}/members`,
      200,
    );
    assert.ok(members.items.some(({ path }) => path.length === 2));
    const fields = await call<{ items: { name: string }[] }>(
      'GET',
      '/providers/microsoft365/source/fields?prefix=user',
      200,
    );
    assert.deepEqual(
      fields.items.map(({ name }) => name),
      ['userPrincipalName', 'userType'],
    );
    const [csv, scim] = await Promise.all(
      ['csv', 'scim'].map((kind) =>
        call<{ items: { name: string }[] }>('GET', `/providers/${kind}/source/fields?prefix=dep`, 200),
      ),
    );
    assert.deepEqual(
      [csv, scim].map((found) => found?.items.map(({ name }) => name)),
      [['department'], [`${ENTERPRISE_SCHEMA}:department`]],
    );
    for (const what of ['source/groups', 'source/groups/x/members', 'permissions'])
      assert.equal((await call<{ code: string }>('GET', `/providers/csv/${what}`, 409)).code, 'not-supported');
    const review = await call<{ missing: unknown[] }>('GET', '/providers/microsoft365/permissions', 200);
    assert.deepEqual(review.missing, []);
  });

  it('writes who did what into the audit log', async () => {
    const { items } = await call<{ items: { action: string; actor: string; at: string }[] }>(
      'GET',
      '/audit?limit=500',
      200,
    );
    const narrowed = async (query: string): Promise<number> =>
      (await call<{ items: unknown[] }>('GET', `/audit?limit=500&${query}`, 200)).items.length;
    const apps = items.filter(({ action }) => action.startsWith('app.')).length;
    assert.deepEqual([await narrowed('action=app'), await narrowed('actor=nobody')], [apps, 0]);
    assert.equal(await narrowed(`until=${items.at(-1)?.at}`), 0);
    const csv = await fetch(`${api.base}/api/v1/audit?format=csv&action=app`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    assert.equal((await csv.text()).trim().split('\r\n').length, apps + 1);
    const runs = await call<{ items: { trigger: string; createdAt: string; requestedBy: string }[] }>(
      'GET',
      '/sync-runs?trigger=manual',
      200,
    );
    assert.ok(runs.items.length > 0 && runs.items.every(({ trigger }) => trigger === 'manual'));
    const [{ requestedBy = '' } = {}] = runs.items;
    const byThem = await call<{ items: { requestedBy: string }[] }>(
      'GET',
      `/sync-runs?requestedBy=${requestedBy}`,
      200,
    );
    assert.ok(byThem.items.length > 0 && byThem.items.every((run) => run.requestedBy === requestedBy));
    assert.deepEqual((await call<{ items: unknown[] }>('GET', '/sync-runs?requestedBy=nobody', 200)).items, []);
    const lines = await fetch(`${api.base}/api/v1/sync-runs?format=csv&trigger=manual&limit=1`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    assert.match(String(lines.headers.get('content-type')), /^text\/csv/);
    assert.equal((await lines.text()).trim().split('\r\n').length, runs.items.length + 1);
    const between = `since=${runs.items[0]?.createdAt}&until=${runs.items[0]?.createdAt}`;
    assert.deepEqual((await call<{ items: unknown[] }>('GET', `/sync-runs?${between}`, 200)).items, []);
    const actions = new Set(items.map(({ action }) => action));
    for (const action of [
      'provider.configure',
      'provider.activate',
      'run.start',
      'plan.approve',
      'schedule.change',
      'guard.change',
      'app.create',
      'token.create',
      'token.revoke',
    ])
      assert.ok(actions.has(action), action);
    assert.ok(items.every(({ actor }) => /^(token:|schedule)/.test(actor)));
    assert.ok(!JSON.stringify(items).includes('demo-secret'));
  });

  it('pages through every list without losing or repeating a row', async () => {
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page: { items: { id: string }[]; nextCursor: string | null } = await call(
        'GET',
        `/audit?limit=3${cursor === null ? '' : `&cursor=${cursor}`}`,
        200,
      );
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    assert.equal(new Set(seen).size, seen.length);
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => Number(b) - Number(a)),
    );
  });

  it('gives broken requests one sentence each', async () => {
    const [run] = (await call<{ items: { id: string }[] }>('GET', '/sync-runs?limit=1', 200)).items;
    const malformed = await request(api.base)
      .put('/api/v1/guard')
      .set('authorization', `Bearer ${ADMIN_TOKEN}`)
      .set('content-type', 'application/json')
      .send('{"percent":');
    assert.equal(malformed.status, 400);
    assert.equal(malformed.body.code, 'malformed-json');
    const unreadable = await request(api.base)
      .put('/api/v1/guard')
      .set('authorization', `Bearer ${ADMIN_TOKEN}`)
      .set('content-type', 'application/json')
      .serialize((bytes) => bytes)
      .send(Buffer.from('{"text":"\xe9"}', 'latin1'));
    assert.deepEqual([unreadable.status, unreadable.body.code], [400, 'not-utf8']);
    const large = await request(api.base)
      .put('/api/v1/guard')
      .set('authorization', `Bearer ${ADMIN_TOKEN}`)
      .send({ text: 'x'.repeat(2_000_000) });
    assert.equal(large.status, 413);
    await call('GET', `/sync-runs/${UUID}`, 404);
    await call('GET', '/sync-runs/nonsense', 404);
    await call('GET', '/sync-runs?limit=0', 400);
    await call('GET', '/sync-runs?cursor=x', 400);
    await call('GET', '/sync-runs?status=finished', 400);
    await call('GET', '/tasks?state=finished', 400);
    await call('GET', `/sync-runs/${run?.id}/changes?outcome=done`, 400);
    const unknown = await call<{ code: string; parameters: string[] }>('GET', '/explain?subject=x&at=y&config=z', 400);
    assert.deepEqual([unknown.code, unknown.parameters], ['unknown-parameter', ['at', 'config']]);
    for (const instant of ['0000-01-01T00:00:00Z', '0001-01-01T00:00:00+14:00', '9999-12-31T23:59:59-14:00']) {
      for (const path of ['/audit?since=', '/sync-runs?until=', '/deliveries?since='])
        await call('GET', `${path}${encodeURIComponent(instant)}`, 400);
      await call('POST', '/tokens', 400, { name: 'x', scopes: ['viewer'], expiresAt: instant });
    }
    await call('GET', '/audit?since=0001-01-01T00:00:00Z&until=9999-12-31T23:59:59Z', 200);
    await call('GET', '/providers?limit=2', 200);
    await call('POST', `/plans/${UUID}/approve`, 404);
    assert.equal((await api.call<{ code: string }>('GET', '/api/v1/nothing')).body.code, 'no-such-route');
  });

  it('is alive, ready and measured without a token', async () => {
    assert.equal((await request(api.base).get('/healthz')).status, 200);
    assert.equal((await request(api.base).get('/readyz')).status, 200);
    assert.match((await request(api.base).get('/metrics')).text, /sluice_resources\{type="User"\} 60/);
    assert.equal((await request(api.base).get('/api/docs')).status, 200);
    assert.equal((await request(api.base).get('/api/v1/openapi.json')).body.openapi, '3.1.0');
  });

  it('stops the run that is under way when the provider is deactivated', async () => {
    graph.setFaults({ script: [{ path: '/users', fault: { kind: 'status', status: 503 }, times: 3 }] });
    const run = await call<{ id: string }>('POST', '/sync-runs', 202, {});
    await call('POST', '/providers/microsoft365/deactivate', 200);
    assert.equal((await untilOver(api, run.id)).status, 'cancelled');
    graph.setFaults({});
    await call('POST', '/providers/microsoft365/activate', 200);
  });

  it('deactivates, keeps the data, and refuses to run', async () => {
    await call('POST', '/providers/microsoft365/deactivate', 200);
    assert.equal((await call<{ code: string }>('POST', '/sync-runs', 409, {})).code, 'no-active-provider');
    assert.equal((await api.call<{ totalResults: number }>('GET', '/scim/v2/Users?count=0')).body.totalResults, 60);
  });
});

/** Every route of the router, in the form of the document. */
function adminRoutes(): string[] {
  const parts = { openapi: {}, database: {}, authenticator: {}, kinds: new Map() } as unknown as AdminParts;
  const beside = ['get /api/docs', 'get /connect/{kind}', 'get /.well-known/jwks.json'];
  return routesOf(adminRouter(parts)).filter((route) => !beside.includes(route));
}
