// What a revert pins, and what pins forbid a plan.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { Planning } from './planning.ts';

/**
 * Pins what a revert has restored, so that no run repeats what was undone; a revert of a revert takes the pins of
 * that one away instead. A link is pinned from both sides: the record neither comes in nor is linked, and the resource stays
 * as it is.
 */
export async function pinRestored(db: Db, planId: string): Promise<void> {
  const { rows } = await sql(
    db,
    `select u.plan_id as undone, u.reverts from plans p join runs u on u.id = p.reverts where p.id = ?`,
    [planId],
  );
  if (rows[0] === undefined) return;
  const { undone, reverts } = rows[0];
  if (reverts !== null) {
    await sql(db, 'delete from pins where revert_run_id = (select reverts from plans where id = ?)', [planId]);
    return;
  }
  await forgetUndone(db, planId, undone);
  await sql(
    db,
    `insert into pins (provider, resource_type, resource_id, external_id, label, class, member_id, member_external_id, member_type,
       present, run_id, revert_run_id, created_by)
     select p.provider, i.resource_type, i.resource_id, case when i.after_origin is null then i.external_id else i.after_external_id end,
       i.label, o.class, null::uuid, null, null, null::boolean, p.reverts, p.run_id, p.decided_by
     from plans p
     join plan_items i on i.plan_id = p.id and i.outcome = 'applied' and i.action <> 'membership'
     join plan_items o on o.plan_id = ? and o.resource_id = i.resource_id and o.action <> 'membership' and o.outcome = 'applied'
     where p.id = ? and o.class is not null and coalesce(i.after_origin, p.provider) = p.provider
     union all
     select p.provider, i.resource_type, i.resource_id, i.before_external_id, i.label, 'link', null, null, null, null, p.reverts, p.run_id,
       p.decided_by
     from plans p
     join plan_items i on i.plan_id = p.id and i.outcome = 'applied' and i.after_origin is not null
     where p.id = ? and i.before_origin = p.provider and i.before_external_id is not null
     union all
     select p.provider, 'Group', i.resource_id, i.external_id, i.label, 'membership', pm.member_id, r.external_id, pm.member_type,
       not pm.removed, p.reverts, p.run_id, p.decided_by
     from plans p
     join plan_items i on i.plan_id = p.id and i.outcome = 'applied' and i.action = 'membership'
     join plan_members pm on pm.plan_id = i.plan_id and pm.seq = i.seq
     left join resources r on r.id = pm.member_id
     where p.id = ?
     on conflict on constraint pins_what_key do update set external_id = excluded.external_id, present = excluded.present, run_id = excluded.run_id,
       revert_run_id = excluded.revert_run_id, created_at = now(), created_by = excluded.created_by`,
    [undone, planId, planId, planId],
  );
}

/**
 * A link that was undone is no former link of its record either: with a corrected matching it would come back by that. One
 * that was itself made by a former link stays known.
 */
async function forgetUndone(db: Db, planId: string, undone: string): Promise<void> {
  await sql(
    db,
    `delete from former_links f using plan_items i, plans p
     where p.id = ? and i.plan_id = p.id and i.outcome = 'applied' and i.after_origin is not null and f.provider = p.provider
       and i.before_origin = p.provider and f.resource_type = i.resource_type and f.external_id = i.before_external_id
       and f.resource_id = i.resource_id and not exists (select 1 from plan_links l where l.plan_id = ?
         and l.resource_id = i.resource_id and l.attribute = 'former')`,
    [planId, undone],
  );
}

/** Turns into skips what a pin forbids of the resources of a plan. Call it before memberships are planned. */
export async function skipPinned(db: Db, { planId, provider }: Planning): Promise<void> {
  await sql(
    db,
    `update plan_items i set action = 'skip', class = null, reason = 'Pinned', outcome = 'skipped', outcome_at = now(), removed = 0
     from pins n where i.plan_id = ? and n.provider = ? and (n.class = i.class and n.class <> 'membership' and n.resource_id = i.resource_id
       or n.class in ('create', 'link') and i.class = 'create' and n.resource_type = i.resource_type and n.external_id = i.external_id)`,
    [planId, provider],
  );
}

/** The same for single memberships; one skip for each group, numbered after `offset`. */
export async function skipPinnedMembers(
  db: Db,
  { planId, provider }: { planId: string; provider: ProviderKindName },
  offset: number,
): Promise<void> {
  await sql(
    db,
    `with pinned as (
       delete from plan_members pm using plan_items i, pins n
       where pm.plan_id = ? and i.plan_id = pm.plan_id and i.seq = pm.seq and n.provider = ? and n.class = 'membership'
         and n.resource_id = i.resource_id and n.present = pm.removed and (n.member_id = pm.member_id
           or pm.member_id is null and n.member_external_id = pm.member_external_id and n.member_type = pm.member_type)
       returning pm.seq, pm.removed)
     insert into plan_items (plan_id, seq, action, resource_type, resource_id, external_id, label, reason, added, removed, outcome,
       outcome_at)
     select i.plan_id, ?::bigint + row_number() over (order by i.seq), 'skip', 'Group', i.resource_id, i.external_id, i.label, 'Pinned',
       p.added, p.removed, 'skipped', now()
     from (select seq, count(*) filter (where not removed) as added, count(*) filter (where removed) as removed
           from pinned group by seq) p
     join plan_items i on i.plan_id = ? and i.seq = p.seq`,
    [planId, provider, offset, planId],
  );
}

/** Each class by itself: either has an index of its own, and both together none. */
function pinsOf(name: 'create' | 'link'): string {
  return `select 1 from pins where class = '${name}' and provider = ? and resource_type = ? and external_id = ?`;
}

/** Whether a revert has pinned that this record comes in: it, or the resource that it was. */
export async function isCreationPinned(
  db: Db,
  provider: ProviderKindName,
  wanted: { readonly type: ResourceType; readonly id: string; readonly externalId: string | null },
): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from pins where class = 'create' and provider = ? and resource_id = ?::uuid
     union all ${pinsOf('create')} union all ${pinsOf('link')} limit 1`,
    [provider, wanted.id, ...[provider, wanted.type, wanted.externalId], ...[provider, wanted.type, wanted.externalId]],
  );
  return rows.length > 0;
}

/** Members of a group that a revert has pinned: those who stay, and those who stay away. */
export interface PinnedMembers {
  readonly present: ReadonlySet<string>;
  readonly absent: ReadonlySet<string>;
}

export async function readPinnedMembers(db: Db, provider: ProviderKindName, groupId: string): Promise<PinnedMembers> {
  const { rows } = await sql<{ id: string; present: boolean }>(
    db,
    `select member_id as id, present from pins where provider = ? and resource_id = ?::uuid and class = 'membership'`,
    [provider, groupId],
  );
  const those = (present: boolean) => new Set(rows.filter((row) => row.present === present).map(({ id }) => id));
  return { present: those(true), absent: those(false) };
}
