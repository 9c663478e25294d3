// Run rows. The database allows one that is queued or running, whatever a lease believes.
import { randomUUID } from 'node:crypto';
import type { LinkReset } from '#core/match.ts';
import type { Cost } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from './database.ts';

export type RunStatus =
  | 'queued'
  | 'running'
  | 'held'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'abandoned'
  | 'incomplete';

export type RunPhase = 'reading' | 'planning' | 'applying';

export interface RunOptions {
  readonly allowLargeSync: boolean;
  readonly resetAccountMapping: LinkReset;
  readonly logLevel?: string | undefined;
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
}

/** What went wrong, in the form the API shows (S2.38). */
export interface RunError {
  readonly failure: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string | null;
}

const COLUMNS = 'id, provider, mode, preview, trigger, options, status, plan_id, requested_by';

export interface NewRun {
  readonly provider: ProviderKindName;
  readonly mode: 'incremental' | 'full';
  readonly preview: boolean;
  readonly trigger: string;
  readonly options: RunOptions;
  readonly requestedBy: string;
  readonly configVersion: string;
}

/** Queues a run; undefined while another is queued or running. */
export async function insertRun(db: Db, run: NewRun): Promise<string | undefined> {
  const { rows } = await sql(
    db,
    `insert into runs (id, provider, mode, preview, trigger, options, status, requested_by, config_version)
     values (?, ?, ?, ?, ?, ?::jsonb, 'queued', ?, ?)
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
    ],
  );
  return rows[0]?.id;
}

/** Puts a run whose plan was approved back in the queue; false while another is queued or running. */
export async function requeueRun(db: Db, runId: string): Promise<boolean> {
  const { rowCount } = await sql(
    db,
    `update runs set status = 'queued', cancel_requested = false, finished_at = null
     where id = ? and not exists (select 1 from runs where status in ('queued', 'running'))`,
    [runId],
  );
  return rowCount === 1;
}

/** The run that is queued or running, if there is one. */
export async function findOpenRun(db: Db): Promise<RunRow | undefined> {
  const { rows } = await sql(db, `select ${COLUMNS} from runs where status in ('queued', 'running')`);
  return rows[0];
}

export async function startRun(db: Db, runId: string): Promise<void> {
  await sql(db, `update runs set status = 'running', started_at = coalesce(started_at, now()) where id = ?`, [runId]);
}

export interface Progress {
  readonly phase: RunPhase;
  readonly done: number;
  readonly total: number | null;
}

/** Writes the progress; answers whether somebody asked the run to stop. */
export async function writeProgress(db: Db, runId: string, { phase, done, total }: Progress): Promise<boolean> {
  const { rows } = await sql(
    db,
    'update runs set phase = ?, done = ?, total = ? where id = ? returning cancel_requested',
    [phase, done, total, runId],
  );
  return rows[0]?.cancel_requested === true;
}

export async function attachPlan(db: Db, runId: string, planId: string): Promise<void> {
  await sql(db, 'update runs set plan_id = ? where id = ?', [planId, runId]);
}

export interface RunEnd {
  readonly status: Exclude<RunStatus, 'queued' | 'running'>;
  readonly counts?: Readonly<Record<string, number>>;
  readonly error?: RunError | undefined;
  readonly cost?: Cost | undefined;
}

/** Without an error of its own a run that stays incomplete keeps the one that says why. */
export async function finishRun(db: Db, runId: string, end: RunEnd): Promise<void> {
  await sql(
    db,
    `update runs set status = ?, finished_at = now(), counts = coalesce(?::jsonb, counts),
       error = coalesce(?::jsonb, case when ? = 'incomplete' then error end), cost = coalesce(?::jsonb, cost) where id = ?`,
    [
      end.status,
      end.counts === undefined ? null : JSON.stringify(end.counts),
      end.error === undefined ? null : JSON.stringify(end.error),
      end.status,
      end.cost === undefined ? null : JSON.stringify(end.cost),
      runId,
    ],
  );
}

/** Answers false when no such run exists. A run that is over stays as it is. */
export async function requestCancel(db: Db, runId: string): Promise<boolean> {
  const { rowCount } = await sql(db, 'update runs set cancel_requested = true where id = ?', [runId]);
  return rowCount === 1;
}
