// Every route that there is, without a token, with a wrong one, and with each lesser scope.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { adminRouter } from '#admin/router.ts';
import { hookRouter } from '#http/hooks.ts';
import { scimRouter } from '#scim/router.ts';
import { checkedCall, tokenWith } from '../support/checked.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';
import { openapi } from '../support/openapi.ts';
import { noParts, routesOf } from '../support/routes.ts';

const UUID = '00000000-0000-4000-8000-000000000000';

/** What needs no token, and says so in openapi.yaml. */
const PUBLIC = new Set(['get /openapi.json', 'get /sign-in', 'get /sign-in/oidc', 'get /sign-in/oidc/callback']);
/** Takes a token in its body, and only from the console. */
const SIGN_IN = 'post /session';
/** What an operator may not do. */
const ADMIN_ONLY = new Set([
  ...[
    'put /providers/{kind}',
    'delete /providers/{kind}',
    'post /providers/{kind}/activate',
    'post /providers/{kind}/deactivate',
  ],
  ...['get /providers/{kind}/connect', 'post /providers/{kind}/connect'],
  ...['put /providers/{kind}/draft', 'delete /providers/{kind}/draft'],
  ...['put /schedule', 'put /guard', 'put /directory', 'put /costs/budget', 'put /retention', 'put /notifications'],
  ...[
    'post /notifications/test',
    'post /secrets/reseal',
    'post /signing-keys/rotate',
    'delete /tokens/{id}',
    'post /tokens',
  ],
  ...['post /diagnostics', 'post /diagnostics/bundle'],
  ...['post /apps', 'patch /apps/{id}', 'delete /apps/{id}', 'post /apps/{id}/tokens'],
  ...['delete /apps/{id}/tokens/{tokenId}', 'post /apps/{id}/webhook/rotate-secret'],
]);
/** Of these, what changes nothing: a browser may ask for it however long ago one signed in. */
const LOOKS = new Set(['post /diagnostics', 'post /diagnostics/bundle']);
/** Ends one's own session, whatever one's role. */
const OWN = 'delete /session';
const EDGES = ['get /api/docs', 'get /connect/{kind}', 'get /.well-known/jwks.json'];
const HOOKS = ['post /hooks/{kind}', 'post /hooks/{kind}/lifecycle'];
const SCIM = [
  ...['get /', 'post /.search', 'get /ServiceProviderConfig', 'post /Bulk', 'post /SecurityEvents'],
  ...['get /ResourceTypes', 'get /ResourceTypes/{id}', 'get /Schemas', 'get /Schemas/{id}'],
  ...['get /Me', 'post /Me', 'put /Me', 'patch /Me', 'delete /Me'],
  ...['Users', 'Groups'].flatMap((name) => [
    ...[`get /${name}`, `post /${name}`, `post /${name}/.search`, `get /${name}/{id}`],
    ...[`put /${name}/{id}`, `patch /${name}/{id}`, `delete /${name}/{id}`],
  ]),
];
/** What changes the directory. */
const isScimWrite = (route: string): boolean =>
  /^(post|put|patch|delete) \/(Users|Groups|Bulk|Me)/.test(route) && !/search/.test(route);

describe('a scan of every route', () => {
  let api: TestGateway;
  const call = checkedCall(() => api);
  const documented = Object.entries(openapi.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  const tokens = new Map<string, Promise<string>>();
  /** One for each scope. */
  function tokenOf(scope: string): Promise<string> {
    const made = tokens.get(scope) ?? tokenWith(call, scope);
    tokens.set(scope, made);
    return made;
  }
  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
  });
  after(() => api?.close());

  const bearer = (token?: string): Record<string, string> =>
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  async function status(base: string, route: string, token?: string): Promise<number> {
    const response = await send(base, route, bearer(token));
    await response.body?.cancel();
    return response.status;
  }

  function send(base: string, route: string, headers: Record<string, string>): Promise<Response> {
    const [method = '', path = ''] = route.split(' ');
    const place = path.replaceAll('{kind}', 'ldap').replaceAll(/\{\w+\}/g, UUID);
    return fetch(`${api.base}${base}${place}`, {
      method: method.toUpperCase(),
      redirect: 'manual',
      headers: { ...headers, ...(method === 'get' ? {} : { 'content-type': 'application/json' }) },
      ...(method === 'get' ? {} : { body: '{"unknown":true}' }),
    });
  }

  it('finds none that is not in a list', () => {
    const admin = routesOf(adminRouter(noParts()));
    assert.deepEqual(admin.sort(), [...documented, ...EDGES].sort());
    assert.deepEqual(routesOf(hookRouter(noParts())).sort(), HOOKS);
    const scim = routesOf(scimRouter(noParts())).filter((route) => !route.startsWith('all '));
    assert.deepEqual(scim.sort(), SCIM.sort());
  });

  it('gets nowhere without a token, or with a wrong one', async () => {
    for (const token of [undefined, 'wrong']) {
      for (const route of documented)
        if (!PUBLIC.has(route))
          assert.equal(await status('/api/v1', route, token), route === SIGN_IN ? 403 : 401, `${route} (${token})`);
      for (const route of SCIM) assert.equal(await status('/scim/v2', route, token), 401, `${route} (${token})`);
    }
  });

  it('gets from a token of an app nothing of the admin API', async () => {
    for (const scope of ['scim:read', 'scim:write']) {
      const token = await tokenOf(scope);
      for (const route of documented)
        if (!PUBLIC.has(route)) assert.equal(await status('/api/v1', route, token), 403, `${route} (${scope})`);
    }
  });

  it('finds that people may do what their role says', async () => {
    const [viewer, operator] = [await tokenOf('viewer'), await tokenOf('operator')];
    const allowed = (got: number): boolean => got !== 401 && got !== 403;
    for (const route of documented) {
      if (PUBLIC.has(route) || route === SIGN_IN || route === 'get /events') continue;
      const reads = route === OWN || (route.startsWith('get ') && !ADMIN_ONLY.has(route));
      assert.equal(allowed(await status('/api/v1', route, viewer)), reads, `${route} (viewer)`);
      assert.equal(allowed(await status('/api/v1', route, operator)), !ADMIN_ONLY.has(route), `${route} (operator)`);
    }
  });

  it('needs from a browser a recent sign-in for every change that only administrators make, and for no other', async (test) => {
    const console = { 'x-requested-with': 'console', 'sec-fetch-site': 'same-origin' };
    const signedIn = await fetch(`${api.base}/api/v1/session`, {
      method: 'POST',
      headers: { ...console, 'content-type': 'application/json' },
      body: JSON.stringify({ token: ADMIN_TOKEN }),
    });
    await signedIn.body?.cancel();
    const cookie = (signedIn.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    test.mock.timers.enable({ apis: ['Date'], now: Date.now() + 16 * 60_000 });
    for (const route of documented) {
      if (PUBLIC.has(route) || route === SIGN_IN || route === OWN || route === 'get /events') continue;
      const response = await send('/api/v1', route, { ...console, cookie });
      const { code } = (await response.json().catch(() => ({}))) as { code?: string };
      const asks = ADMIN_ONLY.has(route) && !route.startsWith('get ') && !LOOKS.has(route);
      assert.equal(code === 'step-up-required', asks, `${route}: ${response.status} ${code}`);
    }
    for (const route of ['put /retention', 'put /guard'])
      assert.notEqual(await status('/api/v1', route, ADMIN_TOKEN), 403, `${route} (a token)`);
  });

  it('lets tokens that read over SCIM read, and no more', async () => {
    for (const scope of ['scim:read', 'viewer', 'operator']) {
      const token = await tokenOf(scope);
      for (const route of SCIM) {
        const got = await status('/scim/v2', route, token);
        assert.ok(got < 500 || got === 501, `${route} (${scope}): ${got}`);
        if (!route.includes('/Me')) assert.equal(got === 403, isScimWrite(route), `${route} (${scope}): ${got}`);
      }
    }
  });

  it('leaves nothing behind', async () => {
    for (const path of ['/users', '/groups', '/sync-runs'])
      assert.deepEqual((await call<{ items: unknown[] }>('GET', path, 200)).items, [], path);
  });
});
