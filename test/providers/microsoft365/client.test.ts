// What the simulated tenant does not do: a Graph that answers line by line as a test says.
import assert from 'node:assert/strict';
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { after, describe, it } from 'node:test';
import { ConfigError, UpstreamError } from '#core/errors.ts';
import { openGraph } from '#providers/microsoft365/graph/client.ts';
import { ASK_LIMITS } from '#providers/microsoft365/graph/pace.ts';
import { gather, readAll } from '../../contract/provider.ts';
import {
  type Asked,
  isBeside,
  makeTestClock,
  openProvider,
  type Said,
  type ScriptedGraph,
  settingsFor,
  startScripted,
} from './support.ts';

const servers: ScriptedGraph[] = [];
after(async () => {
  for (const server of servers) await server.close();
});

type Answers = Readonly<Record<string, (asked: Asked, origin: string) => Said | Promise<Said> | undefined>>;
const page = (value: unknown, rest: object = {}): Said => ({ body: { value, ...rest } });
const refuse = (status: number, code: string): Said => ({ status, body: { error: { code, message: 'no' } } });

/** Answers by the first part of the path after /v1.0 that fits; lists are empty unless told otherwise. */
async function start(answers: Answers, signIn?: (asked: Asked) => Said | undefined): Promise<ScriptedGraph> {
  const server = await startScripted(
    (asked, origin) => {
      for (const [path, answer] of Object.entries(answers)) {
        if (!asked.url.startsWith(`/v1.0${path}`)) continue;
        const said = answer(asked, origin);
        if (said !== undefined) return said;
      }
      return page([]);
    },
    signIn,
    isBeside,
  );
  servers.push(server);
  return server;
}

const openAt = (server: ScriptedGraph, changes: Record<string, unknown> = {}, clock = makeTestClock()) =>
  openProvider(settingsFor(server, 'contoso.com', changes), clock);

describe('requests', () => {
  it('are the documented ones, with exactly the properties that are read', async () => {
    const server = await start({ '/groups?': () => page([{ id: 'a/b', securityEnabled: true }]) });
    const { provider } = openAt(server, { scope: { filter: 'employeeType pr and mail pr' } });
    await readAll(provider);
    const [users, groups, members] = server.asked.map(({ url }) => new URL(url, server.origin));
    assert.equal(users?.pathname, '/v1.0/users');
    assert.equal(users?.searchParams.get('$top'), '999');
    assert.equal(users?.searchParams.get('$expand'), 'manager($select=id)');
    const selected = users?.searchParams.get('$select')?.split(',') ?? [];
    assert.equal(new Set(selected).size, selected.length);
    assert.ok(selected.includes('employeeType') && selected.includes('accountEnabled'));
    assert.equal(groups?.pathname, '/v1.0/groups');
    assert.equal(members?.href, `${server.origin}/v1.0/groups/a%2Fb/members?$select=id&$top=999`);
    assert.equal(
      server.asked.every(({ headers }) => headers['consistencylevel'] === undefined),
      true,
    );
  });

  it('follow a next link exactly as it is', async () => {
    const query = '?$skiptoken=a=b&b=%2F%27&$select=id&z&a=1&a=2&$top=5#';
    const server = await start({
      '/users?$skiptoken': () => page([{ id: 'u2' }]),
      '/users?$select': (_asked, origin) => page([{ id: 'u1' }], { '@odata.nextLink': `${origin}/v1.0/users${query}` }),
    });
    assert.deepEqual((await gather(openAt(server).provider)).ids.User, new Set(['u1', 'u2']));
    assert.equal(server.asked[1]?.url, `/v1.0/users${query.slice(0, -1)}`);
  });

  it('go to nobody whose name leads to where no server is, neither for a token nor with one', async (test) => {
    const server = await start({});
    const elsewhere = ({ url, headers }: Asked): Said | undefined => {
      if (!url.includes('/.well-known/')) return undefined;
      const tenant = `https://${headers['host']}/contoso.com`;
      const rest = { issuer: `${tenant}/v2.0`, authorization_endpoint: tenant, jwks_uri: tenant };
      return { body: { ...rest, token_endpoint: 'https://169.254.169.254/contoso.com/oauth2/v2.0/token' } };
    };
    const misled = await start({}, elsewhere);
    const addresses = new Map([
      ['localhost', '127.0.0.1'],
      ['metadata.example', '169.254.169.254'],
    ]);
    const asked: string[] = [];
    test.mock.method(dns, 'lookup', (name: string, _options: object, callback: (...answer: unknown[]) => void) => {
      asked.push(name);
      callback(null, [{ address: addresses.get(name), family: 4 }]);
    });
    syncBuiltinESMExports();
    try {
      const far = 'https://metadata.example';
      for (const endpoints of [
        { graph: server.origin, login: far },
        { graph: far, login: server.origin },
      ])
        await assert.rejects(readAll(openAt(server, { endpoints }).provider), { reason: 'address-refused' });
      assert.deepEqual(server.asked, []);
      // Nor where the sign-in service itself sends to.
      await assert.rejects(readAll(openAt(misled).provider), { reason: 'address-refused' });
      // A name that leads to a private address is the rule of a private cloud.
      const near = { graph: server.origin.replace('127.0.0.1', 'localhost'), login: server.origin };
      await readAll(openAt(server, { endpoints: near }).provider);
      assert.deepEqual(new Set(asked), new Set(['metadata.example', 'localhost']));
    } finally {
      test.mock.reset();
      syncBuiltinESMExports();
    }
  });

  it('send no token to another host, nor follow a redirect there', async () => {
    const stranger = await start({});
    for (const answer of [
      page([], { '@odata.nextLink': `${stranger.origin}/v1.0/users` }),
      page([], { '@odata.nextLink': '//elsewhere.example/v1.0/users' }),
      { status: 302, headers: { location: `${stranger.origin}/v1.0/users` } },
    ]) {
      const server = await start({ '/users': () => answer });
      await assert.rejects(readAll(openAt(server).provider), UpstreamError);
    }
    assert.deepEqual(stranger.asked, []);
  });

  it('use one token until it is refused, then one fresh token for all', async () => {
    const groups = Array.from({ length: 30 }, (_, index) => ({ id: `g${index}`, securityEnabled: true }));
    const server = await start({
      '/groups?': () => page(groups),
      '/groups/': ({ token }) => (token === 'token-1' ? refuse(401, 'InvalidAuthenticationToken') : undefined),
    });
    assert.equal((await gather(openAt(server).provider)).members.size, 30);
    assert.equal(server.tokens(), 2);
  });

  it('tell the authority what Graph demands of the next token', async () => {
    const demand = { access_token: { nbf: { essential: true, value: '1795833600' } } };
    const encoded = Buffer.from(JSON.stringify(demand)).toString('base64');
    const challenge = `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", error="insufficient_claims", claims="${encoded}"`;
    const told: unknown[] = [];
    const server = await start(
      {
        '/groups?': () =>
          told.length < 2 || told[1] === undefined
            ? { ...refuse(401, 'InvalidAuthenticationToken'), headers: { 'www-authenticate': challenge } }
            : undefined,
      },
      ({ url, body }) => {
        if (!url.includes('/token')) return undefined;
        const claims = new URLSearchParams(body).get('claims');
        told.push(claims === null ? undefined : JSON.parse(claims).access_token);
        return undefined;
      },
    );
    assert.equal((await readAll(openAt(server).provider)).at(-1)?.type, 'end');
    assert.deepEqual(told, [undefined, demand.access_token]);
  });

  it('go on after a demand that is none', async () => {
    for (const challenge of ['Bearer claims="bm8="', 'Bearer claims=""', 'Bearer error="invalid_token"']) {
      const headers = { 'www-authenticate': challenge };
      const server = await start({
        '/groups?': ({ token }) => (token === 'token-1' ? { ...refuse(401, 'no'), headers } : undefined),
      });
      assert.equal((await readAll(openAt(server).provider)).at(-1)?.type, 'end');
      assert.equal(server.tokens(), 2);
    }
  });

  it('of an application that the tenant does not have say that consent is missing', async () => {
    for (const status of [401, 403]) {
      const server = await start({ '/users': () => refuse(status, 'Authorization_IdentityNotFound') });
      await assert.rejects(readAll(openAt(server).provider), {
        reason: 'application-not-consented',
        remedy: /tenantId.*admin consent/,
      });
      assert.equal(server.tokens(), 1, 'another token would be refused too');
    }
  });

  it('give up when no token is taken', async () => {
    const server = await start({ '/users': () => refuse(401, 'InvalidAuthenticationToken') });
    await assert.rejects(readAll(openAt(server).provider), { code: 'ERR_CREDENTIALS', reason: 'token-refused' });
    assert.ok(server.tokens() <= 5);
  });

  it('all wait while Graph asks one of them to', async () => {
    const clock = makeTestClock();
    const groups = Array.from({ length: 40 }, (_, index) => ({ id: `g${index}`, securityEnabled: true }));
    let throttledAt: number | undefined;
    const early: string[] = [];
    const server = await start({
      '/groups?': () => page(groups),
      '/groups/': ({ url }) => {
        const now = clock.now().getTime();
        if (throttledAt === undefined) {
          throttledAt = now;
          return { ...refuse(429, 'TooManyRequests'), headers: { 'retry-after': '30' } };
        }
        if (now < throttledAt + 30_000) early.push(url);
        return undefined;
      },
    });
    const { provider } = openAt(server, {}, clock);
    await readAll(provider);
    assert.ok(early.length < 8, 'only what was on its way already');
    assert.equal(provider.cost().throttledMs, 30_000);
  });

  it('of an application in a tenant all wait while one of them was told to, whoever asks', async () => {
    const server = await start({
      '/users?': () => ({ ...refuse(429, 'TooManyRequests'), headers: { 'retry-after': '3600' } }),
      '/groups?': () => page([{ id: 'g1' }]),
    });
    const { kind, settings, provider } = openAt(server);
    await assert.rejects(readAll(provider), { failure: 'throttled' });
    const sent = server.asked.length;
    const signal = new AbortController().signal;
    await assert.rejects(async () => kind.source?.groups?.(settings, { limit: 50 }, signal), { failure: 'throttled' });
    assert.equal(server.asked.length, sent, 'an administrator is told at once, and nothing is sent');
    const other = kind.parseSettings(settingsFor(server, 'fabrikam.com'));
    assert.equal((await kind.source?.groups?.(other, { limit: 50 }, signal))?.items.length, 1);
  });

  it('count the resource units that Graph names', async () => {
    const server = await start({ '/': () => ({ ...page([]), headers: { 'x-ms-resource-unit': '3' } }) });
    const { provider } = openAt(server);
    await readAll(provider);
    const { requests, bytes, ...rest } = provider.cost();
    assert.deepEqual(rest, { resourceUnits: 3 * server.asked.length, throttledMs: 0 });
    // Beside the lists it is asked where changes begin, which is refused here.
    assert.ok(requests > server.asked.length && bytes > 24, `${requests} requests, ${bytes} bytes`);
  });
});

describe('the group picker', () => {
  const never = new AbortController().signal;

  it('goes on by its cursor, page by page, and does without counts that Graph does not give', async () => {
    const server = await start({
      '/groups?$skiptoken': () => page([{ id: 'g2', displayName: 'Sales 2', groupTypes: ['Unified'] }]),
      '/groups?': (_asked, origin) =>
        page([{ id: 'g1', displayName: 'Sales', securityEnabled: true }], {
          '@odata.nextLink': `${origin}/v1.0/groups?$skiptoken=two`,
        }),
      '/$batch': () => refuse(400, 'Request_BadRequest'),
    });
    const { kind, settings } = openAt(server);
    const first = await kind.source?.groups?.(settings, { limit: 50, search: ' sales ' }, never);
    assert.deepEqual(first?.items, [{ id: 'g1', displayName: 'Sales', type: 'security', memberCount: null }]);
    assert.match(decodeURIComponent(server.asked[0]?.url ?? ''), /\$search="displayName:sales" OR "mail:sales"/);
    const second = await kind.source?.groups?.(settings, { limit: 50, cursor: first?.nextCursor ?? '' }, never);
    assert.deepEqual([second?.items[0]?.type, second?.nextCursor], ['microsoft365', null]);
    const stranger = Buffer.from('https://elsewhere.example/v1.0/groups').toString('base64url');
    await assert.rejects(
      async () => kind.source?.groups?.(settings, { limit: 50, cursor: stranger }, never),
      UpstreamError,
    );
  });

  it('looks for how names begin where Graph refuses to search', async () => {
    const server = await start({
      '/groups?': ({ url }) =>
        url.includes('$search') ? refuse(400, 'Request_UnsupportedQuery') : page([{ id: 'g1', displayName: "O'Neil" }]),
    });
    const { kind, settings } = openAt(server);
    const found = await kind.source?.groups?.(settings, { limit: 50, search: "O'Neil" }, never);
    assert.equal(found?.items.length, 1);
    assert.ok(
      server.asked.some(({ url }) => decodeURIComponent(url).includes("$filter=startswith(displayName,'O''Neil')")),
    );
  });
});

describe('answers', () => {
  it('may lack whatever is optional', async () => {
    const server = await start({
      '/users': () =>
        page([{ id: 'u1', userPrincipalName: 'a@b.c', '@odata.type': 'x', extra: { deep: [] } }], {
          '@odata.nextLink': null,
        }),
      '/groups?': () => page([{ id: 'g1', securityEnabled: true }]),
      '/groups/': () =>
        page([
          { '@odata.type': '#microsoft.graph.user', id: 'u1', displayName: null },
          { '@odata.type': 'microsoft.graph.group', id: 'g1' },
          { '@odata.type': '#microsoft.graph.device', id: 'd1' },
          { '@odata.type': '#microsoft.graph.directoryObject', id: 'x1', displayName: null },
          { id: 'x2' },
        ]),
    });
    const members = (await readAll(openAt(server).provider)).flatMap((one) => (one.type === 'members' ? [one] : []));
    assert.deepEqual(members[0]?.members, [
      { externalId: 'u1', type: 'User' },
      { externalId: 'g1', type: 'Group' },
    ]);
    assert.deepEqual(
      members[0]?.skipped.map(({ externalId, reason }) => [externalId, reason]),
      [
        ['d1', 'UnsupportedObjectType'],
        ['x1', 'UnreadableMember'],
        ['x2', 'UnreadableMember'],
      ],
    );
  });

  it('may lack the kind of members where only ids are selected: what they have then tells', async () => {
    const server = await start({
      '/users': () => page([]),
      '/groups?': () => page([{ id: 'g1', securityEnabled: true }]),
      '/groups/': ({ url }) =>
        url.includes('select=id')
          ? page([{ id: 'u1' }, { id: 'g2' }, { id: 'x1' }])
          : page([{ id: 'u1', userPrincipalName: 'a@b.c' }, { id: 'g2', securityEnabled: false }, { id: 'x1' }]),
    });
    const pages = (await readAll(openAt(server).provider)).flatMap((one) => (one.type === 'members' ? [one] : []));
    assert.deepEqual(
      pages.flatMap(({ members }) => members),
      [
        { externalId: 'u1', type: 'User' },
        { externalId: 'g2', type: 'Group' },
      ],
    );
    assert.deepEqual(
      pages.flatMap(({ skipped }) => skipped.map(({ externalId }) => externalId)),
      ['x1'],
    );
  });

  it('may be agents with an account, who are users', async () => {
    const kinds = ['user', 'agentUser', 'agentIdentity', 'group'];
    const members = kinds.map((kind) => ({ '@odata.type': `#microsoft.graph.${kind}`, id: kind }));
    const server = await start({
      '/groups?': () => page([{ id: 'g1', securityEnabled: true }]),
      '/groups/': () => page(members),
    });
    const { members: read } = await gather(openAt(server).provider);
    assert.deepEqual(read.get('g1'), new Set(['user', 'agentUser', 'group']));
  });

  it('may be empty pages with a next link, but not for ever', async () => {
    let count = 0;
    const more = (asked: Asked, origin: string) => {
      count += 1;
      return page([], { '@odata.nextLink': `${origin}${asked.url}&n=${count}` });
    };
    const server = await start({
      '/users': (asked, origin) => (count < 10 ? more(asked, origin) : page([{ id: 'u1' }])),
    });
    assert.equal((await gather(openAt(server).provider)).ids.User.size, 1);
    const endless = await start({ '/users': more });
    await assert.rejects(readAll(openAt(endless).provider), { failure: 'source-incomplete', reason: 'page-loop' });
  });

  it('end a read that brings the same people under ever new links', async () => {
    let count = 0;
    const server = await start({
      '/users': (_asked, origin) => {
        count += 1;
        return page([{ id: 'u1' }, { id: 'u2' }], { '@odata.nextLink': `${origin}/v1.0/users?$skiptoken=${count}` });
      },
    });
    await assert.rejects(readAll(openAt(server).provider), { failure: 'source-incomplete', reason: 'page-loop' });
    assert.ok(count < 20);
  });

  it('are read again from the start when a page link has expired', async () => {
    let expired = false;
    const server = await start({
      '/users?$skiptoken': () => {
        if (expired) return page([{ id: 'u2' }]);
        expired = true;
        return refuse(400, 'Directory_ExpiredPageToken');
      },
      '/users?$select': (_asked, origin) =>
        page([{ id: 'u1' }], { '@odata.nextLink': `${origin}/v1.0/users?$skiptoken=x` }),
    });
    assert.deepEqual((await gather(openAt(server).provider)).ids.User, new Set(['u1', 'u2']));
  });

  it('mean the same object by an id in any letter case', async () => {
    const [ada, bob, group] = ['a', 'b', 'c'].map(
      (letter) => `${letter.repeat(8)}-1111-4222-8333-${letter.repeat(12)}`,
    );
    const upper = (id = ''): string => id.toUpperCase();
    const server = await start({
      '/users?': () => page([{ id: upper(ada), manager: { id: upper(bob) } }, { id: bob }]),
      '/groups?': () => page([{ id: upper(group), securityEnabled: true }]),
      [`/groups/${group}/members`]: () => page([{ '@odata.type': '#microsoft.graph.user', id: upper(ada) }]),
    });
    const { provider } = openAt(server);
    const read = await gather(provider);
    assert.deepEqual(read.ids, { User: new Set([ada, bob]), Group: new Set([group]) });
    assert.deepEqual(read.members, new Map([[group, new Set([ada])]]));
    const records = (await readAll(provider)).flatMap((one) => (one.type === 'records' ? one.records : []));
    assert.deepEqual((records[0] as { manager?: object }).manager, { id: bob });
  });

  it('name managers by batch where $expand is refused, step by step', async () => {
    const users = Array.from({ length: 45 }, (_, index) => ({ id: `u${index}`, userPrincipalName: `u${index}@b.c` }));
    let throttled = false;
    const server = await start({
      '/users?': ({ url }) => (url.includes('$expand') ? refuse(400, 'Request_BadRequest') : page(users)),
      '/$batch': ({ body }) => {
        const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
        assert.ok(requests.length <= 20);
        const responses = requests.reverse().map(({ id, url }, index) => {
          const user = /\/users\/u(\d+)\/manager/.exec(url)?.[1];
          if (index === 0 && !throttled) {
            throttled = true;
            return { id, status: 429, headers: { 'Retry-After': '4' }, body: {} };
          }
          if (user === '0') return { id, status: 404, body: { error: { code: 'Request_ResourceNotFound' } } };
          return { id, status: 200, body: { '@odata.type': '#microsoft.graph.user', id: `boss-of-${user}` } };
        });
        return { body: { responses } };
      },
    });
    const { provider } = openAt(server);
    const records = (await readAll(provider)).flatMap((one) => (one.type === 'records' ? one.records : []));
    assert.deepEqual(
      records.map((record) => (record as { manager?: { id: string } | null }).manager?.id),
      users.map((_, index) => (index === 0 ? undefined : `boss-of-u${index}`.replace('-u', '-'))),
    );
    assert.equal(provider.cost().throttledMs, 4_000);
  });

  it('wait for steps of a batch as they ask, by a date as well, and longer each time where they do not say', async () => {
    const clock = makeTestClock();
    for (const [headers, waitsMs] of [
      [{ 'retry-after': new Date(clock.now().getTime() + 30_000).toUTCString() }, 30_000],
      [{ 'Retry-After': '0' }, 7_500],
      [undefined, 7_500],
    ] as const) {
      let refused = 0;
      const server = await start({
        '/users?': ({ url }) =>
          url.includes('$expand') ? refuse(400, 'Request_BadRequest') : page([{ id: 'u', userPrincipalName: 'u@b.c' }]),
        '/$batch': ({ body }) => {
          const { requests } = JSON.parse(body) as { requests: { id: string }[] };
          refused += 1;
          const busy = headers?.['retry-after'] === undefined ? refused <= 4 : refused <= 1;
          const status = busy ? 429 : 404;
          return {
            body: { responses: requests.map(({ id }) => ({ id, status, headers: busy ? headers : {}, body: {} })) },
          };
        },
      });
      const { provider } = openAt(server, {}, clock);
      await readAll(provider);
      // A date has whole seconds.
      const { throttledMs } = provider.cost();
      assert.ok(
        throttledMs > waitsMs - 1_100 && throttledMs <= waitsMs,
        `${throttledMs} ms of ${JSON.stringify(headers)}`,
      );
    }
  });

  it('that say 404 for the members of a group that exists end the read', async () => {
    const server = await start({
      '/groups?': () => page([{ id: 'g1', securityEnabled: true }]),
      '/groups/g1/members': () => refuse(404, 'Request_ResourceNotFound'),
      '/groups/g1?': () => ({ body: { id: 'g1' } }),
    });
    await assert.rejects(readAll(openAt(server).provider), {
      failure: 'source-incomplete',
      reason: 'members-not-found',
    });
  });

  it('that are empty say nothing of a group that hides its members', async () => {
    const server = await start({
      '/groups?': () =>
        page([
          { id: 'open', securityEnabled: true },
          { id: 'hidden', securityEnabled: true, visibility: 'HiddenMembership' },
        ]),
    });
    const members = (await readAll(openAt(server).provider)).filter(({ type }) => type === 'members');
    const hidden = members.map((one) => (one.type === 'members' ? [one.group, one.hidden] : []));
    assert.deepEqual(new Map(hidden as [string, unknown][]).get('hidden'), true);
    assert.deepEqual(new Map(hidden as [string, unknown][]).get('open'), undefined);
  });

  it('that say 404 for the users are the wrong endpoint', async () => {
    const server = await start({ '/users': () => ({ status: 404, body: 'Not Found' }) });
    await assert.rejects(
      readAll(openAt(server).provider),
      (error) => error instanceof ConfigError && error.reason === 'endpoint-wrong',
    );
  });

  it('are not waited for without an end, nor read without one', async () => {
    const silent = await start({ '/users': () => new Promise<Said>(() => undefined) });
    const limits = { ...ASK_LIMITS, timeoutMs: 50 };
    const graph = openGraph(openAt(silent).settings, makeTestClock(), limits);
    await assert.rejects(
      graph.get('/users', (body) => body, { signal: new AbortController().signal }),
      {
        failure: 'network',
        reason: 'graph-unreachable',
      },
    );
    assert.equal(silent.asked.length, limits.attemptsMax);
    const huge = await start({ '/users': () => ({ ...page([]), headers: { 'content-length': '99999999999' } }) });
    await assert.rejects(readAll(openAt(huge).provider), { failure: 'source-incomplete', reason: 'answer-too-large' });
  });

  it('that deny people because of one field name the permission that it needs', async () => {
    const server = await start({ '/users': () => refuse(403, 'Authorization_RequestDenied') });
    const users = [{ target: 'title', source: 'employeeLeaveDateTime' }];
    await assert.rejects(readAll(openAt(server, { mapping: { users } }).provider), {
      reason: 'permission-missing',
      remedy: /User\.Read\.All.*employeeLeaveDateTime also needs User-LifeCycleInfo\.Read\.All/,
    });
    await assert.rejects(
      readAll(openAt(server).provider),
      ({ remedy = '' }: UpstreamError) => !/LifeCycle/.test(remedy),
    );
  });

  it('never show their words in an error', async () => {
    const server = await start({
      '/users': () => ({ status: 400, body: { error: { code: 'Request_BadRequest', message: 'ada@contoso.com' } } }),
    });
    await assert.rejects(readAll(openAt(server).provider), (error: UpstreamError) => {
      assert.equal(error.reason, 'request-refused');
      assert.ok(!JSON.stringify([error.message, error.details, error.remedy]).includes('ada@'));
      return true;
    });
  });
});

describe('sign-in', () => {
  const aadsts = (status: number, number: number, error = 'invalid_client'): Said => ({
    status,
    body: { error, error_description: `AADSTS${number}: words. Trace ID: x`, error_codes: [number] },
  });
  const onToken = (said: Said, times = 1_000) => {
    let left = times;
    return ({ url }: Asked): Said | undefined => (url.includes('/token') && left-- > 0 ? said : undefined);
  };

  for (const [number, reason, code] of [
    [7000215, 'client-secret-wrong', 'ERR_CREDENTIALS'],
    [7000222, 'client-secret-expired', 'ERR_CREDENTIALS'],
    [700016, 'application-unknown', 'ERR_CONFIG'],
    [90002, 'tenant-unknown', 'ERR_CONFIG'],
    [700027, 'certificate-refused', 'ERR_CREDENTIALS'],
    [65001, 'consent-required', 'ERR_CREDENTIALS'],
    [53003, 'conditional-access', 'ERR_CREDENTIALS'],
    [123456, 'sign-in-refused', 'ERR_CREDENTIALS'],
  ] as const)
    it(`explains AADSTS${number}`, async () => {
      const server = await start({}, onToken(aadsts(400, number)));
      await assert.rejects(readAll(openAt(server).provider), (error: UpstreamError) => {
        assert.deepEqual([error.reason, error.code], [reason, code]);
        assert.ok((error.remedy ?? '').length > 10);
        return true;
      });
      assert.deepEqual(server.asked, []);
    });

  it('is tried again when the service is busy or broken, as soon as it allows', async () => {
    for (const said of [
      { status: 429, headers: { 'retry-after': '3' } },
      { status: 503, headers: { 'retry-after': '3' } },
      { status: 500, body: '<html>' },
      { drop: true },
    ] as const) {
      const server = await start({}, onToken(said, 2));
      assert.equal((await readAll(openAt(server).provider)).at(-1)?.type, 'end');
    }
  });

  it('says for how long the service asks to be left alone', async () => {
    const server = await start({}, onToken({ status: 503, headers: { 'retry-after': '2000' } }));
    const { tokens } = openGraph(openAt(server).settings, makeTestClock(), ASK_LIMITS);
    const { signal } = new AbortController();
    await assert.rejects(tokens.token(signal), { reason: 'sign-in-unavailable', message: /sign-in.*503.*2000 s/ });
    await assert.rejects(tokens.token(signal), { failure: 'throttled', message: /sign-in.*left alone.*2000 s/ });
  });

  it('asks again after a refusal, whatever MSAL remembers of it', async () => {
    const refusal = { ...aadsts(400, 7000222), headers: { 'retry-after': '3600' } };
    const server = await start({}, onToken(refusal, 1));
    const { provider } = openAt(server);
    await assert.rejects(readAll(provider), { reason: 'client-secret-expired' });
    assert.equal((await readAll(provider)).at(-1)?.type, 'end');
  });

  it('asks by the name of the cloud where the tenant does not know the endpoint', async () => {
    const scopes: (string | null)[] = [];
    const server = await start({}, ({ url, body }) => {
      if (!url.includes('/token')) return undefined;
      scopes.push(new URLSearchParams(body).get('scope'));
      return scopes.length === 1 ? aadsts(400, 500011, 'invalid_resource') : undefined;
    });
    await readAll(openAt(server).provider);
    assert.match(scopes[0] ?? '', /^https:\/\/127\.0\.0\.1:\d+\/\.default/);
    assert.match(scopes[1] ?? '', /^https:\/\/graph\.microsoft\.com\/\.default/);
  });

  it('reads no answer without an end', async () => {
    const server = await start({}, ({ url }) =>
      url.includes('/token') ? { body: JSON.stringify({ padding: 'x'.repeat(2 * 1024 * 1024) }) } : undefined,
    );
    await assert.rejects(readAll(openAt(server).provider), { reason: 'answer-too-large' });
  });

  it('says when something else answers in its place', async () => {
    const server = await start({}, () => ({ body: '<html>hello</html>' }));
    await assert.rejects(readAll(openAt(server).provider), { reason: 'sign-in-broken' });
  });
});
