import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import fc from 'fast-check';
import type { Attribute } from '#core/attributes.ts';
import type { Document } from '#core/coerce.ts';
import { InputError } from '#core/errors.ts';
import { type Filter, matches, parseFilter, parsePath } from '#core/filter.ts';
import { isUuid } from '#core/ids.ts';
import { ENTERPRISE_SCHEMA, type ResourceType } from '#core/resource.ts';
import { isCaseExact } from '#core/search.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { type Database, sql } from '#store/database.ts';
import { compileFilter } from '#store/filter/filter.ts';
import { isIndexed } from '#store/filter/filter-cost.ts';
import { compileSort, joinSorts } from '#store/filter/sort.ts';
import { eachDatabase } from '../support/database.ts';
import { writeDocuments, writeMembers } from '../support/directory.ts';
import { anyDocument } from '../support/documents.ts';
import { anyFilter, type Literals, printFilter } from '../support/filters.ts';

const BASE = 'https://Sluice.example/scim/v2';
const TIMES = [
  '2026-11-24T09:00:00.000Z',
  '2026-11-24T09:00:00.001Z',
  '2026-11-25T00:30:00.000+02:00',
  '1999-01-01T00:00:00Z',
];

interface Entry {
  readonly id: string;
  readonly type: ResourceType;
  readonly document: Document;
  readonly created: string;
  readonly modified: string;
  readonly version: number;
}

/** A small directory: groups in groups, in a circle too, and people in some of them. */
function makeDirectory(): { entries: readonly Entry[]; members: readonly (readonly [Entry, Entry])[] } {
  const take = <Item>(arbitrary: fc.Arbitrary<Item>, count: number): Item[] =>
    fc.sample(arbitrary, { numRuns: count, seed: 7 });
  const ids = take(fc.uuid({ version: 4 }), 200);
  const entry = (type: ResourceType, document: Document, place: number): Entry => ({
    id: ids[place + (type === 'User' ? 0 : 100)] ?? '',
    type,
    // One name each, in words that meet those of the filters; an external id once.
    document: {
      ...withManagers(document, ids[place % 20]),
      ...(type === 'User' ? { active: document['active'] ?? true } : {}),
      ...(typeof document['externalId'] === 'string' ? { externalId: `${document['externalId']}${place}` } : {}),
    },
    created: new Date(TIMES[place % 4] ?? '').toISOString(),
    modified: new Date(TIMES[(place >> 2) % 4] ?? '').toISOString(),
    version: 1 + (place % 3),
  });
  const users = take(anyDocument(RESOURCE_SCHEMAS.User, { withReadOnly: true }), 90).map((one, at) =>
    entry('User', one, at),
  );
  const groups = take(anyDocument(RESOURCE_SCHEMAS.Group, { withReadOnly: true }), 14).map((one, at) =>
    entry('Group', one, at),
  );
  const all = [...users, ...groups];
  const anyPair = fc.tuple(fc.constantFrom(...groups), fc.oneof(fc.constantFrom(...users), fc.constantFrom(...groups)));
  const pairs = take(anyPair, 90).filter(([group, member]) => group !== member);
  const seen = new Set<string>();
  const members = pairs.filter(
    ([group, member]) => !seen.has(`${group.id}${member.id}`) && seen.add(`${group.id}${member.id}`),
  );
  return { entries: all, members };
}

/** The manager of every second who has one is somebody here; where they are found is not stored. */
function withManagers(document: Document, id: string | undefined): Document {
  const { manager, ...others } = (document[ENTERPRISE_SCHEMA] ?? {}) as { manager?: { value?: string } };
  if (manager === undefined) return document;
  const value = String(document['userName']) < 'a' ? id : manager.value;
  return { ...document, [ENTERPRISE_SCHEMA]: { ...others, ...(value === undefined ? {} : { manager: { value } }) } };
}

function withManagerPlace(document: Document): Document {
  const { manager, ...others } = (document[ENTERPRISE_SCHEMA] ?? {}) as { manager?: { value: string } };
  if (manager === undefined || !isUuid(manager.value)) return document;
  return {
    ...document,
    [ENTERPRISE_SCHEMA]: { ...others, manager: { ...manager, $ref: `${BASE}/Users/${manager.value}` } },
  };
}

const { entries, members } = makeDirectory();
const displayOf = ({ document }: Entry): string => String(document['displayName'] ?? document['userName']);
const urlOf = ({ id, type }: Entry): string => `${BASE}/${type}s/${id}`;

/** Every group that somebody is in, down through others. */
function groupsOf(entry: Entry): object[] {
  const direct = members.filter(([, member]) => member === entry).map(([group]) => group);
  const found = new Set(direct);
  for (const group of found) for (const [above, member] of members) if (member === group) found.add(above);
  return [...found].map((group) => ({
    value: group.id,
    $ref: urlOf(group),
    display: displayOf(group),
    type: direct.includes(group) ? 'direct' : 'indirect',
  }));
}

/** The resource with all that a filter may ask for. */
function wholeOf(entry: Entry): object {
  const { id, type, document, created, modified, version } = entry;
  const inside = members
    .filter(([group]) => group === entry)
    .map(([, member]) => ({ value: member.id, $ref: urlOf(member), type: member.type, display: displayOf(member) }));
  const meta = {
    resourceType: type,
    created,
    lastModified: modified,
    location: urlOf(entry),
    version: `W/"${version}"`,
  };
  return {
    ...withManagerPlace(document),
    id,
    meta,
    ...(type === 'User' ? { groups: groupsOf(entry) } : { members: inside }),
  };
}

const some = (type: ResourceType, of: (entry: Entry) => string): string[] =>
  entries
    .filter((entry) => entry.type === type)
    .slice(0, 12)
    .map(of);
const idOf = ({ id }: Entry): string => id;
/** Addresses of these resources as they are served, and what is none although the id is in it. */
const addresses = (...types: readonly ResourceType[]): string[] => [
  ...types.flatMap((type) => some(type, urlOf)),
  ...types
    .flatMap((type) => some(type, urlOf).slice(0, 3))
    .flatMap((url) => [
      url.toUpperCase(),
      url.replace('https://Sluice', 'http://evil'),
      url.replace(/(User|Group)s/, (endpoint) => (endpoint === 'Users' ? 'Groups' : 'Users')),
      url.slice(BASE.length + 1),
      url.slice(url.lastIndexOf('/') + 1),
      url.slice(0, -20),
    ]),
];
const literals: Literals = {
  id: [...some('User', idOf), ...some('Group', idOf), '00000000-0000-4000-8000-000000000000', 'no id'],
  externalId: ['Ada0', 'z1', 'ada'],
  schemas: [...RESOURCE_SCHEMAS.User.extensions.map(({ id }) => id), RESOURCE_SCHEMAS.Group.core.id],
  'meta.created': TIMES,
  'meta.lastModified': TIMES,
  'meta.resourceType': ['User', 'Group', 'user'],
  'meta.version': ['W/"1"', 'W/"2"', '2'],
  'meta.location': addresses('User', 'Group'),
  'groups.value': [...some('Group', idOf), 'no id'],
  'groups.$ref': addresses('Group'),
  'groups.type': ['direct', 'INDIRECT', 'other'],
  'manager.value': some('User', idOf),
  'manager.$ref': some('User', urlOf),
  'members.value': [...some('User', idOf), ...some('Group', idOf)],
  'members.$ref': addresses('User', 'Group'),
  'members.type': ['User', 'group'],
};

eachDatabase('a filter as SQL', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
    await writeDocuments(database, entries);
    await sql(
      database.knex,
      `update resources r set created_at = e.created, updated_at = e.modified, version = e.version
       from jsonb_to_recordset(?::jsonb) as e(id uuid, created timestamptz, modified timestamptz, version bigint) where r.id = e.id`,
      [JSON.stringify(entries.map(({ document: _document, ...entry }) => entry))],
    );
    await writeMembers(
      database,
      members.map(([group, { id, type }]) => ({ group: group.id, member: id, type })),
    );
  });

  async function found(filter: Filter, type: ResourceType): Promise<string> {
    const where = compileFilter(filter, RESOURCE_SCHEMAS[type], { base: BASE });
    const { rows } = await database.query<{ id: string }>({
      text: `select r.id from resources r where r.resource_type = '${type}' and ${where.text}`,
      values: where.values,
    });
    return rows
      .map(({ id }) => id)
      .sort()
      .join('\n');
  }

  function expected(filter: Filter, type: ResourceType): string {
    return entries
      .filter((entry) => entry.type === type && matches(filter, wholeOf(entry)))
      .map(({ id }) => id)
      .sort()
      .join('\n');
  }

  for (const [type, numRuns] of [
    ['User', 300],
    ['Group', 200],
  ] as const)
    it(`finds exactly the ${type}s that the evaluation in memory finds`, async () => {
      await fc.assert(
        fc.asyncProperty(anyFilter(RESOURCE_SCHEMAS[type], literals), async (filter) => {
          const parsed = parseFilter(printFilter(filter));
          assert.equal(await found(parsed, type), expected(filter, type), printFilter(filter));
        }),
        { numRuns },
      );
    });
});

const WRONG: Readonly<Record<ResourceType, readonly string[]>> = {
  User: [
    'shoeSize pr',
    'members pr',
    'name.nothing eq "x"',
    'name eq "x"',
    'addresses co "x"',
    'userName eq 5',
    'userName eq true',
    'active gt true',
    'active eq "perhaps"',
    'emails.primary co "t"',
    'emails[primary gt false]',
    'emails[value eq true]',
    'emails[value eq 5]',
    'emails[shoeSize eq 44]',
    'emails[emails[value pr]]',
    'emails.value[value pr]',
    'title[value eq "x"]',
    'title gt null',
    'userName co null',
    'emails[type lt null]',
    'groups[value ge null]',
    'x509Certificates.value co "Q"',
    'x509Certificates[value gt "Q"]',
    'meta.created gt "yesterday"',
    'meta.created co "2026-11-25T00:00:00Z"',
    'meta eq "x"',
    'meta[created gt "yesterday"]',
    'meta[shoeSize pr]',
    'meta.location eq "https://kept.example/scim/v2/Users/00000000-0000-4000-8000-000000000000"',
    'groups.value eq true',
    'groups[shoeSize eq 44]',
    'urn:unknown:userName eq "x"',
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:userName eq "x"',
  ],
  Group: ['userName pr', 'groups pr', 'members eq 5', 'members[active eq true]', 'members.$ref eq false'],
};

for (const [type, texts] of Object.entries(WRONG))
  for (const text of texts)
    it(`is refused for a ${type}: ${text}`, () =>
      assert.throws(
        () => compileFilter(parseFilter(text), RESOURCE_SCHEMAS[type as ResourceType]),
        (error) => error instanceof InputError && error.scimType === 'invalidFilter',
      ));

it('folds case as the declared schemas say', () => {
  const walk = (attributes: ReadonlyMap<string, Attribute>, within?: string): void => {
    for (const { name, type, caseExact, sub } of attributes.values()) {
      if (type === 'string' || type === 'reference' || type === 'binary')
        assert.equal(isCaseExact(name, within), caseExact, name);
      walk(sub, name);
    }
  };
  for (const schema of Object.values(RESOURCE_SCHEMAS))
    for (const { attributes } of [schema.core, ...schema.extensions]) walk(attributes);
});

it('lets no filter run for ever but those that an index answers', () => {
  const isBounded = (type: ResourceType, text: string): boolean =>
    !isIndexed(parseFilter(text), RESOURCE_SCHEMAS[type]);
  const indexed = [
    ...[
      'userName eq "a"',
      'userName gt "a"',
      'externalId eq "a"',
      'id eq "a"',
      'meta.lastModified ge "2026-01-01T00:00:00Z"',
    ],
    ...['emails.value eq "a"', 'emails eq "a"', 'emails.primary eq true', 'active eq false', 'name.familyName eq "a"'],
    ...[`${ENTERPRISE_SCHEMA}:department eq "a"`, `${ENTERPRISE_SCHEMA}:manager.value eq "a"`, 'displayName eq "a"'],
  ];
  const reading = [
    ...[
      'groups.type eq "direct"',
      'groups eq "a"',
      'groups.value eq "a"',
      'groups.display gt "a"',
      'meta.version eq "a"',
    ],
    ...['displayName gt "a"', 'externalId ge "a"', 'id gt "a"', 'emails.value gt "a"', 'emails.primary eq false'],
    ...['title eq null', 'title pr', 'title ne "a"', 'title co "a"', 'meta.created gt "2026-01-01T00:00:00Z"'],
    ...['userName eq "a" and title eq "b"', 'not (userName eq "a")', 'emails[value eq "a"]'],
  ];
  for (const text of indexed) assert.equal(isBounded('User', text), false, text);
  for (const text of reading) assert.equal(isBounded('User', text), true, text);
  assert.equal(isBounded('Group', 'displayName gt "a"'), false);
  for (const text of ['members.type eq "User"', 'members eq "a"']) assert.equal(isBounded('Group', text), true, text);
});

it('lets no order take for ever but those that an index has', () => {
  const sortOf = (type: ResourceType, text: string) => compileSort(parsePath(text), RESOURCE_SCHEMAS[type], false);
  const indexed = (type: ResourceType, text: string): boolean => sortOf(type, text).indexed;
  for (const [type, text] of [
    ['User', 'userName'],
    ['Group', 'displayName'],
    ['User', 'meta.lastModified'],
  ] as const)
    assert.equal(indexed(type, text), true, text);
  for (const text of ['displayName', 'name.familyName', 'emails', 'meta.created', 'active', 'id', 'meta.version'])
    assert.equal(indexed('User', text), false, text);
  const both = (['User', 'Group'] as const).map((type) => ({ type, sort: sortOf(type, 'meta.lastModified') }));
  assert.equal(joinSorts(both)?.indexed, false);
  assert.equal(joinSorts(both.slice(1))?.indexed, true);
});
