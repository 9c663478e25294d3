// A directory of any size, written straight into the tables: what the SCIM benchmarks read and change.
import { randomUUID } from 'node:crypto';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA } from '../src/core/resource.ts';
import { foldCase, searchForm } from '../src/core/search.ts';
import { type Db, sql } from '../src/store/database.ts';
import { writeResources } from '../src/store/directory/resources.ts';

const BATCH = 1_000;
const DEPARTMENTS = [
  'Finance',
  'Research',
  'Sales',
  'Support',
  'Legal',
  'Operations',
  'Design',
  'People',
  'IT',
  'Board',
];

/** A person of about 1.2 kB, as a sync would have written it. */
export function person(number: number): Record<string, unknown> {
  const name = `person${number}`;
  return {
    schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA, GATEWAY_SCHEMA],
    externalId: `source-${number}`,
    userName: `${name}@bench.example`,
    active: number % 50 !== 0,
    name: { formatted: `Given${number} Family${number}`, givenName: `Given${number}`, familyName: `Family${number}` },
    displayName: `Given${number} Family${number}`,
    title: `Engineer ${number % 97}`,
    userType: 'Member',
    preferredLanguage: 'en-GB',
    emails: [
      { value: `${name}@bench.example`, type: 'work', primary: true },
      { value: `${name}.alias@bench.example`, type: 'other' },
    ],
    phoneNumbers: [
      { value: `+49 30 ${1_000_000 + number}`, type: 'work' },
      { value: `+49 170 ${1_000_000 + number}`, type: 'mobile' },
    ],
    addresses: [
      {
        type: 'work',
        primary: true,
        streetAddress: `${number % 300} Long Street`,
        locality: 'Berlin',
        region: 'Berlin',
        postalCode: `${10_000 + (number % 999)}`,
        country: 'DE',
        formatted: `${number % 300} Long Street\n${10_000 + (number % 999)} Berlin\nGermany`,
      },
    ],
    [ENTERPRISE_SCHEMA]: {
      employeeNumber: `${number}`,
      department: DEPARTMENTS[number % 10],
      costCenter: `CC${number % 40}`,
      organization: 'Bench',
    },
    [GATEWAY_SCHEMA]: { origin: 'manual', licensed: true },
  };
}

/** Fills an empty, migrated database: people, and groups of 200 members each, five memberships a person. */
export async function fillDirectory(db: Db, users: number): Promise<void> {
  for (let start = 0; start < users; start += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, users - start) }, (_, index) => start + index);
    await writeResources(
      db,
      numbers.map((number) => {
        const body = person(number);
        const name = String(body['userName']);
        return {
          id: randomUUID(),
          resource_type: 'User' as const,
          origin: 'manual' as const,
          external_id: `source-${number}`,
          name_key: foldCase(name),
          display: String(body['displayName']),
          unique_key: foldCase(name),
          active: body['active'] === true,
          body: JSON.stringify(body),
          search: searchForm(body),
          digest: null,
          manager_external_id: null,
          manager_id: null,
          left: false,
        };
      }),
    );
  }
  const groups = Math.max(1, Math.ceil(users / 40));
  await sql(
    db,
    `insert into resources (id, resource_type, origin, external_id, name_key, display, body, search)
     select gen_random_uuid(), 'Group', 'manual', 'group-' || n, 'group ' || n, 'Group ' || n,
       json_build_object('schemas', array['urn:ietf:params:scim:schemas:core:2.0:Group'], 'externalId', 'group-' || n, 'displayName', 'Group ' || n)::text,
       jsonb_build_object('schemas', array['urn:ietf:params:scim:schemas:core:2.0:group'], 'externalId', 'group-' || n, 'displayName', 'group ' || n)
     from generate_series(1, ?::int) n`,
    [groups],
  );
  await sql(
    db,
    `with person as (select id, row_number() over (order by pos) - 1 as n from resources where resource_type = 'User'),
       team as (select id, row_number() over (order by pos) - 1 as n from resources where resource_type = 'Group')
     insert into group_members (group_id, member_id, member_type)
     select t.id, p.id, 'User' from person p cross join generate_series(0, 4) k
     join team t on t.n = (p.n * 5 + k * 7919) % ?::int on conflict do nothing`,
    [groups],
  );
  await sql(
    db,
    `update resources g set member_count = c.count from (select group_id, count(*)::int as count from group_members group by group_id) c where g.id = c.group_id`,
  );
  await sql(db, 'vacuum (analyze) resources');
  await sql(db, 'vacuum (analyze) group_members');
}
