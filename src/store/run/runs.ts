// Run rows. The database allows one that is queued or running, whatever a lease believes.
import { randomUUID } from 'node:crypto';
import type { Cost } from '#core/cost.ts';
import type { CountsByType } from '#core/counts.ts';
import type { RunPhase, RunTimes } from '#core/estimate.ts';
import type { RunError } from '#core/failure.ts';
import type { LinkReset } from '#core/match.ts';
import type { LeavePolicy } from '#core/policy.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import { violates } from '../database-errors.ts';
import type { Lease } from '../leases.ts';

export const RUN_STATUSES = [
  'queued',
  'running',
  'held',
  'succeeded',
  'failed',
  'cancelled',
  'abandoned',
  'incomplete',
] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];

export interface RunOptions {
  readonly allowLargeSync: boolean;
  readonly resetAccountMapping: LinkReset;
  readonly logLevel?: string | undefined;
  /** Of an impact plan: what becomes of those whom other providers brought. */
  readonly leftOvers?: LeavePolicy;
  /** Of a restore: who is brought back. */
  readonly restores?: { readonly type: ResourceType; readonly id: string };
  /** Of an impact plan: the provider that was active. */
  readonly from?: ProviderKindName | null;
}

export interface RunRow {
  readonly id: string;
  readonly provider: ProviderKindName;
  readonly mode: 'incremental' | 'full';
  readonly preview: boolean;
  readonly trigger: string;
  readonly options: RunOptions;
  readonly status: RunStatus;
  readonly plan_id: string | null;
  readonly requested_by: string;
  /** The run that it undoes. */
  readonly reverts: string | null;
  readonly phases: RunTimes;
}

const COLUMNS = 'id, provider, mode, preview, trigger, options, status, plan_id, requested_by, reverts, phases';

export interface NewRun {
  readonly provider: ProviderKindName;
  readonly mode: 'incremental' | 'full';
  readonly preview: boolean;
  readonly trigger: string;
  readonly options: RunOptions;
  readonly requestedBy: string;
  readonly configVersion: string;
  /** The run that it undoes. */
  readonly reverts?: string;
}

/** Queues a run; undefined while another is queued or running. */
export async function insertRun(db: Db, run: NewRun): Promise<string | undefined> {
  const { rows } = await sql(
    db,
    `insert into runs (id, provider, mode, preview, trigger, options, status, requested_by, config_version, reverts)
     values (?, ?, ?, ?, ?, ?::jsonb, 'queued', ?, ?, ?)
     on conflict ((true)) where status in ('queued', 'running') do nothing returning id`,
    [
      randomUUID(),
      run.provider,
      run.mode,
      run.preview,
      run.trigger,
      JSON.stringify(run.options),
      run.requestedBy,
      run.configVersion,
      run.reverts ?? null,
    ],
  );
  return rows[0]?.id;
}

/**
 * Puts a run whose plan was approved back in the queue; false while another is queued or running. One that somebody is
 * just queuing is seen by the index alone, and within a transaction of its own, so that the one around it goes on.
 */
export async function requeueRun(db: Db, runId: string): Promise<boolean> {
  try {
    const { rowCount } = await db.transaction((tx) =>
      sql(
        tx,
        `update runs set status = 'queued', cancel_requested = false, finished_at = null, notified_at = null
         where id = ? and not exists (select 1 from runs where status in ('queued', 'running'))`,
        [runId],
      ),
    );
    return rowCount === 1;
  } catch (error) {
    if (violates(error, 'runs_running_key')) return false;
    throw error;
  }
}

export async function readRunRow(db: Db, runId: string): Promise<RunRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from runs where id = ?`, [runId]);
  return rows[0];
}

/** The run that is queued or running, if there is one. */
export async function findOpenRun(db: Db): Promise<RunRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from runs where status in ('queued', 'running')`);
  return rows[0];
}

/**
 * The open run, when there is something to do for it here.
 * @param seal plans of a later one are left to a replica of that release, until the run is cancelled
 */
export async function findRunToCarryOut(db: Db, seal: number): Promise<RunRow | undefined> {
  const { rows } = await sql(
    db,
    `select ${COLUMNS} from runs r where status in ('queued', 'running')
       and (cancel_requested or not exists (select 1 from plans p where p.id = r.plan_id and p.seal > ?))`,
    [seal],
  );
  return rows[0];
}

/** The run has ended already, here or elsewhere: what it came to stays. */
export class RunOverError extends Error {
  constructor(runId: string) {
    super(`run ${runId} has ended already`);
    this.name = 'RunOverError';
  }
}

/** @throws {RunOverError} */
export async function startRun(db: Db, runId: string): Promise<void> {
  const { rowCount } = await sql(
    db,
    `update runs set status = 'running', started_at = coalesce(started_at, now()), working_since = now(),
       progress_at = null where id = ? and status in ('queued', 'running')`,
    [runId],
  );
  if (rowCount === 0) throw new RunOverError(runId);
}

export interface Progress {
  readonly phase: RunPhase;
  readonly done: number;
  readonly total: number | null;
}

export interface ProgressRow extends Progress {
  readonly phases: RunTimes;
  /** What the read has cost so far; undefined while nothing reads. */
  readonly cost: Cost | undefined;
}

/** Writes the progress; answers whether somebody asked the run to stop, and undefined when another process has the lease. */
export async function writeProgress(
  db: Db,
  runId: string,
  progress: ProgressRow,
  lease: Lease,
): Promise<{ readonly cancel: boolean } | undefined> {
  const { phase, done, total, phases, cost } = progress;
  const { rows } = await sql(
    db,
    `update runs set phase = ?, done = ?, total = ?, phases = ?::jsonb, cost = coalesce(?::jsonb, cost),
       progress_at = clock_timestamp()
     where id = ? and exists (select 1 from leases where name = ? and owner = ? and fence = ?) returning cancel_requested as cancel`,
    [
      ...[phase, done, total, JSON.stringify(phases), cost === undefined ? null : JSON.stringify(cost)],
      ...[runId, lease.name, lease.owner, lease.fence],
    ],
  );
  return rows[0];
}

/** The run reads everything, although it was asked for changes only. */
export async function widenRun(db: Db, runId: string, reason: string): Promise<void> {
  await sql(db, `update runs set mode = 'full', mode_reason = ? where id = ?`, [reason, runId]);
}

/** A run that turned out to be of no use to anybody, with its plan. */
export async function deleteRun(db: Db, runId: string): Promise<void> {
  await sql(db, 'delete from runs where id = ?', [runId]);
}

export async function attachPlan(db: Db, runId: string, planId: string): Promise<void> {
  await sql(db, 'update runs set plan_id = ? where id = ?', [planId, runId]);
}

export interface RunEnd {
  readonly status: Exclude<RunStatus, 'queued' | 'running'>;
  readonly counts?: Readonly<Record<string, number>>;
  /** The same of users, groups and memberships apart. */
  readonly byType?: CountsByType;
  readonly error?: RunError | undefined;
  readonly cost?: Cost | undefined;
}

/**
 * Without an error of its own a run that stays incomplete keeps the one that says why.
 * @throws {RunOverError} also after a commit of which the answer was lost
 */
export async function finishRun(db: Db, runId: string, end: RunEnd): Promise<void> {
  const { rowCount } = await sql(
    db,
    `update runs set status = ?, finished_at = now(), counts = coalesce(?::jsonb, counts),
       counts_by_type = coalesce(?::jsonb, counts_by_type), error = coalesce(?::jsonb, case when ? = 'incomplete' then error end), cost = coalesce(?::jsonb, cost), working_since = null,
       work_ms = work_ms + coalesce(extract(epoch from clock_timestamp() - working_since) * 1000, 0)::bigint where id = ?
       and status in ('queued', 'running')`,
    [
      end.status,
      end.counts === undefined ? null : JSON.stringify(end.counts),
      end.byType === undefined ? null : JSON.stringify(end.byType),
      end.error === undefined ? null : JSON.stringify(end.error),
      end.status,
      end.cost === undefined ? null : JSON.stringify(end.cost),
      runId,
    ],
  );
  if (rowCount === 0) throw new RunOverError(runId);
}

/** Answers false when no such run exists. A run that is over stays as it is. */
export async function requestCancel(db: Db, runId: string): Promise<boolean> {
  const { rowCount } = await sql(db, 'update runs set cancel_requested = true where id = ?', [runId]);
  return rowCount === 1;
}
