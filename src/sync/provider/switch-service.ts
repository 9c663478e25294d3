import { ConflictError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Database } from '#store/database.ts';
import { findOpenRun } from '#store/run/runs.ts';
import { readRun } from '#store/views/runs.ts';
import type { SwitchService, SyncService } from '../service.ts';
import type { Worker } from '../worker.ts';
import { queueImpact, switchActive, untilIdle } from './switching.ts';

export interface SwitchParts {
  readonly database: Database;
  readonly worker: Pick<Worker, 'wake'> | undefined;
  readonly sync: Pick<SyncService, 'cancel'>;
  readonly clock: Clock;
}

/** Moves from one provider to another; the worker carries the plan out. */
export function makeSwitchService({ database, worker, sync, clock }: SwitchParts): SwitchService {
  const db = database.knex;
  return {
    async impact(request) {
      const runId = await db.transaction((tx) => queueImpact(tx, request));
      worker?.wake();
      const run = await readRun(db, runId);
      if (run === undefined) throw new Error('the run is gone');
      return run;
    },
    async switchTo(request) {
      const carryOver = (): Promise<void> => db.transaction((tx) => switchActive(tx, request));
      await carryOver().catch(async (error: unknown) => {
        const isBusy = error instanceof ConflictError && error.reason === 'run-in-progress';
        const open = isBusy ? await findOpenRun(db) : undefined;
        if (open === undefined) throw error;
        // Everything else stands for the switch, so the run of the old provider may go.
        await sync.cancel(open.id, request.actor);
        await untilIdle(db, clock);
        await carryOver();
      });
      worker?.wake();
    },
    untilIdle: () => untilIdle(db, clock),
  };
}
