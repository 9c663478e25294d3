// Stored plans and their items: made once, judged, decided, applied. With its outcomes a plan is its run's log.
import { randomUUID } from 'node:crypto';
import { type Counted, type Sums, sumUp } from '#core/counts.ts';
import type { ItemHold, Verdict } from '#core/guard.ts';
import { type HoldCode, OPERATION_CLASSES } from '#core/guard-reasons.ts';
import type { Origin, ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { IS_LINK } from './matching.ts';

export type PlanStatus =
  | 'building'
  | 'ready'
  | 'held'
  | 'approved'
  | 'applying'
  | 'applied'
  | 'rejected'
  | 'superseded'
  | 'expired';

export type Action = 'create' | 'update' | 'deactivate' | 'delete' | 'membership' | 'skip';

export const OUTCOMES = [
  'pending',
  'applied',
  'held',
  'skipped',
  'stale',
  'conflict',
  'rejected',
  'superseded',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

export interface PlanRow {
  readonly id: string;
  readonly run_id: string;
  readonly provider: ProviderKindName;
  readonly config_version: string;
  readonly status: PlanStatus;
  readonly complete: boolean;
  readonly expires_at: Date | null;
  readonly decided_at: Date | null;
  /** The run that it undoes; null when it follows the provider. */
  readonly reverts: string | null;
  /** By which rules it was sealed: above `SEAL`, it is of a later release. */
  readonly seal: number;
}

export interface PlanItem {
  readonly seq: string;
  readonly action: Action;
  readonly resource_type: ResourceType;
  readonly resource_id: string;
  readonly external_id: string;
  readonly base_version: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly after_digest: Buffer | null;
  readonly reason: string;
  /** Of a revert: when the person had left, as it will be again. */
  readonly after_left_at: Date | null;
  /** Of an item that changes a link: whose the resource will be, and by which external id; else null. */
  readonly after_origin: Origin | null;
  readonly after_external_id: string | null;
}

/** How long an unanswered plan may be approved. */
const PLAN_LIFE_DAYS = 7;

export async function insertPlan(
  db: Db,
  plan: {
    runId: string;
    provider: ProviderKindName;
    configVersion: string;
    complete: boolean;
    /** The run that it undoes. */
    reverts?: string;
  },
): Promise<string> {
  const id = randomUUID();
  await sql(
    db,
    `insert into plans (id, run_id, provider, config_version, status, complete, reverts, expires_at)
     values (?, ?, ?, ?, 'building', ?, ?, now() + make_interval(days => ?))`,
    [id, plan.runId, plan.provider, plan.configVersion, plan.complete, plan.reverts ?? null, PLAN_LIFE_DAYS],
  );
  return id;
}

const ROW = `select id, run_id, provider, config_version, case when status = 'held' and expires_at < now() then 'expired' else status end as status,
  complete, expires_at, decided_at, reverts, seal from plans where id = ?`;

export async function readPlanRow(db: Db, planId: string): Promise<PlanRow | undefined> {
  const { rows } = await sql(db, ROW, [planId]);
  return rows[0];
}

/** The same, locked: of two who decide at once, the second sees what the first decided. */
export async function lockPlanRow(db: Db, planId: string): Promise<PlanRow | undefined> {
  const { rows } = await sql(db, `${ROW} for update`, [planId]);
  return rows[0];
}

/**
 * Holds what a verdict says, and writes down by which rules. Memberships that are only won wait when everything does.
 * @param heldBefore the earlier plan whose held removals the leaver lane does not let pass
 */
export async function holdItems(
  db: Db,
  planId: string,
  verdict: Verdict,
  heldBefore: string | undefined,
): Promise<void> {
  const everything = verdict.held.length === OPERATION_CLASSES.length;
  if (verdict.lane && heldBefore !== undefined) await openLane(db, planId, heldBefore);
  for (const held of verdict.held) {
    const code =
      verdict.reasons.find((reason) => reason.class === held)?.code ?? verdict.reasons[0]?.code ?? 'protected';
    const only = held === 'membership' && !everything ? 'and removed > 0' : '';
    await hold(db, planId, code, `class = ? ${only} and not lane`, [held]);
  }
  for (const item of verdict.items) await holdSingle(db, planId, item);
  if (verdict.held.includes('create') && !everything) await holdWithCreates(db, planId);
}

/**
 * Whatever memberships alone cannot do waits with the creates that it needs: those of a group that does not come yet, and
 * of a group that wins nobody but people who do not come yet. One look at the index for each member, up to the first who is
 * free: of items that were just held, and of members that were just planned, the planner knows nothing, and a join compares
 * each with each.
 */
async function holdWithCreates(db: Db, planId: string): Promise<void> {
  const heldCreate = `h.plan_id = i.plan_id and h.action = 'create' and h.outcome = 'held'`;
  await sql(
    db,
    `with w as materialized (
       select held_by from plan_items where plan_id = ? and action = 'create' and outcome = 'held' limit 1)
     update plan_items i set held = true, outcome = 'held', held_by = w.held_by from w
     where i.plan_id = ? and i.action = 'membership' and i.outcome = 'pending' and (
       not exists (select 1 from plan_members pm where pm.plan_id = i.plan_id and pm.seq = i.seq and (pm.removed
         or not exists (select 1 from plan_items h where ${heldCreate} and h.external_id = pm.member_external_id
           and h.resource_type = pm.member_type offset 0)) offset 0)
       or exists (select 1 from plan_items h where ${heldCreate} and h.resource_id = i.resource_id and h.resource_type = 'Group' offset 0))`,
    [planId, planId],
  );
}

async function holdSingle(db: Db, planId: string, item: ItemHold): Promise<void> {
  if ('seqs' in item) return hold(db, planId, item.code, 'seq = any(?::bigint[])', [item.seqs]);
  const column = item.emptied ? 'emptied' : 'attributes';
  return hold(
    db,
    planId,
    item.code,
    `class = 'update' and not ${IS_LINK} and resource_type = 'User' and ? = any(${column})`,
    [item.attribute],
  );
}

async function hold(db: Db, planId: string, code: HoldCode, which: string, values: readonly unknown[]): Promise<void> {
  await sql(
    db,
    `update plan_items set held = true, lane = false, outcome = 'held', held_by = array_append(held_by, ?)
     where plan_id = ? and outcome in ('pending', 'held') and ${which}`,
    [code, planId, ...values],
  );
}

/** Lets those removals pass that the earlier plan did not hold. */
async function openLane(db: Db, planId: string, heldBefore: string): Promise<void> {
  await sql(
    db,
    `update plan_items set lane = true where plan_id = ? and class = 'remove' and outcome = 'pending'
       and resource_id not in (select resource_id from plan_items
         where plan_id = ? and class = 'remove' and outcome in ('held', 'rejected'))`,
    [planId, heldBefore],
  );
}

/**
 * Lets go what is held, after an approval. A group whose members were applied without those who were held is done
 * once more; for those who are there already that changes nothing.
 */
export async function releaseItems(db: Db, planId: string): Promise<void> {
  await sql(
    db,
    `update plan_items i set outcome = 'pending' where i.plan_id = ? and i.action = 'membership' and i.outcome = 'applied'
       and i.seq in (select pm.seq from plan_items born join plan_members pm on pm.plan_id = born.plan_id
         and pm.member_external_id = born.external_id and pm.member_type = born.resource_type and not pm.removed
         where born.plan_id = ? and born.action = 'create' and born.outcome = 'held')`,
    [planId, planId],
  );
  await sql(db, `update plan_items set held = false, outcome = 'pending' where plan_id = ? and outcome = 'held'`, [
    planId,
  ]);
}

/** Whether a person has approved a plan that was made with this version of the settings. */
export async function wasApproved(db: Db, provider: ProviderKindName, configVersion: string): Promise<boolean> {
  const { rows } = await sql(
    db,
    `select 1 from plans where provider = ? and config_version = ? and reverts is null and decided_at is not null
       and status in ('approved', 'applying', 'applied') limit 1`,
    [provider, configVersion],
  );
  return rows.length > 0;
}

/** Gives every item that was not applied its last outcome: rejected, or superseded by a newer plan. */
export async function dropItems(db: Db, planId: string, outcome: 'rejected' | 'superseded'): Promise<void> {
  await sql(
    db,
    `update plan_items set outcome = ?, outcome_at = now() where plan_id = ? and outcome in ('held', 'pending')`,
    [outcome, planId],
  );
}

/** Whatever waits of this provider gives way to a plan of another one that takes its place, and ends with what it did. */
export async function supersedeHeld(db: Db, provider: ProviderKindName, by: string): Promise<void> {
  const { rows } = await sql<{ id: string }>(
    db,
    `update plans set status = 'superseded', superseded_by = ? where provider = ? and status = 'held' returning id`,
    [by, provider],
  );
  for (const { id } of rows) {
    await dropItems(db, id, 'superseded');
    await endHeldRun(db, id);
  }
}

/** Plans that a run was still making when it ended: nobody can have seen them. */
export async function deleteUnfinishedPlans(db: Db, runId: string): Promise<void> {
  await sql(db, `delete from plans where run_id = ? and status in ('building', 'ready')`, [runId]);
}

export async function setPlanStatus(db: Db, planId: string, status: PlanStatus): Promise<void> {
  await sql(db, 'update plans set status = ? where id = ?', [status, planId]);
}

/** Records who decided; answers false when the plan no longer waits. */
export async function decidePlan(
  db: Db,
  planId: string,
  status: 'approved' | 'rejected',
  actor: string,
): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `update plans set status = ?, decided_at = now(), decided_by = ?
     where id = ? and status = 'held' and (expires_at is null or expires_at >= now())`,
    [status, actor, planId],
  );
  return rowCount === 1;
}

/**
 * Ends the run of a plan that will not go on, whose items were dropped: succeeded when it applied something, else cancelled.
 * What it held counts as what became of it.
 */
export async function endHeldRun(db: Db, planId: string): Promise<void> {
  const { counts, byType } = await countOutcomes(db, planId);
  await sql(
    db,
    `update runs set finished_at = now(), counts = (counts - 'held') || ?::jsonb, counts_by_type = ?::jsonb, status = case when exists
       (select 1 from plan_items where plan_id = ? and outcome = 'applied') then 'succeeded' else 'cancelled' end
     where plan_id = ? and status = 'held'`,
    [JSON.stringify(counts), JSON.stringify(byType), planId, planId],
  );
}

const ITEM_COLUMNS = `seq, action, resource_type, resource_id, external_id, base_version, before, after, after_digest, reason,
  after_left_at, after_origin, after_external_id`;

/** The first pending items after a place in the order, at most `limit`. */
export async function nextItems(db: Db, planId: string, after: string, limit: number): Promise<readonly PlanItem[]> {
  const { rows } = await sql(
    db,
    `select ${ITEM_COLUMNS}
     from plan_items where plan_id = ? and seq > ?::bigint and outcome = 'pending' order by seq limit ?`,
    [planId, after, limit],
  );
  return rows;
}

/** Pending items of this plan for these resources, wherever they stand in the order. */
export async function pendingItemsOf(
  db: Db,
  planId: string,
  resourceIds: readonly string[],
): Promise<readonly PlanItem[]> {
  const { rows } = await sql(
    db,
    `select ${ITEM_COLUMNS}
     from plan_items where plan_id = ? and outcome = 'pending' and action in ('update', 'deactivate', 'delete')
       and resource_id = any(?::uuid[])`,
    [planId, resourceIds],
  );
  return rows;
}

/** What became of an item, and the version in which it left its resource. */
export interface Settled {
  readonly seq: string;
  readonly outcome: Outcome;
  readonly error?: string | undefined;
  readonly version?: string | undefined;
}

export async function settleItems(db: Db, planId: string, outcomes: readonly Settled[]): Promise<void> {
  if (outcomes.length === 0) return;
  await sql(
    db,
    `update plan_items i set outcome = o.outcome, error = o.error, applied_version = o.version, outcome_at = now()
     from unnest(?::bigint[], ?::text[], ?::text[], ?::bigint[]) as o(seq, outcome, error, version)
     where i.plan_id = ? and i.seq = o.seq`,
    [
      outcomes.map(({ seq }) => seq),
      outcomes.map(({ outcome }) => outcome),
      outcomes.map(({ error }) => error ?? null),
      outcomes.map(({ version }) => version ?? null),
      planId,
    ],
  );
}

/** How many items came to which end; and the memberships that were changed by them. */
export async function countOutcomes(db: Db, planId: string): Promise<Sums> {
  const { rows } = await sql<Counted & { readonly outcome: string; readonly action: keyof typeof APPLIED }>(
    db,
    `select outcome, case when action = 'update' and ${IS_LINK} then 'link' else action end as action, resource_type as type,
       count(*)::int as count, coalesce(sum(added) filter (where outcome = 'applied'), 0)::int as added,
       coalesce(sum(removed) filter (where outcome = 'applied' and action = 'membership'), 0)::int as removed
     from plan_items where plan_id = ? group by 1, 2, 3`,
    [planId],
  );
  return sumUp(rows.map((row) => ({ ...row, name: row.outcome === 'applied' ? APPLIED[row.action] : row.outcome })));
}

const APPLIED: Readonly<Record<Action | 'link', string>> = {
  create: 'created',
  update: 'updated',
  link: 'linked',
  deactivate: 'deactivated',
  delete: 'deleted',
  membership: 'membershipsChanged',
  skip: 'skipped',
};

export async function countPending(db: Db, planId: string): Promise<number> {
  const { rows } = await sql(
    db,
    `select count(*)::int as count from plan_items where plan_id = ? and outcome = 'pending'`,
    [planId],
  );
  return rows[0].count;
}

/** External ids of managers to our ids, for people who are here or whom this plan brings or links. */
export async function resolveUsers(
  db: Db,
  planId: string,
  provider: ProviderKindName,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  if (externalIds.length === 0) return new Map();
  // One index look-up for each id: without fresh statistics the planner would rather read the whole plan.
  const { rows } = await sql(
    db,
    `select u.external_id, coalesce(chosen.resource_id, born.id, here.id) as id from unnest(?::text[]) as u(external_id)
     left join plan_links chosen on chosen.plan_id = ? and chosen.resource_type = 'User' and chosen.external_id = u.external_id
     left join lateral (select r.id from resources r where r.resource_type = 'User' and r.origin = ?
       and r.external_id = u.external_id and r.deleted_at is null limit 1) here on true
     left join lateral (select i.resource_id as id from plan_items i where i.plan_id = ? and i.external_id = u.external_id
       and i.resource_type = 'User' and i.action = 'create' limit 1) born on true
     where coalesce(chosen.resource_id, born.id, here.id) is not null`,
    [externalIds, planId, provider, planId],
  );
  return new Map(rows.map((row: { external_id: string; id: string }) => [row.external_id, row.id]));
}
