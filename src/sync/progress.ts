import type { Cost } from '#core/cost.ts';
import type { PhaseTime, RunPhase, RunTimes } from '#core/estimate.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { type Lease, LeaseLostError } from '#store/leases.ts';
import { type Progress, type RunRow, writeProgress } from '#store/run/runs.ts';
import { CancelledError, type RunContext } from './run.ts';

/** How often the progress of a run is stored: a row that is written at every page would cost more than the page. */
const PROGRESS_EVERY_MS = 250;

export interface ProgressParts {
  readonly db: Db;
  readonly run: Pick<RunRow, 'id' | 'phases'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whoever has lost it writes over nobody's progress. */
  readonly lease: Lease;
  /** What the read has cost so far, so that a run that dies is not free. */
  cost(): Cost | undefined;
}

/** Stores the progress a few times a second, at each new phase and at the end of one, with the time each phase took. */
export function makeProgress({ db, run, clock, signal, lease, cost }: ProgressParts): RunContext['progress'] {
  let phases: RunTimes = run.phases;
  let current: { readonly phase: RunPhase; readonly since: number; readonly before: PhaseTime | undefined } | undefined;
  let latest: Progress | undefined;
  let writtenAt = Number.NEGATIVE_INFINITY;

  /** Time of an earlier stint, which was interrupted, counts too. */
  function note({ done }: Progress, now: number): void {
    if (current === undefined) return;
    const { phase, since, before } = current;
    const startedAt = before?.startedAt ?? new Date(since).toISOString();
    phases = { ...phases, [phase]: { startedAt, ms: (before?.ms ?? 0) + Math.max(0, now - since), done } };
  }

  return async (progress) => {
    signal.throwIfAborted();
    const now = clock.now().getTime();
    const elapsed = clock.elapsed();
    const entered = progress.phase !== current?.phase;
    if (entered) {
      if (latest !== undefined) note(latest, now);
      current = { phase: progress.phase, since: now, before: phases[progress.phase] };
    }
    latest = progress;
    if (!entered && progress.done !== progress.total && elapsed - writtenAt < PROGRESS_EVERY_MS) return;
    note(progress, now);
    writtenAt = elapsed;
    const asked = await writeProgress(db, run.id, { ...progress, phases, cost: cost() }, lease);
    if (asked === undefined) throw new LeaseLostError(lease.name);
    if (asked.cancel) throw new CancelledError();
  };
}
