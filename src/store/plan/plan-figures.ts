// What a plan would do, in figures: read from its items, set by set, for the guard to judge.
import { type Counted, type CountsByType, sumUp } from '#core/counts.ts';
import type { AttributeShift, Base, Figures, GroupLoss, GuardSettings } from '#core/guard.ts';
import { ENTERPRISE_SCHEMA, type ProviderKindName, type ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { plannedMembers } from '../mirror/membership-scope.ts';
import { type Where, withQuestionMarks } from '../statement.ts';
import { IS_LINK } from './matching.ts';
import { countInScope, type Planning } from './planning.ts';

/** Of an enterprise user, by our id in the directory and by the provider's in a plan: compared by column. */
const MANAGER = `${ENTERPRISE_SCHEMA}:manager`;

/** A resource as rows (path, value): one level into complex attributes and extensions, lists whole. core/differences.ts says the same. */
function flattened(document: string): string {
  return `(select a.key || case when a.key like 'urn:%' then ':' else '.' end || s.key as path, s.value
      from jsonb_each(${document}) a cross join lateral jsonb_each(case jsonb_typeof(a.value) when 'object' then a.value else '{}' end) s
    union all select a.key, a.value from jsonb_each(${document}) a where jsonb_typeof(a.value) <> 'object')`;
}

/** Writes into each update which attributes it changes, and which it empties. */
export async function noteAttributes(db: Db, { planId, provider }: Planning): Promise<void> {
  await sql(
    db,
    `update plan_items i set attributes = d.changed, emptied = d.emptied
     from (
       select x.seq, array_agg(x.path order by x.path) as changed,
         coalesce(array_agg(x.path order by x.path) filter (where x.empty), '{}') as emptied
       from (
         select p.seq, f.path, f.empty from plan_items p cross join lateral (
           select coalesce(b.path, a.path) as path, a.path is null as empty
           from ${flattened('p.before::jsonb')} b full join ${flattened('p.after::jsonb')} a on a.path = b.path
           where b.value is distinct from a.value) f
         where p.plan_id = ? and p.action = 'update' and p.reason <> 'NameReleased' and f.path not in ('schemas', ?)
         union all
         select p.seq, ?, coalesce(chosen.resource_id, born.resource_id, boss.id) is null
         from plan_items p
         join resources r on r.id = p.resource_id
         left join mirror_records m on m.provider = ? and m.resource_type = 'User' and m.external_id = p.external_id
         left join resources boss on boss.resource_type = 'User' and boss.origin = m.provider
           and boss.external_id = m.manager_external_id and boss.deleted_at is null
         left join plan_items born on born.plan_id = p.plan_id and born.external_id = m.manager_external_id
           and born.action = 'create' and born.resource_type = 'User'
         left join plan_links chosen on chosen.plan_id = p.plan_id and chosen.resource_type = 'User'
           and chosen.external_id = m.manager_external_id
         where p.plan_id = ? and p.action = 'update' and p.resource_type = 'User' and p.reason <> 'NameReleased'
           and r.manager_id is distinct from coalesce(chosen.resource_id, born.resource_id, boss.id)) x
       group by x.seq) d
     where i.plan_id = ? and i.seq = d.seq`,
    [planId, MANAGER, MANAGER, provider, planId, planId],
  );
}

/**
 * Takes out the updates of what is here as the provider says it already, such as what an undoing, or an edit by hand, has
 * brought to where the provider has come since. It counts as written by the provider from then on, so that no later plan
 * compares it again. Call it after `noteAttributes`. What somebody else writes at this moment waits for the next plan.
 */
export async function dropUnchanged(db: Db, planId: string): Promise<void> {
  await sql(
    db,
    `with same as materialized (
       select r.id, i.seq, i.after_digest from plan_items i join resources r on r.id = i.resource_id
       where i.plan_id = ? and i.action = 'update' and i.reason = 'AttributesChanged' and i.outcome = 'pending' and i.attributes = '{}'
         and i.after_digest is not null and r.digest is null and r.left_at is null and r.deleted_at is null and r.version = i.base_version
         and i.before::jsonb -> 'schemas' is not distinct from i.after::jsonb -> 'schemas'
       order by r.id for update of r skip locked),
     taken as (
       update resources r set digest = s.after_digest from same s where r.id = s.id)
     delete from plan_items i using same s where i.plan_id = ? and i.seq = s.seq`,
    [planId, planId],
  );
}

export interface ItemCounts {
  readonly create: number;
  readonly update: number;
  /** Updates that say whose a resource is; they are none of `update`. */
  readonly link: number;
  readonly deactivate: number;
  readonly delete: number;
  readonly membership: number;
  readonly skip: number;
  readonly membershipsAdded: number;
  readonly membershipsRemoved: number;
}

/** What the plan would do, by action with links apart, and the memberships that groups win and lose by themselves. */
export async function countItems(
  db: Db,
  planId: string,
): Promise<{ readonly counts: ItemCounts; readonly byType: CountsByType }> {
  const { rows } = await sql<Counted>(
    db,
    `select case when action = 'update' and ${IS_LINK} then 'link' else action end as name, resource_type as type, count(*)::int as count, coalesce(sum(added), 0)::int as added,
       coalesce(sum(removed) filter (where action = 'membership'), 0)::int as removed
     from plan_items where plan_id = ? and (outcome = 'pending' or action = 'skip')
     group by 1, 2`,
    [planId],
  );
  const { counts, byType } = sumUp(rows);
  const { added, removed } = byType.Membership;
  const none = { create: 0, update: 0, link: 0, deactivate: 0, delete: 0, membership: 0, skip: 0 };
  return { counts: { ...none, ...counts, membershipsAdded: added, membershipsRemoved: removed }, byType };
}

/**
 * Updates that take somebody's access, which count as removals whether they link or not; the other updates, with those
 * of people who had left apart, and the links; deletions of groups; and removals of people who had left before.
 */
export async function countClasses(
  db: Db,
  planId: string,
): Promise<
  Pick<Figures, 'update' | 'returning' | 'links' | 'groupsRemoved' | 'leftBefore'> & { readonly disabling: number }
> {
  const { rows } = await sql(
    db,
    `select count(*) filter (where action = 'update' and class = 'update' and not ${IS_LINK})::int as update,
       count(*) filter (where action = 'update' and class = 'update' and not ${IS_LINK}
         and resource_type = 'User' and before_left_at is not null)::int as "returning",
       count(*) filter (where action = 'update' and class = 'update' and ${IS_LINK})::int as links,
       count(*) filter (where action = 'update' and class = 'remove')::int as disabling,
       count(*) filter (where action = 'delete' and resource_type = 'Group')::int as "groupsRemoved",
       count(*) filter (where class = 'remove' and resource_type = 'User' and before_left_at is not null)::int as "leftBefore"
     from plan_items where plan_id = ? and class in ('update', 'remove') and outcome = 'pending'`,
    [planId],
  );
  return rows[0];
}

/** How directory and provider stand before the plan. */
export async function readBase(db: Db, provider: ProviderKindName): Promise<Base> {
  const { rows } = await sql(
    db,
    `select count(*)::int as managed, count(*) filter (where resource_type = 'User' and left_at is null)::int as users,
       count(*) filter (where resource_type = 'Group')::int as groups,
       (select coalesce(sum(member_count), 0)::int from resources
         where resource_type = 'Group' and origin = ? and external_id is not null and deleted_at is null) as memberships
     from resources where resource_type in ('User', 'Group') and origin = ? and external_id is not null and deleted_at is null`,
    [provider, provider],
  );
  const { users, groups } = await countInScope(db, provider);
  return { ...rows[0], usersInSource: users, groupsInSource: groups };
}

type GroupLimits = Pick<GuardSettings, 'emptiedGroupFrom' | 'groupMembershipPercent' | 'minObjects'>;

/** Where memberships decide who is in scope: who is out because a group has lost them. */
const LEFT_BY_GROUP = `('NotInSelectedGroup', 'ScopeFilterFalse')`;

/**
 * Each group that would lose more members than the limits let pass, with how many it has: by a membership item, or by people who
 * leave the scope and whom the source no longer shows in it. A group that is lost itself, or of whose members nothing is known, is
 * none of them.
 * @param options `leavers` is false where all who leave wait anyway
 */
export async function readGroupLosses(
  db: Db,
  { planId, provider }: Pick<Planning, 'planId' | 'provider'>,
  { limits, leavers }: { readonly limits: GroupLimits; readonly leavers: boolean },
): Promise<readonly GroupLoss[]> {
  const { table, digest } = await plannedMembers(db, provider);
  const { emptiedGroupFrom: from, minObjects, groupMembershipPercent: percent } = limits;
  const { rows } = await sql(
    db,
    `with lost as materialized (
       select resource_id as group_id, seq, added, removed from plan_items where plan_id = ? and action = 'membership' and removed > 0
       union all
       select gm.group_id, i.seq, 0, 1 from plan_items i
       join group_members gm on gm.member_id = i.resource_id
       join resources g on g.id = gm.group_id and g.origin = ? and g.deleted_at is null
       where ? and i.plan_id = ? and i.action in ('deactivate', 'delete') and i.reason in ${LEFT_BY_GROUP} and i.resource_type = 'User'
         and exists (select 1 from mirror_records m where m.provider = g.origin and m.resource_type = 'Group'
           and m.external_id = g.external_id and m.gone_at is null and m.reason is null and m.${digest} is not null)
         and not exists (select 1 from ${table} mm where mm.provider = g.origin and mm.group_external_id = g.external_id
           and mm.member_external_id = i.external_id)),
     sums as materialized (
       select group_id, array_agg(seq order by seq) as seqs, sum(added)::int as added, sum(removed)::int as removed
       from lost group by group_id)
     select l.seqs, coalesce(r.display, r.external_id, r.id::text) as label, r.member_count as members, l.added, l.removed
     from sums l join resources r on r.id = l.group_id
     where l.added = 0 and l.removed >= r.member_count and r.member_count >= greatest(?::int, 1)
       or l.removed > ?::int and l.removed * 100.0 > r.member_count * ?::float8
     order by l.seqs[1]`,
    [planId, provider, leavers, planId, from, minObjects, percent],
  );
  return rows;
}

/** How many people each attribute changes for. `holders` is only counted where more than `floor` would lose it. */
export async function readAttributeShifts(
  db: Db,
  { planId, provider }: Planning,
  floor: number,
): Promise<readonly AttributeShift[]> {
  const { rows } = await sql(
    db,
    `select path, count(*)::int as changed, count(*) filter (where path = any(emptied))::int as emptied
     from plan_items cross join lateral unnest(attributes) as path
     where plan_id = ? and action = 'update' and class = 'update' and resource_type = 'User' and not ${IS_LINK}
     group by path having count(*) > ? order by path`,
    [planId, floor],
  );
  const shifts = rows as { path: string; changed: number; emptied: number }[];
  const lost = shifts.filter(({ emptied }) => emptied > floor).map(({ path }) => path);
  const holders = await countHolders(db, provider, lost);
  return shifts.map((shift) => ({ ...shift, holders: holders.get(shift.path) ?? 0 }));
}

async function countHolders(
  db: Db,
  provider: ProviderKindName,
  paths: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (paths.length === 0) return new Map();
  const columns = paths.map((_, index) => `count(*) filter (where search #> ?::text[] is not null)::int as c${index}`);
  const { rows } = await sql(
    db,
    `select ${columns.join(', ')} from resources where origin = ? and resource_type = 'User' and deleted_at is null`,
    [...paths.map(keysOf), provider],
  );
  return new Map(paths.map((path, index) => [path, rows[0][`c${index}`]]));
}

function keysOf(path: string): string[] {
  if (!path.startsWith('urn:')) return path.split('.');
  const colon = path.lastIndexOf(':');
  return [path.slice(0, colon), path.slice(colon + 1)];
}

/** Items that would remove what the clause names, or take all its members. The clause is on `resources r`. */
export async function findProtected(
  db: Db,
  planId: string,
  type: ResourceType,
  where: Where,
): Promise<readonly string[]> {
  const { text, values } = withQuestionMarks(where);
  const { rows } = await sql(
    db,
    `select i.seq from plan_items i join resources r on r.id = i.resource_id
     where i.plan_id = ? and i.outcome = 'pending' and i.resource_type = ? and r.deleted_at is null
       and (i.class = 'remove' or i.action = 'membership' and i.removed > 0 and i.added = 0 and i.removed >= r.member_count)
       and (${text}) order by i.seq`,
    [planId, type, ...values],
  );
  return rows.map(({ seq }: { seq: string }) => seq);
}

/** The newest plan of this provider before this one, with how many removals it holds or held until it was rejected. */
export async function findHeldRemovals(
  db: Db,
  { planId, provider }: Planning,
): Promise<{ planId: string; fresh: number } | undefined> {
  const { rows } = await sql(
    db,
    `select id from plans where provider = ? and id <> ? and reverts is null and status <> 'building'
     order by created_at desc, id limit 1`,
    [provider, planId],
  );
  const previous: string | undefined = rows[0]?.id;
  if (previous === undefined) return undefined;
  const { rows: counted } = await sql(
    db,
    `with held as materialized (select resource_id from plan_items
       where plan_id = ? and class = 'remove' and outcome in ('held', 'rejected'))
     select (select count(*) from held)::int as held, (select count(*) from plan_items i where i.plan_id = ? and i.class = 'remove'
       and i.resource_id not in (select resource_id from held))::int as fresh`,
    [previous, planId],
  );
  return counted[0].held === 0 ? undefined : { planId: previous, fresh: counted[0].fresh };
}

/** How many removals passed in the leaver lane within the last hours. */
export async function countLane(db: Db, provider: ProviderKindName, hours: number): Promise<number> {
  const { rows } = await sql(
    db,
    `select count(*)::int as count from plan_items i join plans p on p.id = i.plan_id and p.provider = ?
     where i.lane and i.outcome = 'applied' and i.outcome_at > now() - make_interval(hours => ?)`,
    [provider, hours],
  );
  return rows[0].count;
}
