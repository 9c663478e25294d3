// Applying the memberships of a plan: rows in, rows out, in slices, without a list of members ever being in memory.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { LATER } from './resources.ts';

/** A place in `plan_members` in the order (seq, member). */
export interface MemberCursor {
  readonly seq: string;
  readonly member: string;
}

/** Where the slice that starts after `from` ends; undefined when no more than `size` rows are left. */
export async function endOfSlice(
  db: Db,
  planId: string,
  from: MemberCursor,
  size: number,
): Promise<MemberCursor | undefined> {
  const { rows } = await sql(
    db,
    `select seq, member_external_id as member from plan_members
     where plan_id = ? and (seq, member_external_id) > (?::bigint, ?) order by seq, member_external_id offset ? limit 1`,
    [planId, from.seq, from.member, size - 1],
  );
  return rows[0];
}

/** A group whose members changed. */
export interface ChangedGroup {
  readonly id: string;
  readonly version: string;
  readonly added: number;
  readonly removed: number;
}

/**
 * Applies the memberships after `from` up to and including `to` of the items that still wait. Doing a slice twice
 * changes nothing. Needs `holdDeletions`. One index look-up for each member: in a first run the planner takes the directory for empty, and
 * would read all of it for every member. Members that are not in the directory are left out. A group that changed is looked at again by the
 * next plan, unless it is remembered (plan-memberships.ts).
 */
export async function applyMemberSlice(
  db: Db,
  { planId, provider }: { planId: string; provider: ProviderKindName },
  from: MemberCursor,
  to: MemberCursor | undefined,
): Promise<readonly ChangedGroup[]> {
  const { rows } = await sql(
    db,
    `with slice as (
       select i.resource_id as group_id, pm.member_external_id, pm.member_id, pm.member_type, pm.removed
       from plan_members pm
       join plan_items i on i.plan_id = pm.plan_id and i.seq = pm.seq and i.outcome = 'pending'
       join resources g on g.id = i.resource_id and g.deleted_at is null
       where pm.plan_id = ? and (pm.seq, pm.member_external_id) > (?::bigint, ?)
         and (?::bigint is null or (pm.seq, pm.member_external_id) <= (?::bigint, ?::text))),
     lost as (
       delete from group_members m using slice s
       where s.removed and m.group_id = s.group_id and m.member_id = s.member_id returning m.group_id),
     won as (
       insert into group_members (group_id, member_id, member_type)
       select s.group_id, coalesce(known.id, named.id), s.member_type from slice s
       left join lateral (select d.id from resources d where d.id = s.member_id and d.deleted_at is null limit 1) known on true
       left join lateral (select d.id from resources d where s.member_id is null and d.resource_type = s.member_type
         and d.origin = ? and d.external_id = s.member_external_id and d.deleted_at is null limit 1) named on true
       where not s.removed and coalesce(known.id, named.id) is not null on conflict do nothing returning group_id),
     counted as (
       select group_id, sum(added)::int as added, sum(removed)::int as removed from (
         select group_id, 1 as added, 0 as removed from won union all select group_id, 0, 1 from lost) c group by group_id)
     update resources g set member_count = g.member_count + c.added - c.removed, members_digest = null, version = g.version + 1,
       updated_at = ${LATER.replace('updated_at', 'g.updated_at')}
     from counted c where g.id = c.group_id returning g.id, g.version, c.added, c.removed`,
    [planId, from.seq, from.member, to?.seq ?? null, to?.seq ?? null, to?.member ?? null, provider],
  );
  return rows;
}

/**
 * Ends the membership items of a slice: those from its first on, below `before` (all of them when undefined). Whatever comes
 * before was ended with the slice before, and is not looked through again. Answers how many.
 */
export async function settleMemberships(
  db: Db,
  planId: string,
  { from, before }: { readonly from: string; readonly before: string | undefined },
): Promise<number> {
  const { rowCount } = await sql(
    db,
    `update plan_items i set outcome_at = now(), outcome = case when exists
         (select 1 from resources g where g.id = i.resource_id and g.deleted_at is null) then 'applied' else 'stale' end
     where i.plan_id = ? and i.action = 'membership' and i.outcome = 'pending' and i.seq >= ?::bigint
       and (?::bigint is null or i.seq < ?::bigint)`,
    [planId, from, before ?? null, before ?? null],
  );
  return rowCount ?? 0;
}
