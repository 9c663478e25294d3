import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { InputError } from '#core/errors.ts';
import { type Remote, type Target, TargetError } from '#core/target.ts';
import { systemClock } from '#platform/clock.ts';
import type { ScimClient, ScimRequest } from '#targets/scim-app/client.ts';
import { scimAppKind } from '#targets/scim-app/index.ts';
import { waitAsked } from '#targets/scim-app/pace.ts';
import { readPages } from '#targets/scim-app/pages.ts';
import { memberOperations, patchRequests } from '#targets/scim-app/patch.ts';
import { PRESETS } from '#targets/scim-app/presets.ts';
import { parseSettings } from '#targets/scim-app/settings.ts';
import { merged } from '#targets/scim-app/write.ts';
import { makeClock } from '../support/clock.ts';
import { startScimApp } from '../support/scim-app-server.ts';

const URL_AND_AUTH = { baseUrl: 'https://app.example/scim/v2/', auth: { kind: 'none' } };

/** A target behind tokens that the same server gives at `/token`; both are closed after the test. */
async function openWithTokens(context: TestContext, server: Server): Promise<Target> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const auth = { kind: 'oauth', tokenUrl: `${baseUrl}/token`, clientId: 'a', clientSecret: 'b' };
  const kind = scimAppKind({ clock: systemClock, outgoing: { allowLoopback: true } });
  const known = { dryRun: false, learned: {}, capabilities: undefined, trace: () => undefined };
  const target = kind.open(kind.parseSettings({ baseUrl, auth }), known);
  context.after(async () => {
    await target.close();
    server.close();
    server.closeAllConnections();
  });
  return target;
}

describe('a SCIM app as a target', () => {
  const { dialect } = parseSettings(URL_AND_AUTH);

  it('spells a difference as RFC 7644 does, or as a dialect asks', () => {
    const before = { userName: 'a', title: 'x', active: true };
    const after = { userName: 'a', name: { givenName: 'G' }, active: false };
    assert.deepEqual(patchRequests(before, before, dialect), []);
    const [request] = patchRequests(before, after, dialect);
    assert.deepEqual((request as { Operations: unknown }).Operations, [
      { op: 'replace', path: 'active', value: false },
      { op: 'replace', path: 'name.givenName', value: 'G' },
      { op: 'remove', path: 'title' },
    ]);
    const spoken = { ...dialect, capitalOps: true, booleansAsText: true, onePerRequest: true };
    const requests = patchRequests(before, after, spoken) as { Operations: unknown[] }[];
    assert.deepEqual(
      requests.map(({ Operations }) => Operations[0]),
      [
        { op: 'Replace', path: 'active', value: 'False' },
        { op: 'Replace', path: 'name.givenName', value: 'G' },
        { op: 'Remove', path: 'title' },
      ],
    );
    const [whole] = patchRequests(before, after, { ...dialect, pathless: true }) as { Operations: unknown[] }[];
    assert.deepEqual(whole?.Operations[0], { op: 'replace', value: { active: false, 'name.givenName': 'G' } });
  });

  it('quotes the ids of members', () => {
    const [removal] = memberOperations({ add: [], remove: ['a"b'] }, dialect);
    assert.equal(removal?.path, 'members[value eq "a\\"b"]');
    const byValue = memberOperations({ add: [], remove: ['a'] }, { ...dialect, removeMembers: 'value' });
    assert.deepEqual(byValue, [{ op: 'remove', path: 'members', value: [{ value: 'a' }] }]);
  });

  it('puts what is ours over what is there, and takes away what is ours no more', () => {
    const theirs = { schemas: ['a'], title: 'old', nickName: 'kept', name: { givenName: 'G', middleName: 'M' } };
    const result = merged(
      theirs,
      { title: 'old', name: { givenName: 'G' } },
      { schemas: ['b'], name: { familyName: 'F' } },
    );
    assert.deepEqual(result, { schemas: ['a', 'b'], nickName: 'kept', name: { middleName: 'M', familyName: 'F' } });
  });

  it('takes away what was ours of an extension and of a name, though nothing of ours is left in them', () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const ours = { name: { givenName: 'G' }, [urn]: { department: 'D', manager: { value: 'm' } } };
    const theirs = {
      name: { givenName: 'G', middleName: 'M' },
      [urn]: { department: 'D', manager: { value: 'm', displayName: 'Bob' }, costCenter: '42' },
    };
    assert.deepEqual(merged(theirs, ours, {}), { name: { middleName: 'M' }, [urn]: { costCenter: '42' } });
    assert.deepEqual(merged(ours, ours, {}), {});
  });

  it('names nothing of a former manager beside the new one', () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const theirs = { [urn]: { costCenter: '1', manager: { value: 'a', $ref: '../Users/a', displayName: 'Ada' } } };
    const manager = { value: 'b' };
    assert.deepEqual(merged(theirs, {}, { [urn]: { manager } }), { [urn]: { costCenter: '1', manager } });
  });

  it('sends nothing once the target rests, not even what had its turn before that', async () => {
    const app = await startScimApp();
    let asked = 0;
    const kind = scimAppKind({ clock: systemClock, outgoing: { allowLoopback: true } });
    const target = kind.open(kind.parseSettings({ baseUrl: app.url, auth: { kind: 'none' } }), {
      ...{ dryRun: false, learned: {}, capabilities: undefined, trace: () => undefined },
      async permit() {
        app.personality = { rate: 0 };
        await assert.rejects(target.probe(AbortSignal.timeout(120_000)), { kind: 'throttled' });
        asked = app.asked.length;
      },
    });
    const create = target.create('User', { userName: 'ada' }, AbortSignal.timeout(120_000));
    await assert.rejects(create, { reason: 'target-resting' });
    assert.equal(app.asked.length, asked);
    await target.close();
    await app.close();
  });

  it('reads everybody once at a time where the target does not filter, however many creates are in doubt', async (context) => {
    const users: { readonly id: string; readonly userName: string }[] = [];
    const held: (() => void)[] = [];
    let lists = 0;
    let isHolding = true;
    const server = createServer((request, response) => {
      const answer = (status: number, body: object): void => void response.writeHead(status).end(JSON.stringify(body));
      const path = request.url ?? '';
      if (request.method === 'GET' && path.startsWith('/Users/'))
        return answer(200, users.find(({ id }) => path === `/Users/${id}`) ?? {});
      if (request.method === 'GET') {
        if (path.includes('startIndex=1&')) lists += 1;
        const list = (): void => answer(200, { totalResults: users.length, startIndex: 1, Resources: users });
        return isHolding ? void held.push(list) : list();
      }
      let text = '';
      request.on('data', (chunk) => {
        text += chunk;
      });
      request.on('end', () => {
        const { userName } = JSON.parse(text);
        if (userName === 'taken') return answer(409, { detail: 'taken' });
        users.push({ id: userName, userName });
        request.socket.destroy();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clock = makeClock('2026-11-26T00:00:00Z');
    const kind = scimAppKind({ clock, outgoing: { allowLoopback: true } });
    const settings = { auth: { kind: 'none' }, matching: { User: ['userName'] }, dialect: { filter: 'never' } };
    const target = kind.open(kind.parseSettings({ baseUrl: `http://127.0.0.1:${port}`, ...settings }), {
      ...{ dryRun: false, learned: {}, capabilities: undefined, trace: () => undefined },
    });
    context.after(async () => {
      await target.close();
      server.closeAllConnections();
      server.close();
    });
    const signal = AbortSignal.timeout(120_000);
    const found: Promise<readonly Remote[]>[] = [];
    const look = (userName: string): void => void found.push(target.find('User', { userName }, signal));
    const makeAndLook = async (userName: string): Promise<void> => {
      await assert.rejects(target.create('User', { userName }, signal));
      look(userName);
    };
    look('nobody');
    while (held.length === 0) await systemClock.sleep(1, signal);
    await clock.sleep(11 * 60_000, signal);
    // It takes long, and is read to its end all the same.
    await makeAndLook('taken');
    for (let n = 0; n < 5; n += 1) await makeAndLook(`user${n}`);
    await assert.rejects(target.create('User', { userName: 'taken' }, signal));
    assert.equal(lists, 1);
    isHolding = false;
    for (const release of held) release();
    const hits = await Promise.all(found);
    assert.deepEqual(
      hits.map((some) => some.length),
      [0, 0, 1, 1, 1, 1, 1],
    );
    assert.equal(lists, 2);
  });

  it('gives up reading everybody of a target that asks to be left alone each time, for no time, after growing rests', async (context) => {
    const asked: number[] = [];
    const server = createServer((_request, response) => {
      asked.push(clock.elapsed() - began);
      response.writeHead(429, { 'Retry-After': '0' }).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const clock = makeClock('2026-11-26T00:00:00Z');
    const began = clock.elapsed();
    const kind = scimAppKind({ clock, outgoing: { allowLoopback: true } });
    const settings = { auth: { kind: 'none' }, matching: { User: ['userName'] }, dialect: { filter: 'never' } };
    const target = kind.open(kind.parseSettings({ baseUrl: `http://127.0.0.1:${port}`, ...settings }), {
      ...{ dryRun: false, learned: {}, capabilities: undefined, trace: () => undefined },
    });
    context.after(async () => {
      await target.close();
      server.closeAllConnections();
      server.close();
    });
    const signal = AbortSignal.timeout(120_000);
    await assert.rejects(target.find('User', { userName: 'ada' }, signal), { reason: 'target-resting' });
    while (asked.length < 9) await systemClock.sleep(1, signal);
    const seconds = asked.slice(0, 9).map((ms) => ms / 1_000);
    assert.deepEqual(seconds, [0, 2, 6, 14, 30, 62, 126, 254, 510]);
  });

  it('finds whom it has made or renamed itself where the target does not filter, though everybody was read before', async () => {
    const app = await startScimApp({ filter: 'no' });
    const kind = scimAppKind({ clock: systemClock, outgoing: { allowLoopback: true } });
    const settings = { baseUrl: app.url, auth: { kind: 'none' }, matching: { User: ['userName'] } };
    const target = kind.open(kind.parseSettings(settings), {
      ...{ dryRun: false, learned: {}, capabilities: undefined, trace: () => undefined },
    });
    const signal = AbortSignal.timeout(120_000);
    const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
    for (let n = 0; n < 5; n += 1) app.put('User', { schemas, userName: `user${n}` });
    // Who asks first and gives up does not keep the others from being found.
    const hasty = new AbortController();
    app.personality = { filter: 'no', pageMax: 2, delayMs: 5 };
    const first = target.find('User', { userName: 'user4' }, hasty.signal);
    const other = target.find('User', { userName: 'user4' }, signal);
    while (!app.asked.some(({ path }) => path.includes('startIndex=1&count=100'))) {
      signal.throwIfAborted();
      await systemClock.sleep(1);
    }
    hasty.abort(new Error('too late'));
    await assert.rejects(first, { message: 'too late' });
    assert.equal((await other).length, 1);
    const before = { schemas, userName: 'ada' };
    const { id } = await target.create('User', before, signal);
    const idsOf = async (userName: string) =>
      (await target.find('User', { userName }, signal)).map((remote) => remote.id);
    assert.deepEqual(await idsOf('ada'), [id]);
    await target.update('User', id, { before, after: { schemas, userName: 'eve' }, etag: undefined }, signal);
    assert.deepEqual([await idsOf('ada'), await idsOf('eve')], [[], [id]]);
    const pages = app.asked.filter(({ path }) => path.includes('startIndex') && !path.includes('filter'));
    assert.ok(pages.length <= 4, `${pages.length} pages were read`);
    await target.close();
    await app.close();
  });

  it('reads pages that are too large for an answer in halves, and each resource once', async () => {
    const all = Array.from({ length: 7 }, (_, n) => ({ id: String(n) }));
    const counts: number[] = [];
    const client: ScimClient = {
      mask: String,
      async send({ path }: ScimRequest) {
        const query = new URL(path, 'http://x').searchParams;
        const [start, count] = [Number(query.get('startIndex')), Number(query.get('count'))];
        counts.push(count);
        // The third is too large beside any other.
        const page = all.slice(start - 1, start - 1 + count);
        if (page.length > 1 && page.some(({ id }) => id === '2'))
          throw new TargetError('too large', { kind: 'contract', reason: 'answer-too-large' });
        return { status: 200, body: { totalResults: all.length, Resources: page }, etag: undefined };
      },
    };
    const ids: string[] = [];
    for await (const page of readPages(client, 'Group', { pageSize: 4 }, AbortSignal.timeout(120_000)))
      ids.push(...page.map(({ id }) => id));
    assert.deepEqual(
      ids,
      all.map(({ id }) => id),
    );
    assert.deepEqual(counts.slice(0, 4), [4, 2, 2, 1]);
  });

  it('reads on behind a page that says it is all there is, and asks a target that ignores startIndex no more than twice', async () => {
    const all = Array.from({ length: 7 }, (_, n) => ({ id: String(n) }));
    const read = async (answer: (start: number) => object): Promise<readonly string[]> => {
      const client: ScimClient = {
        mask: String,
        async send({ path }: ScimRequest) {
          asked += 1;
          const start = Number(new URL(path, 'http://x').searchParams.get('startIndex'));
          return { status: 200, body: { ...answer(start) }, etag: undefined };
        },
      };
      const ids: string[] = [];
      for await (const page of readPages(client, 'User', { pageSize: 100 }, AbortSignal.timeout(120_000)))
        ids.push(...page.map(({ id }) => id));
      return ids;
    };
    let asked = 0;
    const ids = await read((start) => {
      const page = all.slice(start - 1, start + 2);
      return { totalResults: page.length, itemsPerPage: page.length, Resources: page };
    });
    assert.deepEqual(
      ids,
      all.map(({ id }) => id),
    );
    asked = 0;
    await read(() => ({ totalResults: all.length, Resources: all }));
    assert.equal(asked, 2);
  });

  it('renews a token, and changes the content type, once for all requests that are under way', async (context) => {
    const tokens: string[] = [];
    const types: string[] = [];
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      const answer = (status: number, given: object = {}): void => {
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(given));
      };
      if (request.url === '/token') {
        tokens.push(`t${tokens.length}`);
        return answer(200, { access_token: tokens.at(-1), token_type: 'Bearer', expires_in: 3_600 });
      }
      if (request.headers.authorization === 'Bearer t0') return answer(401);
      types.push(String(request.headers['content-type']));
      if (request.headers['content-type'] !== 'application/json') return answer(415);
      answer(201, { ...JSON.parse(body), id: String(types.length) });
    });
    const target = await openWithTokens(context, server);
    const names = ['ada', 'bo', 'cy', 'di'];
    const made = await Promise.all(
      names.map((userName) => target.create('User', { userName }, AbortSignal.timeout(120_000))),
    );
    assert.equal(new Set(made.map(({ id }) => id)).size, names.length);
    assert.deepEqual(tokens, ['t0', 't1']);
  });

  it('waits for a token though the one who asked for it first has given up', async (context) => {
    let give: () => void = () => undefined;
    let asked = 0;
    const server = createServer((request, response) => {
      const answer = (given: object): void => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(given));
      };
      if (request.url !== '/token') return answer({ totalResults: 0 });
      asked += 1;
      give = () => answer({ access_token: 't', token_type: 'Bearer', expires_in: 3_600 });
      hasty.abort(new Error('too late'));
    });
    const target = await openWithTokens(context, server);
    const hasty = new AbortController();
    const other = target.probe(hasty.signal);
    const mine = target.probe(AbortSignal.timeout(120_000));
    await assert.rejects(other, { message: 'too late' });
    give();
    await mine;
    assert.equal(asked, 1);
  });

  it('asks a token endpoint for nothing before the time that it asked for', async (context) => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      response.writeHead(429, { 'retry-after': '30' }).end('{}');
    });
    const target = await openWithTokens(context, server);
    for (let n = 0; n < 3; n += 1)
      await assert.rejects(target.probe(AbortSignal.timeout(120_000)), { reason: 'token-endpoint-failed' });
    assert.equal(asked, 1);
  });

  it('reads how long it is asked to wait, in every spelling', () => {
    const at = new Date('2026-11-26T00:00:00Z');
    assert.equal(waitAsked({ 'retry-after': '7' }, at), 7_000);
    assert.equal(waitAsked({ 'retry-after': 'Thu, 26 Nov 2026 00:00:09 GMT' }, at), 9_000);
    const theirs = { date: 'Wed, 25 Nov 2026 23:00:00 GMT', 'retry-after': 'Wed, 25 Nov 2026 23:00:09 GMT' };
    assert.equal(waitAsked(theirs, at), 9_000, 'by their clock where they tell it');
    assert.equal(waitAsked({ ...theirs, date: 'soon' }, at), 0);
    assert.equal(waitAsked({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '3' }, at), 3_000);
    assert.equal(
      waitAsked({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(at.getTime() / 1_000 + 5) }, at),
      5_000,
    );
    for (const name of ['ratelimit', 'x-rate-limit'])
      assert.equal(waitAsked({ [`${name}-remaining`]: '0', [`${name}-reset`]: '3' }, at), 3_000);
    assert.equal(waitAsked({ 'retry-after': 'soon' }, at), undefined);
    assert.equal(waitAsked({ 'retry-after': '999999999' }, at), 86_400_000);
  });

  it('takes nothing for a header that no header carries', () => {
    const problemsOf = (more: object): unknown => {
      try {
        return parseSettings({ ...URL_AND_AUTH, ...more }) && [];
      } catch (error) {
        return (error as InputError).details['problems'];
      }
    };
    const problem = 'has a character that no header carries, such as a line break';
    assert.deepEqual(problemsOf({ auth: { kind: 'bearer', token: 'pasted\n' } }), [`push.auth.token: ${problem}`]);
    assert.deepEqual(problemsOf({ headers: { 'x-tenant': 'a\r\nb: c' } }), [`push.headers.x-tenant: ${problem}`]);
    assert.deepEqual(problemsOf({ headers: { 'x-tenant': 'ä' }, auth: { kind: 'bearer', token: 'a b' } }), []);
  });

  it('takes no base URL that a path cannot be added to', () => {
    // The first is how Entra ID is told to send compliant PATCH, and is copied from there.
    for (const end of ['?aadOptscim062020', '/?a=b', '#users'])
      assert.throws(() => parseSettings({ ...URL_AND_AUTH, baseUrl: `https://app.example.com/scim/v2${end}` }), {
        reason: 'invalid-push',
        message: /^push\.baseUrl: must have no query and no fragment/,
      });
  });

  it('has presets that are settings, and that are overridden field by field', () => {
    for (const preset of Object.keys(PRESETS)) assert.equal(parseSettings({ ...URL_AND_AUTH, preset }).preset, preset);
    const { pace, singleValued } = parseSettings({
      ...URL_AND_AUTH,
      preset: 'aws-identity-center',
      pace: { concurrency: 9 },
    });
    assert.deepEqual([pace.concurrency, pace.writesPerSecond, singleValued.length], [9, 5, 3]);
    assert.throws(() => parseSettings({ ...URL_AND_AUTH, preset: 'nonsense' }), { reason: 'invalid-push' });
    assert.throws(() => parseSettings({ ...URL_AND_AUTH, headers: { Authorization: 'x' } }), {
      reason: 'invalid-push',
    });
  });
});
