// Runs as the admin API shows them.

import type { Cost } from '#core/cost.ts';
import type { CountsByType } from '#core/counts.ts';
import { estimateMsLeft, type PhaseTime, RUN_PHASES, type RunPhase, type RunTimes } from '#core/estimate.ts';
import type { RunError } from '#core/failure.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { RunStatus } from '../run/runs.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

/** What a run spent: of the provider, and of our time. Waiting for an approval does not count. */
export type RunCost = Cost & { readonly wallMs: number };

export interface RunProgress {
  readonly phase: RunPhase | null;
  readonly done: number;
  readonly total: number | null;
  /** From earlier runs and the run's own pace; null while unknown, and when nobody works on it. */
  readonly estimatedSecondsLeft: number | null;
  readonly estimatedEndAt: string | null;
}

/** One part of a run. `finishedAt` is null while it lasts. */
export interface RunStep {
  readonly name: RunPhase;
  readonly state: 'running' | 'succeeded' | 'failed';
  readonly done: number;
  readonly ms: number;
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

/** The contract's run. Times are RFC 3339 UTC. */
export interface RunView {
  readonly id: string;
  /** What people call it: runs are numbered in the order in which they were asked for. */
  readonly number: number;
  readonly provider: ProviderKindName;
  readonly mode: 'incremental' | 'full';
  /** Why it read everything although it was asked for changes; null when it did as it was asked. */
  readonly modeReason: string | null;
  readonly preview: boolean;
  readonly trigger: string;
  readonly status: RunStatus;
  readonly requestedBy: string;
  readonly options: unknown;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly progress: RunProgress;
  readonly steps: readonly RunStep[];
  readonly counts: Readonly<Record<string, number>>;
  /** The same of users, groups and memberships apart; null until there is something to count. */
  readonly countsByType: CountsByType | null;
  /** What its plan would do, by action; null while there is none. */
  readonly planned: Readonly<Record<string, number>> | null;
  readonly plannedByType: CountsByType | null;
  readonly guard: unknown;
  readonly planId: string | null;
  /** The run that it undoes. */
  readonly reverts: string | null;
  readonly error: RunError | null;
  readonly cost: RunCost | null;
}

const SELECT = `select r.seq, r.id, r.provider, r.mode, r.mode_reason as "modeReason", r.preview, r.trigger, r.status, r.requested_by as "requestedBy", r.options,
  r.created_at as "createdAt", r.started_at as "startedAt", r.finished_at as "finishedAt", r.phase, r.done, r.total, r.phases,
  extract(epoch from clock_timestamp() - r.progress_at)::float8 * 1000 as "staleMs", clock_timestamp() as now,
  (r.work_ms + coalesce(extract(epoch from r.progress_at - r.working_since) * 1000, 0))::float8 as "workMs",
  r.counts, r.counts_by_type as "countsByType", p.counts as planned, p.counts_by_type as "plannedByType", p.guard, r.plan_id as "planId", r.reverts, r.error, r.cost
  from runs r left join plans p on p.id = r.plan_id`;

interface Row extends Omit<RunView, 'number' | 'progress' | 'steps' | 'cost'> {
  readonly seq: string;
  readonly phase: RunPhase | null;
  readonly done: string;
  readonly total: string | null;
  readonly phases: RunTimes;
  /** Since the progress was written; null before the first time. */
  readonly staleMs: number | null;
  readonly now: Date;
  readonly workMs: number;
  readonly cost: Cost | null;
}

export async function readRun(db: Db, id: string): Promise<RunView | undefined> {
  return (await readRuns(db, [id]))[0];
}

/** Those of these runs that exist, in no order. */
export async function readRuns(db: Db, ids: readonly string[]): Promise<readonly RunView[]> {
  const { rows } = await sql<Row>(db, `${SELECT} where r.id = any(?::uuid[])`, [ids]);
  return viewRuns(db, rows);
}

export interface RunsQuery extends PageQuery {
  readonly provider?: string | undefined;
  readonly status?: string | undefined;
  readonly trigger?: string | undefined;
  /** Whoever asked for it: `token:<id>`, `user:<name>` or a part of the gateway. */
  readonly requestedBy?: string | undefined;
  readonly since?: string | undefined;
  /** The first instant whose runs are not shown any more. */
  readonly until?: string | undefined;
}

/** Newest first. */
export async function listRuns(db: Db, { limit, cursor, ...filter }: RunsQuery): Promise<Page<RunView>> {
  const { provider = null, status = null, trigger = null, requestedBy = null, since = null, until = null } = filter;
  const { rows } = await sql<Row>(
    db,
    `${SELECT} where (?::bigint is null or r.seq < ?::bigint) and (?::text is null or r.provider = ?)
       and (?::text is null or r.status = ?) and (?::text is null or r.trigger = ?)
       and (?::text is null or r.requested_by = ?)
       and (?::timestamptz is null or r.created_at >= ?::timestamptz)
       and (?::timestamptz is null or r.created_at < ?::timestamptz) order by r.seq desc limit ?`,
    [
      ...[cursor ?? null, provider, status, trigger, requestedBy, since, until].flatMap((value) => [value, value]),
      limit + 1,
    ],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { items: await viewRuns(db, page.items), nextCursor: page.nextCursor };
}

/** The newest run of each provider. */
export async function lastRuns(db: Db): Promise<ReadonlyMap<ProviderKindName, RunView>> {
  const { rows } = await sql<Row>(db, `${SELECT} where r.seq in (select max(seq) from runs group by provider)`);
  return new Map((await viewRuns(db, rows)).map((run) => [run.provider, run]));
}

/** Whether nobody works on it, nor will by itself: it is over, or held. */
export function isOver({ status }: Pick<RunView, 'status'>): boolean {
  return status !== 'queued' && status !== 'running';
}

async function viewRuns(db: Db, rows: readonly Row[]): Promise<RunView[]> {
  const running = rows.find(({ status }) => status === 'running');
  const earlier = running === undefined ? [] : await earlierTimes(db, running);
  return rows.map((row) => viewRun(row, earlier));
}

/** How long the last few runs of the same kind took that went to their end. */
async function earlierTimes(db: Db, { provider, mode, seq }: Row): Promise<RunTimes[]> {
  const { rows } = await sql<{ phases: RunTimes }>(
    db,
    `select phases from runs where provider = ? and seq < ? and mode = ? and status = 'succeeded'
       and phases -> 'reading' is not null order by seq desc limit 5`,
    [provider, seq, mode],
  );
  return rows.map(({ phases }) => phases);
}

function viewRun(row: Row, earlier: readonly RunTimes[]): RunView {
  const { seq, phase, done, total, phases, staleMs, now, workMs, cost, ...run } = row;
  const counted = { done: Number(done), total: total === null ? null : Number(total) };
  const left =
    run.status !== 'running' || phase === null
      ? null
      : estimateMsLeft({ phase, ...counted, ms: (phases[phase]?.ms ?? 0) + (staleMs ?? 0) }, earlier);
  return {
    ...run,
    number: Number(seq),
    progress: {
      phase,
      ...counted,
      estimatedSecondsLeft: left === null ? null : Math.ceil(left / 1000),
      estimatedEndAt: left === null ? null : new Date(now.getTime() + left).toISOString(),
    },
    steps: viewSteps(row),
    cost: cost === null && workMs === 0 ? null : { ...FREE, ...cost, wallMs: Math.round(workMs) },
  };
}

const FREE: Cost = { requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 };

/** A step ends where the next one begins, or before that when a person was waited for, and the last one with the run. */
function viewSteps({ phases, status, finishedAt }: Row): RunStep[] {
  const taken = RUN_PHASES.flatMap((name) => {
    const time = phases[name];
    return time === undefined ? [] : [{ name, ...time }];
  });
  return taken.map((step, index) => {
    const next = taken[index + 1];
    const failed = status === 'failed' || status === 'abandoned' || status === 'cancelled';
    if (next !== undefined) return { ...step, state: 'succeeded', finishedAt: endOf(step, next) };
    if (finishedAt === null) return { ...step, state: 'running', finishedAt: null };
    return { ...step, state: failed ? 'failed' : 'succeeded', finishedAt };
  });
}

/** Reading and planning are done in one go, so what lies between that and the next step was waiting. */
function endOf({ startedAt, ms }: PhaseTime, next: PhaseTime): string {
  return new Date(Math.min(Date.parse(startedAt) + ms, Date.parse(next.startedAt))).toISOString();
}
