// What HTTP and the RFCs ask of the headers of SCIM answers, on the way through Express and past it alike.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import {
  GROUP_SCHEMA,
  MESSAGES,
  patchBody,
  type ScimResource,
  type ScimServer,
  startScim,
  USER_SCHEMA,
  userBody,
} from '../support/scim.ts';

eachDatabase('SCIM headers', (open) => {
  let scim: ScimServer;
  let user: ScimResource;
  before(async () => {
    scim = await startScim(await open());
    user = await scim.create('/Users', userBody({ title: 'Dr' }));
  });
  after(() => scim?.close());

  it('says where a resource is in every answer that shows it', async () => {
    const path = `/Users/${user.id}`;
    const made = await scim.call('POST', '/Users', userBody());
    const answers = [
      [made, made.body.meta.location],
      [await scim.call('GET', path), user.meta.location],
      [await scim.call('GET', `${path}?attributes=id`), user.meta.location],
      [await scim.call('PATCH', path, patchBody({ op: 'replace', path: 'title', value: 'Sir' })), user.meta.location],
      [await scim.call('PUT', path, userBody({ userName: user.userName })), user.meta.location],
    ] as const;
    for (const [{ headers }, location] of answers)
      assert.deepEqual([headers.get('content-location'), headers.get('location')], [location, location]);
  });

  it('answers the media type that the caller likes best', async () => {
    const own = 'application/scim+json';
    const plain = 'application/json';
    for (const [accept, wanted] of [
      ['*/*', own],
      ['application/*', own],
      [plain, plain],
      ['APPLICATION/JSON; charset=utf-8', plain],
      ['application/json, text/plain, */*', plain],
      [`${plain}, ${own}`, own],
      [`${own};q=0.2, ${plain}`, plain],
      [`${plain};q=0`, own],
      ['text/html', own],
      [`${plain}${','.repeat(2_000)}`, own],
    ] as const)
      for (const path of [`/Users/${user.id}`, '/Users?count=1', '/ResourceTypes']) {
        const { headers } = await scim.call('GET', path, undefined, { headers: { accept } });
        assert.equal(headers.get('content-type'), wanted, `${accept} on ${path}`);
      }
  });

  it('tells a stranger what is needed, and only whoever sent a token that it is wrong', async () => {
    const challenge = async (authorization?: string): Promise<string | null> =>
      (
        await fetch(`${scim.base}/Users`, { headers: authorization === undefined ? {} : { authorization } })
      ).headers.get('www-authenticate');
    assert.equal(await challenge(), 'Bearer realm="sluice"');
    assert.equal(await challenge('Basic YTpi'), 'Bearer realm="sluice"');
    assert.equal(await challenge('Bearer nobody'), 'Bearer realm="sluice", error="invalid_token"');
  });

  it('tells whoever may too little that it is the token, and of no other refusal', async () => {
    const challenge = async (path: string, init: RequestInit = {}): Promise<readonly [number, string | null]> => {
      const headers = { authorization: `Bearer ${scim.reader}`, 'content-type': 'application/json' };
      const answer = await fetch(path, { ...init, headers });
      return [answer.status, answer.headers.get('www-authenticate')];
    };
    assert.deepEqual(await challenge(`${scim.base}/Users`, { method: 'POST', body: '{}' }), [
      403,
      'Bearer realm="sluice", error="insufficient_scope"',
    ]);
    assert.deepEqual(await challenge(`${scim.base}/Schemas?filter=id%20pr`), [403, null]);
  });

  it('refuses every method but POST on a search, and says which it takes', async () => {
    for (const endpoint of ['/.search', '/Users/.search', '/Groups/.search'])
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const { status, headers } = await scim.call(method, endpoint, method === 'GET' ? undefined : {});
        assert.deepEqual([status, headers.get('allow')], [405, 'POST'], `${method} ${endpoint}`);
      }
  });

  it('names HEAD where it takes GET', async () => {
    for (const [path, allowed] of [
      ['/Users', 'GET, HEAD, POST'],
      [`/Users/${user.id}`, 'GET, HEAD, PUT, PATCH, DELETE'],
      ['/Schemas', 'GET, HEAD'],
      ['/ServiceProviderConfig', 'GET, HEAD'],
      ['/', 'GET, HEAD'],
    ] as const) {
      assert.equal((await scim.call('HEAD', path)).status, 200, path);
      const refused = await scim.call(path === '/Users' ? 'DELETE' : 'POST', path, {});
      assert.deepEqual([refused.status, refused.headers.get('allow')], [405, allowed], path);
      const options = await scim.call('OPTIONS', path);
      assert.deepEqual([options.status, options.headers.get('allow')], [405, allowed], path);
    }
  });

  it('takes core attributes under the URN of their schema, as some clients write them', async () => {
    const [member] = [user.id];
    const made = await scim.call('POST', '/Groups', {
      schemas: [GROUP_SCHEMA],
      [GROUP_SCHEMA]: { displayName: 'Under its URN', members: [{ value: member }] },
    });
    assert.equal(made.status, 201);
    assert.equal(made.body.displayName, 'Under its URN');
    assert.deepEqual(
      made.body.members?.map(({ value }) => value),
      [member],
    );
    const both = userBody({ [USER_SCHEMA]: { nickName: 'N', userName: 'not this' } }) as { userName: string };
    const { body } = await scim.call('POST', '/Users', both);
    assert.deepEqual([body.userName, body['nickName']], [both.userName, 'N']);
  });

  it('takes a search that names the schema of its answer, as a public validator does', async () => {
    const search = { schemas: [`${MESSAGES}:ListResponse`], filter: `id eq "${user.id}"` };
    assert.equal((await scim.call('POST', '/Users/.search', search)).status, 200);
    assert.equal((await scim.call('POST', '/Users/.search', { ...search, schemas: [USER_SCHEMA] })).status, 400);
  });
});
