import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import fc from 'fast-check';
import { matches, parseFilter } from '#core/filter.ts';
import { GATEWAY_SCHEMA, type ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { eachDatabase } from '../support/database.ts';
import { writeDocuments, writeMembers } from '../support/directory.ts';
import {
  ENTERPRISE_SCHEMA,
  GROUP_SCHEMA,
  patchBody,
  type ScimError,
  type ScimList,
  type ScimResource,
  type ScimServer,
  startScim,
  USER_SCHEMA,
} from '../support/scim.ts';
import { sees, shown } from '../support/views.ts';

const ids = fc.sample(fc.uuid({ version: 4 }), { numRuns: 40, seed: 2 });
const words = ['Ada', 'Bo', 'Cy'];
const users = ids.slice(0, 20).map((id, place) => ({
  id,
  type: 'User' as const,
  document: {
    schemas: [USER_SCHEMA, ...(place % 7 === 0 ? [] : [ENTERPRISE_SCHEMA])],
    userName: `user-${place}`,
    displayName: words[place % 3],
    active: place % 4 > 0,
    ...(place % 2 === 0 ? { title: words[place % 3] } : {}),
    emails: [
      { value: `${place}@a.example`, type: 'work', primary: true },
      { value: `${place}@b.example`, type: 'home' },
    ],
    ...(place % 7 === 0
      ? {}
      : {
          [ENTERPRISE_SCHEMA]: {
            ...(place % 3 === 0 ? {} : { department: `D${place % 2}` }),
            ...(place % 4 === 0 ? {} : { division: 'X' }),
            manager: { value: ids[place % 3] },
          },
        }),
  },
}));
const groups = ids.slice(20, 28).map((id, place) => ({
  id,
  type: 'Group' as const,
  document: { schemas: [GROUP_SCHEMA], displayName: `Group ${words[place % 3]}`, externalId: `g${place}` },
}));
/** Groups within each other, two of them in a circle, and people in each. */
const members = [
  [0, 1],
  [1, 2],
  [2, 1],
  [3, 4],
  [5, 0],
]
  .map(([outer = 0, inner = 0]) => ({
    group: ids[20 + outer] ?? '',
    member: ids[20 + inner] ?? '',
    type: 'Group' as ResourceType,
  }))
  .concat(
    users.flatMap(({ id }, place) =>
      [place % 7, (place * 3) % 8]
        .filter((one, at, all) => all.indexOf(one) === at)
        .map((one) => ({ group: ids[20 + one] ?? '', member: id, type: 'User' as ResourceType })),
    ),
  );

/** Who is in these groups, down through others, and the groups themselves. */
function within(chosen: readonly string[]): ReadonlySet<string> {
  const found = new Set(chosen);
  for (const id of found) for (const { group, member } of members) if (group === id) found.add(member);
  return found;
}

const maybe = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.option(arbitrary, { nil: undefined });
const anyScope: fc.Arbitrary<AppScope> = fc.record({
  resourceTypes: maybe(fc.constantFrom<ResourceType[]>(['User'], ['Group'], ['User', 'Group'])),
  userFilter: maybe(
    fc.constantFrom(
      'active eq true',
      'title pr',
      'emails[type eq "home" and value sw "1"]',
      `${ENTERPRISE_SCHEMA}:department eq "d0"`,
      `groups.value eq "${ids[20]}"`,
      'not (displayName eq "ada")',
    ),
  ),
  groupFilter: maybe(
    fc.constantFrom('displayName co "ada"', 'members pr', `members[type eq "Group"]`, 'externalId eq "g1"'),
  ),
  groups: maybe(
    fc.subarray(
      groups.map(({ id }) => id),
      { minLength: 1, maxLength: 3 },
    ),
  ),
  attributes: maybe(
    fc.subarray(
      [
        'userName',
        'displayName',
        'emails.value',
        'emails.type',
        'groups',
        'members',
        'members.value',
        `${ENTERPRISE_SCHEMA}:department`,
        `${ENTERPRISE_SCHEMA}:manager.value`,
      ],
      { minLength: 1 },
    ),
  ),
});
const anyQuery = fc.constantFrom(
  'displayName sw "a"',
  'displayName eq "Group Ada"',
  'title pr',
  'not (title pr)',
  'emails.value ew "b.example"',
  'groups pr',
  'members pr',
  'groups[type eq "indirect"]',
  'groups[type eq "direct" and display co "ada"]',
  `groups.value ne "${ids[21]}"`,
  `groups.value eq "${ids[21]}"`,
  `members.value eq "${ids[1]}"`,
  `members.value eq "${ids[21]}" or members.type eq "user"`,
  `not (members.value eq "${ids[22]}")`,
  `${ENTERPRISE_SCHEMA}:department eq "D1"`,
  ...['pr', 'eq null', `eq "${ids[0]}"`, `ne "${ids[0]}"`, `co "${ids[1]?.slice(1, 9)}"`].map(
    (comparison) => `${ENTERPRISE_SCHEMA}:manager.value ${comparison}`,
  ),
  `not (${ENTERPRISE_SCHEMA}:manager pr)`,
  `${ENTERPRISE_SCHEMA}:manager[value eq "${ids[1]}"]`,
  `schemas eq "${ENTERPRISE_SCHEMA}"`,
  'not (schemas co "ENTERPRISE")',
  `schemas ne "${USER_SCHEMA}"`,
);

eachDatabase('SCIM views of apps', (open) => {
  let scim: ScimServer;
  let everything: readonly ScimResource[];
  before(async () => {
    const database = await open();
    await writeDocuments(database, [...users, ...groups]);
    await writeMembers(database, members);
    scim = await startScim(database);
    everything = (await scim.list('', { count: 1000 })).Resources;
    assert.equal(everything.length, users.length + groups.length);
  });
  after(() => scim?.close());

  it('show of the directory what the scope leaves, in lists, counts, filters, members, groups and by id', async () => {
    await fc.assert(
      fc.asyncProperty(anyScope, fc.array(anyQuery, { minLength: 2, maxLength: 3 }), async (scope, queries) => {
        const token = await scim.makeToken({ scope });
        const seen = new Set(everything.filter((whole) => sees(scope, whole, within)).map(({ id }) => id));
        const all = everything.filter(({ id }) => seen.has(id)).map((whole) => shown(scope, whole, seen));
        const root = await scim.list('', { count: 1000 }, token);
        assert.deepEqual(root.Resources, all);
        for (const type of ['User', 'Group'] as const) {
          const endpoint = `/${type}s`;
          if (scope.resourceTypes?.includes(type) === false) {
            for (const path of [endpoint, `${endpoint}?filter=id pr`, `/ResourceTypes/${type}`])
              assert.equal((await scim.call('GET', path, undefined, { token })).status, 404);
            continue;
          }
          const mine = all.filter(({ meta }) => (meta as ScimResource['meta']).resourceType === type);
          const list = await scim.list(endpoint, { count: 2 }, token);
          assert.deepEqual([list.totalResults, list.Resources], [mine.length, mine.slice(0, 2)]);
          for (const filter of queries) {
            const path = `${endpoint}?${new URLSearchParams({ filter, count: '1000' })}`;
            const answer = await scim.call<ScimList & ScimError>('GET', path, undefined, { token });
            const whole = await scim.call('GET', path);
            if (answer.status !== 200) {
              assert.equal(answer.body.scimType, 'invalidFilter');
              assert.ok(whole.status === 400 || scope.attributes !== undefined, filter);
            } else
              assert.deepEqual(
                answer.body.Resources,
                mine.filter((one) => matches(parseFilter(filter), one)),
                filter,
              );
          }
        }
        for (const { id, meta } of everything) {
          const one = await scim.call('GET', meta.location, undefined, { token });
          assert.equal(one.status, seen.has(id) ? 200 : 404);
          if (seen.has(id))
            assert.deepEqual(
              one.body,
              all.find((mine) => mine['id'] === id),
            );
        }
      }),
      { numRuns: 15 },
    );
  });

  it('know no attribute that is out of scope, in any parameter or document', async () => {
    const token = await scim.makeToken({
      scope: { attributes: ['userName', 'emails.value', `${ENTERPRISE_SCHEMA}:department`] },
    });
    const asked = async (query: Record<string, string>) => {
      const answer = await scim.call<ScimError>('GET', `/Users?${new URLSearchParams(query)}`, undefined, { token });
      return [answer.status, answer.body.scimType];
    };
    for (const filter of [
      'title pr',
      'emails.type eq "work"',
      'emails[type eq "work"]',
      'groups pr',
      `${ENTERPRISE_SCHEMA}:division pr`,
    ])
      assert.deepEqual(await asked({ filter }), [400, 'invalidFilter'], filter);
    for (const sortBy of ['title', 'emails.type', 'displayName'])
      assert.deepEqual(await asked({ sortBy }), [400, 'invalidPath'], sortBy);
    const [user] = (await scim.list('/Users', { attributes: 'title,emails,groups', count: 1 }, token)).Resources;
    assert.deepEqual(Object.keys(user ?? {}).sort(), ['emails', 'id', 'schemas']);
    assert.deepEqual(user?.['emails'], [{ value: '0@a.example' }, { value: '0@b.example' }]);
    const { Resources } = await scim.list('/Schemas', {}, token);
    const names = (id: string): string[] =>
      Resources.filter((schema) => schema.id === id).flatMap(({ attributes }) =>
        (attributes as { name: string }[]).map(({ name }) => name),
      );
    assert.deepEqual(names(USER_SCHEMA), ['userName', 'emails']);
    assert.deepEqual(names(ENTERPRISE_SCHEMA), ['department']);
  });

  it('know no extension of which nothing is in scope', async () => {
    for (const [attributes, extensions] of [
      [['userName', `${ENTERPRISE_SCHEMA}:department`], [ENTERPRISE_SCHEMA]],
      [['userName', 'displayName'], []],
    ] as const) {
      const token = await scim.makeToken({ scope: { attributes } });
      const known = (await scim.list('/Schemas', {}, token)).Resources.map(({ id }) => id);
      assert.deepEqual(new Set(known), new Set([USER_SCHEMA, GROUP_SCHEMA, ...extensions]));
      const { body } = await scim.call('GET', '/ResourceTypes/User', undefined, { token });
      assert.deepEqual(
        body['schemaExtensions'],
        extensions.map((schema) => ({ schema, required: false })),
      );
      const { status } = await scim.call('GET', `/Schemas/${GATEWAY_SCHEMA}`, undefined, { token });
      assert.equal(status, 404);
    }
  });

  it('know no type that is out of scope', async () => {
    const token = await scim.makeToken({ scope: { resourceTypes: ['User'] } });
    assert.deepEqual(
      (await scim.list('/ResourceTypes', {}, token)).Resources.map(({ id }) => id),
      ['User'],
    );
    assert.ok(!(await scim.list('/Schemas', {}, token)).Resources.some(({ id }) => id === GROUP_SCHEMA));
    assert.equal((await scim.call('GET', `/Schemas/${GROUP_SCHEMA}`, undefined, { token })).status, 404);
    for (const path of ['/Groups', `/Groups/${GROUP_SCHEMA}`, '/Groups?filter=displayName%20pr']) {
      const { status, body } = await scim.call<{ detail: string }>('GET', path, undefined, { token });
      assert.deepEqual([status, body.detail], [404, 'There is no endpoint /Groups for this token.']);
    }
    assert.ok(
      (await scim.list('/Users', { count: 100 }, token)).Resources.every(({ groups: none }) => none === undefined),
    );
  });

  it('follow what changes in the directory at once', async () => {
    const token = await scim.makeToken({ scope: { userFilter: 'title eq "Visitor"' } });
    const path = `/Users/${users[0]?.id}`;
    const total = async () => (await scim.list('/Users', { count: 0 }, token)).totalResults;
    const give = (value: string) =>
      scim.call('PATCH', path, {
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'title', value }],
      });
    for (const [title, count, status] of [
      ['visitor', 1, 200],
      ['Ada', 0, 404],
    ] as const) {
      await give(title);
      assert.equal(await total(), count);
      assert.equal((await scim.call('GET', path, undefined, { token })).status, status);
    }
  });

  it('are not answered 304 where who is in sight may have changed', async () => {
    const token = await scim.makeToken({ scope: { userFilter: 'title eq "Visible"' } });
    const [member, group] = [members.find(({ type }) => type === 'User'), everything.find(({ id }) => id === ids[20])];
    const titled = (value: string) =>
      scim.call('PATCH', `/Users/${member?.member}`, patchBody({ op: 'replace', path: 'title', value }));
    const path = `/Groups/${group?.id}`;
    const ask = async (query: string, as: string) => {
      const headers = { authorization: `Bearer ${as}`, 'if-none-match': group?.meta.version ?? '' };
      const answer = await fetch(`${scim.base}${path}${query}`, { headers });
      const text = await answer.text();
      return [answer.status, text === '' ? undefined : (JSON.parse(text) as ScimResource).members?.length];
    };
    await titled('Visible');
    assert.deepEqual(await ask('', token), [200, 2]);
    await titled('Hidden');
    assert.deepEqual(await ask('', token), [200, 1]);
    assert.deepEqual(await ask('?excludedAttributes=members', token), [304, undefined]);
    assert.deepEqual(await ask('', scim.reader), [304, undefined]);
  });
});
