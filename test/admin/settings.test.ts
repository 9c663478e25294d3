// What settings would let in, who changed them, and the way back to an earlier version.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { REASONS } from '#core/reasons.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant } from '#demo/tenant.ts';
import { apart, merged } from '../../src/console/app/conflict/three-way.ts';
import { KOREAN_REASONS } from '../../src/console/app/korean-reasons.ts';
import {
  ADMIN_TOKEN,
  connect,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

const USERS = 40;
const SALES = 12;

interface Change {
  action: string;
  provider: string | null;
  configVersion: number | null;
  changes: { path: string; before: unknown; after: unknown }[];
  secretsChanged: boolean;
}

interface App {
  name: string;
}

describe('settings over the API', () => {
  const tenant = makeTenant({ users: USERS, groups: 3, membersPerGroup: 5 });
  for (const [place, user] of [...tenant.users.values()].entries())
    Object.assign(user, { department: place < SALES ? 'Sales' : 'Research' });
  let graph: GraphServer;
  let api: TestGateway;
  const saved = () => settingsFor(tenant, graph);
  const withFilter = (filter: string) => ({ ...saved(), scope: { ...(saved()['scope'] as object), filter } });

  before(async () => {
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  async function call<Body = Record<string, unknown>>(method: string, path: string, status: number, body?: unknown) {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path.split('?')[0] ?? path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  const attempt = (settings: unknown) =>
    call<{ total: number; matching: number; leaving: number; joining: number; skipped: object[] }>(
      'POST',
      '/providers/microsoft365/scope/try',
      200,
      settings,
    );

  const changes = async (query = '') =>
    (await call<{ items: Change[] }>('GET', `/settings-changes${query}`, 200)).items;

  it('counts nobody before anything was read', async () => {
    assert.equal((await attempt(saved())).total, 0);
  });

  it('counts whom a filter lets in, whom it takes away and why, and saves nothing', async () => {
    await connect(api, saved());
    const now = await attempt(undefined);
    assert.equal(now.matching, now.total);
    const then = await attempt(withFilter("department eq 'Sales'"));
    assert.equal(then.matching, SALES);
    assert.equal(then.leaving, now.total - SALES);
    assert.deepEqual(then.skipped, [
      { reason: 'ScopeFilterFalse', sentence: REASONS.ScopeFilterFalse.sentence, count: now.total - SALES },
    ]);
    const read = await call<{ scope: { filter: string } }>('GET', '/providers/microsoft365', 200);
    assert.equal(read.scope.filter, '');
    assert.deepEqual(await attempt(read), now, 'what was read may be sent as it is');
  });

  it('says what is wrong with a filter that cannot be read', async () => {
    await call('POST', '/providers/microsoft365/scope/try', 400, withFilter('department eq'));
  });

  it('keeps each version with what differs, and whether a secret was replaced', async () => {
    const [first] = await changes('?provider=microsoft365&versionsOnly=true');
    assert.deepEqual([first?.configVersion, first?.changes, first?.secretsChanged], [1, [], false]);
    await call('PUT', '/providers/microsoft365', 200, { ...saved(), adoptManual: 'onMatch' });
    const credential = { kind: 'clientSecret', secret: 'another one' };
    await call('PUT', '/providers/microsoft365', 200, { ...saved(), adoptManual: 'onMatch', credential });
    const [third, second] = await changes('?provider=microsoft365&versionsOnly=true');
    assert.deepEqual(third, { ...third, configVersion: 3, changes: [], secretsChanged: true });
    assert.deepEqual(second?.changes, [{ path: 'adoptManual', before: 'never', after: 'onMatch' }]);
    assert.doesNotMatch(JSON.stringify([third, second]), /another one/);
  });

  it('shows a version as it was, without secrets, so that it can be saved again', async () => {
    const { settings } = await call<{ settings: object }>('GET', '/providers/microsoft365/versions/1', 200);
    assert.doesNotMatch(JSON.stringify(settings), new RegExp(String(graph.application.secret)));
    const { configVersion } = await call<{ configVersion: number }>('PUT', '/providers/microsoft365', 200, settings);
    assert.equal(configVersion, 4);
    const [newest] = await changes('?provider=microsoft365&versionsOnly=true');
    assert.deepEqual(newest?.changes, [{ path: 'adoptManual', before: 'onMatch', after: 'never' }]);
    await call('GET', '/providers/microsoft365/versions/99', 404);
  });

  it('lists what else was changed between runs: limits, schedule, the active source', async () => {
    await call('PUT', '/guard', 200, { percent: 5 });
    await call('PUT', '/schedule', 200, { enabled: false, kind: 'daily', time: '04:00', timeZone: 'UTC' });
    const [schedule, guard, ...rest] = await changes();
    assert.deepEqual(guard?.changes, [{ path: 'percent', before: 10, after: 5 }]);
    assert.equal(schedule?.action, 'schedule.change');
    assert.ok(rest.some(({ action }) => action === 'provider.activate'));
    assert.deepEqual(await changes(`?since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`), []);
  });

  it('overwrites nobody who saved meanwhile, and says who and when', async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
    const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'Wiki' });
    const documents: readonly (readonly [path: string, method: string, change: object])[] = [
      ['/guard', 'PUT', { percent: 7 }],
      ['/schedule', 'PUT', { enabled: false, kind: 'daily', time: '05:00' }],
      ['/retention', 'PUT', { runs: 30 }],
      ['/directory', 'PUT', { localEdits: 'overwrite' }],
      ['/notifications', 'PUT', { remindAfterHours: 12 }],
      [`/apps/${app.id}`, 'PATCH', { name: 'Wiki of all' }],
    ];
    for (const [path, method, change] of documents) {
      const url = `${api.base}/api/v1${path}`;
      const etag = (await fetch(url, { headers })).headers.get('etag') ?? '';
      const save = (tag: string) =>
        fetch(url, { method, headers: { ...headers, 'if-match': tag }, body: JSON.stringify(change) });
      const saved = await save(etag);
      assert.equal(saved.status, 200, path);
      const refused = await save(etag);
      const problem = (await refused.json()) as { code: string; savedBy: string; savedAt: string };
      assert.deepEqual([refused.status, problem.code], [412, 'settings-changed'], path);
      assert.match(problem.savedBy, /^token:/);
      assert.ok(!Number.isNaN(Date.parse(problem.savedAt)));
      assert.equal((await save(saved.headers.get('etag') ?? '')).status, 200, path);
    }
  });

  it('tags an app by what it shows of it, also while others save it', async () => {
    const { id } = await call<{ id: string }>('POST', '/apps', 201, {
      name: 'Shop',
      webhook: { url: 'https://shop.test' },
    });
    const path = `/api/v1/apps/${id}`;
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, count) => [
        api.call<App>('PATCH', path, { name: `Shop ${count}` }),
        api.call<App>('GET', path),
      ]).flat(),
    );
    const shown = new Map<string | null, Set<string>>();
    for (const { headers, body } of answers) {
      const tag = headers.get('etag');
      shown.set(tag, (shown.get(tag) ?? new Set()).add(body.name));
    }
    assert.deepEqual(
      [...shown.values()].filter(({ size }) => size > 1),
      [],
    );
    assert.equal(shown.size, new Set(answers.map(({ body }) => body.name)).size);
    const tag = (await api.call('GET', path)).headers.get('etag');
    await call('PATCH', `/apps/${id}`, 200, { webhook: { enabled: false } });
    assert.notEqual((await api.call('GET', path)).headers.get('etag'), tag, 'to pause a webhook is to save it');
  });

  it('forgets the settings of a source that is off, credentials and all; what it brought can still be undone', async () => {
    const refusal = async (method: string, path: string, status: number, body?: unknown): Promise<string> =>
      (await call<{ code: string }>(method, path, status, body)).code;
    assert.equal(await refusal('DELETE', '/providers/microsoft365', 409), 'provider-active');
    assert.equal(await refusal('DELETE', '/providers/ldap', 404), 'not-configured');
    const ldap = { preset: 'openldap', url: 'ldaps://directory.test', users: { base: 'dc=test' } };
    const bind = { dn: 'cn=reader', password: 'secret of the reader' };
    await call('PUT', '/providers/ldap', 200, { ...ldap, bind });
    await call('PUT', '/providers/ldap/draft', 200, { step: 'connect', settings: { ...ldap, bind } });
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'if-match': '"7"' };
    const stale = await fetch(`${api.base}/api/v1/providers/ldap`, { method: 'DELETE', headers });
    assert.equal(stale.status, 412);
    await call('DELETE', '/providers/ldap', 204);
    await call('GET', '/providers/ldap', 404);
    await call('GET', '/providers/ldap/draft', 404);
    const [last] = await changes('?provider=ldap');
    assert.equal(last?.action, 'provider.remove');
    const without = { ...ldap, bind: { dn: bind.dn } };
    assert.equal(await refusal('PUT', '/providers/ldap', 400, without), 'settings-invalid', 'the password is gone');
    const again = await call<{ configVersion: number }>('PUT', '/providers/ldap', 200, { ...ldap, bind });
    assert.equal(again.configVersion, 2, 'another version than the one before');
    await call('GET', '/providers/ldap/versions/1', 200);

    const { items } = await call<{ items: RunBody[] }>('GET', '/sync-runs?status=succeeded&limit=1', 200);
    await call('POST', '/providers/microsoft365/deactivate', 200, {});
    await call('DELETE', '/providers/microsoft365', 204);
    const undoing = await call<RunBody>('POST', `/sync-runs/${items[0]?.id}/revert`, 202);
    assert.equal((await untilOver(api, undoing.id)).status, 'held');
  });

  it('makes two versions of settings into one, field by field', () => {
    const base = { a: 1, b: { c: 'x', d: ['one'] }, e: null, gone: 1 };
    const mine = { a: 2, b: { c: 'x', d: ['one'] }, e: '', gone: 1 };
    const theirs = { a: 3, b: { c: 'y', d: ['one', 'two'] } };
    const fields = apart(base, mine, theirs);
    assert.deepEqual(
      fields.map(({ path, onlyTheirs }) => [path, onlyTheirs]),
      [
        ['a', false],
        ['b.c', true],
        ['b.d', true],
        ['gone', true],
      ],
    );
    const taken = fields.filter(({ onlyTheirs }) => onlyTheirs);
    assert.deepEqual(merged(mine, taken), { a: 2, b: { c: 'y', d: ['one', 'two'] }, e: '' });
  });

  it('has a sentence in Korean for every reason', () => {
    assert.deepEqual(
      Object.keys(REASONS).filter((code) => KOREAN_REASONS[code] === undefined),
      [],
    );
  });
});
