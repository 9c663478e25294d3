import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import { canonical } from '#core/canonical.ts';
import { digestOf } from '#core/digest.ts';
import { correlate, MATCH_ATTRIBUTES, type MatchAttribute, type Matchable, type MatchPolicy } from '#core/match.ts';
import { ENTERPRISE_SCHEMA, type Origin, USER_SCHEMA } from '#core/resource.ts';
import { searchForm } from '#core/search.ts';
import type { Database } from '#store/database.ts';
import { writeResources } from '#store/directory/resources.ts';
import { upsertRecords } from '#store/mirror/mirror.ts';
import { planLinks } from '#store/plan/matching.ts';
import { planUpserts } from '#store/plan/planning.ts';
import { insertPlan } from '#store/plan/plans.ts';
import { insertRun } from '#store/run/runs.ts';
import { eachDatabase } from '../support/database.ts';

interface Person extends Matchable {
  readonly origin: Origin;
}

const anyName = fc.constantFrom('ada', 'grace', 'alan', 'edsger', 'barbara', 'donald');
const anyAnchors = fc.uniqueArray(fc.constantFrom('A', 'B', 'C'), { maxLength: 2 });
const anyNumber = fc.option(fc.constantFrom('7', '8', '9'));
const anyEmails = fc.uniqueArray(fc.constantFrom('a@x', 'b@x', 'c@x', 'd@x', 'e@x'), { maxLength: 2 });
/** With user names always: where they are no matching attribute, one that is taken is a question all the same. */
const anyOrder: fc.Arbitrary<MatchAttribute[]> = fc
  .shuffledSubarray([...MATCH_ATTRIBUTES])
  .filter((order) => order.includes('userName'));
const anyRecords = fc.uniqueArray(
  fc.record({
    externalId: fc.constantFrom('1', '2', '3', '4'),
    name: anyName,
    emails: anyEmails,
    anchors: anyAnchors,
    employeeNumber: anyNumber,
  }),
  {
    maxLength: 4,
    comparator: (one, other) => one.externalId === other.externalId || one.name === other.name,
  },
);
const anyPeople = fc.uniqueArray(
  fc.record({
    id: fc.noShrink(fc.constant(null).map(() => randomUUID())),
    externalId: fc.option(fc.constantFrom('1', '2', '3', '4')),
    name: anyName,
    emails: anyEmails,
    anchors: anyAnchors,
    employeeNumber: anyNumber,
    origin: fc.constantFrom<Origin>('csv', 'manual', 'microsoft365'),
  }),
  {
    maxLength: 5,
    comparator: (one, other) =>
      one.name === other.name || (one.externalId !== null && one.externalId === other.externalId),
  },
);

const NOTHING = { anchors: [], employeeNumber: null } as const;

const wide: MatchPolicy = { matching: MATCH_ATTRIBUTES, adoptManual: 'onMatch' };

eachDatabase('matching in SQL', (open) => {
  it('links and holds what the pure rule does, for any records, people and order of attributes', async () => {
    const database = await open();
    await fc.assert(
      fc.asyncProperty(anyRecords, anyPeople, anyOrder, async (shown, found, matching) => {
        await database.knex.raw(
          'delete from disputes; delete from runs; delete from resources; delete from mirror_records',
        );
        // Somebody of the provider is a candidate only without a record, or with one that is gone. Whom a link names in
        // the mirror has anchors; of other providers, and of those made by hand, none are known.
        const people = found.map((person) => {
          if (person.origin !== 'microsoft365') return { ...person, anchors: [] };
          if (person.externalId === null) return { ...person, anchors: [] };
          return { ...person, externalId: `gone-${person.externalId}`, gone: true };
        });
        const records = shown.map((record) => ({ ...record, id: record.externalId }));
        const { links, disputes } = await plan(database, records, people, { matching, adoptManual: 'onMatch' });
        const expected = correlate(records, people, matching);
        assert.deepEqual(
          links,
          Object.fromEntries(
            [...expected.links].map(([id, { resource, attribute }]) => [id, `${resource} ${attribute}`]),
          ),
        );
        assert.deepEqual(disputes, Object.fromEntries(expected.ambiguous));
      }),
      { numRuns: 25 },
    );
  });

  it('leaves people made by hand alone, but for a question about a user name that both have', async () => {
    const database = await open();
    const ada = {
      id: randomUUID(),
      externalId: '1',
      name: 'ada',
      emails: ['a@x'],
      ...NOTHING,
      origin: 'manual',
    } as const;
    const grace = {
      id: randomUUID(),
      externalId: '9',
      name: 'grace',
      emails: ['b@x'],
      ...NOTHING,
      origin: 'manual',
    } as const;
    const records = [
      { id: '1', externalId: '1', name: 'other', emails: ['a@x'], ...NOTHING },
      { id: '2', externalId: '2', name: 'grace', emails: [], ...NOTHING },
    ];
    const { links, disputes } = await plan(database, records, [ada, grace], { ...wide, adoptManual: 'never' });
    assert.deepEqual(links, {});
    assert.deepEqual(disputes, { 2: [grace.id] });
  });

  it('asks about every match when it is told to', async () => {
    const database = await open();
    const ada = {
      id: randomUUID(),
      externalId: null,
      name: 'ada',
      emails: ['a@x'],
      ...NOTHING,
      origin: 'manual',
    } as const;
    const records = [{ id: '1', externalId: '1', name: 'lovelace', emails: ['a@x'], ...NOTHING }];
    const { links, disputes } = await plan(database, records, [ada], { ...wide, adoptManual: 'ask' });
    assert.deepEqual(links, {});
    assert.deepEqual(disputes, { 1: [ada.id] });
  });

  it('keeps a question open when those whom it names have no record any more', async () => {
    const database = await open();
    const former = (externalId: string, emails: string[]): Person => {
      const one = { id: randomUUID(), externalId, name: externalId, emails, ...NOTHING };
      return { ...one, origin: 'microsoft365', gone: true };
    };
    const people = [former('old-1', ['a@x']), former('old-2', ['b@x'])];
    const asked = people.map(({ id }) => id).sort();
    const other = former('old-3', ['c@x']);
    await database.query({
      text: `insert into disputes (provider, resource_type, external_id, reason, attribute, candidates)
             values ('microsoft365', 'User', 'new', 'MatchAmbiguous', 'emails', $1)`,
      values: [asked],
    });
    const records = [{ id: 'new', externalId: 'new', name: 'new', emails: ['a@x', 'b@x', 'c@x'], ...NOTHING }];
    const { links, disputes } = await plan(database, records, [...people, other], wide);
    assert.deepEqual([links, disputes], [{}, { new: asked }]);
  });
});

/** Makes a plan of these records over these people; answers its links and whom it holds for which resources. */
async function plan(database: Database, records: readonly Matchable[], people: readonly Person[], policy: MatchPolicy) {
  const db = database.knex;
  const runId = await insertRun(db, {
    provider: 'microsoft365',
    mode: 'full',
    preview: false,
    trigger: 'manual',
    options: { allowLargeSync: false, resetAccountMapping: false },
    requestedBy: 'test',
    configVersion: '1',
  });
  const planId = await insertPlan(db, {
    runId: runId ?? '',
    provider: 'microsoft365',
    configVersion: '1',
    complete: true,
  });
  await writeResources(db, people.map(rowOf));
  const gone = people.filter((person) => person.gone === true);
  await upsertRecords(
    db,
    'microsoft365',
    'User',
    [...gone, ...records].map((one) => {
      const { externalId: id, name, emails, anchors } = one;
      const body = bodyOf(one);
      const digest = digestOf(body);
      return {
        external_id: id ?? '',
        record: '{}',
        record_digest: digest,
        body,
        digest,
        name_key: name,
        manager_external_id: null,
        reason: null,
        detail: null,
        label: null,
        handles: [...emails.map((email) => `email:${email}`), ...anchors.map((anchor) => `anchor:${anchor}`)],
      };
    }),
  );
  await db('mirror_records')
    .whereIn(
      'external_id',
      gone.map(({ externalId }) => externalId ?? ''),
    )
    .update({ gone_at: new Date() });
  const planning = { planId, provider: 'microsoft365' } as const;
  await db.transaction(async (tx) => {
    const offset = await planUpserts(tx, planning, 'User', { offset: 0, duplicates: [] });
    await planLinks(tx, planning, { ...policy, type: 'User', offset, reset: false, duplicates: [] });
  });
  const { rows: linked } = await database.query<{ external_id: string; said: string }>({
    text: `select external_id, resource_id || ' ' || attribute as said from plan_links`,
  });
  const { rows: held } = await database.query<{ external_id: string; candidates: string[] }>({
    text: 'select external_id, candidates::text[] as candidates from disputes',
  });
  return {
    links: Object.fromEntries(linked.map(({ external_id, said }) => [external_id, said])),
    disputes: Object.fromEntries(held.map(({ external_id, candidates }) => [external_id, candidates])),
  };
}

function bodyOf({ externalId, name, emails, employeeNumber }: Matchable): string {
  return canonical({
    schemas: [USER_SCHEMA],
    externalId,
    userName: name,
    active: true,
    emails: emails.map((value) => ({ value })),
    ...(employeeNumber === null ? {} : { [ENTERPRISE_SCHEMA]: { employeeNumber } }),
  });
}

function rowOf(person: Person) {
  const { id, externalId, name, origin } = person;
  const body = bodyOf(person);
  return {
    id,
    resource_type: 'User' as const,
    origin,
    external_id: externalId,
    name_key: name,
    display: name,
    unique_key: name,
    active: true,
    body,
    search: searchForm(JSON.parse(body)),
    digest: null,
    manager_external_id: null,
    manager_id: null,
    left: false,
  };
}
