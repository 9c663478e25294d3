import type { LinkReset } from '#core/match.ts';
import type { ScheduleSettings } from '#core/schedule.ts';
import type { PlanView } from '#store/views/plans.ts';
import type { RunView } from '#store/views/runs.ts';

export type Trigger = 'manual' | 'schedule' | 'catch-up' | 'connect';

export interface StartOptions {
  readonly mode?: 'incremental' | 'full' | undefined;
  readonly preview?: boolean | undefined;
  readonly allowLargeSync?: boolean | undefined;
  readonly resetAccountMapping?: LinkReset | undefined;
  readonly logLevel?: string | undefined;
  readonly trigger: Trigger;
  /** Who asked: `token:<id>`, or `schedule`. */
  readonly requestedBy: string;
}

/** What the edges may ask of a sync. */
export interface SyncService {
  /**
   * Queues a run of the active provider and answers it at once; it goes on in the background.
   * @throws {ConflictError} `run-in-progress` with `details.runId`, or `no-active-provider`
   */
  start(options: StartOptions): Promise<RunView>;
  /**
   * Asks a run to stop between two pages or chunks. A run that is over already stays as it is.
   * @throws {NotFoundError}
   */
  cancel(runId: string, actor: string): Promise<void>;
  /**
   * Applies exactly that plan, in the background. A second approval changes nothing and answers the same.
   * @throws {NotFoundError}
   * @throws {ConflictError} `plan-not-waiting` (rejected, superseded, expired), or `run-in-progress`
   */
  approve(planId: string, actor: string): Promise<PlanView>;
  /** Drops a waiting plan. @throws {NotFoundError} @throws {ConflictError} `plan-not-waiting` */
  reject(planId: string, actor: string, reason?: string): Promise<PlanView>;
}

export type ScheduleView = ScheduleSettings & { readonly nextRunAt: string | null };

export interface ScheduleService {
  describe(): Promise<ScheduleView>;
  /** Takes effect at once, without a restart. @throws {InputError} a wrong time, zone, interval or expression */
  change(schedule: ScheduleSettings): Promise<ScheduleView>;
}
