import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant } from '#demo/tenant.ts';
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
import { problemsOf } from '../support/openapi.ts';

const NEEDED = ['User.Read.All', 'GroupMember.Read.All'];
const ALL = [...NEEDED, 'Organization.Read.All', 'Application.Read.All', 'Mail.Read'];
const PATH = '/providers/microsoft365';

interface Way {
  connectUrl: string;
  redirectUri: string;
  permissions: { name: string }[];
  connection: Connection;
}
interface Connection {
  state?: string;
  detail?: string;
  connectedAt: string | null;
  connectedBy: string | null;
  source: { id: string; name: string | null; domains: string[] | null } | null;
  hybrid: { enabled: boolean; lastSyncAt: string | null } | null;
  permissions: { granted: string[]; missing: { name: string }[] } | null;
  credential: { kind: string; expiresAt: string | null; daysLeft: number | null } | null;
  problem: { code: string; remedy: string } | null;
}

describe('connecting to a tenant', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  const ends = new Date(Date.now() + 45 * 86_400_000).toISOString();

  before(async () => {
    tenant = makeTenant({ users: 40, groups: 3, membersPerGroup: 4 });
    tenant.hybridSyncAt = '2026-11-25T10:00:00Z';
    graph = await startTenant(tenant, {
      application: {
        roles: [],
        asks: ALL,
        passwordCredentials: [
          { hint: 'old', endDateTime: '2026-01-01T00:00:00Z' },
          { hint: 'dem', endDateTime: ends },
        ],
      },
    });
    api = await startGateway(await freshStorage('embedded'));
    graph.setApplication({ redirectUris: [`${api.base}/connect/microsoft365`] });
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  async function call<Body = Record<string, unknown>>(method: string, path: string, status: number, body?: unknown) {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  /** Where a browser ends that opens an address, follows the source back to us, and is sent on. */
  async function browse(url: string): Promise<{ callback: string; end: URL }> {
    const callback = (await fetch(url, { redirect: 'manual' })).headers.get('location') ?? assert.fail('no way back');
    return { callback, end: await arrive(callback) };
  }

  async function arrive(callback: string, cookie = ''): Promise<URL> {
    const response = await fetch(callback, { redirect: 'manual', headers: { cookie } });
    assert.equal(response.status, 303, await response.text());
    return new URL(response.headers.get('location') ?? '');
  }

  const card = async (): Promise<Connection> => {
    const { items } = await call<{ items: { kind: string; connection: Connection }[] }>('GET', '/providers', 200);
    return items.find(({ kind }) => kind === 'microsoft365')?.connection ?? assert.fail();
  };

  it('leads to consent before there are settings, and learns the tenant by it', async () => {
    const { tenantId: _tenant, clientId, endpoints } = settingsFor(tenant, graph);
    const way = await call<Way>('POST', `${PATH}/connect`, 200, {
      application: { clientId, endpoints },
      returnTo: '/setup?step=2',
    });
    const asked = new URL(way.connectUrl);
    assert.equal(asked.pathname, '/organizations/v2.0/adminconsent');
    assert.equal(asked.searchParams.get('scope'), `${graph.origin}/.default`);
    assert.equal(asked.searchParams.get('redirect_uri'), way.redirectUri);
    assert.equal(way.redirectUri, `${api.base}/connect/microsoft365`);
    const { end } = await browse(way.connectUrl);
    assert.equal(`${end.origin}${end.pathname}${end.search}`, `${api.base}/setup?step=2&connected=microsoft365`);
    const { source, connectedAt, connectedBy } = await card();
    assert.equal(source?.id, tenant.id);
    assert.ok(connectedAt !== null);
    type Event = { action: string; actor: string; object: string; detail: { sourceId: string } };
    const { items } = await call<{ items: Event[] }>('GET', '/audit?limit=1', 200);
    const { action, actor, object, detail } = items[0] ?? assert.fail();
    assert.deepEqual([action, object, detail], ['provider.connect', 'microsoft365', { sourceId: tenant.id }]);
    assert.equal(actor, connectedBy);
  });

  it('shows after consent what was granted, whether the tenant is hybrid, and when the secret ends', async () => {
    graph.setApplication({ roles: [] });
    await call('PUT', PATH, 200, settingsFor(tenant, graph, { initialRun: 'preview' }));
    const way = await call<Way>('GET', `${PATH}/connect`, 200);
    assert.deepEqual(
      way.permissions.slice(0, 2).map(({ name }) => name),
      NEEDED,
    );
    await browse(way.connectUrl);
    const connection = await card();
    assert.equal(connection.state, 'connected');
    assert.match(connection.detail ?? '', /Contoso/);
    assert.deepEqual(connection.permissions?.granted, [...ALL].sort());
    assert.deepEqual(connection.permissions?.missing, []);
    assert.deepEqual(connection.hybrid, { enabled: true, lastSyncAt: tenant.hybridSyncAt });
    assert.deepEqual(connection.source?.domains, ['contoso.example', 'contoso.onmicrosoft.com']);
    assert.equal(connection.credential?.expiresAt, ends);
    assert.equal(connection.credential?.daysLeft, 45);
  });

  it('takes each answer once, and none that was not asked for or was changed', async () => {
    const { connectUrl } = await call<Way>('GET', `${PATH}/connect`, 200);
    const { callback, end } = await browse(connectUrl);
    assert.equal(end.searchParams.get('connected'), 'microsoft365');
    assert.equal((await arrive(callback)).searchParams.get('code'), 'state-used');
    const changed = new URL(callback);
    changed.searchParams.set('state', `${changed.searchParams.get('state')?.slice(0, -2)}xx`);
    assert.equal((await arrive(changed.href)).searchParams.get('code'), 'state-wrong');
    const forged = `${api.base}/connect/microsoft365?admin_consent=True&tenant=${tenant.id}`;
    assert.equal((await arrive(forged)).searchParams.get('code'), 'state-wrong');
    assert.equal((await card()).problem, null, 'a stranger writes no problem');
  });

  it('ends in the browser of the session that began, and nowhere else', async () => {
    const own = { 'content-type': 'application/json', 'x-requested-with': 'console', 'sec-fetch-site': 'same-origin' };
    const signIn = async (): Promise<string> => {
      const body = JSON.stringify({ token: ADMIN_TOKEN });
      const response = await fetch(`${api.base}/api/v1/session`, { method: 'POST', headers: own, body });
      assert.equal(response.status, 201);
      return response.headers.get('set-cookie')?.split(';')[0] ?? '';
    };
    const [cookie, other] = [await signIn(), await signIn()];
    const began = await fetch(`${api.base}/api/v1${PATH}/connect`, { headers: { ...own, cookie } });
    const { connectUrl } = (await began.json()) as Way;
    const callback = (await fetch(connectUrl, { redirect: 'manual' })).headers.get('location') ?? assert.fail();
    assert.equal((await arrive(callback)).searchParams.get('code'), 'state-elsewhere');
    assert.equal((await arrive(callback, other)).searchParams.get('code'), 'state-elsewhere');
    assert.equal((await arrive(callback, cookie)).searchParams.get('connected'), 'microsoft365');
    // By another address of the gateway the way is the same and ends at its own, where that cookie never comes.
    const base = api.base.replace('127.0.0.1', 'localhost');
    assert.notEqual(base, api.base);
    const aside = await fetch(`${base}/api/v1${PATH}/connect`, { headers: { ...own, cookie } });
    const way = (await aside.json()) as Way;
    assert.equal(way.redirectUri, `${api.base}/connect/microsoft365`);
    assert.equal((await browse(way.connectUrl)).end.searchParams.get('connected'), 'microsoft365');
  });

  it('returns to paths of its own only', async () => {
    for (const returnTo of ['https://evil.example', '//evil.example', '/\\evil.example', 'x'])
      await call('POST', `${PATH}/connect`, 400, { returnTo });
  });

  it('says in words what the administrator or Microsoft refused', async () => {
    graph.setDecision('decline');
    const { connectUrl } = await call<Way>('GET', `${PATH}/connect`, 200);
    const { end } = await browse(connectUrl);
    assert.equal(end.searchParams.get('connect-failed'), 'microsoft365');
    assert.equal(end.searchParams.get('code'), 'consent-declined');
    assert.match((await card()).problem?.remedy ?? '', /global administrator/);
    graph.setDecision('accept');
    // Whatever the words, and also where no AADSTS number is among them.
    for (const [error, description, code] of [
      ['access_denied', 'The user canceled.', 'consent-declined'],
      ['permission_denied', '', 'consent-declined'],
      ['access_denied', 'AADSTS90094: admin consent', 'consent-required'],
      ['invalid_request', 'AADSTS650056: misconfigured', 'application-wrong'],
      ['server_error', 'AADSTS1234567: who knows', 'sign-in-refused'],
      ['server_error', '', 'consent-refused'],
    ] as const) {
      const { connectUrl: again } = await call<Way>('GET', `${PATH}/connect`, 200);
      const state = new URL(again).searchParams.get('state') ?? '';
      const answer = new URLSearchParams({ state, error, error_description: description });
      const refused = await arrive(`${api.base}/connect/microsoft365?${answer}`);
      assert.equal(refused.searchParams.get('code'), code, `${error} ${description}`);
    }
  });

  it('refuses the consent of another tenant', async () => {
    const { connectUrl } = await call<Way>('GET', `${PATH}/connect`, 200);
    const state = new URL(connectUrl).searchParams.get('state') ?? '';
    const answer = new URLSearchParams({
      state,
      admin_consent: 'True',
      tenant: '99999999-0000-4000-8000-000000000000',
    });
    const end = await arrive(`${api.base}/connect/microsoft365?${answer}`);
    assert.equal(end.searchParams.get('code'), 'tenant-mismatch');
    assert.equal((await card()).source?.id, tenant.id);
  });

  it('leads from the picker and from a sync to the consent that is missing', async () => {
    graph.setApplication({ roles: [], asks: ALL });
    const picker = await call<{ code: string; connectUrl: string }>('GET', `${PATH}/source/groups`, 409);
    assert.equal(picker.code, 'consent-required');
    await call('POST', `${PATH}/activate`, 200, {});
    const { items } = await call<{ items: RunBody[] }>('GET', '/sync-runs', 200);
    const failed = await untilOver(api, items[0]?.id ?? '');
    assert.equal(failed.error?.failure, 'consent', JSON.stringify(failed));
    const started = await call<{ code: string; connectUrl: string }>('POST', '/sync-runs', 409, {});
    assert.equal(started.code, 'consent-required');
    assert.equal(new URL(picker.connectUrl).pathname, `/${tenant.id}/v2.0/adminconsent`);
    type Setup = { type: string; category: string; state: string; step: string; error: { message: string } | null };
    const looked = async (): Promise<Setup | undefined> =>
      (await call<{ items: Setup[] }>('GET', '/tasks', 200)).items.find(({ type }) => type === 'connection');
    const before = await looked();
    assert.deepEqual([before?.category, before?.state, before?.step], ['setup', 'failed', 'permissions']);
    assert.match(before?.error?.message ?? '', /User\.Read\.All, GroupMember\.Read\.All/);
    await browse(started.connectUrl);
    assert.deepEqual([(await looked())?.state, (await looked())?.error], ['succeeded', null]);
    const { items: runs } = await call<{ items: RunBody[] }>('GET', '/sync-runs', 200);
    assert.equal(runs[0]?.trigger, 'connect', 'consent starts the first run');
    assert.equal((await untilOver(api, runs[0]?.id ?? '')).status, 'held');
    assert.equal((await sync(api, { preview: true })).status, 'succeeded');
  });

  it('does not say that the last read went well where consent came after one that failed', async () => {
    const held = await sync(api, {});
    assert.equal((await approve(api, held.planId)).status, 'succeeded');
    assert.equal((await card()).detail, 'The last read went well.');
    graph.setApplication({ roles: [], asks: ALL });
    assert.equal((await sync(api, {})).error?.failure, 'consent');
    assert.equal((await card()).state, 'error');
    await browse((await call<Way>('GET', `${PATH}/connect`, 200)).connectUrl);
    const { state, detail } = await card();
    assert.deepEqual(
      [state, detail],
      ['connected', 'The source gives what the last run lacked; nothing was read since.'],
    );
  });

  it('reviews permissions by the settings: required, missing, optional and superfluous', async () => {
    interface Review {
      missing: { name: string }[];
      superfluous: string[];
      optional: { name: string; granted: boolean }[];
      entraUrl: string;
    }
    graph.setApplication({ roles: ['User.Read.All', 'Mail.Read', 'Organization.Read.All'] });
    const review = await call<Review>('GET', `${PATH}/permissions`, 200);
    assert.deepEqual(
      review.missing.map(({ name }) => name),
      ['GroupMember.Read.All'],
    );
    assert.deepEqual(review.superfluous, ['Mail.Read']);
    const granted = review.optional.filter((one) => one.granted).map(({ name }) => name);
    assert.deepEqual(granted, ['Organization.Read.All']);
    assert.ok(review.entraUrl.includes(graph.application.clientId));
    graph.setApplication({ roles: ALL });
  });

  it('never locks out the administrators of the gateway', async () => {
    for (const path of ['/providers', '/sync-runs', '/audit', '/apps']) await call('GET', path, 200);
    assert.ok(ADMIN_TOKEN.length > 0);
    const { items } = await call<{ items: { action: string }[] }>('GET', '/audit?limit=100', 200);
    assert.ok(items.some(({ action }) => action === 'provider.connect'));
  });
});
