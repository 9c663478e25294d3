// Who is in scope by membership, and by which way: decided on the mirror as it is, in one statement for each level of
// groups and one for the people. What differs from before is marked, so that a plan of changes looks at it.
import type { MembershipCondition, MembershipScope } from '#core/membership-scope.ts';
import { GATEWAY_SCHEMA, type ProviderKindName } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import { type Db, sql } from '../database.ts';
import { routePeople } from '../plan/plan-routes.ts';
import {
  among,
  gatherMembersOfDeciding,
  gatherPeople,
  isScopedBy,
  keepDeciding,
  membersOf,
  noteScopedBy,
  type Whom,
} from './scope-people.ts';

/**
 * Makes the mirror say what the scope means: reasons of groups and people whom only their memberships leave out,
 * reshaped memberships, and affiliation paths. Doing it twice changes nothing. Answers how many records changed.
 * @param scope undefined: nobody is left out by memberships, and there are no paths
 */
export async function scopeByMemberships(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
): Promise<number> {
  await findDeciding(db, provider, scope);
  let changed = await judgeGroups(db, provider, scope);
  changed += await judgeUsers(db, provider, scope, 'everybody');
  changed += await reshape(db, provider, scope, 'everybody');
  changed += await showPaths(db, provider, 'everybody');
  changed += await routePeople(db, provider, scope, 'everybody');
  await noteScopedBy(db, provider, scope);
  return changed;
}

/**
 * The same in time that follows what changed since, where the scope is as it was. Only right while whatever of the
 * mirror changes is touched, and with the members of a group those who came and went.
 */
export async function scopeTouched(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
): Promise<number> {
  if (!(await isScopedBy(db, provider, scope))) return scopeByMemberships(db, provider, scope);
  if (scope === undefined) return 0;
  let changed = 0;
  if (await gatherPeople(db, provider)) {
    await keepDeciding(db, provider);
    await findDeciding(db, provider, scope);
    await gatherMembersOfDeciding(db, provider);
    changed += await judgeGroups(db, provider, scope);
    changed += await reshape(db, provider, scope, 'some');
  }
  changed += await judgeUsers(db, provider, scope, 'some');
  changed += await showPaths(db, provider, 'some');
  changed += await routePeople(db, provider, scope, 'some');
  return changed;
}

/** Which groups decide about their members, and how. */
async function findDeciding(db: Db, provider: ProviderKindName, scope: MembershipScope | undefined): Promise<void> {
  await sql(db, 'delete from mirror_reach where provider = ?', [provider]);
  await sql(db, 'delete from mirror_conditions where provider = ?', [provider]);
  if (scope === undefined) return;
  await fillReach(db, provider, scope);
  for (const [place, condition] of scope.conditions.entries()) await fillCondition(db, provider, place, condition);
}

/** Changes rows of the mirror by `[with …] update … returning m.resource_type, m.external_id`, touches them, and answers how many. */
async function change(db: Db, provider: ProviderKindName, update: string, values: readonly unknown[]): Promise<number> {
  const { rows } = await sql(
    db,
    `with changed as (${update}),
     touched as (
       insert into mirror_touched (provider, resource_type, external_id) select ?, resource_type, external_id from changed
       on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null)
     select count(*)::int as count from changed`,
    [...values, provider],
  );
  return rows[0].count;
}

/** Where the memberships that are planned are kept, and the column that has their digest. */
export interface PlannedMembers {
  readonly table: 'mirror_members' | 'mirror_reshaped';
  readonly digest: 'members_digest' | 'reshaped_digest';
}

export async function plannedMembers(db: Db, provider: ProviderKindName): Promise<PlannedMembers> {
  const { rows } = await sql(db, 'select 1 from mirror_state where provider = ? and reshaped', [provider]);
  if (rows.length > 0) return { table: 'mirror_reshaped', digest: 'reshaped_digest' };
  return { table: 'mirror_members', digest: 'members_digest' };
}

/** A live group that is in scope by itself. */
const COUNTS = `g.resource_type = 'Group' and g.gone_at is null and g.body is not null`;

/** Level by level, each group by its shortest way, of several the first by name: so a circle ends. */
async function fillReach(db: Db, provider: ProviderKindName, scope: MembershipScope): Promise<void> {
  const { selected, pathRoots, nested } = scope;
  const roots = selected ?? pathRoots;
  if (roots.length === 0) return;
  const deepest = selected === null ? null : nested === 'ignore' ? 0 : scope.maxDepth;
  // The path-display group may be of a type that is out of scope; what it shows is a way, and not itself.
  const { rowCount } = await sql(
    db,
    `insert into mirror_reach (provider, external_id, depth, path)
     select g.provider, g.external_id, 0, coalesce(g.label, g.external_id) from mirror_records g
     where g.provider = ? and g.external_id = any(?::text[]) and ${selected === null ? "g.resource_type = 'Group' and g.gone_at is null" : COUNTS}`,
    [provider, roots],
  );
  let found = rowCount ?? 0;
  for (let depth = 1; found > 0 && (deepest === null || depth <= deepest); depth += 1) {
    const level = await sql(
      db,
      `insert into mirror_reach (provider, external_id, depth, path)
       select distinct on (g.external_id) g.provider, g.external_id, ?::int, r.path || '/' || coalesce(g.label, g.external_id)
       from mirror_reach r
       join mirror_members mm on mm.provider = r.provider and mm.group_external_id = r.external_id and mm.member_type = 'Group'
       join mirror_records g on g.provider = mm.provider and g.external_id = mm.member_external_id and ${COUNTS}
       where r.provider = ? and r.depth = ?
       order by g.external_id, r.path collate "C", r.external_id
       on conflict do nothing`,
      [depth, provider, depth - 1],
    );
    found = level.rowCount ?? 0;
  }
}

/** Groups that fulfil a condition, whatever their type: by their id, name or address. */
async function fillCondition(
  db: Db,
  provider: ProviderKindName,
  place: number,
  { operator, value }: MembershipCondition,
): Promise<void> {
  const folded = foldCase(value);
  const like = folded.replaceAll(/[\\%_]/g, '\\$&');
  const patterns = { co: `%${like}%`, sw: `${like}%`, ew: `%${like}`, pr: '%' };
  const named =
    operator === 'eq'
      ? 'm.external_id = any(?::text[]) or m.handles && ?::text[]'
      : `exists (select 1 from unnest(m.handles || m.external_id) h where regexp_replace(h, '^(name|email):', '') like ?)`;
  await sql(
    db,
    `insert into mirror_conditions (provider, place, external_id)
     select m.provider, ?::int, m.external_id from mirror_records m
     where m.provider = ? and m.resource_type = 'Group' and m.gone_at is null and (${named})`,
    [
      place,
      provider,
      ...(operator === 'eq'
        ? [
            [value, folded],
            [`name:${folded}`, `email:${folded}`],
          ]
        : [patterns[operator]]),
    ],
  );
}

/**
 * Groups out of the selection, with the reason, and how many are in one that is ignored, where the record tells: it is read as
 * text, since what a source says may not be JSON to PostgreSQL. Those that are in by themselves and need no selection have none.
 */
async function judgeGroups(db: Db, provider: ProviderKindName, scope: MembershipScope | undefined): Promise<number> {
  if (scope?.selected == null) return release(db, provider, 'Group');
  return change(
    db,
    provider,
    `update mirror_records m set reason = w.reason, detail = w.detail from (
       select c.external_id, c.reason, case c.reason when 'NestedGroupIgnored' then substring(g.record from '"memberCount":(\\d+)') || ' member(s)' end as detail
       from (select g.external_id, case
         when r.depth = 0 or r.depth > 0 and ?::text = 'include' then null
         when r.depth > 0 then 'NestedGroupFlattened'
         when exists (select 1 from mirror_members mm join mirror_reach above on above.provider = mm.provider
           and above.external_id = mm.group_external_id where mm.provider = g.provider and mm.member_external_id = g.external_id)
           then 'NestedGroupIgnored'
         else 'NotInSelectedGroup' end as reason
       from mirror_records g left join mirror_reach r on r.provider = g.provider and r.external_id = g.external_id
       where g.provider = ? and ${COUNTS}) c
       join mirror_records g on g.provider = ? and g.resource_type = 'Group' and g.external_id = c.external_id) w
     where m.provider = ? and m.resource_type = 'Group' and m.external_id = w.external_id
       and (m.reason, m.detail) is distinct from (w.reason, w.detail)
     returning m.resource_type, m.external_id`,
    [scope.nested, provider, provider, provider],
  );
}

/** Nobody of this type is left out by memberships. */
async function release(db: Db, provider: ProviderKindName, type: string): Promise<number> {
  return change(
    db,
    provider,
    `update mirror_records m set reason = null, detail = null
     where m.provider = ? and m.resource_type = ? and m.gone_at is null and m.reason is not null and m.body is not null
     returning m.resource_type, m.external_id`,
    [provider, type],
  );
}

/** People out of the selection, or for whose groups the filter is false. */
async function judgeUsers(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
  whom: Whom,
): Promise<number> {
  if (scope === undefined || (scope.selected === null && scope.conditions.length === 0))
    return release(db, provider, 'User');
  return change(
    db,
    provider,
    `with reached as materialized (
       select distinct mm.member_external_id from ${membersOf(whom)}
       join mirror_reach r on r.provider = mm.provider and r.external_id = mm.group_external_id
       where mm.provider = ? and mm.member_type = 'User' and ?),
     answers as materialized (
       select mm.member_external_id, bit_or(1 << c.place) as sum from ${membersOf(whom)}
       join mirror_conditions c on c.provider = mm.provider and c.external_id = mm.group_external_id
       where mm.provider = ? and mm.member_type = 'User' group by mm.member_external_id),
     wanted as (
       select u.external_id, case
         when ? and r.member_external_id is null then 'NotInSelectedGroup'
         when substr(u.memberships, 1 + coalesce(a.sum, 0), 1) = '0' then 'ScopeFilterFalse' end as reason
       from mirror_records u
       left join reached r on r.member_external_id = u.external_id
       left join answers a on a.member_external_id = u.external_id and u.memberships is not null
       where u.provider = ? and u.resource_type = 'User' and u.gone_at is null and u.body is not null
         ${among(whom, 'u.external_id')})
     update mirror_records m set reason = w.reason, detail = case w.reason when 'ScopeFilterFalse' then ? end
     from wanted w where m.provider = ? and m.resource_type = 'User' and m.external_id = w.external_id
       and m.reason is distinct from w.reason
     returning m.resource_type, m.external_id`,
    [
      ...[provider, scope.selected !== null, provider, scope.selected !== null, provider],
      ...[scope.conditionsText, provider],
    ],
  );
}

/** A path in a body, and where one is put. Inside a JSON text a quote has a backslash, so neither is found in a value. */
const PATH_IN_BODY = String.raw`"affiliationPath":"(?:[^"\\]|\\.)*",`;
const EXTENSION_IN_BODY = `"${GATEWAY_SCHEMA}":{`;

/** Writes each person's path into what it maps to; `origin` always follows, so there is a comma to keep. */
async function showPaths(db: Db, provider: ProviderKindName, whom: Whom): Promise<number> {
  const { rows } = await sql(db, 'select 1 from mirror_reach where provider = ? limit 1', [provider]);
  const paths = rows.length > 0;
  if (!paths && !(await somebodyShowsPath(db, provider))) return 0;
  // Without paths only those who show one still are looked at: few, by an index, and not everybody.
  const looked = paths ? '' : 'and u.affiliation_path is not null';
  return change(
    db,
    provider,
    `with best as materialized (
       select distinct on (mm.member_external_id) mm.member_external_id, r.path from ${membersOf(whom)}
       join mirror_reach r on r.provider = mm.provider and r.external_id = mm.group_external_id
       where mm.provider = ? and mm.member_type = 'User' order by mm.member_external_id, r.depth, r.path collate "C", r.external_id),
     wanted as materialized (
       select u.external_id, b.path, case when b.path is null then s.body else
         replace(s.body, ?::text, ?::text || '"affiliationPath":' || to_json(b.path)::text || ',') end as body
       from mirror_records u left join best b on b.member_external_id = u.external_id
       cross join lateral (select regexp_replace(u.body, ?, '') as body) s
       where u.provider = ? and u.resource_type = 'User' and u.gone_at is null and u.body is not null
         and u.affiliation_path is distinct from b.path ${looked} ${among(whom, 'u.external_id')})
     update mirror_records m set affiliation_path = w.path, body = w.body, digest = sha256(convert_to(w.body, 'UTF8'))
     from wanted w where m.provider = ? and m.resource_type = 'User' and m.external_id = w.external_id
     returning m.resource_type, m.external_id`,
    [provider, EXTENSION_IN_BODY, EXTENSION_IN_BODY, PATH_IN_BODY, provider, provider],
  );
}

/** Asked first: of a mirror that was just filled the planner knows nothing, and the update would compare all with all. */
async function somebodyShowsPath(db: Db, provider: ProviderKindName): Promise<boolean> {
  const { rows } = await sql(
    db,
    'select 1 from mirror_records where provider = ? and affiliation_path is not null limit 1',
    [provider],
  );
  return rows.length > 0;
}

/** Plans follow the memberships that were read, unless groups in groups are flattened, or ignored everywhere. */
async function reshape(
  db: Db,
  provider: ProviderKindName,
  scope: MembershipScope | undefined,
  whom: Whom,
): Promise<number> {
  const reshaped = scope?.nested === 'flatten' || (scope?.nested === 'ignore' && scope.selected === null);
  const { rows } = await sql(
    db,
    `update mirror_state s set reshaped = ? from (select reshaped from mirror_state where provider = ?) before
     where s.provider = ? returning before.reshaped as before`,
    [reshaped, provider, provider],
  );
  if (!reshaped) {
    if (rows[0]?.before === true) await sql(db, 'delete from mirror_reshaped where provider = ?', [provider]);
    return 0;
  }
  await fillClosure(db, provider, scope);
  if (whom === 'some') await keepStirred(db, provider);
  const looked = whom === 'some' ? 'and m.group_external_id in (select root from closure)' : '';
  await sql(
    db,
    `with wanted as materialized (
       select distinct c.root, mm.member_external_id, mm.member_type from closure c
       join mirror_members mm on mm.provider = ? and mm.group_external_id = c.external_id and mm.member_type = 'User'),
     gone as (
       delete from mirror_reshaped m where m.provider = ? ${looked} and not exists
         (select 1 from wanted w where w.root = m.group_external_id and w.member_external_id = m.member_external_id))
     insert into mirror_reshaped (provider, group_external_id, member_external_id, member_type)
     select ?, root, member_external_id, member_type from wanted on conflict do nothing`,
    [provider, provider, provider],
  );
  // Who is below a group is known when the members of every group below it are.
  return change(
    db,
    provider,
    `with known as (
       select c.root, bool_and(g.members_digest is not null) as all_known from closure c
       join mirror_records g on g.provider = ? and g.resource_type = 'Group' and g.external_id = c.external_id
       group by c.root),
     listed as (
       select m.group_external_id, string_agg(m.member_external_id, ' ' order by m.member_external_id) as list
       from mirror_reshaped m where m.provider = ? ${looked} group by m.group_external_id),
     digests as (
       select k.root, case when k.all_known then sha256(convert_to(coalesce(l.list, ''), 'UTF8')) end as digest
       from known k left join listed l on l.group_external_id = k.root)
     update mirror_records m set reshaped_digest = d.digest from digests d
     where m.provider = ? and m.resource_type = 'Group' and m.external_id = d.root and m.reshaped_digest is distinct from d.digest
     returning m.resource_type, m.external_id`,
    [provider, provider, provider],
  );
}

/** For each group that is in scope, the groups whose people are its members: itself and, flattened, all below it. */
async function fillClosure(db: Db, provider: ProviderKindName, { nested, maxDepth }: MembershipScope): Promise<void> {
  await sql(
    db,
    `create temporary table if not exists closure (root text collate "C", external_id text collate "C", depth integer,
       primary key (root, external_id)) on commit drop`,
  );
  await sql(db, 'delete from closure');
  const { rowCount } = await sql(
    db,
    `insert into closure select g.external_id, g.external_id, 0 from mirror_records g
     where g.provider = ? and ${COUNTS} and g.reason is null`,
    [provider],
  );
  let found = nested === 'flatten' ? (rowCount ?? 0) : 0;
  for (let depth = 1; found > 0 && (maxDepth === null || depth <= maxDepth); depth += 1) {
    const level = await sql(
      db,
      `insert into closure select distinct c.root, g.external_id, ?::int from closure c
       join mirror_members mm on mm.provider = ? and mm.group_external_id = c.external_id and mm.member_type = 'Group'
       join mirror_records g on g.provider = mm.provider and g.external_id = mm.member_external_id and ${COUNTS}
       where c.depth = ? on conflict do nothing`,
      [depth, provider, depth - 1],
    );
    found = level.rowCount ?? 0;
  }
}

/**
 * Leaves in `closure` the groups that may have other people than before: those above which, or in which, a group was
 * touched. A group that no longer stands for itself has none. The first link that changed on a way down begins at a
 * group that was touched and is still below, or leads to one that was touched and is not.
 */
async function keepStirred(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `delete from mirror_reshaped m using mirror_touched t
     where t.provider = ? and t.resource_type = 'Group' and m.provider = t.provider and m.group_external_id = t.external_id
       and not exists (select 1 from closure c where c.root = m.group_external_id)`,
    [provider],
  );
  await sql(
    db,
    `with stirred as (
       select external_id from mirror_touched where provider = ? and resource_type = 'Group'
       union select mm.group_external_id from mirror_touched t join mirror_members mm on mm.provider = t.provider
         and mm.member_external_id = t.external_id and mm.member_type = 'Group'
         where t.provider = ? and t.resource_type = 'Group')
     delete from closure where root not in (select c.root from closure c join stirred s on s.external_id = c.external_id)`,
    [provider, provider],
  );
  await sql(db, 'analyze closure');
}

/** People in scope to whom no path leads; nobody while there are no paths. */
export async function countPathless(db: Db, provider: ProviderKindName): Promise<number> {
  const { rows } = await sql(
    db,
    `select count(*)::int as count from mirror_records where provider = ? and resource_type = 'User' and gone_at is null
       and reason is null and affiliation_path is null and exists (select 1 from mirror_reach where provider = ?)`,
    [provider, provider],
  );
  return rows[0].count;
}
