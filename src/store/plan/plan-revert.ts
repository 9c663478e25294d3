// A plan that undoes what another one applied: its before-images, made into items. What is no longer as that plan left
// it is listed as stale and left alone.
import { type Db, sql } from '../database.ts';
import { countMemberRows } from './plan-memberships.ts';
import type { Planning } from './planning.ts';

export interface Reverting extends Planning {
  /** The plan whose applied items are undone. */
  readonly undone: string;
}

/** Whether the plan has applied anything; undefined when its items are no longer kept. */
export async function hasApplied(db: Db, planId: string): Promise<boolean | undefined> {
  const { rows } = await sql(
    db,
    `select exists (select 1 from plan_items i where i.plan_id = p.id and i.outcome = 'applied') as applied from plans p where p.id = ?`,
    [planId],
  );
  return rows[0]?.applied;
}

/** Fills the plan: restored resources, memberships back, and last what the undone plan had created goes. */
export async function planRevert(db: Db, reverting: Reverting): Promise<void> {
  const restored = await planRestores(db, reverting, `o.action <> 'create'`, 0);
  const { rows } = await sql(
    db,
    `select (select count(*) from plan_items where plan_id = ? and action = 'membership')::int
       + (select count(distinct group_id) from plan_lost_members where plan_id = ?)::int as groups`,
    [reverting.undone, reverting.undone],
  );
  await planRestores(db, reverting, `o.action = 'create'`, restored + rows[0].groups);
  await planMembersBack(db, reverting, restored);
  await countMemberRows(db, reverting.planId);
}

/** Whether the link that the item `o` is to give back belongs to somebody whom the same revert does not move out of the way. */
const IS_TAKEN = `exists (select 1 from resources x where x.resource_type = o.resource_type and x.origin = o.before_origin
  and x.external_id = o.before_external_id and x.deleted_at is null and x.id <> o.resource_id
  and not exists (select 1 from plan_items y where y.plan_id = o.plan_id and y.resource_id = x.id and y.outcome = 'applied'
    and x.version = y.applied_version and (y.action = 'create' or y.before_origin is not null)))`;

/** One item for each resource that the undone plan touched. Answers how many. */
async function planRestores(db: Db, { planId, undone }: Reverting, which: string, offset: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       after, before_left_at, after_left_at, removed, outcome, error, outcome_at, before_origin, before_external_id, after_origin,
       after_external_id)
     select ?, ?::bigint + row_number() over (order by resource_type = 'Group' and action <> 'delete', resource_type = 'Group', seq),
       action, class, resource_type, resource_id, external_id, label, 'Reverted', version, before, after, left_at, before_left_at,
       case when action = 'delete' then (select count(*) from group_members gm
         where gm.group_id = resource_id or gm.member_id = resource_id) else 0 end,
       case when stale then 'stale' else 'pending' end, case when stale then 'StalePlan' end, case when stale then now() end,
       case when before_origin is not null then origin end, case when before_origin is not null then current_external_id end,
       before_origin, before_external_id
     from (
       select o.seq, o.resource_type, o.resource_id, coalesce(r.external_id, o.external_id) as external_id, o.label, r.version,
         case o.action when 'create' then 'delete' when 'delete' then 'create' else 'update' end as action,
         case when o.action = 'create' then 'remove' when o.action = 'delete' then 'create'
           when r.active and o.before::jsonb ->> 'active' = 'false' then 'remove' else 'update' end as class,
         case when r.deleted_at is null then r.body end as before, o.before as after, r.left_at, o.before_left_at,
         r.origin, r.external_id as current_external_id, o.before_origin, o.before_external_id,
         case when o.action = 'delete' then r.id is not null and (r.deleted_at is null or r.version <> o.applied_version)
           else r.id is null or r.deleted_at is not null
             or r.version <> o.applied_version and not (r.resource_type = 'Group' and r.body = o.after)
             or o.before_origin <> 'manual' and ${IS_TAKEN} end as stale
       from plan_items o left join resources r on r.id = o.resource_id
       where o.plan_id = ? and o.outcome = 'applied' and o.action in ('create', 'update', 'deactivate', 'delete') and ${which}) undoing`,
    [planId, offset, undone],
  );
  return rowCount ?? 0;
}

/**
 * Memberships as they were: those that the undone plan added go, those that it took come back, also those that went
 * with somebody who is restored. What is so already, or belongs to somebody who is gone, needs nothing.
 */
async function planMembersBack(db: Db, { planId, provider, undone }: Reverting, offset: number): Promise<void> {
  await sql(
    db,
    `with undoing as (
       select i.resource_id as group_id, coalesce(pm.member_id, r.id) as member_id, pm.member_type, not pm.removed as removed
       from plan_items i join plan_members pm on pm.plan_id = i.plan_id and pm.seq = i.seq
       left join resources r on pm.member_id is null and r.resource_type = pm.member_type and r.origin = ?
         and r.external_id = pm.member_external_id and r.deleted_at is null
       where i.plan_id = ? and i.action = 'membership' and i.outcome = 'applied'
       union
       select lm.group_id, lm.member_id, lm.member_type, false
       from plan_lost_members lm
       join plan_items i on i.plan_id = lm.plan_id and i.seq = lm.seq
       join plan_items back on back.plan_id = ? and back.resource_id = i.resource_id and back.outcome = 'pending'
       where lm.plan_id = ?),
     due as materialized (
       select u.*, coalesce(g.display, gi.label) as label, coalesce(g.external_id, gi.external_id) as external_id
       from undoing u
       left join resources g on g.id = u.group_id and g.deleted_at is null
       left join resources m on m.id = u.member_id and m.deleted_at is null
       left join plan_items gi on gi.plan_id = ? and gi.resource_id = u.group_id and gi.outcome = 'pending'
       left join plan_items mi on mi.plan_id = ? and mi.resource_id = u.member_id and mi.outcome = 'pending'
       left join group_members gm on gm.group_id = u.group_id and gm.member_id = u.member_id
       where (g.id is not null and gi.action is distinct from 'delete' or gi.action = 'create')
         and (m.id is not null and mi.action is distinct from 'delete' or mi.action = 'create')
         and u.removed = (gm.group_id is not null)),
     numbered as materialized (
       select group_id, min(label) as label, min(external_id) as external_id, ?::bigint + row_number() over (order by group_id) as seq
       from due group by group_id),
     items as (
       insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, attributes)
       select ?, seq, 'membership', 'membership', 'Group', group_id, external_id, label, 'Reverted', array['members'] from numbered)
     insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
     select ?, n.seq, d.member_id::text, d.member_id, d.member_type, d.removed from due d join numbered n on n.group_id = d.group_id`,
    [provider, undone, planId, undone, planId, planId, offset, planId, planId],
  );
}
