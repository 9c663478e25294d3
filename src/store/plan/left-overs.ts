// A plan that takes over from other providers: what they brought and this one does not show is left over.
import type { LeavePolicy } from '#core/policy.ts';
import { PROVIDER_KINDS } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { Planning } from './planning.ts';

/**
 * One item for each resource of another provider that the plan does not link: a deactivation, a deletion, or a line that
 * says that it stays. Groups cannot be inactive: they are deleted unless they are kept. Whoever is in question stays
 * until a person has decided. Call it once links are planned. Answers how many items there are.
 */
export async function planLeftOvers(
  db: Db,
  { planId, provider }: Planning,
  { offset, policy }: { readonly offset: number; readonly policy: LeavePolicy },
): Promise<number> {
  const others = PROVIDER_KINDS.filter((kind) => kind !== provider);
  const { rowCount } = await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, detail, base_version,
       before, before_left_at, after, removed, attributes, outcome, outcome_at)
     select ?, ?::bigint + row_number() over (order by action = 'delete', resource_type = 'Group', pos), action,
       case when action <> 'skip' then 'remove' end, resource_type, id, external_id,
       coalesce(body::jsonb ->> 'userName', body::jsonb ->> 'displayName'), 'LeftOver', origin, version, body, left_at,
       case when action = 'deactivate' then jsonb_set(body::jsonb, '{active}', 'false')::text end,
       case when action = 'skip' then 0 else
         case when resource_type = 'Group' then member_count else 0 end
         + (select count(*) from group_members gm where gm.member_id = leaving.id) end,
       case when action = 'deactivate' then array['active'] else '{}' end,
       case when action = 'skip' then 'skipped' else 'pending' end, case when action = 'skip' then now() end
     from (
       select r.id, r.pos, r.resource_type, r.origin, r.external_id, r.version, r.body, r.left_at, r.member_count,
         case when w.policy = 'keep' or r.id in (select unnest(d.candidates) from disputes d where d.provider = ? and d.status = 'open')
             or exists (select 1 from pins n where n.resource_id = r.id and n.class = 'remove') then 'skip'
           when w.policy = 'delete' or r.resource_type = 'Group' then 'delete'
           when r.active then 'deactivate' else 'skip' end as action
       from (select ?::text as policy) w cross join resources r
       where r.resource_type in ('User', 'Group') and r.origin = any(?::text[]) and r.deleted_at is null
         and not exists (select 1 from plan_links l where l.plan_id = ? and l.resource_id = r.id)) leaving`,
    [planId, offset, provider, policy, others, planId],
  );
  return rowCount ?? 0;
}
