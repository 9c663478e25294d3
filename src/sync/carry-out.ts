// One run on one process, from its queue to its end, whatever becomes of the process, the lease or the run meanwhile.
import type { Cost } from '#core/cost.ts';
import { ABANDONED, describeError } from '#core/failure.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import { transactAgain } from '#store/again.ts';
import type { Database, Db } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { checkFence, type Lease, LeaseLostError } from '#store/leases.ts';
import { SEAL } from '#store/plan/plan-seal.ts';
import { countOutcomes, deleteUnfinishedPlans, type PlanRow, readPlanRow, setPlanStatus } from '#store/plan/plans.ts';
import { finishRun, type RunEnd, RunOverError, type RunRow, readRunRow, startRun } from '#store/run/runs.ts';
import { type ProviderRow, readProvider } from '#store/source/settings.ts';
import type { ResourceSchemas } from './plan/protect.ts';
import { runRestore } from './plan/restore.ts';
import { runRevert } from './plan/revert.ts';
import { makeProgress } from './progress.ts';
import { openSettings, secretsOf } from './provider/settings.ts';
import { makeReadMemory } from './read/read-memory.ts';
import { CancelledError, finishPlan, type RunContext, runSync } from './run.ts';
import { keepRunLog, type RunLog } from './run-log.ts';

export interface CarryParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly schemas: ResourceSchemas;
  readonly log: Log;
  readonly clock: Clock;
}

/** Why a run may have to stop before its end. */
export interface Stops {
  /** Another process has the lease. */
  readonly lost: AbortSignal;
  /** This process ends. */
  readonly stopping: AbortSignal;
  /** Somebody wants the run to end. */
  readonly cancelled: AbortSignal;
}

/** A run while this process has the lease. */
interface Carried extends Pick<RunContext, 'write' | 'signal' | 'log'> {
  readonly run: RunRow;
  readonly lease: Lease;
  readonly stops: Stops;
  readonly hide: RunLog['hide'];
  /** What its read has cost so far; undefined while it has not begun to read. */
  cost: () => Cost | undefined;
}

/** Carries out one run. It ends with a result or a reason, unless the process stops or has lost the lease: then another goes on. */
export async function carryOut(parts: CarryParts, run: RunRow, lease: Lease, stops: Stops): Promise<void> {
  const kept = await openLog(parts, run);
  const write = <T>(work: (tx: Db) => Promise<T>): Promise<T> =>
    transactAgain(parts.database.knex, async (tx) => {
      await checkFence(tx, lease);
      return work(tx);
    });
  const signal = AbortSignal.any([stops.lost, stops.stopping, stops.cancelled]);
  const carried: Carried = { run, lease, stops, write, signal, log: kept.log, hide: kept.hide, cost: () => undefined };
  try {
    await advance(parts, carried).catch((error: unknown) => endAfterError(carried, error));
  } catch (error) {
    // A process that was paused finds its connections gone, and then that somebody else has taken over, or ended the run.
    if (!(error instanceof LeaseLostError || error instanceof RunOverError)) throw error;
    kept.log.info({ err: error }, 'run interrupted');
  } finally {
    await kept.close();
  }
}

/** A run that was started with a log level keeps its log. */
async function openLog({ database, log }: CarryParts, run: RunRow): Promise<RunLog> {
  const runLog = log.child({ run: run.id, provider: run.provider });
  const { logLevel } = run.options;
  if (logLevel !== undefined) return keepRunLog(database.knex, runLog, { id: run.id, level: logLevel });
  return { log: runLog, hide: () => undefined, close: async () => undefined };
}

/** From wherever the run is to its end. */
async function advance(parts: CarryParts, carried: Carried): Promise<void> {
  const { run, write } = carried;
  const db = parts.database.knex;
  const plan = run.plan_id === null ? undefined : await readPlanRow(db, run.plan_id);
  // Taken up only to be cancelled.
  if (plan !== undefined && plan.seal > SEAL) throw new CancelledError();
  const resumable = plan?.status === 'approved' || plan?.status === 'applying';
  if (run.status === 'running' && !resumable) return abandon(carried);
  const row = await readProvider(db, run.provider);
  if (row !== undefined) carried.hide(secretsOf(row, parts.seal));
  await write((tx) => startRun(tx, run.id));
  const context = makeContext(parts, carried, row);
  if (plan !== undefined && resumable) return resume(context, plan, row, run.options.restores !== undefined);
  if (run.reverts !== null) return runRevert(context, run);
  if (run.options.restores !== undefined) return runRestore(context, run, parts);
  // What was applied is undone, and who was removed brought back, also where the source has no settings any more.
  if (row === undefined) throw new Error(`no settings of ${run.provider}`);
  const kind = parts.kinds.get(run.provider);
  if (kind === undefined) throw new Error(`no provider kind ${run.provider}`);
  const settings = openSettings(kind, row, parts.seal);
  const memory = makeReadMemory(db, run.provider);
  const provider = kind.open(settings, (event, facts) => carried.log.debug(facts, event), memory);
  carried.cost = provider.cost;
  await runSync(context, {
    run,
    provider,
    pushed: kind.pushed === true,
    policy: kind.policy(settings),
    initial: row.initial_done_at === null,
  });
}

async function abandon({ run, write, log }: Carried): Promise<void> {
  log.warn('run abandoned by a process that died');
  await write(async (tx) => {
    await deleteUnfinishedPlans(tx, run.id);
    await finishRun(tx, run.id, { status: 'abandoned', error: ABANDONED });
  });
}

async function resume(
  context: RunContext,
  plan: PlanRow,
  row: ProviderRow | undefined,
  restores: boolean,
): Promise<void> {
  await context.write((tx) => setPlanStatus(tx, plan.id, 'applying'));
  await finishPlan(context, {
    planId: plan.id,
    complete: plan.complete,
    initial: row?.initial_done_at === null,
    revert: plan.reverts !== null || restores,
  });
}

function makeContext(
  { database, schemas, clock }: CarryParts,
  carried: Carried,
  row: ProviderRow | undefined,
): RunContext {
  const { run, lease, write, signal, log } = carried;
  const db = database.knex;
  return {
    write,
    signal,
    log,
    db,
    runId: run.id,
    provider: run.provider,
    configVersion: row?.config_version ?? '0',
    salt: `${row?.config_version ?? '0'}\n`,
    schemas,
    progress: makeProgress({ db, run, clock, signal, lease, cost: () => carried.cost() }),
  };
}

/** A stopped process leaves the run as it is, for the next start; everything else ends it with a reason. */
async function endAfterError({ run, write, log, stops, cost }: Carried, error: unknown): Promise<void> {
  if (error instanceof LeaseLostError || error instanceof RunOverError) throw error;
  stops.lost.throwIfAborted();
  if (stops.stopping.aborted) {
    log.info({ err: error }, 'run interrupted');
    return;
  }
  const cancelled = error instanceof CancelledError || stops.cancelled.aborted;
  if (!cancelled) log.error({ err: error }, 'run failed');
  await write(async (tx) => {
    await deleteUnfinishedPlans(tx, run.id);
    const end: RunEnd = cancelled
      ? { status: 'cancelled' }
      : { status: 'failed', error: describeError(translateDatabaseError(error)) };
    await finishRun(tx, run.id, { ...end, ...(await countSoFar(tx, run.id)), cost: cost() });
  });
}

/** What has become of the plan of a run that is cut short; nothing where there is none yet. */
async function countSoFar(tx: Db, runId: string): Promise<Pick<RunEnd, 'counts' | 'byType'>> {
  const planId = (await readRunRow(tx, runId))?.plan_id ?? null;
  return planId === null ? {} : countOutcomes(tx, planId);
}
