import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { after, afterEach, before, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { eachDatabase } from '../support/database.ts';
import {
  assertRefused,
  groupBody,
  MESSAGES,
  patchBody,
  type ScimError,
  type ScimResource,
  type ScimServer,
  startScim,
  USER_SCHEMA,
  userBody,
} from '../support/scim.ts';

const MIB = 1024 * 1024;
const prototypeBefore = Object.getOwnPropertyNames(Object.prototype);

interface Raw {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

eachDatabase('SCIM bad input', (open) => {
  let scim: ScimServer;
  let user: ScimResource;
  before(async () => {
    scim = await startScim(await open());
    user = await scim.create(
      '/Users',
      userBody({ userName: 'ada', emails: [{ value: 'ada@example.com', type: 'work' }] }),
    );
  });
  after(() => scim?.close());
  afterEach(() => {
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), prototypeBefore);
    assert.deepEqual(Object.keys({}), []);
  });

  /** A request as it is written here, path and all. */
  function raw(
    path: string,
    { method = 'GET', headers = {}, body }: Raw = {},
  ): Promise<{ status: number; body: ScimError }> {
    const { hostname, port } = new URL(scim.base);
    return new Promise((resolve, reject) => {
      const sent = httpRequest(
        {
          hostname,
          port,
          path: `/scim/v2${path}`,
          method,
          headers: { authorization: `Bearer ${scim.writer}`, ...headers },
        },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => {
            text += part;
          });
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, body: text === '' ? undefined : JSON.parse(text) }),
          );
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  }

  const post = (body: unknown, type = 'application/scim+json') =>
    scim.call<ScimError>('POST', '/Users', body, { headers: { 'content-type': type } });

  it('that is no JSON, or no JSON as RFC 8259 would have it', async () => {
    const whole = JSON.stringify(userBody());
    for (const text of [
      '{',
      whole.slice(0, -1),
      `${whole}x`,
      '',
      ' ',
      'null',
      '[]',
      '"x"',
      '\ufeff\ufeff{}',
      whole.replace('{', '{"userName":"twice",'),
      whole.replace('{', '{"name":{"givenName":"a","givenName":"b"},'),
      whole.replace('{', `{"x":${'['.repeat(40)}${']'.repeat(40)},`),
      whole.replace('{', `{"x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)},`),
      `{"a":${'['.repeat(1_000_000)}`,
    ])
      await assertRefused(post(text), 400, 'invalidSyntax', text);
  });

  it('of a media type or an encoding that is not taken', async () => {
    const body = JSON.stringify(userBody());
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'application/jsonx',
      'x',
    ])
      await assertRefused(post(body, type), 415, undefined, type);
    const json = { 'content-type': 'application/scim+json' };
    await assertRefused(
      raw('/Users', { method: 'POST', headers: { ...json, 'content-encoding': 'zstd9' }, body }),
      415,
    );
    for (const charset of ['ebcdic', 'utf-16le', '"iso-8859-1"'])
      await assertRefused(
        raw('/Users', { method: 'POST', headers: { 'content-type': `application/json; charset=${charset}` }, body }),
        415,
        undefined,
        charset,
      );
    const bomb = gzipSync(Buffer.alloc(40 * MIB, ' '));
    await assertRefused(
      raw('/Users', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: bomb }),
      413,
    );
    for (const type of [
      'application/json',
      'application/scim+json; charset=utf-8',
      'application/json;charset="UTF-8"',
      'application/json; charset=us-ascii',
      'APPLICATION/JSON',
    ])
      assert.equal((await post(JSON.stringify(userBody()), type)).status, 201, type);
  });

  it('over the limits of a body, of a Bulk and of a PATCH', async () => {
    const large = (bytes: number): string => {
      const text = JSON.stringify(userBody());
      return text + ' '.repeat(bytes - text.length);
    };
    await assertRefused(post(large(8 * MIB + 1)), 413);
    await assertRefused(post(large(20 * MIB)), 413);
    assert.equal((await post(large(8 * MIB))).status, 201);
    await assertRefused(scim.call('POST', '/Bulk', large(MIB + 1)), 413);
    await assertRefused(
      scim.call('PATCH', `/Users/${user.id}`, patchBody(...Array(1_001).fill({ op: 'remove', path: 'title' }))),
      413,
    );
  });

  it('with more values than any resource has, before they are read', async () => {
    const emails = (count: number) => Array.from({ length: count }, (_, at) => ({ value: `${at}@x` }));
    const phoneNumbers = emails(25_001);
    await assertRefused(post(JSON.stringify({ ...userBody(), emails: emails(25_000), phoneNumbers })), 413);
    await assertRefused(post(JSON.stringify({ ...userBody(), emails: JSON.stringify(emails(50_001)) })), 413);
    const add = (path: string) => ({ op: 'add', path, value: emails(25_000) });
    const many = ['emails', 'phoneNumbers', 'ims'].map(add);
    await assertRefused(scim.call('PATCH', `/Users/${user.id}`, patchBody(...many)), 413);
  });

  it('of text that is no Unicode, wherever it stands', async () => {
    const { id } = await scim.create('/Groups', groupBody('Text'));
    for (const escaped of ['\\u0000', '\\ud800', '\\udc00x', 'a\\ud800b']) {
      const filled = (fields: string): string => `{"schemas":["${USER_SCHEMA}"],"userName":"text",${fields}}`;
      for (const fields of [
        `"displayName":"${escaped}"`,
        `"emails":[{"value":"${escaped}"}]`,
        `"externalId":"${escaped}"`,
      ])
        await assertRefused(post(filled(fields)), 400, 'invalidValue', fields);
      const patch = `{"schemas":["${MESSAGES}:PatchOp"],"Operations":[{"op":"replace","path":"displayName","value":"${escaped}"}]}`;
      for (const path of [`/Users/${user.id}`, `/Groups/${id}`])
        await assertRefused(scim.call('PATCH', path, patch), 400, 'invalidValue', escaped);
    }
    // Otherwise each of these bytes would be the same sign, and two names one.
    for (const bytes of [[0xe9], [0xc3, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
      const body = Buffer.concat([
        Buffer.from(`{"schemas":["${USER_SCHEMA}"],"userName":"`),
        Buffer.from(bytes),
        Buffer.from('"}'),
      ]);
      const json = { 'content-type': 'application/scim+json' };
      for (const [method, path] of [
        ['POST', '/Users'],
        ['PUT', `/Users/${user.id}`],
        ['PATCH', `/Users/${user.id}`],
        ['POST', '/Bulk'],
        ['POST', '/Users/.search'],
      ] as const)
        await assertRefused(
          raw(path, { method, headers: json, body }),
          400,
          'invalidSyntax',
          `${method} ${path} ${bytes}`,
        );
    }
    const ascii = { 'content-type': 'application/json; charset=us-ascii' };
    const accented = JSON.stringify(userBody({ displayName: 'é' }));
    await assertRefused(raw('/Users', { method: 'POST', headers: ascii, body: accented }), 400, 'invalidSyntax');
    for (const odd of [
      '\u{1f600}',
      '김',
      '\u202e',
      '\ufeff',
      'a\u0301',
      '\u0001',
      "'; drop table resources; --",
      '{{1}}',
      '<script>',
    ]) {
      const made = await scim.create('/Users', userBody({ displayName: odd, externalId: odd }));
      assert.deepEqual([made['displayName'], made['externalId']], [odd, odd]);
      const filter = `displayName eq ${JSON.stringify(odd)} and externalId eq ${JSON.stringify(odd)}`;
      assert.equal((await scim.list('/Users', { filter })).totalResults, 1, odd);
    }
  });

  it('with a text that is too long to be found by, which is compared all the same', async () => {
    const most = randomBytes(384).toString('hex');
    const fits = await scim.create('/Users', userBody({ userName: most, displayName: most, externalId: most }));
    const group = await scim.create('/Groups', groupBody(most));
    const long = randomBytes(2_400).toString('base64url');
    for (const text of [`${most}x`, `${most.slice(2)}\u00e9\u00e9`, `${most.slice(2)}\u0130`, long])
      for (const fields of [
        { userName: text },
        { displayName: text },
        { externalId: text },
        { emails: [{ value: text }] },
      ]) {
        const [name = ''] = Object.keys(fields);
        await assertRefused(post(userBody(fields)), 400, 'invalidValue', name);
        const { detail } = (await post(userBody(fields))).body;
        assert.match(detail, /at most 768 bytes/);
        if (name !== 'emails')
          await assertRefused(
            scim.call('PATCH', `/Users/${user.id}`, patchBody({ op: 'replace', path: name, value: text })),
            400,
            'invalidValue',
          );
      }
    await assertRefused(scim.call('POST', '/Groups', groupBody(long)), 400, 'invalidValue');
    await assertRefused(
      scim.call('PATCH', `/Groups/${group.id}`, patchBody({ op: 'replace', value: { displayName: long } })),
      400,
      'invalidValue',
    );
    assert.equal((await post(userBody({ title: long, emails: [{ value: most }] }))).status, 201);
    for (const path of ['userName', 'displayName', 'externalId', 'id', 'emails', 'title'])
      for (const operator of ['eq', 'ne', 'sw', 'co', 'gt'])
        await scim.list('/Users', { filter: `${path} ${operator} "${long}"`, count: 0 });
    assert.deepEqual(
      (await scim.list('/Users', { filter: `userName eq "${most.toUpperCase()}"` })).Resources.map(({ id }) => id),
      [fits.id],
    );
  });

  it('with a time that there is not; one that its zone leads out of the years is compared', async () => {
    for (const day of ['2026-02-31', '2025-02-29', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00'])
      for (const operator of ['eq', 'gt'])
        await assertRefused(
          raw(`/Users?filter=${encodeURIComponent(`meta.created ${operator} "${day}T00:00:00Z"`)}`),
          400,
          'invalidFilter',
          day,
        );
    const found = async (filter: string): Promise<boolean> =>
      (await scim.list('/Users', { filter, count: 0 })).totalResults > 0;
    for (const late of ['9999-12-31T23:59:59-23:59', '9999-12-31T23:59:59.999999-00:01'])
      assert.deepEqual(
        [
          await found(`meta.created lt "${late}"`),
          await found(`meta.created ge "${late}"`),
          await found(`meta.created eq "${late}"`),
        ],
        [true, false, false],
        late,
      );
    for (const early of ['0001-01-01T00:00:00+23:59', '0000-02-29T00:00:00Z'])
      assert.deepEqual(
        [await found(`meta.created gt "${early}"`), await found(`meta.created lt "${early}"`)],
        [true, false],
      );
    assert.ok(await found('meta.created gt "2024-02-29T00:00:00"'));
  });

  it('in the path and the query of the URL', async () => {
    for (const path of ['/Users/%', '/Users/%zz', '/Users/%ff', '/Groups/%c3%28', '/Schemas/%e0%80'])
      await assertRefused(raw(path), 400, undefined, path);
    for (const path of [
      '/Users/%00',
      `/Users/${'x'.repeat(50_000)}`,
      '/Users/..%2f..%2fetc',
      '/Users/x%22%20or%20__proto__.x%20eq%20%22y',
      '/Nothing',
      '/Users/a/b',
    ])
      await assertRefused(raw(path), 404, undefined, path);
    for (const [parameters, scimType] of [
      ['count=many', 'invalidValue'],
      ['count=1.5', 'invalidValue'],
      ['count=1e3', 'invalidValue'],
      ['startIndex=x', 'invalidValue'],
      ['sortOrder=up&sortBy=title', 'invalidValue'],
      ['attributes=title&excludedAttributes=name', 'invalidValue'],
      ['filter=', 'invalidFilter'],
      ['filter', 'invalidFilter'],
      ['filter=%20', 'invalidFilter'],
      ['filter=%00', 'invalidFilter'],
      ['filter=userName%20eq%20%22%ff', 'invalidFilter'],
      ['cursor=&count=1000000000', 'invalidCount'],
      ['cursor&count=many', 'invalidCount'],
      ['cursor=%00', 'invalidCursor'],
      [`cursor=${'x'.repeat(50_000)}`, 'invalidCursor'],
    ] as const)
      await assertRefused(raw(`/Users?${parameters}`), 400, scimType, parameters);
    const search = { schemas: [`${MESSAGES}:SearchRequest`], filter: '' };
    await assertRefused(scim.call('POST', '/Users/.search', search), 400, 'invalidFilter');
    for (const filter of ['', 'userName%20eq%20%22ada%22'])
      await assertRefused(raw(`/Users/${user.id}?filter=${filter}`), 400, 'invalidFilter', filter);
    const all = (await scim.list('/Users', { count: 0 })).totalResults;
    const every = await scim.call<{ totalResults: number }>('POST', '/Users/.search', { ...search, filter: null });
    assert.equal(every.body.totalResults, all);
    for (const count of ['0', '-1', '-99999999999999999999']) {
      const { totalResults, itemsPerPage, Resources, nextCursor } = await scim.list('/Users', { count, cursor: '' });
      assert.deepEqual([totalResults, itemsPerPage, Resources, nextCursor], [all, 0, [], undefined], count);
    }
    for (const count of ['-1', '0', '1000000000', '99999999999999999999', '+5'])
      assert.equal(
        (await scim.list('/Users', { count, startIndex: '-99999999999999999999' })).totalResults,
        all,
        count,
      );
    for (const startIndex of ['1000000000', '99999999999999999999'])
      assert.equal((await scim.list('/Users', { startIndex })).Resources.length, 0);
  });

  it('of a method that an endpoint does not take, or from somebody who may not ask', async () => {
    for (const [method, path] of [
      ['PUT', '/Users'],
      ['DELETE', '/Groups'],
      ['POST', `/Users/${user.id}`],
      ['POST', '/Schemas'],
      ['PATCH', '/ServiceProviderConfig'],
      ['GET', '/.search'],
    ] as const)
      await assertRefused(
        scim.call(method, path, method === 'GET' || method === 'DELETE' ? undefined : {}),
        405,
        undefined,
        `${method} ${path}`,
      );
    for (const authorization of [
      '',
      'Bearer',
      'Bearer nonsense',
      'Basic YTpi',
      `Bearer ${scim.writer}x`,
      `Bearer ${'x'.repeat(50_000)}`,
    ])
      await assertRefused(raw('/Users', { headers: { authorization } }), 401, undefined, authorization);
  });

  it('leaves the directory as it was', async () => {
    assert.deepEqual((await scim.call('GET', `/Users/${user.id}`)).body, user);
  });
});
