// The journey in one place: refresh the mirror, compare, judge, apply or hold. Every step makes two states agree, so
// a run that is cut short anywhere is finished by the next one.

import type { Cost } from '#core/cost.ts';
import { GatewayError } from '#core/errors.ts';
import { describeError, type RunError } from '#core/failure.ts';
import type { RunPolicy } from '#core/policy.ts';
import type { PullProvider } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Log } from '#platform/log.ts';
import { inSpan } from '#platform/trace.ts';
import type { Db } from '#store/database.ts';
import { countPathless } from '#store/mirror/membership-scope.ts';
import { hasTouched, mustCompareAll, settleTouched } from '#store/mirror/touched.ts';
import { settleDisputes } from '#store/plan/matching.ts';
import { pinRestored } from '#store/plan/pinned.ts';
import { isWhollyApplied, rememberMemberships } from '#store/plan/plan-memberships.ts';
import { rememberPlacements } from '#store/plan/plan-routes.ts';
import { supersedePlans } from '#store/plan/plan-seal.ts';
import { refreshStatistics } from '#store/plan/planning.ts';
import { countOutcomes, setPlanStatus } from '#store/plan/plans.ts';
import { attachPlan, finishRun, insertRun, type Progress, type RunRow } from '#store/run/runs.ts';
import { hasWishes, takeWishes } from '#store/source/push-guard.ts';
import { markInitialDone, markSuccess } from '#store/source/settings.ts';
import { rememberSource } from '#store/source/source-identity.ts';
import { clearMark } from '#store/source/source-marks.ts';
import { applyPlan } from './apply.ts';
import { type MadePlan, makePlan, STATISTICS_AFTER } from './plan/make-plan.ts';
import type { ResourceSchemas } from './plan/protect.ts';
import { findCheckpoint, readChanges } from './read/choose-read.ts';
import { recogniseSource } from './read/recognise-source.ts';
import { refreshMirror } from './read/refresh-mirror.ts';
import { lookAgain } from './scope/look-again.ts';
import { scopeMirror } from './scope/scope-mirror.ts';

/** What every step of a run is handed. */
export interface RunContext {
  readonly db: Db;
  readonly runId: string;
  readonly provider: ProviderKindName;
  readonly configVersion: string;
  /** Changes with the settings; part of every record's digest. */
  readonly salt: string;
  /** What users and groups may have: what the guard's `protect` may name. */
  readonly schemas: ResourceSchemas;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** A transaction that begins with the check that this process still holds the lease. */
  write<T>(work: (tx: Db) => Promise<T>): Promise<T>;
  /** Stores the progress. @throws {CancelledError} somebody asked the run to stop */
  progress(progress: Progress): Promise<void>;
}

/** Somebody asked the run to stop; what was done stays done. */
export class CancelledError extends Error {
  constructor() {
    super('The run was cancelled.');
    this.name = 'CancelledError';
  }
}

export interface RunInput {
  readonly run: RunRow;
  readonly provider: PullProvider;
  /** It writes to us: nothing is read, and what it wrote is looked at again. */
  readonly pushed: boolean;
  readonly policy: RunPolicy;
  readonly initial: boolean;
}

/** One sync, from reading to the last outcome. Throws only what stops the process from going on. */
export async function runSync(
  context: RunContext,
  { run, provider, pushed, policy, initial }: RunInput,
): Promise<void> {
  if (pushed) await context.write(takeWishes);
  const { stopped, changed, incremental } = pushed
    ? { stopped: undefined, changed: await lookAgain(provider, context), incremental: false }
    : await inSpan('run read', {}, () => readProvider(context, provider, run));
  if (stopped?.useless === true) return endFailed(context, stopped, provider.cost());
  await context.progress({ phase: 'planning', done: 0, total: null });
  await scopeMirror(context, provider, changed);
  const { allowLargeSync, resetAccountMapping: reset, leftOvers } = run.options;
  const complete = stopped === undefined;
  const burst = run.trigger === 'push';
  if (incremental && !run.preview && !(await isWorthAPlan(context, policy)))
    return endUnchanged(context, stopped, provider);
  const request = { policy, complete, changed, incremental, initial, allowLargeSync, reset, burst, leftOvers };
  const plan = await inSpan('run plan', {}, () => makePlan(context, request));
  // The time it took is part of the run also where nothing is applied, or only once somebody has approved.
  await context.progress({ phase: 'planning', done: plan.size, total: plan.size });
  await context.write(async (tx) => {
    await attachPlan(tx, context.runId, plan.id);
    await supersedePlans(tx, context.provider, plan.id);
    await setPlanStatus(tx, plan.id, run.preview ? 'held' : 'applying');
  });
  context.log.info({ plan: plan.id, count: plan.size, held: plan.verdict.held }, 'plan made');
  if (run.preview) return endPreview(context, plan, stopped, provider.cost());
  await finishPlan(context, {
    planId: plan.id,
    complete: stopped === undefined,
    initial,
    fresh: true,
    stopped: stopped?.error,
    cost: provider.cost(),
    ...(changed === 0 && provider.followMs !== undefined ? { followMs: provider.followMs } : {}),
  });
  if (pushed) await followWishes(context, run);
}

/** What was held while this run planned is shown by another one. */
async function followWishes(context: RunContext, run: RunRow): Promise<void> {
  await context.write(async (tx) => {
    if (!(await hasWishes(tx))) return;
    const { provider, configVersion } = context;
    const options = { allowLargeSync: false, resetAccountMapping: false };
    const next = {
      provider,
      mode: run.mode,
      preview: false,
      trigger: 'push',
      options,
      requestedBy: run.requested_by,
      configVersion,
    };
    await insertRun(tx, next);
  });
}

export interface FinishInput {
  readonly planId: string;
  /** Whether the plan was made after a complete read. */
  readonly complete: boolean;
  readonly initial: boolean;
  /** The plan was made in this very run, from the mirror as it is. */
  readonly fresh?: boolean;
  /** It undoes a run instead of following the provider. */
  readonly revert?: boolean;
  readonly stopped?: RunError | undefined;
  readonly cost?: Cost;
  /** The read found nothing: when to look again for what the source has told of (`clearMark`). */
  readonly followMs?: readonly number[];
}

/** Applies what is pending of a plan and ends its run. Also how an approved or interrupted plan goes on. */
export async function finishPlan(
  context: RunContext,
  { planId, complete, initial, fresh = false, revert = false, stopped, cost, followMs }: FinishInput,
): Promise<void> {
  const applied = await inSpan('run apply', { 'sluice.plan': planId }, () => applyPlan(context, planId));
  if (applied > STATISTICS_AFTER)
    await refreshStatistics(context.db).catch((err: unknown) => context.log.warn({ err }, 'statistics not refreshed'));
  await context.write(async (tx) => {
    if (revert) await pinRestored(tx, planId);
    else await remember(tx, context.provider, { planId, isMirror: fresh && complete });
    if (!revert) await rememberPlacements(tx, planId, context.provider);
    await settleTouched(tx, { planId, provider: context.provider }, revert);
    const { counts, byType } = await countRun(tx, context, planId);
    const held = (counts['held'] ?? 0) > 0;
    await setPlanStatus(tx, planId, held ? 'held' : 'applied');
    await settleDisputes(tx, context.provider);
    if (applied > 0 || !held) await rememberSource(tx, context.runId, { over: !held });
    const status = held ? 'held' : complete ? 'succeeded' : 'incomplete';
    if (complete && !revert) await clearMark(tx, context.provider, context.runId, followMs);
    await finishRun(tx, context.runId, { status, counts, byType, error: stopped, cost });
    if (status === 'succeeded' && !revert) {
      await markSuccess(tx, context.provider);
      if (initial) await markInitialDone(tx, context.provider);
    }
    context.log.info({ plan: planId, status, counts }, status === 'held' ? 'run held' : 'run finished');
  });
}

/** @param isMirror whether the plan was made from the mirror as it is; a write that was held meanwhile has changed only that */
async function remember(
  tx: Db,
  provider: ProviderKindName,
  { planId, isMirror }: { readonly planId: string; readonly isMirror: boolean },
): Promise<void> {
  const isStill = isMirror && !(provider === 'scim' && (await hasWishes(tx)));
  await rememberMemberships(tx, provider, isStill && (await isWhollyApplied(tx, planId)) ? planId : undefined);
}

interface Stopped {
  readonly error: RunError;
  /** True when nothing was read, or what was read must not be used. */
  readonly useless: boolean;
}

interface ReadResult {
  /** Undefined after a complete read; else why it stopped. */
  readonly stopped?: Stopped;
  /** How many records of the mirror were written; after a read that stopped, as many as were read. */
  readonly changed: number;
  /** What changed was read, and not everything. */
  readonly incremental: boolean;
}

/** Reads the provider into the mirror. Cancelling and losing the lease are not for us to judge. */
async function readProvider(context: RunContext, provider: PullProvider, run: RunRow): Promise<ReadResult> {
  let read = 0;
  let incremental = false;
  const counting: RunContext = {
    ...context,
    progress(progress) {
      read = progress.done;
      return context.progress(progress);
    },
  };
  try {
    await recogniseSource(context, provider, run.options.resetAccountMapping !== false);
    const found = await findCheckpoint(counting, provider, run);
    incremental = found !== undefined;
    const changed = found === undefined ? undefined : await readChanges(counting, provider, found);
    if (changed !== undefined) return { changed, incremental };
    incremental = false;
    read = 0;
    return { changed: await refreshMirror(provider, counting), incremental };
  } catch (error) {
    if (!(error instanceof GatewayError) || context.signal.aborted) throw error;
    context.log.warn({ code: error.code, reason: error.reason, error: error.message }, 'read stopped early');
    return {
      stopped: { error: describeError(error), useless: error.code !== 'ERR_UPSTREAM' || read === 0 },
      changed: read,
      incremental,
    };
  }
}

/** What became of a plan, and how many the path-display group does not lead to, where it is anybody. */
async function countRun(tx: Db, { provider }: RunContext, planId: string): ReturnType<typeof countOutcomes> {
  const { counts, byType } = await countOutcomes(tx, planId);
  const pathless = await countPathless(tx, provider);
  return { counts: pathless === 0 ? counts : { ...counts, notUnderReferenceGroup: pathless }, byType };
}

async function endFailed(context: RunContext, { error }: Stopped, cost: Cost): Promise<void> {
  await context.write((tx) => finishRun(tx, context.runId, { status: 'failed', error, cost }));
}

/** Whether a plan could come to anything new. What waits for a decision is left waiting. */
async function isWorthAPlan({ db, provider }: RunContext, policy: RunPolicy): Promise<boolean> {
  return (await mustCompareAll(db, provider)) || hasTouched(db, provider, policy.deleteAfterDays);
}

/** Nothing changed: there is nothing to plan, and a plan that waits stays the newest. */
async function endUnchanged(context: RunContext, stopped: Stopped | undefined, provider: PullProvider): Promise<void> {
  await context.write(async (tx) => {
    const status = stopped === undefined ? 'succeeded' : 'incomplete';
    await finishRun(tx, context.runId, { status, counts: {}, error: stopped?.error, cost: provider.cost() });
    if (stopped !== undefined) return;
    await clearMark(tx, context.provider, context.runId, provider.followMs);
    await markSuccess(tx, context.provider);
  });
  context.log.info('run finished, nothing changed');
}

async function endPreview(
  context: RunContext,
  plan: MadePlan,
  stopped: Stopped | undefined,
  cost: Cost,
): Promise<void> {
  await context.write(async (tx) => {
    const { counts, byType } = await countRun(tx, context, plan.id);
    const status = stopped === undefined ? 'succeeded' : 'incomplete';
    await finishRun(tx, context.runId, { status, counts, byType, error: stopped?.error, cost });
  });
}
