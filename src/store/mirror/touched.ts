// Which records a plan must look at. Whoever changes a record of the mirror (its body, digest, reason, members, or
// whether it is gone) touches it in the same transaction; a plan compares what was touched, and afterwards keeps what it
// left undone. Where anything may differ, after a full read or a new mapping, `touchAll` says so instead.
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { Planning } from '../plan/planning.ts';

/** The next plan compares these records with their resources. Touching twice changes nothing. */
export async function touch(
  db: Db,
  provider: ProviderKindName,
  type: ResourceType,
  externalIds: readonly string[],
): Promise<void> {
  if (externalIds.length === 0) return;
  await sql(
    db,
    `insert into mirror_touched (provider, resource_type, external_id)
     select distinct ?, ?, id from unnest(?::text[]) as t(id)
     on conflict (provider, resource_type, external_id) do update set fresh = true, plan_id = null`,
    [provider, type, externalIds],
  );
}

/** The next plan compares everything. */
export async function touchAll(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `insert into mirror_state (provider) values (?)
     on conflict (provider) do update set compare_all = true, compare_plan = null`,
    [provider],
  );
}

/** Whether only a plan that compares everything is right. True until the first one was made and carried out. */
export async function mustCompareAll(db: Db, provider: ProviderKindName): Promise<boolean> {
  const { rows } = await sql(db, 'select compare_all from mirror_state where provider = ?', [provider]);
  return rows[0]?.compare_all !== false;
}

/**
 * Resources that were edited here and that no pin keeps so: they no longer equal their record, and have lost its digest.
 * Of a group whose members were, the last line of the change log tells: it has no digest of them either where somebody
 * who belongs to it is not here.
 */
const EDITED = `select r.resource_type, r.external_id from resources r
  where r.origin = ? and r.resource_type in ('User', 'Group') and r.digest is null and r.left_at is null
    and r.deleted_at is null and r.external_id is not null
    and not exists (select 1 from pins n where n.provider = r.origin and n.resource_id = r.id)
  union all
  select r.resource_type, r.external_id from resources r
  where r.origin = ? and r.resource_type = 'Group' and r.members_digest is null and r.deleted_at is null
    and r.external_id is not null and (select c.actor from changes c where c.resource_id = r.id and c.operation = 'membership'
      order by c.seq desc limit 1) <> 'sync'
    and not exists (select 1 from pins n where n.provider = r.origin and n.resource_id = r.id)`;

/** Accounts whose days since they left are over. */
const OVERDUE = `select r.resource_type, r.external_id from resources r
  where r.origin = ? and r.left_at < now() - make_interval(days => ?::int) and r.deleted_at is null
    and r.external_id is not null`;

/** Whether a plan of what was touched may come to anything that the one before did not. */
export async function hasTouched(db: Db, provider: ProviderKindName, deleteAfterDays: number | null): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 where exists (select 1 from mirror_touched where provider = ? and fresh)
       or exists (${EDITED}) or exists (${OVERDUE})`,
    [provider, provider, provider, provider, deleteAfterDays],
  );
  return rows.length > 0;
}

/**
 * Claims for this plan what it compares: everything, or what was touched. Call it in the plan's transaction, before
 * anything is compared. Without `all` the records are in `plan_touched`, a table of this transaction, which the planning
 * functions read; those who were edited here, and those whose days are over, are in it too. After half a read nothing is
 * claimed: the plan after it looks again.
 */
export async function claimTouched(
  db: Db,
  { planId, provider, half = false }: Planning,
  { all, deleteAfterDays }: { all: boolean; deleteAfterDays: number | null },
): Promise<void> {
  if (!half) await sql(db, 'update mirror_touched set plan_id = ? where provider = ?', [planId, provider]);
  if (all) {
    await sql(db, 'update mirror_state set compare_plan = ? where provider = ?', [planId, provider]);
    return;
  }
  await sql(db, 'drop table if exists plan_touched');
  await sql(
    db,
    `create temporary table plan_touched on commit drop as
     select resource_type, external_id from mirror_touched where provider = ?
     union (${EDITED}) union ${OVERDUE}`,
    [provider, provider, provider, provider, deleteAfterDays],
  );
  await sql(db, 'analyze plan_touched');
}

/**
 * Adds to the touched of a plan whoever it brings or links, so that those who report to them are looked at too. Call it
 * before references are planned.
 */
export async function addComers(db: Db, { planId }: Planning): Promise<void> {
  await sql(
    db,
    `insert into plan_touched select i.resource_type, i.external_id from plan_items i
     where i.plan_id = ? and i.action in ('create', 'update') and i.external_id is not null
     except select resource_type, external_id from plan_touched`,
    [planId],
  );
}

/**
 * Ends what a plan has claimed: what it settled needs no look any more. What it left undone on purpose stays and waits
 * for a decision; what went wrong, and those whose manager it deleted, are looked at again. Of a plan that undoes a run
 * everything is. Records touched since keep their mark.
 */
export async function settleTouched(db: Db, { planId, provider }: Planning, revert = false): Promise<void> {
  await sql(db, 'delete from mirror_touched where provider = ? and plan_id = ?', [provider, planId]);
  await sql(
    db,
    `update mirror_state set compare_all = false, compare_plan = null where provider = ? and compare_plan = ?`,
    [provider, planId],
  );
  await sql(
    db,
    `insert into mirror_touched (provider, resource_type, external_id, fresh, plan_id)
     select ?, i.resource_type, i.external_id, bool_or(i.fresh), case when bool_or(i.fresh) then null else ?::uuid end
     from (
       select i.resource_type, i.external_id,
         ? or i.outcome in ('stale', 'conflict', 'pending') or i.outcome = 'applied' as fresh
       from plan_items i
       left join mirror_records m on m.provider = ? and m.resource_type = i.resource_type and m.external_id = i.external_id
         and m.gone_at is null and m.reason is null and i.action = 'skip'
       where i.plan_id = ? and i.resource_type in ('User', 'Group') and i.external_id is not null
         and (? or i.outcome in ('held', 'rejected', 'stale', 'conflict', 'pending')
           or i.outcome = 'applied' and i.action = 'delete' and i.resource_type = 'User'
           or i.outcome = 'applied' and i.reason = 'NameHeld'
           or i.outcome = 'skipped' and (i.reason = 'Pinned' or m.external_id is not null))) i
     group by i.resource_type, i.external_id
     on conflict (provider, resource_type, external_id) do nothing`,
    [provider, planId, revert, provider, planId, revert],
  );
  // A link that is given back: what its record says meanwhile is compared, too.
  if (!revert) return;
  await sql(
    db,
    `insert into mirror_touched (provider, resource_type, external_id)
     select distinct after_origin, resource_type, after_external_id from plan_items
     where plan_id = ? and after_origin = ? and after_external_id is not null
     on conflict (provider, resource_type, external_id) do nothing`,
    [planId, provider],
  );
}
