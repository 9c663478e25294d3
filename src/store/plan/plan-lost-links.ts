// Accounts whose record a plan links to another account, and that get none in its place: nobody in the provider means
// them any more.
import type { RunPolicy } from '#core/policy.ts';
import { type Db, sql } from '../database.ts';
import { hasLinks } from '../target/link-holders.ts';
import type { Planning } from './planning.ts';

/**
 * One item for each account that loses its record in this plan: it leaves as the policy for leaving the scope says, and
 * where it stays, or is in question, only the link ends. Call it once links are planned; only a reset of links takes a
 * record away. Answers how many items there are.
 */
export async function planLostLinks(
  db: Db,
  { planId, provider }: Planning,
  { offset, policy, complete }: { readonly offset: number; readonly policy: RunPolicy; readonly complete: boolean },
): Promise<number> {
  if (!(await hasLinks(db, planId))) return 0;
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       before_left_at, after_left_at, after, removed, attributes, before_origin, before_external_id, after_origin)
     select ?, ?::bigint + row_number() over (order by action = 'delete', resource_type = 'Group', pos), action,
       case action when 'update' then 'update' else 'remove' end, resource_type, id, external_id,
       coalesce(doc ->> 'userName', doc ->> 'displayName'), 'LinkLost', version, body, left_at, left_at,
       case action when 'update' then doc - 'externalId' when 'deactivate' then jsonb_set(doc - 'externalId', '{active}', 'false') end,
       case when action = 'update' then 0 else (select count(*) from group_members gm where gm.group_id = losing.id)
         + (select count(*) from group_members gm join resources g on g.id = gm.group_id
            where gm.member_id = losing.id and (action = 'delete' or g.origin = ?)) end,
       case action when 'update' then array['externalId'] when 'deactivate' then array['active', 'externalId'] else '{}' end,
       origin, external_id, origin
     from (
       select r.*, r.body::jsonb as doc, case
         when w.policy = 'keep' or r.id in (select unnest(d.candidates) from disputes d where d.provider = ? and d.status = 'open') then 'update'
         when w.policy = 'delete' or r.resource_type = 'Group' then 'delete'
         when r.left_at is null and r.active then 'deactivate' else 'update' end as action
       from (select ?::text as policy) w cross join plan_links l
       join resources r on r.resource_type = l.resource_type and r.origin = ? and r.external_id = l.external_id
         and r.deleted_at is null and r.id <> l.resource_id
       where l.plan_id = ? and not exists (select 1 from plan_links o where o.plan_id = l.plan_id and o.resource_id = r.id)) losing`,
    [planId, offset, provider, provider, complete ? policy.onLeaveScope : 'keep', provider, planId],
  );
  return rowCount ?? 0;
}
