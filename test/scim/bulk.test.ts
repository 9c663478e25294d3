import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { eachDatabase } from '../support/database.ts';
import {
  ENTERPRISE_SCHEMA,
  groupBody,
  MESSAGES,
  patchBody,
  type ScimError,
  type ScimServer,
  startScim,
  userBody,
} from '../support/scim.ts';

interface Line {
  readonly method?: string;
  readonly bulkId?: string;
  readonly location?: string;
  readonly version?: string;
  readonly status: string;
  readonly response?: ScimError;
}

eachDatabase('SCIM Bulk', (open) => {
  let scim: ScimServer;
  before(async () => {
    scim = await startScim(await open());
  });
  after(() => scim?.close());

  async function bulk(operations: readonly object[], rest: object = {}): Promise<readonly Line[]> {
    const body = { schemas: [`${MESSAGES}:BulkRequest`], Operations: operations, ...rest };
    const answer = await scim.call<{ schemas: string[]; Operations: Line[] }>('POST', '/Bulk', body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(answer.body.schemas, [`${MESSAGES}:BulkResponse`]);
    return answer.body.Operations;
  }

  const statuses = (lines: readonly Line[]): string[] => lines.map(({ status }) => status);
  const idIn = (line: Line | undefined): string => line?.location?.split('/').at(-1) ?? '';
  const membersOf = async (id: string): Promise<string[]> =>
    ((await scim.call('GET', `/Groups/${id}`)).body.members ?? []).map(({ value }) => value).sort();
  const post = (bulkId: string, data: object = userBody(), path = '/Users'): object => ({
    method: 'POST',
    path,
    bulkId,
    data,
  });
  const group = (bulkId: string, ...members: string[]): object => post(bulkId, groupBody(bulkId, members), '/Groups');

  it('takes the operations of a PATCH alone, as the example of the RFC has them', async () => {
    const { id } = await scim.create('/Users', userBody());
    const data = [{ op: 'replace', path: 'title', value: 'Dr' }];
    assert.deepEqual(statuses(await bulk([{ method: 'PATCH', path: `/Users/${id}`, data }])), ['200']);
    assert.equal((await scim.call('GET', `/Users/${id}`)).body['title'], 'Dr');
  });

  it('does what single requests do, and answers in their order', async () => {
    const kept = await scim.create('/Users', userBody());
    const gone = await scim.create('/Users', userBody());
    const lines = await bulk([
      post('a'),
      { method: 'PUT', path: `/Users/${kept.id}`, version: kept.meta.version, data: userBody({ title: 'Dr' }) },
      { method: 'patch', path: `Users/${kept.id}`, data: patchBody({ op: 'add', path: 'nickName', value: 'Ada' }) },
      { method: 'DELETE', path: `/Users/${gone.id}` },
      { method: 'DELETE', path: `/Users/${gone.id}` },
      {
        method: 'PATCH',
        path: `/Users/${kept.id}`,
        version: kept.meta.version,
        data: patchBody({ op: 'remove', path: 'title' }),
      },
      post('b', { schemas: [] }),
    ]);
    assert.deepEqual(statuses(lines), ['201', '200', '200', '204', '404', '412', '400']);
    const made = await scim.call('GET', lines[0]?.location ?? '');
    assert.deepEqual([made.body.meta.location, made.body.meta.version], [lines[0]?.location, lines[0]?.version]);
    const { body } = await scim.call('GET', `/Users/${kept.id}`);
    assert.deepEqual([body['title'], body['nickName'], body.meta.version], ['Dr', 'Ada', lines[2]?.version]);
    assert.deepEqual([lines[4]?.response?.status, lines[6]?.response?.scimType], ['404', 'invalidSyntax']);
    assert.deepEqual([lines[6]?.bulkId, lines[6]?.location], ['b', undefined]);
    assert.deepEqual(
      lines.map(({ method }) => method?.toUpperCase()),
      ['POST', 'PUT', 'PATCH', 'DELETE', 'DELETE', 'PATCH', 'POST'],
    );
  });

  it('finds what an operation names, made before it or after, wherever an id may stand', async () => {
    const lines = await bulk([
      group('g', 'bulkId:u', 'bulkId:h'),
      group('h'),
      {
        method: 'PATCH',
        path: '/Groups/bulkId:h',
        data: patchBody({ op: 'add', path: 'members', value: [{ value: 'bulkId:v' }] }),
      },
      {
        method: 'PATCH',
        path: '/Groups/bulkId:g',
        data: patchBody({ op: 'remove', path: 'members[value eq "bulkId:h"]' }),
      },
      post('v', userBody({ [ENTERPRISE_SCHEMA]: { manager: { value: 'bulkId:u' } }, nickName: 'bulkId:u' })),
      post('u'),
    ]);
    assert.deepEqual(statuses(lines), ['201', '201', '200', '200', '201', '201']);
    const [g, h, , , v, u] = lines.map(idIn);
    assert.deepEqual(await membersOf(g ?? ''), [u]);
    assert.deepEqual(await membersOf(h ?? ''), [v]);
    const { body } = await scim.call('GET', `/Users/${v}`);
    const { meta } = (await scim.call('GET', `/Users/${u}`)).body;
    assert.deepEqual((body[ENTERPRISE_SCHEMA] as { manager: object }).manager, { value: u, $ref: meta.location });
    assert.equal(body['nickName'], 'bulkId:u', 'what is no id stays as it is');
  });

  it('makes groups that are members of each other, all or none', async () => {
    const lines = await bulk([
      group('a', 'bulkId:b'),
      group('b', 'bulkId:c', 'bulkId:u'),
      group('c', 'bulkId:a'),
      post('u'),
    ]);
    assert.deepEqual(statuses(lines), ['201', '201', '201', '201']);
    const [a, b, c, u] = lines.map(idIn);
    assert.deepEqual(await membersOf(a ?? ''), [b]);
    assert.deepEqual(await membersOf(b ?? ''), [c, u].sort());
    for (const line of lines)
      assert.equal((await scim.call('GET', line.location ?? '')).body.meta.version, line.version);
    const before = (await scim.list('/Groups', { count: 0 })).totalResults;
    const failed = await bulk([group('a', 'bulkId:b'), group('b', 'bulkId:a', 'nobody')]);
    assert.deepEqual(statuses(failed), ['400', '400']);
    assert.equal((await scim.list('/Groups', { count: 0 })).totalResults, before);
  });

  it('makes any web of groups that name each other', async () => {
    const anyWeb = fc.array(fc.uniqueArray(fc.nat(5), { maxLength: 4 }), { minLength: 6, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(anyWeb, async (web) => {
        const named = web.map((others, place) => others.filter((other) => other !== place));
        const lines = await bulk(
          named.map((others, place) => group(`${place}`, ...others.map((other) => `bulkId:${other}`))),
        );
        assert.deepEqual(statuses(lines), Array(6).fill('201'));
        for (const [place, others] of named.entries())
          assert.deepEqual(await membersOf(idIn(lines[place])), others.map((other) => idIn(lines[other])).sort());
      }),
      { numRuns: 8, seed: 11 },
    );
  });

  it('fails what names a creation that failed, and a name that nobody has', async () => {
    const lines = await bulk([
      post('bad', userBody({ active: 'perhaps' })),
      group('g', 'bulkId:bad'),
      group('h', 'bulkId:g'),
      { method: 'DELETE', path: '/Users/bulkId:bad' },
      group('i', 'bulkId:nobody'),
      { method: 'DELETE', path: '/Users/bulkId:nobody' },
      { method: 'DELETE', path: `/Users/${(await scim.create('/Users', userBody())).id.toUpperCase()}` },
      post('good'),
    ]);
    assert.deepEqual(statuses(lines), ['400', '409', '409', '409', '400', '404', '404', '201']);
  });

  it('stops after so many errors, and says nothing of what it did not do', async () => {
    const mixed = [post('1', {}), post('2'), post('3', {}), post('4'), post('5', {})];
    for (const [failOnErrors, wanted] of [
      [undefined, ['400', '201', '400', '201', '400']],
      [0, ['400', '201', '400', '201', '400']],
      [1, ['400']],
      [2, ['400', '201', '400']],
      [9, ['400', '201', '400', '201', '400']],
    ] as const) {
      const fresh = mixed.map((operation, place) => (place % 2 === 0 ? operation : post(`new ${place}`)));
      assert.deepEqual(statuses(await bulk(fresh, failOnErrors === undefined ? {} : { failOnErrors })), wanted);
    }
  });

  it('fails an operation that cannot be read when its turn comes', async () => {
    const one = { method: 'POST', path: '/Users', data: userBody() };
    const broken: object[] = [
      one,
      { ...one, method: 'GET', bulkId: 'a' },
      { ...one, path: '/Nothing', bulkId: 'b' },
      { ...one, path: '/Users/x', bulkId: 'c' },
      { ...one, path: '/scim/v2/../Users', bulkId: 'd' },
      { method: 'DELETE', path: '/Users' },
      { method: 'PATCH', path: '/Users?filter=x', data: {} },
      { ...one, bulkId: 'twice' },
      { ...one, bulkId: 'twice' },
      { ...one, bulkId: 5 },
    ];
    const lines = await bulk([...broken, post('fine')]);
    assert.deepEqual(statuses(lines), [...broken.map(() => '400'), '201']);
    for (const { response } of lines.slice(0, -1)) assert.equal(response?.scimType, 'invalidSyntax');
  });

  it('takes as much as ServiceProviderConfig says, and no more', async () => {
    const { body } = await scim.call<{ bulk: { maxOperations: number; maxPayloadSize: number } }>(
      'GET',
      '/ServiceProviderConfig',
    );
    const { maxOperations, maxPayloadSize } = body.bulk;
    const request = (operations: readonly object[]) =>
      JSON.stringify({ schemas: [`${MESSAGES}:BulkRequest`], Operations: operations });
    const nothing = { method: 'DELETE', path: '/Users/x' };
    assert.deepEqual(new Set(statuses(await bulk(Array(maxOperations).fill(nothing)))), new Set(['404']));
    const full = request([nothing]);
    const padded = (size: number): string => full + ' '.repeat(size - full.length);
    for (const [text, status] of [
      [request(Array(maxOperations + 1).fill(nothing)), 413],
      [padded(maxPayloadSize), 200],
      [padded(maxPayloadSize + 1), 413],
    ] as const)
      assert.equal((await scim.call('POST', '/Bulk', text)).status, status);
  });

  it('refuses a request that is none', async () => {
    const schemas = [`${MESSAGES}:BulkRequest`];
    for (const [body, scimType] of [
      ['[]', 'invalidSyntax'],
      ['{', 'invalidSyntax'],
      [{ Operations: [] }, 'invalidSyntax'],
      [{ schemas, Operations: {} }, 'invalidSyntax'],
      [{ schemas }, 'invalidSyntax'],
      [{ schemas, Operations: [], failOnErrors: -1 }, 'invalidValue'],
      [{ schemas, Operations: [], failOnErrors: 'many' }, 'invalidValue'],
    ] as const) {
      const answer = await scim.call<ScimError>('POST', '/Bulk', body);
      assert.deepEqual([answer.status, answer.body.scimType], [400, scimType], JSON.stringify(body));
    }
    assert.deepEqual(statuses(await bulk([])), []);
    assert.equal((await scim.call('GET', '/Bulk')).status, 405);
  });
});
