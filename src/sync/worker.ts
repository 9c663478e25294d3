import { randomUUID } from 'node:crypto';
import type { Cost } from '#core/cost.ts';
import { ABANDONED, describeError } from '#core/failure.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import { inSpan } from '#platform/trace.ts';
import { type Database, type Db, translateDatabaseError } from '#store/database.ts';
import {
  checkFence,
  freeAllLeases,
  giveBackLease,
  type Lease,
  LeaseLostError,
  renewLease,
  takeLease,
} from '#store/leases.ts';
import { deleteUnfinishedPlans, readPlanRow, setPlanStatus } from '#store/plans.ts';
import { findOpenRun, finishRun, type RunRow, startRun } from '#store/runs.ts';
import { type ProviderRow, readProvider } from '#store/settings.ts';
import { makeProgress } from './progress.ts';
import type { ResourceSchemas } from './protect.ts';
import { makeReadMemory } from './read-memory.ts';
import { runRevert } from './revert.ts';
import { CancelledError, finishPlan, type RunContext, runSync } from './run.ts';
import { keepRunLog, type RunLog } from './run-log.ts';
import { openSettings, secretsOf } from './settings.ts';

const LEASE = 'sync';
/** Long enough for one slow transaction, short enough that a dead process is replaced soon. */
const LEASE_TTL_MS = 10_000;
const HEARTBEAT_MS = 3_000;
/** How soon a run that another process queued is seen. A run queued here is seen at once. */
const POLL_MS = 1_000;

export interface WorkerParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly schemas: ResourceSchemas;
  readonly log: Log;
  readonly clock: Clock;
  /** Called when the work on a run ended here, however it did. */
  onRunEnd?(): void;
}

export interface Worker {
  /** Looks for a queued run now instead of at the next poll. */
  wake(): void;
  /** Stops the run that is under way here, between two pages or chunks. */
  cancel(runId: string): void;
  /** Stops between two pages or chunks, gives the lease back, and resolves. What is left goes on at the next start. */
  stop(): Promise<void>;
}

/** The run that is under way here. */
interface Current {
  readonly runId: string;
  readonly abort: AbortController;
  /** What its read has cost so far; undefined while it has not begun to read. */
  cost: () => Cost | undefined;
}

/** How a run writes while this process has the lease. */
interface Fenced extends Pick<RunContext, 'write' | 'signal' | 'log'> {
  readonly lease: Lease;
}

/** Carries out queued runs, one at a time in the whole cluster, and picks up what a killed process left behind. */
export function startWorker(parts: WorkerParts): Worker {
  const { database, log, clock } = parts;
  const owner = randomUUID();
  const stopping = new AbortController();
  let wakeUp: () => void = () => undefined;
  let current: Current | undefined;

  async function loop(): Promise<void> {
    // No other process can live on embedded storage, so whatever holds a lease there is dead.
    if (database.kind === 'embedded') await freeAllLeases(database.knex);
    while (!stopping.signal.aborted) {
      try {
        await workOnce();
      } catch (error) {
        log.error({ err: error }, 'worker failed');
      }
      await pause();
    }
  }

  async function pause(): Promise<void> {
    const woken = new AbortController();
    wakeUp = () => woken.abort();
    await clock.sleep(POLL_MS, AbortSignal.any([woken.signal, stopping.signal])).catch(() => undefined);
  }

  async function workOnce(): Promise<void> {
    const run = await findOpenRun(database.knex);
    if (run === undefined) return;
    const lease = await takeLease(database.knex, LEASE, owner, LEASE_TTL_MS);
    if (lease === undefined) return;
    const abort = new AbortController();
    current = { runId: run.id, abort, cost: () => undefined };
    const heartbeat = beat(lease, abort, run.id);
    const facts = { 'sluice.run': run.id, 'sluice.provider': run.provider, 'sluice.mode': run.mode };
    try {
      await inSpan('run', facts, () => carryOut(run, lease, AbortSignal.any([abort.signal, stopping.signal])));
    } finally {
      current = undefined;
      clearInterval(heartbeat);
      await giveBackLease(database.knex, lease);
      database.maintain();
    }
  }

  /** One renewal at a time: behind a long transaction each would wait on a connection of its own. */
  function beat(lease: Lease, abort: AbortController, runId: string): NodeJS.Timeout {
    let renewing = false;
    return setInterval(() => {
      if (renewing) return;
      renewing = true;
      renewLease(database.knex, lease, LEASE_TTL_MS)
        .then(
          (kept) => {
            if (!kept) abort.abort(new LeaseLostError(LEASE));
          },
          (error: unknown) => log.warn({ err: error, run: runId }, 'lease not renewed'),
        )
        .finally(() => {
          renewing = false;
        });
    }, HEARTBEAT_MS);
  }

  async function carryOut(run: RunRow, lease: Lease, signal: AbortSignal): Promise<void> {
    const kept = await openLog(run);
    const runLog = kept.log;
    const write = <T>(work: (tx: Db) => Promise<T>): Promise<T> =>
      database.knex.transaction(async (tx) => {
        await checkFence(tx, lease);
        return work(tx);
      });
    try {
      await carryOutFenced(run, { write, signal, log: runLog, lease }, kept.hide).catch((error: unknown) =>
        endAfterError(run, error, { write, log: runLog }),
      );
    } catch (error) {
      // A process that was paused finds its connections gone, and then that somebody else has taken over.
      if (!(error instanceof LeaseLostError)) throw error;
      runLog.info({ err: error }, 'run interrupted');
    } finally {
      await kept.close();
      parts.onRunEnd?.();
    }
  }

  /** A run that was started with a log level keeps its log. */
  async function openLog(run: RunRow): Promise<RunLog> {
    const runLog = log.child({ run: run.id, provider: run.provider });
    const { logLevel } = run.options;
    if (logLevel !== undefined) return keepRunLog(database.knex, runLog, { id: run.id, level: logLevel });
    return { log: runLog, hide: () => undefined, close: async () => undefined };
  }

  async function carryOutFenced(
    run: RunRow,
    { write, signal, log: runLog, lease }: Fenced,
    hide: RunLog['hide'],
  ): Promise<void> {
    const plan = run.plan_id === null ? undefined : await readPlanRow(database.knex, run.plan_id);
    const resumable = plan?.status === 'approved' || plan?.status === 'applying';
    if (run.status === 'running' && !resumable) {
      runLog.warn('run abandoned by a process that died');
      return write(async (tx) => {
        await deleteUnfinishedPlans(tx, run.id);
        await finishRun(tx, run.id, { status: 'abandoned', error: ABANDONED });
      });
    }
    const row = await readProvider(database.knex, run.provider);
    if (row === undefined) throw new Error(`no settings of ${run.provider}`);
    hide(secretsOf(row, parts.seal));
    await write((tx) => startRun(tx, run.id));
    const context = makeContext(run, row, { write, signal, log: runLog, lease });
    if (plan !== undefined && resumable) {
      await write((tx) => setPlanStatus(tx, plan.id, 'applying'));
      return finishPlan(context, {
        planId: plan.id,
        complete: plan.complete,
        initial: row.initial_done_at === null,
        revert: plan.reverts !== null,
      });
    }
    if (run.reverts !== null) return runRevert(context, run);
    const kind = parts.kinds.get(run.provider);
    if (kind === undefined) throw new Error(`no provider kind ${run.provider}`);
    const settings = openSettings(kind, row, parts.seal);
    const memory = makeReadMemory(database.knex, run.provider);
    const provider = kind.open(settings, (event, facts) => runLog.debug(facts, event), memory);
    if (current !== undefined) current.cost = provider.cost;
    const policy = kind.policy(settings);
    await runSync(context, {
      run,
      provider,
      pushed: kind.pushed === true,
      policy,
      initial: row.initial_done_at === null,
    });
  }

  function makeContext(run: RunRow, row: ProviderRow, { lease, ...fenced }: Fenced): RunContext {
    const { signal } = fenced;
    return {
      ...fenced,
      db: database.knex,
      runId: run.id,
      provider: run.provider,
      configVersion: row.config_version,
      salt: `${row.config_version}\n`,
      schemas: parts.schemas,
      progress: makeProgress({ db: database.knex, run, clock, signal, lease, cost: () => current?.cost() }),
    };
  }

  /** A stopped process leaves the run as it is, for the next start; everything else ends it with a reason. */
  async function endAfterError(
    run: RunRow,
    error: unknown,
    { write, log: runLog }: Pick<RunContext, 'write' | 'log'>,
  ): Promise<void> {
    if (error instanceof LeaseLostError) throw error;
    if (stopping.signal.aborted) {
      runLog.info({ err: error }, 'run interrupted');
      return;
    }
    const cancelled = error instanceof CancelledError || current?.abort.signal.aborted === true;
    if (!cancelled) runLog.error({ err: error }, 'run failed');
    await write(async (tx) => {
      await deleteUnfinishedPlans(tx, run.id);
      const cost = current?.cost();
      if (cancelled) await finishRun(tx, run.id, { status: 'cancelled', cost });
      else await finishRun(tx, run.id, { status: 'failed', error: describeError(translateDatabaseError(error)), cost });
    });
  }

  const running = loop();
  return {
    wake: () => wakeUp(),
    cancel(runId) {
      if (current?.runId === runId) current.abort.abort(new CancelledError());
    },
    async stop() {
      stopping.abort(new Error('the process stops'));
      await running;
    },
  };
}
