// Somebody who was removed: what is kept of them, what stands in the way, and the plan that brings them back.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { countMemberRows } from '../plan/plan-memberships.ts';

/** What is kept of a resource, and whether anything has its place. */
export interface Removed {
  readonly id: string;
  readonly resource_type: ResourceType;
  readonly origin: string;
  readonly external_id: string | null;
  readonly display: string;
  readonly user_name: string | null;
  /** When a sync disabled it because it left the scope. */
  readonly left_at: string | null;
  readonly deleted_at: string | null;
  /** Who has the user name now. */
  readonly name_holder: string | null;
  /** Who is linked to the same record of the source now. */
  readonly link_holder: string | null;
  /** What a revert has pinned keeps it from being removed again. */
  readonly pinned: boolean;
  /** How the source shows it: null when it never did. */
  readonly shown: 'in' | 'out' | 'gone' | null;
  readonly reason: string | null;
  readonly left_how: 'softDeleted' | 'hardDeleted' | null;
}

export async function readRemoved(db: Db, type: ResourceType, id: string): Promise<Removed | undefined> {
  const { rows } = await sql<Removed>(
    db,
    `select r.id, r.resource_type, r.origin, r.external_id, r.display, r.body::jsonb ->> 'userName' as user_name, r.left_at, r.deleted_at,
       (select h.display from resources h where r.resource_type = 'User' and h.unique_key = r.name_key and h.id <> r.id) as name_holder,
       (select h.display from resources h where r.origin <> 'manual' and h.resource_type = r.resource_type and h.origin = r.origin
         and h.external_id = r.external_id and h.deleted_at is null and h.id <> r.id) as link_holder,
       exists (select 1 from pins n where n.resource_id = r.id and n.class = 'remove') as pinned,
       case when m.external_id is null then null when m.gone_at is not null then 'gone' when m.reason is null then 'in' else 'out' end as shown,
       m.reason, m.left_how
     from resources r left join mirror_records m on m.provider = r.origin and m.resource_type = r.resource_type
       and m.external_id = r.external_id
     where r.id = ? and r.resource_type = ?`,
    [id, type],
  );
  return rows[0];
}

/**
 * Fills a plan that brings back one who was removed: under the same id, enabled where a sync had disabled it, and with the
 * memberships that went with it in groups that are still there. What a provider's groups hold is left to the provider.
 * @param active whose groups those are
 */
export async function planRestore(
  db: Db,
  planId: string,
  { id, active }: { readonly id: string; readonly active: ProviderKindName | undefined },
): Promise<void> {
  await sql(
    db,
    `insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, base_version, before,
       after, before_left_at, attributes)
     select ?, 1, case when r.deleted_at is null then 'update' else 'create' end, case when r.deleted_at is null then 'update' else 'create' end,
       r.resource_type, r.id, r.external_id, coalesce(d.doc ->> 'userName', r.display), 'Restored', r.version,
       case when r.deleted_at is null then r.body end,
       case when r.left_at is null then r.body else jsonb_set(d.doc, '{active}', 'true')::text end, r.left_at,
       case when r.deleted_at is null then array['active'] else '{}' end
     from resources r cross join lateral (select r.body::jsonb as doc) d where r.id = ?`,
    [planId, id],
  );
  await sql(
    db,
    `with lost as (
       select distinct lm.group_id, lm.member_id, lm.member_type from plan_lost_members lm
       join plan_items i on i.plan_id = lm.plan_id and i.seq = lm.seq
       join resources r on r.id = i.resource_id
       where i.resource_id = ? and i.outcome = 'applied' and i.outcome_at >= coalesce(r.left_at, r.deleted_at) - interval '1 second'),
     due as materialized (
       select l.*, g.display as label, g.external_id from lost l
       join resources g on g.id = l.group_id and (g.deleted_at is null or g.id = ?) and (?::text is null or g.origin <> ? or g.id = ?)
       join resources m on m.id = l.member_id and (m.deleted_at is null or m.id = ?)
       where not exists (select 1 from group_members gm where gm.group_id = l.group_id and gm.member_id = l.member_id)),
     numbered as materialized (
       select group_id, min(label) as label, min(external_id) as external_id, 1 + row_number() over (order by group_id) as seq
       from due group by group_id),
     items as (
       insert into plan_items (plan_id, seq, action, class, resource_type, resource_id, external_id, label, reason, attributes)
       select ?, seq, 'membership', 'membership', 'Group', group_id, external_id, label, 'Restored', array['members'] from numbered)
     insert into plan_members (plan_id, seq, member_external_id, member_id, member_type, removed)
     select ?, n.seq, d.member_id::text, d.member_id, d.member_type, false from due d join numbered n on n.group_id = d.group_id`,
    [id, id, active ?? null, active ?? null, id, id, planId, planId],
  );
  await countMemberRows(db, planId);
}
