// Background work as typed tasks: what a person watches, whatever carries it out.
import type { Permission } from '#core/connect.ts';
import type { CountsByType } from '#core/counts.ts';
import { CredentialsError } from '#core/errors.ts';
import { describeError, type RunError } from '#core/failure.ts';
import type { Db } from '../database.ts';
import type { RunStatus } from '../run/runs.ts';
import { type ConnectionRow, listConnections } from '../source/connections.ts';
import { listSubscriptions, type SubscriptionRow } from '../source/subscriptions.ts';
import { isOver, type RunStep, type RunView } from './runs.ts';

/** The types of tasks, and what each is for: setup prepares a provider, sync carries its people over. */
export const TASK_CATEGORIES = {
  directory: 'sync',
  connection: 'setup',
  subscription: 'setup',
} as const satisfies Record<string, 'sync' | 'setup'>;

export interface TaskView {
  readonly id: string;
  readonly type: keyof typeof TASK_CATEGORIES;
  readonly category: 'sync' | 'setup';
  /** Null for what belongs to no run. */
  readonly runId: string | null;
  readonly state: RunStatus;
  /** The phase of a run; of a subscription, the list that it is for; of a connection, what is looked at. */
  readonly step: string | null;
  readonly percent: number | null;
  readonly estimatedEndAt: string | null;
  readonly steps: readonly RunStep[];
  readonly counts: Readonly<Record<string, number>>;
  /** The same of users, groups and memberships apart; null where nothing is counted. */
  readonly countsByType: CountsByType | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly error: RunError | null;
}

/** The directory task of a run: users, groups and memberships. */
export function viewTask(run: RunView): TaskView {
  const { id, status, progress, steps, counts, countsByType, startedAt, finishedAt, error } = run;
  return {
    ...{ id, type: 'directory', category: TASK_CATEGORIES.directory, runId: id, state: status, step: progress.phase },
    ...{
      percent: percentOf(run),
      estimatedEndAt: progress.estimatedEndAt,
      steps,
      counts,
      countsByType,
      startedAt,
      finishedAt,
      error,
    },
  };
}

/** What is asked of a source and set up there, as setup tasks: one that fails makes no run fail. */
export async function listSetupTasks(db: Db, state: string | undefined): Promise<readonly TaskView[]> {
  const tasks = [
    ...(await listConnections(db)).map(viewConnection),
    ...(await listSubscriptions(db)).map(viewSubscription),
  ];
  return state === undefined ? tasks : tasks.filter((task) => task.state === state);
}

/** The last look at what a source says of itself and grants. */
function viewConnection({
  provider,
  facts,
  facts_at: factsAt,
  problem,
  problem_at: problemAt,
}: ConnectionRow): TaskView {
  const error = problem ?? lackOf(facts?.missing ?? []);
  const state = error !== null ? 'failed' : facts === null ? 'queued' : 'succeeded';
  const finishedAt = problem === null ? factsAt : problemAt;
  return {
    ...{ id: `connection-${provider}`, type: 'connection', category: TASK_CATEGORIES.connection, runId: null, state },
    ...{
      step: 'permissions',
      percent: state === 'succeeded' ? 100 : null,
      estimatedEndAt: null,
      steps: [],
      counts: {},
    },
    ...{ countsByType: null, startedAt: null, finishedAt: finishedAt?.toISOString() ?? null, error },
  };
}

function lackOf(missing: readonly Permission[]): RunError | null {
  if (missing.length === 0) return null;
  return describeError(
    new CredentialsError(`The application lacks permissions: ${missing.map(({ name }) => name).join(', ')}.`, {
      failure: 'consent',
    }),
  );
}

function viewSubscription(row: SubscriptionRow): TaskView {
  const { id, resource, remote_id: remoteId, settled_at: settledAt, failed_at: failedAt, error } = row;
  const state = error !== null ? 'failed' : remoteId === null ? 'queued' : 'succeeded';
  const finishedAt = state === 'failed' ? failedAt : state === 'succeeded' ? settledAt : null;
  return {
    ...{ id, type: 'subscription', category: TASK_CATEGORIES.subscription, runId: null, state, step: resource },
    ...{ percent: state === 'succeeded' ? 100 : null, estimatedEndAt: null, steps: [], counts: {}, countsByType: null },
    ...{ startedAt: row.created_at.toISOString(), finishedAt: finishedAt?.toISOString() ?? null, error },
  };
}

const CUT_SHORT: readonly RunStatus[] = ['failed', 'cancelled', 'abandoned'];

/** By time where an estimate is known, else by what is counted in the phase under way. */
function percentOf(run: RunView): number | null {
  const { done, total, estimatedSecondsLeft } = run.progress;
  if (isOver(run)) return CUT_SHORT.includes(run.status) ? null : 100;
  const spentMs = run.cost?.wallMs ?? 0;
  if (estimatedSecondsLeft !== null && spentMs > 0)
    return Math.min(99, Math.floor((spentMs / (spentMs + estimatedSecondsLeft * 1000)) * 100));
  return total === null || total === 0 ? null : Math.min(99, Math.floor((done / total) * 100));
}
