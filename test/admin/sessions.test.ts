import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeTenant, updateUser } from '#demo/tenant.ts';
import type { Newcomers } from '#store/views/plan-newcomers.ts';
import {
  ADMIN_TOKEN,
  connect,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  type TestGateway,
} from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';

/** The body of an answer. */
async function json(response: Response | Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await response).json()) as Record<string, unknown>;
}

const FROM_CONSOLE = {
  'x-requested-with': 'console',
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
};

describe('sessions of the console', () => {
  let api: TestGateway;

  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
  });
  after(async () => {
    await api?.close();
  });

  const send = (method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Response> =>
    fetch(`${api.base}/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  async function signIn(token: string): Promise<string> {
    const response = await send('POST', '/session', FROM_CONSOLE, { token });
    const body = await response.json();
    assert.equal(response.status, 201, JSON.stringify(body));
    assert.deepEqual(problemsOf('POST', '/session', 201, body), []);
    return (response.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
  }

  async function makeToken(scope: string): Promise<{ id: string; token: string; app: string }> {
    const app = await api.call<{ id: string }>('POST', '/api/v1/apps', { name: `people ${scope} ${Math.random()}` });
    const { body } = await api.call<{ id: string; token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {
      scopes: [scope],
    });
    return { ...body, app: app.body.id };
  }

  it('opens with a token, under a cookie that no script reads, and tells who one is', async () => {
    const response = await send('POST', '/session', FROM_CONSOLE, { token: ADMIN_TOKEN });
    assert.match(
      response.headers.get('set-cookie') ?? '',
      /^sluice=sluice_[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    const session = await json(send('GET', '/session', { cookie: await signIn(ADMIN_TOKEN) }));
    assert.equal(session['role'], 'admin');
    assert.deepEqual(problemsOf('GET', '/session', 200, session), []);
  });

  it('ends with the next sign-in of the same browser, whoever still has its cookie', async () => {
    const first = await signIn(ADMIN_TOKEN);
    const other = await signIn(ADMIN_TOKEN);
    const again = await send('POST', '/session', { ...FROM_CONSOLE, cookie: first }, { token: ADMIN_TOKEN });
    assert.equal(again.status, 201);
    const now = (again.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    const secondsLeft = async (cookie: string) =>
      (Date.parse(String((await json(send('GET', '/session', { cookie })))['expiresAt'])) - Date.now()) / 1_000;
    assert.ok((await secondsLeft(first)) <= 10, 'what is on its way still comes with it');
    for (const cookie of [now, other]) assert.ok((await secondsLeft(cookie)) > 3_600);
  });

  it('reads and writes the API as its role allows', async () => {
    const { token } = await makeToken('viewer');
    const cookie = await signIn(token);
    assert.equal((await send('GET', '/apps', { cookie })).status, 200);
    assert.equal((await send('PUT', '/retention', { cookie, ...FROM_CONSOLE }, {})).status, 403);
    const admin = await signIn(ADMIN_TOKEN);
    assert.equal((await send('PUT', '/retention', { cookie: admin, ...FROM_CONSOLE }, {})).status, 200);
  });

  it('refuses a change that another site, a form, or a page without our header asks for', async () => {
    const cookie = await signIn(ADMIN_TOKEN);
    const foreign: Record<string, string>[] = [
      { ...FROM_CONSOLE, 'sec-fetch-site': 'cross-site' },
      { ...FROM_CONSOLE, 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' },
      { 'x-requested-with': 'console', 'content-type': 'application/json' },
      { 'x-requested-with': 'console', 'content-type': 'application/json', origin: 'https://evil.example' },
    ];
    for (const headers of foreign) {
      const response = await send('PUT', '/retention', { cookie, ...headers }, {});
      assert.equal(response.status, 403, JSON.stringify(headers));
      assert.equal((await json(response))['code'], 'cross-site');
    }
    const older = { 'x-requested-with': 'console', 'content-type': 'application/json', origin: api.base };
    assert.equal((await send('PUT', '/retention', { cookie, ...older }, {})).status, 200);
  });

  it('is no key to SCIM', async () => {
    const cookie = await signIn(ADMIN_TOKEN);
    assert.equal((await fetch(`${api.base}/scim/v2/Users`, { headers: { cookie } })).status, 401);
  });

  it('ends when one signs out, and with the token it was opened with', async () => {
    const { token, app, id } = await makeToken('operator');
    const [first, second] = [await signIn(token), await signIn(token)];
    assert.equal((await send('DELETE', '/session', { cookie: first, ...FROM_CONSOLE })).status, 204);
    const over = await send('GET', '/session', { cookie: first });
    assert.equal(over.status, 401);
    assert.equal((await json(over))['code'], 'session-over');
    assert.equal((await send('GET', '/session', { cookie: second })).status, 200);
    await api.call('DELETE', `/api/v1/apps/${app}/tokens/${id}`);
    assert.equal((await send('GET', '/session', { cookie: second })).status, 401);
  });

  it('ends the stream that is open with it, as revoking a token does', async () => {
    const { token, app, id } = await makeToken('viewer');
    const cookie = await signIn(token);
    const other = await makeToken('viewer');
    const streams = await Promise.all(
      [{ cookie }, { authorization: `Bearer ${other.token}` }].map((headers) => send('GET', '/events', headers)),
    );
    assert.deepEqual(
      streams.map(({ status }) => status),
      [200, 200],
    );
    assert.equal((await send('DELETE', '/session', { cookie, ...FROM_CONSOLE })).status, 204);
    await api.call('DELETE', `/api/v1/apps/${other.app}/tokens/${other.id}`);
    // Each ends by itself: a reader who is not told so would wait for ever.
    for (const stream of streams) assert.match(await stream.text(), /event: hello/);
    await api.call('DELETE', `/api/v1/apps/${app}/tokens/${id}`);
  });

  it('ends everywhere when one says so', async () => {
    const { token } = await makeToken('operator');
    const [first, second] = [await signIn(token), await signIn(token)];
    assert.equal((await send('DELETE', '/session?everywhere=true', { cookie: first, ...FROM_CONSOLE })).status, 204);
    assert.equal((await send('GET', '/session', { cookie: second })).status, 401);
  });

  it('names the person in the audit log', async () => {
    const { token, id } = await makeToken('admin');
    const cookie = await signIn(token);
    await send('PUT', '/retention', { cookie, ...FROM_CONSOLE }, {});
    const { body } = await api.call<{ items: { actor: string; action: string }[] }>('GET', '/api/v1/audit?limit=1');
    assert.deepEqual(
      body.items.map(({ actor, action }) => [actor, action]),
      [[`token:${id}`, 'retention.change']],
    );
    const actors = await api.call<{ items: { actor: string }[] }>('GET', '/api/v1/actors');
    assert.ok(actors.body.items.some(({ actor }) => actor === `token:${id}`));
  });

  it('does not open for a token of an app, nor for one that is wrong, which may be tried ten times a minute', async () => {
    const { token } = await makeToken('scim:read');
    const app = await send('POST', '/session', FROM_CONSOLE, { token });
    assert.equal((await json(app))['code'], 'token-without-role');
    const codes: string[] = [];
    for (let tries = 0; tries < 11; tries += 1)
      codes.push(String((await json(send('POST', '/session', FROM_CONSOLE, { token: 'wrong' })))['code']));
    assert.deepEqual([...new Set(codes)], ['token-wrong', 'too-many-tries']);
    assert.equal(codes.indexOf('too-many-tries'), 10);
  });
});

describe('what the console asks for', () => {
  let api: TestGateway;
  let close: () => Promise<void>;
  const tenant = makeTenant({ users: 60, groups: 4, membersPerGroup: 5 });

  before(async () => {
    const bare = { userPrincipalName: 'bare@contoso.onmicrosoft.com', assignedLicenses: [], assignedPlans: [] };
    updateUser(tenant, [...tenant.users.keys()][2] ?? '', bare);
    const graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph, { initialRun: 'preview' }));
    close = async () => {
      await api.close();
      await graph.close();
    };
  });
  after(() => close?.());

  async function get<Body>(path: string): Promise<Body> {
    const { status, body } = await api.call<Body>('GET', `/api/v1${path}`);
    assert.deepEqual(problemsOf('GET', path, status, body), [], path);
    return body;
  }

  interface Plan {
    readonly id: string;
    readonly hash: string;
  }
  const heldPlan = async (): Promise<Plan> => {
    const { items } = await get<{ items: { planId: string }[] }>('/sync-runs');
    return get<Plan>(`/plans/${items[0]?.planId}`);
  };

  it('is told what waits, how large the directory is, and how the days went', async () => {
    const overview = await get<{
      held: { counts: Record<string, number> }[];
      directory: object;
      days: { held: number }[];
      missedRun: object | null;
    }>('/overview');
    assert.equal(overview.held[0]?.counts['create'], 64);
    assert.equal(overview.missedRun, null);
    assert.deepEqual(overview.directory, {
      users: 0,
      activeUsers: 0,
      groups: 0,
      byHand: 0,
      groupsByHand: 0,
      memberships: 0,
    });
    assert.equal(
      overview.days.reduce((sum, { held }) => sum + held, 0),
      1,
    );
  });

  it('is told the days of the calendar that it asks by, and which zone there is not', async () => {
    const zones = ['Pacific/Kiritimati', 'Pacific/Pago_Pago'];
    for (const timeZone of zones) {
      const today = () => new Intl.DateTimeFormat('sv', { timeZone }).format(new Date());
      const before = today();
      const { days } = await get<{ days: { day: string }[] }>(`/overview?timeZone=${timeZone}`);
      assert.ok([before, today()].includes(days.at(-1)?.day ?? ''));
    }
    const refused = await api.call<{ code: string }>('GET', '/api/v1/overview?timeZone=Mars/Olympus');
    assert.equal(refused.status, 400);
  });

  it('is told why a plan does what it does, and which settings were saved before', async () => {
    const { id } = await heldPlan();
    const { causes, settingsChanges, newcomers } = await get<{
      causes: { action: string; resourceType: string; reason: string; count: number; sentence: string }[];
      settingsChanges: { action: string }[];
      newcomers: Newcomers;
    }>(`/plans/${id}/causes`);
    const created = causes.find(({ reason }) => reason === 'NewInSource');
    assert.equal(created?.sentence, 'The provider has it and the directory does not.');
    assert.ok(settingsChanges.some(({ action }) => action === 'provider.configure'));
    const people = [...tenant.users.values()];
    const coming = causes.filter(({ action, resourceType }) => action === 'create' && resourceType === 'User');
    assert.equal(
      newcomers.users,
      coming.reduce((sum, { count }) => sum + count, 0),
    );
    assert.ok(newcomers.users > newcomers.guests && newcomers.guests > 0);
    assert.equal(newcomers.guests, people.filter(({ userType }) => userType === 'Guest').length);
    assert.equal(newcomers.disabled, people.filter(({ accountEnabled }) => accountEnabled === false).length);
    const unlicensed = people.filter(({ assignedLicenses }) => (assignedLicenses as unknown[]).length === 0);
    assert.equal(newcomers.unlicensed, unlicensed.length);
    assert.equal(newcomers.onMicrosoft, 1, 'a guest is called so by design');
    assert.equal(newcomers.userTypes.find(({ value }) => value === 'Guest')?.count, newcomers.guests);
    for (const shares of [newcomers.userTypes, newcomers.mailboxTypes, newcomers.domains])
      assert.equal(
        shares.reduce((sum, { count }) => sum + count, 0),
        newcomers.users,
      );
  });

  it('has a plan applied only if it is the one that was confirmed', async () => {
    const { id, hash } = await heldPlan();
    for (const seen of [{ hash: 'another' }, { hash, removals: 3 }]) {
      const { status, body } = await api.call<{ code: string }>('POST', `/api/v1/plans/${id}/approve`, seen);
      assert.equal(status, 409);
      assert.equal(body.code, 'plan-changed');
    }
    const { status } = await api.call('POST', `/api/v1/plans/${id}/approve`, { hash, removals: 0 });
    assert.equal(status, 202);
  });

  it('is refused settings over those that somebody else saved meanwhile', async () => {
    const path = '/providers/microsoft365';
    const settings = await get<{ configVersion: number }>(path);
    const put = (version: number): Promise<Response> =>
      fetch(`${api.base}/api/v1${path}`, {
        method: 'PUT',
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          'content-type': 'application/json',
          'if-match': `"${version}"`,
        },
        body: JSON.stringify(settings),
      });
    const refused = await put(settings.configVersion + 1);
    assert.equal(refused.status, 412);
    assert.equal((await json(refused))['code'], 'settings-changed');
    assert.equal((await put(settings.configVersion)).status, 200);
  });

  it('keeps a draft of settings without showing its secrets, until it is dropped', async () => {
    const path = '/api/v1/providers/microsoft365/draft';
    const settings = { tenantId: 'contoso.example', credential: { kind: 'clientSecret', secret: 'very-secret' } };
    const saved = await api.call<object>('PUT', path, { step: 'scope', settings });
    assert.deepEqual(problemsOf('PUT', path.slice(7), 200, saved.body), []);
    const again = await api.call('PUT', path, {
      step: 'filters',
      settings: { ...settings, credential: { kind: 'clientSecret' } },
    });
    assert.equal(again.status, 200);
    const draft = await get<{ step: string; secretsSet: string[] }>('/providers/microsoft365/draft');
    assert.deepEqual([draft.step, draft.secretsSet], ['filters', ['credential.secret']]);
    assert.doesNotMatch(JSON.stringify(draft), /very-secret/);
    assert.equal((await api.call('DELETE', path)).status, 204);
    assert.equal((await api.call('GET', path)).status, 404);
  });

  it('hears of runs and of what was done in one stream', async () => {
    const stopped = new AbortController();
    const response = await fetch(`${api.base}/api/v1/events`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      signal: stopped.signal,
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    const until = async (pattern: RegExp): Promise<void> => {
      while (!pattern.test(heard)) heard += (await reader?.read())?.value ?? '';
    };
    await until(/event: hello/);
    await until(/event: run\ndata: \{.*"number":1/);
    await api.call('PUT', '/api/v1/retention', {});
    await until(/event: changed\ndata: \{"topics":\["retention"\]\}/);
    await api.call('POST', '/api/v1/users', {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'by.hand',
    });
    await until(/"directory"/);
    stopped.abort();
  });

  it('shows itself to browsers under one strict policy, and leaves every other path alone', async () => {
    const page = await fetch(`${api.base}/users/anything`, { headers: { accept: 'text/html' } });
    assert.equal(page.status, 200);
    assert.match(await page.text(), /<div id="root">/);
    assert.match(
      page.headers.get('content-security-policy') ?? '',
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    assert.doesNotMatch(page.headers.get('content-security-policy') ?? '', /unsafe|nonce|\*/);
    const other = await fetch(`${api.base}/api/v1/nothing`, {
      headers: { accept: 'text/html', authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    assert.equal(other.status, 404);
    assert.match(other.headers.get('content-type') ?? '', /problem\+json/);
    assert.equal((await fetch(`${api.base}/`)).headers.get('content-type'), 'application/json; charset=utf-8');
  });
});
