// Whom the scope by memberships must be decided for: everybody, or those for whom something changed since it last was.
// Whatever of the mirror changes is touched in the same transaction (touched.ts), and with the members of a group those
// who came and went; so what is touched is all that the scope of anybody can hang on, beside the groups themselves.
import { digestOf } from '#core/digest.ts';
import type { MembershipScope } from '#core/membership-scope.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

/** `some`: those in `scope_people`, a table of this transaction. */
export type Whom = 'everybody' | 'some';

/** Members of groups, as `mm`, of whom a statement looks at. */
export function membersOf(whom: Whom): string {
  return whom === 'everybody'
    ? 'mirror_members mm'
    : 'scope_people p join mirror_members mm on mm.member_external_id = p.external_id';
}

/** The condition that a row is of somebody whom a statement looks at. */
export function among(whom: Whom, column: string): string {
  return whom === 'everybody' ? '' : `and ${column} in (select external_id from scope_people)`;
}

/** Whether the scope was decided for everybody, by the same scope, and all that changed since is touched. */
export async function isScopedBy(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
): Promise<boolean> {
  const { rows } = await sql(
    db,
    'select 1 from mirror_state where provider = ? and not compare_all and scoped_by = ?',
    [provider, fingerprint(scope)],
  );
  return rows.length > 0;
}

export async function noteScopedBy(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
): Promise<void> {
  await sql(db, 'update mirror_state set scoped_by = ? where provider = ?', [fingerprint(scope), provider]);
}

function fingerprint(scope: MembershipScope | undefined): string {
  return digestOf(JSON.stringify(scope ?? null)).toString('hex');
}

/** Begins `scope_people` with the people that were touched. Answers whether any group was touched. */
export async function gatherPeople(db: Db, provider: ProviderKindName): Promise<boolean> {
  await sql(db, 'drop table if exists scope_people');
  await sql(db, 'create temporary table scope_people (external_id text collate "C" primary key) on commit drop');
  await sql(
    db,
    `insert into scope_people select external_id from mirror_touched where provider = ? and resource_type = 'User'`,
    [provider],
  );
  await sql(db, 'analyze scope_people');
  const { rows } = await sql(
    db,
    `select 1 from mirror_touched where provider = ? and resource_type = 'Group' limit 1`,
    [provider],
  );
  return rows.length > 0;
}

const GROUPS_THAT_DECIDE = {
  mirror_reach: 'external_id, depth, path',
  mirror_conditions: 'external_id, place',
} as const;

/** Keeps which groups decide, and how, while that is worked out anew. */
export async function keepDeciding(db: Db, provider: ProviderKindName): Promise<void> {
  for (const [table, columns] of Object.entries(GROUPS_THAT_DECIDE)) {
    await sql(db, `drop table if exists ${table}_before`);
    await sql(
      db,
      `create temporary table ${table}_before on commit drop as select ${columns} from ${table} where provider = ?`,
      [provider],
    );
  }
}

/** Adds to `scope_people` the members of every group that decides otherwise than before. */
export async function gatherMembersOfDeciding(db: Db, provider: ProviderKindName): Promise<void> {
  for (const [table, columns] of Object.entries(GROUPS_THAT_DECIDE))
    await sql(
      db,
      `with now as (select ${columns} from ${table} where provider = ?),
       differing as materialized (
         (select * from now except select * from ${table}_before) union (select * from ${table}_before except select * from now))
       insert into scope_people select mm.member_external_id from differing d
       join mirror_members mm on mm.provider = ? and mm.group_external_id = d.external_id and mm.member_type = 'User'
       on conflict do nothing`,
      [provider, provider],
    );
  await sql(db, 'analyze scope_people');
}
