import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Database, Db } from '#store/database.ts';
import { findChange } from '#store/directory/changes.ts';
import { readImpact } from '#store/plan/impact-plans.ts';
import { hasApplied } from '#store/plan/plan-revert.ts';
import { isSealed, SEAL } from '#store/plan/plan-seal.ts';
import { decidePlan, dropItems, endHeldRun, lockPlanRow, type PlanRow, releaseItems } from '#store/plan/plans.ts';
import { findOpenRun, insertRun, readRunRow, requestCancel, requeueRun } from '#store/run/runs.ts';
import { type PushedWrite, runOfWrite } from '#store/source/pushed-images.ts';
import { lockProviders, readActiveProvider, readProvider } from '#store/source/settings.ts';
import { type PlanView, readPlan } from '#store/views/plans.ts';
import { type RunView, readRun } from '#store/views/runs.ts';
import type { StartOptions, SyncService } from './service.ts';
import type { Worker } from './worker.ts';

export interface ServiceParts {
  readonly database: Database;
  /** Absent on a replica that only answers requests: another one sees the queue within a second. */
  readonly worker: Pick<Worker, 'wake' | 'cancel'> | undefined;
}

/** Starting, cancelling, approving and rejecting; the worker carries out what is queued here. */
export function makeSyncService({ database, worker }: ServiceParts): SyncService {
  const db = database.knex;
  return {
    async start(options, claim) {
      const runId = await db.transaction(async (tx) => {
        const queued = await queueRun(tx, options);
        if (claim !== undefined && !(await claim(tx, queued))) throw slotTaken();
        return queued;
      });
      worker?.wake();
      return viewRun(db, runId);
    },
    async cancel(runId, actor) {
      await db.transaction(async (tx) => {
        if (!(await requestCancel(tx, runId))) throw noRun(runId);
        await writeAudit(tx, { actor, action: 'run.cancel', object: runId });
      });
      worker?.cancel(runId);
    },
    async revert(runId, actor) {
      const revertId = await db.transaction((tx) => queueRevert(tx, runId, actor));
      worker?.wake();
      return viewRun(db, revertId);
    },
    async revertWrite(write, actor) {
      const revertId = await db.transaction(async (tx) => queueRevert(tx, await runFor(tx, write), actor));
      worker?.wake();
      return viewRun(db, revertId);
    },
    async approve(planId, actor) {
      await db.transaction((tx) => approvePlan(tx, planId, actor));
      worker?.wake();
      return viewPlan(db, planId);
    },
    async reject(planId, actor, reason) {
      await db.transaction((tx) => rejectPlan(tx, planId, actor, reason));
      return viewPlan(db, planId);
    },
  };
}

function slotTaken(): ConflictError {
  return new ConflictError('Another process has started what is due now.', { reason: 'slot-taken' });
}

async function queueRun(tx: Db, options: StartOptions): Promise<string> {
  const provider = await readActiveProvider(tx);
  if (provider === undefined)
    throw new ConflictError('No inbound provider is active.', {
      reason: 'no-active-provider',
      remedy: 'Configure a provider and activate it, then start the run again.',
    });
  const run = {
    provider: provider.kind as ProviderKindName,
    mode: options.mode ?? ('full' as const),
    preview: options.preview ?? false,
    trigger: options.trigger,
    options: {
      allowLargeSync: options.allowLargeSync ?? false,
      resetAccountMapping: options.resetAccountMapping ?? false,
      logLevel: options.logLevel,
    },
    requestedBy: options.requestedBy,
    configVersion: provider.config_version,
  };
  const runId = await insertRun(tx, run);
  if (runId === undefined) throw await runInProgress(tx);
  const detail = { trigger: run.trigger, preview: run.preview, ...run.options };
  await writeAudit(tx, { actor: options.requestedBy, action: 'run.start', object: runId, detail });
  return runId;
}

async function queueRevert(tx: Db, runId: string, actor: string): Promise<string> {
  const run = await readRunRow(tx, runId);
  if (run === undefined) throw noRun(runId);
  if (run.status === 'queued' || run.status === 'running') throw await runInProgress(tx);
  const applied = run.plan_id === null ? false : await hasApplied(tx, run.plan_id);
  if (applied !== true) throw cannotRevert(runId, applied);
  const provider = await readProvider(tx, run.provider);
  const revertId = await insertRun(tx, {
    provider: run.provider,
    mode: 'full',
    preview: false,
    trigger: 'revert',
    options: { allowLargeSync: false, resetAccountMapping: false },
    requestedBy: actor,
    configVersion: provider?.config_version ?? '0',
    reverts: runId,
  });
  if (revertId === undefined) throw await runInProgress(tx);
  await writeAudit(tx, { actor, action: 'run.revert', object: runId, detail: { run: revertId } });
  return revertId;
}

/** The run that a single write stands for. */
async function runFor(tx: Db, write: PushedWrite): Promise<string> {
  const change = await findChange(tx, write);
  if (change === undefined)
    throw new NotFoundError('The change log has no such change.', {
      reason: 'change-not-found',
      remedy: 'Name resourceId and version as GET /api/v1/changes shows them.',
    });
  if (change.runId !== null)
    throw new ConflictError('A run has made this change.', {
      reason: 'belongs-to-run',
      remedy: 'Undo the run.',
      details: { runId: change.runId },
    });
  const provider = await readProvider(tx, 'scim');
  const runId = await runOfWrite(tx, write, provider?.config_version ?? '0');
  if (runId !== undefined) return runId;
  throw new ConflictError('What this change was before is not kept, so it cannot be undone.', {
    reason: 'nothing-to-revert',
    remedy:
      'Writes of the identity provider can be undone for as long as plans are kept; what was made by hand is changed by hand.',
  });
}

function cannotRevert(runId: string, applied: false | undefined): ConflictError {
  if (applied === undefined)
    return new ConflictError(`What the run "${runId}" changed is no longer kept.`, {
      reason: 'retention-over',
      remedy: 'Correct the provider and start a run; a longer retention keeps later runs revertible for longer.',
    });
  return new ConflictError(`The run "${runId}" applied nothing, so there is nothing to undo.`, {
    reason: 'nothing-to-revert',
    remedy: 'Look in the history for the run that made the change.',
  });
}

async function approvePlan(tx: Db, planId: string, actor: string): Promise<void> {
  // Locked before the plan, so that nobody deactivates the provider in between.
  await lockProviders(tx);
  const plan = await lockPlanRow(tx, planId);
  if (plan === undefined) throw noPlan(planId);
  const approved = plan.decided_at !== null && ['approved', 'applying'].includes(plan.status);
  if (approved || plan.status === 'applied') return;
  if ((await readImpact(tx, planId))?.impact_of != null) throw showsImpact(planId);
  if (['building', 'ready', 'applying'].includes(plan.status)) throw await runInProgress(tx);
  const active = plan.reverts === null ? (await readActiveProvider(tx))?.kind : plan.provider;
  if (active !== plan.provider) throw notActive(plan, active);
  if (plan.seal > SEAL) throw ofLaterRelease(planId);
  if (plan.status === 'held' && !(await isSealed(tx, planId))) throw tampered(planId);
  if (!(await decidePlan(tx, planId, 'approved', actor))) throw notWaiting(plan);
  await releaseItems(tx, planId);
  if (!(await requeueRun(tx, plan.run_id))) throw await runInProgress(tx);
  await writeAudit(tx, { actor, action: 'plan.approve', object: planId });
}

function showsImpact(planId: string): ConflictError {
  return new ConflictError('The plan shows what settings that are not saved would do; it is never applied by itself.', {
    reason: 'impact-plan',
    remedy: `Save those settings with confirmImpact=${planId}, then start a run.`,
  });
}

async function rejectPlan(tx: Db, planId: string, actor: string, reason: string | undefined): Promise<void> {
  const plan = await lockPlanRow(tx, planId);
  if (plan === undefined) throw noPlan(planId);
  if (plan.status === 'rejected') return;
  if (!(await decidePlan(tx, planId, 'rejected', actor))) throw notWaiting(plan);
  await dropItems(tx, planId, 'rejected');
  await endHeldRun(tx, planId);
  await writeAudit(tx, { actor, action: 'plan.reject', object: planId, detail: { reason: reason ?? null } });
}

/** @returns what to throw: it names the run that is in the way */
export async function runInProgress(tx: Db): Promise<ConflictError> {
  const open = await findOpenRun(tx);
  return new ConflictError('A run is in progress.', {
    reason: 'run-in-progress',
    remedy: 'Wait for that run to end, or cancel it.',
    details: { runId: open?.id ?? null },
  });
}

/** @returns what to throw: what the plan says is not known here, so it would be carried out in part */
export function ofLaterRelease(planId: string): ConflictError {
  return new ConflictError(`The plan "${planId}" was made by a later release than this replica is of.`, {
    reason: 'plan-of-later-release',
    remedy: 'Approve it again once every replica is of that release.',
  });
}

function tampered(planId: string): ConflictError {
  return new ConflictError(`The plan "${planId}" is not what was made: its hash does not fit.`, {
    reason: 'plan-tampered',
    remedy: 'Find out who can write to the database, reject the plan, and start a new run.',
  });
}

/** What a provider said while it was active is not to be done any more: its people stay as they are. */
function notActive(plan: PlanRow, active: ProviderKindName | undefined): ConflictError {
  return new ConflictError(`The plan is of the inbound provider "${plan.provider}", which is not active.`, {
    reason: 'provider-not-active',
    remedy: `Activate "${plan.provider}" and approve the plan then, or reject it; in place of another, activate with "switch" and the planId of an impact plan.`,
    details: { provider: plan.provider, active: active ?? null },
  });
}

function notWaiting(plan: PlanRow): ConflictError {
  if (plan.status === 'expired')
    return new ConflictError('The plan has expired: it is too old to be decided about.', {
      reason: 'plan-expired',
      remedy: 'Start a new run; its plan says what is different.',
      details: { status: plan.status, expiresAt: plan.expires_at },
    });
  return new ConflictError(`The plan does not wait for a decision; it is ${plan.status}.`, {
    reason: 'plan-not-waiting',
    remedy: 'Look at the newest plan of this provider, or start a new run.',
    details: { planStatus: plan.status },
  });
}

function noRun(id: string): NotFoundError {
  return new NotFoundError(`There is no run "${id}".`, { reason: 'run-not-found' });
}

function noPlan(id: string): NotFoundError {
  return new NotFoundError(`There is no plan "${id}".`, { reason: 'plan-not-found' });
}

async function viewRun(db: Db, id: string): Promise<RunView> {
  const view = await readRun(db, id);
  if (view === undefined) throw noRun(id);
  return view;
}

async function viewPlan(db: Db, id: string): Promise<PlanView> {
  const view = await readPlan(db, id);
  if (view === undefined) throw noPlan(id);
  return view;
}
