import type { LinkReset } from '#core/match.ts';
import type { ScheduleSettings } from '#core/schedule.ts';
import type { Db } from '#store/database.ts';
import type { PushedWrite } from '#store/source/pushed-images.ts';
import type { PlanView } from '#store/views/plans.ts';
import type { RunView } from '#store/views/runs.ts';
import type { MissedRun } from './missed.ts';
import type { ImpactRequest, SwitchRequest } from './provider/switching.ts';

export type Trigger = 'manual' | 'schedule' | 'catch-up' | 'connect' | 'revert' | 'notification';

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
   * @param claim is asked in the same transaction, and may say no: then nothing is queued
   * @throws {ConflictError} `run-in-progress` with `details.runId`, `no-active-provider`, or `slot-taken` when the claim says no
   */
  start(options: StartOptions, claim?: (tx: Db, runId: string) => Promise<boolean>): Promise<RunView>;
  /**
   * Asks a run to stop between two pages or chunks. A run that is over already stays as it is.
   * @throws {NotFoundError}
   */
  cancel(runId: string, actor: string): Promise<void>;
  /**
   * Applies exactly that plan, in the background. A second approval changes nothing and answers the same.
   * @throws {NotFoundError}
   * @throws {ConflictError} `plan-not-waiting` (rejected, superseded), `plan-expired`, `plan-tampered`, `plan-of-later-release`,
   * `provider-not-active`, or `run-in-progress`
   */
  approve(planId: string, actor: string): Promise<PlanView>;
  /**
   * Queues a run whose plan undoes what an earlier run applied; it waits for approval. What has changed since is left
   * alone and listed as stale. Once applied, what it restored is pinned.
   * @throws {NotFoundError}
   * @throws {ConflictError} `nothing-to-revert`, `retention-over` (its before-images are no longer kept), or
   * `run-in-progress`
   */
  revert(runId: string, actor: string): Promise<RunView>;
  /**
   * The same for a single write of the identity provider, named by its line in the change log.
   * @throws {NotFoundError} `change-not-found`
   * @throws {ConflictError} `belongs-to-run` with `details.runId`, `nothing-to-revert`, or `run-in-progress`
   */
  revertWrite(write: PushedWrite, actor: string): Promise<RunView>;
  /** Drops a waiting plan. @throws {NotFoundError} @throws {ConflictError} `plan-not-waiting`, `plan-expired` */
  reject(planId: string, actor: string, reason?: string): Promise<PlanView>;
}

/** What the edges may ask of a move from one provider to another. */
export interface SwitchService {
  /**
   * Queues a run that reads a provider, active or not, and makes the plan of a switch to it; nothing is applied.
   * @throws {ConflictError} `run-in-progress`, `not-configured`, `left-overs-unknown`
   */
  impact(request: ImpactRequest): Promise<RunView>;
  /**
   * Makes it the active provider in place of another, by a plan that `impact` made, and carries the plan out in the
   * background. A run of the old provider is asked to stop, and waited for.
   * @throws {ConflictError} `impact-plan-unusable`, `plan-tampered`, `plan-of-later-release`, `run-in-progress`
   */
  switchTo(request: SwitchRequest): Promise<void>;
  /** Waits until no run is under way, some seconds at most. Answers the run that still is. */
  untilIdle(): Promise<string | undefined>;
}

export type ScheduleView = ScheduleSettings & {
  readonly nextRunAt: string | null;
  /** The last run that was due, when it did not start by then; null when all is well. */
  readonly missed: MissedRun | null;
};

export interface ScheduleOptions {
  /** The administrator says so explicitly: switch it on without a look at what a run would do. */
  readonly withoutPreview?: boolean | undefined;
  /** Done in the transaction of the change, with what was saved before; what it throws leaves everything as it was. */
  readonly within?: (tx: Db, before: ScheduleSettings) => Promise<void>;
}

export interface ScheduleService {
  describe(): Promise<ScheduleView>;
  /**
   * Takes effect at once, without a restart.
   * @throws {InputError} a wrong time, zone, interval or expression
   * @throws {ConflictError} `preview-required`: it would be switched on, and nobody has approved a plan of the settings
   * as they are
   */
  change(schedule: ScheduleSettings, options?: ScheduleOptions): Promise<ScheduleView>;
}
