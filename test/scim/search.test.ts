import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import {
  type CallOptions,
  ENTERPRISE_SCHEMA,
  GROUP_SCHEMA,
  groupBody,
  MESSAGES,
  patchBody,
  type ScimError,
  type ScimList,
  type ScimServer,
  startScim,
  userBody,
} from '../support/scim.ts';

interface Described {
  readonly attributes: readonly {
    readonly name: string;
    readonly returned: string;
    readonly subAttributes?: Described['attributes'];
  }[];
}

const SCHEMAS = [`${MESSAGES}:SearchRequest`];

eachDatabase('SCIM search', (open) => {
  let scim: ScimServer;
  before(async () => {
    scim = await startScim(await open());
    for (const [place, title] of ['Dr', 'Mx', 'Dr', 'Sir', 'Dr'].entries())
      await scim.create(
        '/Users',
        userBody({
          userName: `person-${place}`,
          displayName: `P ${9 - place}`,
          title,
          emails: [{ value: `${place}@x`, type: 'work' }],
        }),
      );
    const { Resources } = await scim.list('/Users');
    for (const place of [0, 1, 2])
      await scim.create(
        '/Groups',
        groupBody(
          `G ${place}`,
          Resources.slice(place).map(({ id }) => id),
        ),
      );
  });
  after(() => scim?.close());

  async function search(endpoint: string, asked: object, options?: CallOptions): Promise<ScimList> {
    const answer = await scim.call<ScimList>('POST', `${endpoint}/.search`, { schemas: SCHEMAS, ...asked }, options);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.deepEqual(answer.body.schemas, [`${MESSAGES}:ListResponse`]);
    return answer.body;
  }

  async function refusal(endpoint: string, asked: unknown): Promise<string | undefined> {
    const answer = await scim.call<ScimError>('POST', `${endpoint}/.search`, asked);
    assert.equal(answer.status, 400, JSON.stringify(asked));
    assert.equal(answer.body.status, '400');
    return answer.body.scimType;
  }

  const names = ({ Resources }: ScimList): unknown[] => Resources.map(({ displayName }) => displayName);

  it('answers as a GET with the same parameters does', async () => {
    for (const asked of [
      {},
      { filter: 'title eq "dr"' },
      { filter: 'emails[type eq "work" and value sw "1"]', attributes: ['userName', 'emails.value'] },
      { sortBy: 'displayName', sortOrder: 'descending', startIndex: 2, count: 2 },
      { excludedAttributes: ['groups', 'meta.created'], count: 3 },
      { count: 0 },
      { startIndex: -3, count: -1 },
      { sortBy: 'title' },
    ])
      for (const endpoint of ['/Users', '']) {
        const query = Object.fromEntries(Object.entries(asked).map(([name, value]) => [name, `${value}`]));
        assert.deepEqual(await search(endpoint, asked), await scim.list(endpoint, query), JSON.stringify(asked));
      }
  });

  it('keeps the order that was asked for among those of one name, on every page', async () => {
    const made: string[] = [];
    for (const externalId of ['eb', 'ec', 'ea'])
      made.push((await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'Twins', externalId })).id);
    const sorted = `/Groups?filter=${encodeURIComponent('displayName eq "twins"')}&sortBy=externalId`;
    const idsAt = async (rest: string) =>
      (await scim.call<ScimList>('GET', `${sorted}${rest}`)).body.Resources.map(({ externalId }) => externalId);
    assert.deepEqual(await idsAt(''), ['ea', 'eb', 'ec']);
    const pages = [1, 2, 3].map((start) => idsAt(`&sortOrder=descending&count=1&startIndex=${start}`));
    assert.deepEqual((await Promise.all(pages)).flat(), ['ec', 'eb', 'ea']);
    for (const id of made) await scim.call('DELETE', `/Groups/${id}`);
  });

  it('goes over users and groups together at the root', async () => {
    assert.equal((await search('', {})).totalResults, 8);
    const sorted = await search('', { sortBy: 'displayName', count: 4, startIndex: 2 });
    assert.deepEqual(names(sorted), ['G 1', 'G 2', 'P 5', 'P 6']);
    assert.equal((await search('', { filter: 'title pr' })).totalResults, 5, 'an attribute of users alone');
    assert.equal((await search('', { filter: 'members pr or title eq "sir"' })).totalResults, 4);
    assert.equal((await search('', { filter: 'not (title pr)' })).totalResults, 3);
    assert.equal((await search('', { filter: 'meta.resourceType eq "Group"' })).totalResults, 3);
    assert.equal(await refusal('', { schemas: SCHEMAS, filter: 'shoeSize pr' }), 'invalidFilter');
    assert.equal(await refusal('', { schemas: SCHEMAS, filter: 'title pr and not (shoeSize pr)' }), 'invalidFilter');
    const [group] = (await search('', { filter: 'displayName eq "G 2"', attributes: ['members'] })).Resources;
    assert.equal(group?.members?.length, 3);
  });

  it('takes attributes as lists and as one text, names in any case, and nothing else', async () => {
    const wanted = await search('/Users', { attributes: ['userName', 'title'] });
    assert.deepEqual(await search('/Users', { ATTRIBUTES: 'userName,title' }), wanted);
    assert.deepEqual(Object.keys(wanted.Resources[0] ?? {}).sort(), ['id', 'schemas', 'title', 'userName']);
    for (const [asked, scimType] of [
      [{ filter: 5 }, 'invalidValue'],
      [{ filter: 'title' }, 'invalidFilter'],
      [{ attributes: [5] }, 'invalidValue'],
      [{ attributes: ['title'], excludedAttributes: ['userName'] }, 'invalidValue'],
      [{ count: 'many' }, 'invalidValue'],
      [{ startIndex: 1.5 }, 'invalidValue'],
      [{ sortBy: 'shoeSize' }, 'invalidPath'],
      [{ sortBy: 'title', sortOrder: 'sideways' }, 'invalidValue'],
      [{ cursor: '', startIndex: 1 }, 'invalidValue'],
      [{ cursor: '', count: 1_001 }, 'invalidCount'],
      [{ cursor: '', count: 'many' }, 'invalidCount'],
      [{ cursor: '', count: 1.5 }, 'invalidCount'],
      [{ cursor: 'x' }, 'invalidCursor'],
      ...['emails[type eq "work"]', 'emails[type eq "work"].value', 'emails[value eq "a,b"]'].flatMap((name) => [
        [{ attributes: [name] }, 'invalidPath'] as const,
        [{ excludedAttributes: `title,${name}` }, 'invalidPath'] as const,
      ]),
      [{ attributes: 'title,'.repeat(3_000) }, 'invalidValue'],
    ] as const)
      assert.equal(await refusal('/Users', { schemas: SCHEMAS, ...asked }), scimType, JSON.stringify(asked));
    for (const body of [{ filter: 'title pr' }, { schemas: [] }, [], 'x', null])
      assert.equal(await refusal('/Users', JSON.stringify(body)), 'invalidSyntax');
    assert.equal((await scim.call('GET', '/.search')).status, 405);
    for (const endpoint of ['/Users', '']) {
      const large = { schemas: SCHEMAS, note: 'x'.repeat(256 * 1024) };
      assert.equal((await scim.call('POST', `${endpoint}/.search`, large, { token: scim.reader })).status, 413);
    }
  });

  it('goes on by cursor, on any endpoint and by GET and POST alike', async () => {
    for (const endpoint of ['/Users', '/Groups', '']) {
      const whole = names(await search(endpoint, { sortBy: 'displayName' }));
      const got: unknown[] = [];
      let cursor: string | undefined = '';
      for (let turn = 0; cursor !== undefined; turn += 1) {
        const asked = { sortBy: 'displayName', count: 2, cursor };
        const page: ScimList = turn % 2 === 0 ? await search(endpoint, asked) : await scim.list(endpoint, asked);
        assert.equal(page.startIndex, undefined);
        got.push(...names(page));
        cursor = page.nextCursor;
      }
      assert.deepEqual(got, whole);
    }
  });

  const totals = async (endpoint: string, counts: Readonly<Record<string, number>>): Promise<void> => {
    for (const [filter, count] of Object.entries(counts))
      assert.equal((await search(endpoint, { filter, count: 0 })).totalResults, count, filter);
  };

  it('compares an address as it is served, whole', async () => {
    const [{ id, meta } = assert.fail()] = (await search('/Users', { filter: 'userName eq "person-0"' })).Resources;
    const [group = assert.fail()] = (await search('/Groups', { filter: 'displayName eq "G 2"' })).Resources;
    const { location } = meta;
    const evil = location.replace(/^.*\/scim/, 'http://evil.example/scim');
    const manager = { value: id, $ref: evil };
    await scim.call('PATCH', location, patchBody({ op: 'add', path: `${ENTERPRISE_SCHEMA}:manager`, value: manager }));
    await totals('/Users', {
      [`meta.location eq "${location}"`]: 1,
      [`meta[location eq "${location}"]`]: 1,
      [`meta.location eq "${location.toUpperCase()}"`]: 0,
      [`meta.location eq "${evil}"`]: 0,
      [`meta.location eq "${id}"`]: 0,
      [`meta.location ne "${evil}"`]: 5,
      [`meta.location sw "${scim.base}/Users/"`]: 5,
      [`meta.location ew "${id}"`]: 1,
      [`groups.$ref eq "${group.meta.location.toUpperCase()}"`]: 3,
      [`groups[$ref eq "${group.id}"]`]: 0,
      'groups.$ref co "/groups/"': 5,
      // Where a manager is found follows from who it is, whatever a client says.
      [`${ENTERPRISE_SCHEMA}:manager.$ref eq "${evil}"`]: 0,
      [`${ENTERPRISE_SCHEMA}:manager[$ref eq "${location.toUpperCase()}"]`]: 1,
      [`${ENTERPRISE_SCHEMA}:manager.$ref sw "${scim.base}/Users/"`]: 1,
    });
    await totals('/Groups', {
      [`members.$ref eq "${location}"`]: 1,
      [`members[$ref eq "${evil}"]`]: 0,
      [`members.$ref eq "${location.replace('/Users/', '/Groups/')}"`]: 0,
      [`members.$ref eq "${id}"`]: 0,
      [`members.$ref sw "${scim.base}/Users/"`]: 3,
      [`members.$ref sw "${scim.base}/Groups/"`]: 0,
    });
  });

  it('looks into meta, at values that do not say whether they are primary, and at the case of certificates', async () => {
    await scim.call(
      'PATCH',
      (await search('/Users', { filter: 'userName eq "person-1"' })).Resources[0]?.meta.location ?? '',
      patchBody(
        { op: 'add', path: 'x509Certificates', value: [{ value: 'QUJD' }] },
        { op: 'replace', path: 'emails[primary eq false].primary', value: true },
      ),
    );
    await totals('/Users', {
      'meta[resourceType eq "User" and version pr]': 5,
      'meta[created gt "2011-05-13T04:42:34Z" and not (lastModified lt "2011-05-13T04:42:34Z")]': 5,
      'not (meta[created pr])': 0,
      'emails[primary eq false]': 4,
      'emails.primary eq false': 4,
      'emails.primary ne false': 1,
      'emails[type eq "work" and primary ne true]': 4,
      'emails[primary eq "True"]': 1,
      'x509Certificates.value eq "QUJD"': 1,
      'x509Certificates[value eq "QUJD"]': 1,
      'x509Certificates eq "qujd"': 0,
      'x509Certificates[value eq "qujd"]': 0,
    });
    await totals('', { 'meta[resourceType eq "Group"]': 3, 'emails.primary eq false': 4 });
  });

  it('finds members by a name that is never returned, as the schema says', async () => {
    const { attributes } = (await scim.call('GET', `/Schemas/${GROUP_SCHEMA}`)).body as unknown as Described;
    const of = (list: Described['attributes'] = [], name: string) => list.find((one) => one.name === name);
    assert.equal(of(of(attributes, 'members')?.subAttributes, 'display')?.returned, 'never');
    const { Resources } = await search('/Groups', { filter: 'members.display eq "p 9"', attributes: ['members'] });
    assert.deepEqual(
      Resources.map(({ members = [] }) => members.map((member) => Object.keys(member))),
      [Array(5).fill(['value', '$ref', 'type'])],
    );
    const [asked] = (await search('/Groups', { attributes: ['members.display'] })).Resources;
    assert.deepEqual(Object.keys(asked ?? {}).sort(), ['id', 'schemas']);
  });

  it('refuses a cursor that was changed anywhere, or belongs to another list', async () => {
    const { nextCursor = '' } = await scim.list('/Users', { cursor: '', count: 1 });
    assert.match(nextCursor, /^[\w.~-]+$/, 'it stands in a URL as it is');
    for (let place = 0; place < nextCursor.length; place += 1) {
      const other = nextCursor[place] === 'A' ? 'B' : 'A';
      const tampered = nextCursor.slice(0, place) + other + nextCursor.slice(place + 1);
      assert.equal(
        await refusal('/Users', { schemas: SCHEMAS, cursor: tampered, count: 1 }),
        'invalidCursor',
        `at ${place}`,
      );
    }
    const [version, key, nonce, tag = '', data] = nextCursor.split('.');
    const tagStart = Buffer.from(tag, 'base64url').subarray(0, 4).toString('base64url');
    const cut = [version, key, nonce, tagStart, data].join('.');
    const longer = [
      `${nextCursor}A`,
      `${nextCursor}.x`,
      nextCursor + nextCursor,
      nextCursor.slice(0, -1),
      nextCursor.slice(1),
      cut,
    ];
    for (const cursor of longer) assert.equal(await refusal('/Users', { schemas: SCHEMAS, cursor }), 'invalidCursor');
    for (const [endpoint, asked] of [
      ['/Groups', {}],
      ['', {}],
      ['/Users', { filter: 'title pr' }],
      ['/Users', { sortBy: 'title' }],
    ] as const)
      assert.equal(await refusal(endpoint, { schemas: SCHEMAS, cursor: nextCursor, ...asked }), 'invalidCursor');
    const limited = await scim.makeToken({ scope: { userFilter: 'title eq "dr"' } });
    const theirs = await scim.call<ScimError>('GET', `/Users?cursor=${nextCursor}`, undefined, { token: limited });
    assert.deepEqual([theirs.status, theirs.body.scimType], [400, 'invalidCursor']);
    for (const count of [3, 0])
      assert.equal(await refusal('/Users', { schemas: SCHEMAS, cursor: nextCursor, count }), 'invalidCount');
    for (const asked of [{ count: 1 }, {}])
      assert.equal((await search('/Users', { cursor: nextCursor, ...asked })).Resources.length, 1, 'as at first');
  });

  it('lets a cursor go on for as long as ServiceProviderConfig says, whatever was written', async () => {
    const { body } = await scim.call<{ pagination: Record<string, unknown> }>('GET', '/ServiceProviderConfig');
    const { cursor, index, cursorTimeout, maxPageSize } = body.pagination;
    assert.deepEqual([cursor, index, maxPageSize], [true, true, 1_000]);
    const first = await scim.list('/Users', { cursor: '', count: 2 });
    await scim.call(
      'PATCH',
      `/Users/${first.Resources[1]?.id}`,
      patchBody({ op: 'replace', path: 'title', value: 'new' }),
    );
    scim.pass(Number(cursorTimeout) - 5);
    const next = { cursor: first.nextCursor ?? '', count: 2 };
    assert.equal((await scim.list('/Users', next)).Resources.length, 2);
    scim.pass(10);
    assert.equal(await refusal('/Users', { schemas: SCHEMAS, ...next }), 'expiredCursor');
  });
});
