import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, it } from 'node:test';
import fc from 'fast-check';
import { InputError } from '#core/errors.ts';
import { type Filter, matches } from '#core/filter.ts';
import { foldCase, isCaseExact, searchForm } from '#core/search.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import type { Database } from '#store/database.ts';
import { compileFilter } from '#store/filter.ts';
import { writeResources } from '#store/resources.ts';
import { eachDatabase } from '../support/database.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const word = fc.constantFrom('Ada', 'ada', 'ADA L', 'İz', 'Straße', '김', '100%', 'a_b', 'a\\b', '"q"', 'z');
const email = fc.record(
  { value: word, type: fc.constantFrom('work', 'Home', 'other'), primary: fc.boolean() },
  { requiredKeys: ['value'] },
);

const anyUser = fc.record(
  {
    userName: word,
    active: fc.boolean(),
    displayName: word,
    title: word,
    name: fc.record({ givenName: word, familyName: word }, { requiredKeys: [] }),
    emails: fc.array(email, { minLength: 1, maxLength: 3 }),
    [ENTERPRISE]: fc.record({ department: word, costCenter: word }, { requiredKeys: ['department'] }),
    externalId: word,
  },
  { requiredKeys: ['userName', 'active'] },
);

const operator = fc.constantFrom('eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le');
const textPath = fc.constantFrom(
  { attribute: 'userName' },
  { attribute: 'displayName' },
  { attribute: 'TITLE' },
  { attribute: 'externalId' },
  { attribute: 'name', sub: 'givenName' },
  { attribute: 'emails' },
  { attribute: 'emails', sub: 'value' },
  { attribute: 'emails', sub: 'type' },
  { schema: ENTERPRISE, attribute: 'department' },
);
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ kind: fc.constant('compare' as const), path: textPath, operator, value: word }) as fc.Arbitrary<Filter>,
  fc.record({
    kind: fc.constant('compare' as const),
    path: textPath,
    operator: fc.constantFrom('eq', 'ne'),
    value: fc.constant(null),
  }) as fc.Arbitrary<Filter>,
  fc.record({
    kind: fc.constant('compare' as const),
    path: fc.constantFrom({ attribute: 'active' }, { attribute: 'emails', sub: 'primary' }),
    operator: fc.constantFrom('eq', 'ne'),
    value: fc.boolean(),
  }) as fc.Arbitrary<Filter>,
  fc.record({ kind: fc.constant('present' as const), path: textPath }) as fc.Arbitrary<Filter>,
);
const inElement: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constant('compare' as const),
    path: fc.constantFrom({ attribute: 'value' }, { attribute: 'type' }),
    operator,
    value: word,
  }) as fc.Arbitrary<Filter>,
  fc.record({
    kind: fc.constant('compare' as const),
    path: fc.constant({ attribute: 'primary' }),
    operator: fc.constantFrom('eq', 'ne'),
    value: fc.boolean(),
  }) as fc.Arbitrary<Filter>,
  fc.record({
    kind: fc.constant('present' as const),
    path: fc.constant({ attribute: 'primary' }),
  }) as fc.Arbitrary<Filter>,
);
const boolean = (term: fc.Arbitrary<Filter>): fc.Arbitrary<Filter> =>
  fc.oneof(
    { weight: 3, arbitrary: term },
    {
      weight: 1,
      arbitrary: fc.record({
        kind: fc.constantFrom('and' as const, 'or' as const),
        terms: fc.array(term, { minLength: 2, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('not' as const), term }) },
  );
const element: fc.Arbitrary<Filter> = fc.record({
  kind: fc.constant('element' as const),
  path: fc.constant({ attribute: 'emails' }),
  filter: boolean(inElement),
});
const anyFilter: fc.Arbitrary<Filter> = boolean(
  boolean(fc.oneof({ weight: 3, arbitrary: leaf }, { weight: 1, arbitrary: element })),
);

eachDatabase('a filter as SQL', (open) => {
  let database: Database;
  const people = fc.sample(anyUser, { numRuns: 120, seed: 7 }).map((user, index) => ({
    ...user,
    externalId: user.externalId === undefined ? undefined : `${user.externalId}`,
    id: randomUUID(),
    index,
  }));

  before(async () => {
    database = await open();
    await writeResources(
      database.knex,
      people.map(({ id, index, ...user }) => ({
        id,
        resource_type: 'User' as const,
        origin: 'manual' as const,
        external_id: null,
        name_key: foldCase(user.userName),
        display: user.userName,
        unique_key: `${index}`,
        active: user.active,
        body: JSON.stringify(user),
        search: JSON.parse(searchForm(user)),
        digest: null,
        manager_external_id: null,
        manager_id: null,
        left: false,
      })),
    );
    for (const { id, externalId } of people.filter(
      (person, place) =>
        person.externalId !== undefined &&
        people.findIndex((other) => other.externalId === person.externalId) === place,
    ))
      await database.knex.raw('update resources set external_id = ? where id = ?', [externalId ?? null, id]);
  });

  it('finds exactly what the evaluation in memory finds', async () => {
    const { rows: external } = await database.query<{ id: string; external_id: string | null }>({
      text: 'select id, external_id from resources',
    });
    const stored = new Map(external.map((row) => [row.id, row.external_id]));
    await fc.assert(
      fc.asyncProperty(anyFilter, async (filter) => {
        const where = compileFilter(filter, RESOURCE_SCHEMAS.User);
        const { rows } = await database.query<{ id: string }>({
          text: `select r.id from resources r where ${where.text}`,
          values: where.values,
        });
        const expected = people
          .filter(({ index: _index, ...user }) =>
            matches(filter, { ...user, externalId: stored.get(user.id) ?? undefined }),
          )
          .map(({ id }) => id);
        assert.equal(
          rows
            .map(({ id }) => id)
            .sort()
            .join(),
          expected.sort().join(),
          where.text,
        );
      }),
      { numRuns: 300 },
    );
  });

  it('refuses what no schema has and what a type cannot do', () => {
    for (const filter of [
      { kind: 'present', path: { attribute: 'shoeSize' } },
      { kind: 'compare', path: { attribute: 'name', sub: 'nothing' }, operator: 'eq', value: 'x' },
      { kind: 'compare', path: { attribute: 'active' }, operator: 'gt', value: true },
      { kind: 'compare', path: { attribute: 'active' }, operator: 'eq', value: 'perhaps' },
      { kind: 'compare', path: { attribute: 'meta', sub: 'created' }, operator: 'gt', value: 'yesterday' },
      { kind: 'compare', path: { attribute: 'userName' }, operator: 'eq', value: 5 },
      { kind: 'compare', path: { attribute: 'name' }, operator: 'eq', value: 'x' },
      { kind: 'compare', path: { schema: 'urn:unknown', attribute: 'userName' }, operator: 'eq', value: 'x' },
    ] as Filter[])
      assert.throws(
        () => compileFilter(filter, RESOURCE_SCHEMAS.User),
        (error) => error instanceof InputError && error.scimType === 'invalidFilter',
      );
  });
});

it('folds case as the declared schemas say', () => {
  const walk = (
    attributes: ReadonlyMap<
      string,
      { name: string; type: string; caseExact: boolean; sub: ReadonlyMap<string, never> }
    >,
  ): void => {
    for (const attribute of attributes.values()) {
      if (attribute.type === 'string' || attribute.type === 'reference')
        assert.equal(isCaseExact(attribute.name), attribute.caseExact, attribute.name);
      walk(attribute.sub);
    }
  };
  for (const schema of Object.values(RESOURCE_SCHEMAS))
    for (const part of [schema.core, ...schema.extensions]) walk(part.attributes as never);
});
