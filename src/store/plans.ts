// Stored plans and their items: made once, judged, decided, applied. With its outcomes a plan is its run's log.
import { randomUUID } from 'node:crypto';
import type { HoldReason, OperationClass } from '#core/guard.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from './database.ts';
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

export type Outcome = 'pending' | 'applied' | 'held' | 'skipped' | 'stale' | 'conflict' | 'rejected' | 'superseded';

export interface PlanRow {
  readonly id: string;
  readonly run_id: string;
  readonly provider: ProviderKindName;
  readonly status: PlanStatus;
  readonly complete: boolean;
  readonly expires_at: Date | null;
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
}

/** How long an unanswered plan may be approved. */
const PLAN_LIFE_DAYS = 7;

const ACTIONS_OF: Readonly<Record<OperationClass, readonly Action[]>> = {
  create: ['create'],
  update: ['update'],
  remove: ['deactivate', 'delete'],
  membership: ['membership'],
};

export async function insertPlan(
  db: Db,
  plan: { runId: string; provider: ProviderKindName; configVersion: string; complete: boolean },
): Promise<string> {
  const id = randomUUID();
  await sql(
    db,
    `insert into plans (id, run_id, provider, config_version, status, complete, expires_at)
     values (?, ?, ?, ?, 'building', ?, now() + make_interval(days => ?))`,
    [id, plan.runId, plan.provider, plan.configVersion, plan.complete, PLAN_LIFE_DAYS],
  );
  return id;
}

export async function readPlanRow(db: Db, planId: string): Promise<PlanRow | undefined> {
  const { rows } = await sql(
    db,
    `select id, run_id, provider, case when status = 'held' and expires_at < now() then 'expired' else status end as status,
       complete, expires_at from plans where id = ?`,
    [planId],
  );
  return rows[0];
}

/** Closes a plan that was built: its hash and its counts can never change again. */
export async function sealPlan(
  db: Db,
  planId: string,
  facts: { counts: object; base: object; verdict: { held: readonly OperationClass[]; reasons: readonly HoldReason[] } },
): Promise<void> {
  await sql(
    db,
    `update plans p set counts = ?::jsonb, base = ?::jsonb, guard = ?::jsonb, status = 'ready', hash = (
       select encode(sha256(convert_to(coalesce(string_agg(md5(concat_ws('|', action, resource_type, resource_id, external_id,
         reason, base_version, encode(after_digest, 'hex'), md5(after), added, removed)), '' order by seq), ''), 'UTF8')), 'hex')
       from plan_items i where i.plan_id = p.id)
     where p.id = ?`,
    [JSON.stringify(facts.counts), JSON.stringify(facts.base), JSON.stringify(facts.verdict), planId],
  );
}

/** Holds every pending item of these classes. Answers how many there are. */
export async function holdItems(db: Db, planId: string, classes: readonly OperationClass[]): Promise<number> {
  if (classes.length === 0) return 0;
  const { rowCount } = await sql(
    db,
    `update plan_items set held = true, outcome = 'held' where plan_id = ? and outcome = 'pending' and action = any(?::text[])
       and (action <> 'membership' or removed > 0 or ?)`,
    [planId, classes.flatMap((of) => ACTIONS_OF[of]), classes.length === Object.keys(ACTIONS_OF).length],
  );
  return rowCount ?? 0;
}

/** Lets go what is held, after an approval. */
export async function releaseItems(db: Db, planId: string): Promise<void> {
  await sql(db, `update plan_items set held = false, outcome = 'pending' where plan_id = ? and outcome = 'held'`, [
    planId,
  ]);
}

/** Gives every item that was not applied its last outcome: rejected, or superseded by a newer plan. */
export async function dropItems(db: Db, planId: string, outcome: 'rejected' | 'superseded'): Promise<void> {
  await sql(
    db,
    `update plan_items set outcome = ?, outcome_at = now() where plan_id = ? and outcome in ('held', 'pending')`,
    [outcome, planId],
  );
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

/** Every plan of this provider that still waits gives way to a newer one, and its run ends with what it did. */
export async function supersedePlans(db: Db, provider: ProviderKindName, by: string): Promise<void> {
  const { rows } = await sql(
    db,
    `update plans set status = 'superseded', superseded_by = ? where provider = ? and status in ('held', 'approved', 'applying') and id <> ?
     returning id`,
    [by, provider, by],
  );
  for (const { id } of rows as { id: string }[]) {
    await dropItems(db, id, 'superseded');
    await endHeldRun(db, id);
  }
}

/** Ends the run of a plan that will not go on: succeeded when it applied something, else cancelled. */
export async function endHeldRun(db: Db, planId: string): Promise<void> {
  await sql(
    db,
    `update runs set finished_at = now(), status = case when exists
       (select 1 from plan_items where plan_id = ? and outcome = 'applied') then 'succeeded' else 'cancelled' end
     where plan_id = ? and status = 'held'`,
    [planId, planId],
  );
}

/** The next pending items in order, at most `limit`, of the given actions. */
export async function nextItems(db: Db, planId: string, limit: number): Promise<readonly PlanItem[]> {
  const { rows } = await sql(
    db,
    `select seq, action, resource_type, resource_id, external_id, base_version, before, after, after_digest, reason
     from plan_items where plan_id = ? and outcome = 'pending' order by seq limit ?`,
    [planId, limit],
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
    `select seq, action, resource_type, resource_id, external_id, base_version, before, after, after_digest, reason
     from plan_items where plan_id = ? and outcome = 'pending' and action in ('update', 'deactivate', 'delete')
       and resource_id = any(?::uuid[])`,
    [planId, resourceIds],
  );
  return rows;
}

export async function settleItems(
  db: Db,
  planId: string,
  outcomes: readonly { seq: string; outcome: Outcome; error?: string | undefined }[],
): Promise<void> {
  if (outcomes.length === 0) return;
  await sql(
    db,
    `update plan_items i set outcome = o.outcome, error = o.error, outcome_at = now()
     from unnest(?::bigint[], ?::text[], ?::text[]) as o(seq, outcome, error) where i.plan_id = ? and i.seq = o.seq`,
    [
      outcomes.map(({ seq }) => seq),
      outcomes.map(({ outcome }) => outcome),
      outcomes.map(({ error }) => error ?? null),
      planId,
    ],
  );
}

/** How many items came to which end. */
export async function countOutcomes(db: Db, planId: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await sql(
    db,
    `select outcome, case when action = 'update' and ${IS_LINK} then 'link' else action end as action, count(*)::int as count
     from plan_items where plan_id = ? group by 1, 2`,
    [planId],
  );
  const counts: Record<string, number> = {};
  for (const { outcome, action, count } of rows) {
    const name = outcome === 'applied' ? APPLIED[action as keyof typeof APPLIED] : outcome;
    counts[name] = (counts[name] ?? 0) + count;
  }
  return counts;
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
