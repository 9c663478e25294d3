import { randomUUID } from 'node:crypto';
import { repeat } from '#platform/repeat.ts';
import { inSpan } from '#platform/trace.ts';
import { withLease } from '#store/leased.ts';
import { freeAllLeases } from '#store/leases.ts';
import { SEAL } from '#store/plan/plan-seal.ts';
import { findRunToCarryOut } from '#store/run/runs.ts';
import { type CarryParts, carryOut } from './carry-out.ts';
import { CancelledError } from './run.ts';

const LEASE = 'sync';
/** Long enough for one slow transaction, short enough that a dead process is replaced soon. */
const LEASE_TTL_MS = 10_000;
/** How soon a run that another process queued is seen. A run queued here is seen at once. */
const POLL_MS = 1_000;

export interface WorkerParts extends CarryParts {
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

/** Carries out queued runs, one at a time in the whole cluster, and picks up what a killed process left behind. */
export function startWorker(parts: WorkerParts): Worker {
  const { database, log, clock } = parts;
  const owner = randomUUID();
  let current: { readonly runId: string; readonly cancelling: AbortController } | undefined;
  // No other process can live on embedded storage, so whatever holds a lease there is dead.
  let isAlone = database.kind === 'embedded';

  async function tick(): Promise<void> {
    try {
      if (isAlone) await freeAllLeases(database.knex);
      isAlone = false;
      await workOnce();
    } catch (error) {
      log.error({ err: error }, 'worker failed');
    }
  }

  async function workOnce(): Promise<void> {
    if ((await findRunToCarryOut(database.knex, SEAL)) === undefined) return;
    await withLease(database.knex, { name: LEASE, owner, ttlMs: LEASE_TTL_MS }, async (lease, lost) => {
      // Whoever had the lease until now may have ended the run that was found.
      const run = await findRunToCarryOut(database.knex, SEAL);
      if (run === undefined) return;
      const facts = { 'sluice.run': run.id, 'sluice.provider': run.provider, 'sluice.mode': run.mode };
      const cancelling = new AbortController();
      current = { runId: run.id, cancelling };
      const signals = { lost, stopping: repeated.stopping, cancelled: cancelling.signal };
      try {
        await inSpan('run', facts, () => carryOut(parts, run, lease, signals));
      } finally {
        current = undefined;
        parts.onRunEnd?.();
      }
    });
    database.maintain();
  }

  const repeated = repeat(clock, POLL_MS, tick, true);
  repeated.start();
  return {
    wake: repeated.wake,
    cancel(runId) {
      if (current?.runId === runId) current.cancelling.abort(new CancelledError());
    },
    stop: repeated.stop,
  };
}
