// A token that was known a moment ago is answered without Express. Nobody may be able to tell: a new token asks first,
// and is answered by way of Express; then the same is asked again.
import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { after, before, it } from 'node:test';
import type { AppScope } from '#core/scope.ts';
import { eachDatabase } from '../support/database.ts';
import { groupBody, type ScimResource, type ScimServer, startScim, userBody } from '../support/scim.ts';

eachDatabase('SCIM reads without Express', (open) => {
  let scim: ScimServer;
  let user: ScimResource;
  let group: ScimResource;
  before(async () => {
    scim = await startScim(await open());
    const people = await Promise.all([1, 2, 3].map((place) => scim.create('/Users', userBody({ title: `T${place}` }))));
    group = await scim.create(
      '/Groups',
      groupBody(
        'Staff',
        people.map(({ id }) => id),
      ),
    );
    user = (await scim.call('GET', `/Users/${people[0]?.id}`)).body;
  });
  after(() => scim?.close());

  /** A request whose path is sent as it is written. */
  function ask(path: string, token: string, headers: Readonly<Record<string, string>>, method: string) {
    const { hostname, port } = new URL(scim.base);
    const sent = { authorization: `Bearer ${token}`, ...headers };
    return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
      const request = httpRequest({ hostname, port, path: `/scim/v2${path}`, method, headers: sent }, (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
      });
      request.on('error', reject).end();
    });
  }

  async function assertSame(
    path: string,
    status: number,
    {
      scope,
      headers = {},
      method = 'GET',
    }: { scope?: AppScope; headers?: Record<string, string>; method?: string } = {},
  ): Promise<void> {
    const token = await scim.makeToken(scope === undefined ? {} : { scope });
    const strip = (answer: { status: number; headers: IncomingHttpHeaders; text: string }): object => {
      const { 'x-request-id': id, date: _date, ...rest } = answer.headers;
      assert.match(String(id), /^[\w.-]+$/);
      // Sealed anew each time.
      return { ...answer, headers: rest, text: answer.text.replaceAll(/"v1\.[\w.-]+"/g, '"cursor"') };
    };
    const [first, second] = [await ask(path, token, headers, method), await ask(path, token, headers, method)];
    assert.equal(first.status, status, `${path}: ${first.text}`);
    assert.deepEqual(strip(second), strip(first), path);
  }

  it('are the same for one resource', async () => {
    for (const [path, status] of [
      [`/Users/${user.id}`, 200],
      [`/Users/${user.id.toUpperCase()}`, 404],
      [`/Groups/${group.id}`, 200],
      [`/Groups/${user.id}`, 404],
      [`/Users/${user.id}/`, 200],
      [`/Users/${user.id}?`, 200],
      [`/Users/${user.id}?attributes=title`, 200],
      [`/users/${user.id}`, 200],
      [`/Users//${user.id}`, 404],
      [`/Users/${user.id}%20`, 404],
      [`/Users/${'-'.repeat(36)}`, 404],
      [`/Users/${'0'.repeat(36)}`, 404],
      [`/Users/%zz${user.id.slice(3)}`, 400],
    ] as const)
      await assertSame(path, status);
    await assertSame(`/Users/${user.id}`, 304, { headers: { 'if-none-match': user.meta.version } });
    await assertSame(`/Users/${user.id}`, 200, { headers: { accept: 'application/json' } });
    await assertSame(`/Users/${user.id}`, 200, { headers: { 'x-request-id': 'mine' } });
    await assertSame(`/Users/${user.id}`, 200, { method: 'HEAD' });
    await assertSame(`/Users/${user.id}`, 403, { method: 'DELETE' });
  });

  it('are the same for lists', async () => {
    for (const [query, status] of [
      ['', 200],
      ['?', 200],
      ['?count=2&startIndex=2', 200],
      ['?count=2&cursor=', 200],
      ['?cursor', 200],
      ['?filter=title%20eq%20%22T1%22', 200],
      ['?filter=title+eq+"T1"', 200],
      ['?filter=title%20eq%20%22%F0%9F%98%80%22', 200],
      ['?filter=title%20eq%20%22%ff%22', 200],
      ['?filter=title%20eq', 400],
      ['?filter=a&filter=title%20pr', 400],
      ['?attributes=title&attributes=userName', 200],
      ['?attributes=title&excludedAttributes=userName', 400],
      ['?sortBy=title&sortOrder=descending&excludedAttributes=groups', 200],
      ['?count=%', 400],
      ['?count[]=2&nothing=x&&=&a=b=c', 200],
      ['?filter=title%20pr#x', 200],
    ] as const)
      await assertSame(`/Users${query}`, status);
    await assertSame('/Groups?filter=displayName%20eq%20%22staff%22', 200);
    await assertSame('/Users/', 200);
  });

  it('are the same for those who see a part', async () => {
    await assertSame('/Users', 200, { scope: { userFilter: 'title eq "t1"', attributes: ['title'] } });
    await assertSame(`/Users/${user.id}`, 404, { scope: { userFilter: 'title eq "t2"' } });
    await assertSame(`/Groups/${group.id}`, 404, { scope: { resourceTypes: ['User'] } });
    await assertSame('/Groups', 404, { scope: { resourceTypes: ['User'] } });
  });
});
