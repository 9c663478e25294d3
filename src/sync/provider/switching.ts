// From one provider to another without losing an identity: an impact plan first, which reads the new one into its mirror
// and links its records to who is here; then the switch, in one transaction; then the plan, in chunks that go on after
// whatever cuts them short.
import { ConflictError } from '#core/errors.ts';
import type { LeavePolicy } from '#core/policy.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { isSealed, SEAL } from '#store/plan/plan-seal.ts';
import { countInScope } from '#store/plan/planning.ts';
import { decidePlan, lockPlanRow, type PlanRow, releaseItems, supersedeHeld } from '#store/plan/plans.ts';
import { findOpenRun, insertRun, type RunRow, readRunRow, requeueRun } from '#store/run/runs.ts';
import {
  lockProviders,
  markInitialDone,
  type ProviderRow,
  readActiveProvider,
  readProvider,
  setActive,
} from '#store/source/settings.ts';
import { ofLaterRelease, runInProgress } from '../decide.ts';

export interface ImpactRequest {
  readonly kind: ProviderKind;
  /** What becomes of those whom the other providers brought and this one does not show. */
  readonly leftOvers: LeavePolicy;
  readonly requestedBy: string;
}

/** @throws {ConflictError} `run-in-progress`, `not-configured`, `left-overs-unknown` */
export async function queueImpact(tx: Db, { kind, leftOvers, requestedBy }: ImpactRequest): Promise<string> {
  const row = await readProvider(tx, kind.kind);
  if (row === undefined)
    throw new ConflictError(`The inbound provider "${kind.title}" has no settings.`, {
      reason: 'not-configured',
      remedy: `PUT its settings to /api/v1/providers/${kind.kind} first.`,
    });
  if (kind.pushed === true && leftOvers !== 'keep') await checkHasWritten(tx, kind);
  const from = (await readActiveProvider(tx))?.kind ?? null;
  const runId = await insertRun(tx, {
    provider: kind.kind,
    mode: 'full',
    preview: true,
    trigger: 'switch',
    options: { allowLargeSync: false, resetAccountMapping: false, leftOvers, from },
    requestedBy,
    configVersion: row.config_version,
  });
  if (runId === undefined) throw await runInProgress(tx);
  await writeAudit(tx, {
    actor: requestedBy,
    action: 'provider.impact',
    object: kind.kind,
    detail: { runId, from, leftOvers },
  });
  return runId;
}

async function checkHasWritten(tx: Db, kind: ProviderKind): Promise<void> {
  const { users, groups } = await countInScope(tx, kind.kind);
  if (users + groups > 0) return;
  throw new ConflictError(`"${kind.title}" has not written anybody yet, so who is left over is not known.`, {
    reason: 'left-overs-unknown',
    remedy:
      'Switch with leftOvers "keep"; once the identity provider has written everybody, make another impact plan for the rest.',
  });
}

export interface SwitchRequest {
  readonly kind: ProviderKind;
  readonly planId: string;
  readonly actor: string;
  readonly reason: string | undefined;
}

/**
 * The switch itself: the old provider ends, the new one is active, and its plan is approved and queued. All or nothing.
 * Of two at once, the second finds the first one's provider active. Does nothing when this provider is active already.
 * @throws {ConflictError} `impact-plan-unusable`, `plan-tampered`, `plan-of-later-release`, `run-in-progress`
 */
export async function switchActive(tx: Db, { kind, planId, actor, reason }: SwitchRequest): Promise<void> {
  await lockProviders(tx);
  const row = await readProvider(tx, kind.kind);
  if (row === undefined || row.active) return;
  const active = await readActiveProvider(tx);
  const plan = await lockPlanRow(tx, planId);
  await checkUsable(tx, plan, row, active?.kind ?? null);
  if (active !== undefined) await endProvider(tx, active.kind, { by: planId, actor, reason, switchedTo: kind.kind });
  await setActive(tx, kind.kind, true);
  if (kind.pushed === true) await markInitialDone(tx, kind.kind);
  await decidePlan(tx, planId, 'approved', actor);
  await releaseItems(tx, planId);
  if (plan === undefined || !(await requeueRun(tx, plan.run_id))) throw await runInProgress(tx);
  const detail = { switchedFrom: active?.kind ?? null, planId, reason: reason ?? null };
  await writeAudit(tx, { actor, action: 'provider.activate', object: kind.kind, detail });
  await writeAudit(tx, { actor, action: 'plan.approve', object: planId });
}

/** Its plans that wait can no longer be approved, and its schedule has nothing to run. */
async function endProvider(
  tx: Db,
  kind: ProviderKindName,
  { by, actor, reason, switchedTo }: { by: string; actor: string; reason: string | undefined; switchedTo: string },
): Promise<void> {
  await setActive(tx, kind, false);
  await supersedeHeld(tx, kind, by);
  const detail = { reason: reason ?? `switched to ${switchedTo}`, switchedTo, planId: by };
  await writeAudit(tx, { actor, action: 'provider.deactivate', object: kind, detail });
}

async function checkUsable(
  tx: Db,
  plan: PlanRow | undefined,
  row: ProviderRow,
  active: ProviderKindName | null,
): Promise<void> {
  const run = plan === undefined ? undefined : await readRunRow(tx, plan.run_id);
  const problem = problemOf(plan, run, row, active);
  if (problem !== undefined)
    throw new ConflictError(`The plan cannot be used to switch: ${problem}.`, {
      reason: 'impact-plan-unusable',
      remedy: `Make another with POST /api/v1/providers/${row.kind}/impact.`,
      details: { active, planStatus: plan?.status ?? null },
    });
  if (plan !== undefined && plan.seal > SEAL) throw ofLaterRelease(plan.id);
  if (plan !== undefined && !(await isSealed(tx, plan.id)))
    throw new ConflictError(`The plan "${plan.id}" is not what was made: its hash does not fit.`, {
      reason: 'plan-tampered',
      remedy: 'Find out who can write to the database, and make another impact plan.',
    });
}

/** Why a plan is not the one to switch by now. */
function problemOf(
  plan: PlanRow | undefined,
  run: RunRow | undefined,
  row: ProviderRow,
  active: ProviderKindName | null,
): string | undefined {
  if (plan === undefined || run?.trigger !== 'switch' || plan.provider !== row.kind)
    return `it is no impact plan of "${row.kind}"`;
  if (plan.status !== 'held') return `it is ${plan.status}`;
  if (!plan.complete) return `"${row.kind}" was not read to the end for it`;
  if (plan.config_version !== row.config_version) return 'the settings have changed since';
  const { from } = run.options;
  if ((from ?? null) !== active) return `it was made while ${name(from)} was active, and now ${name(active)} is`;
  return undefined;
}

function name(kind: string | null | undefined): string {
  return kind == null ? 'no provider' : `"${kind}"`;
}

/** How long a switch waits for the run of the old provider to stop, and an answer for its impact plan. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 100;

/** Resolves when no run is queued or running, or after some seconds. Answers the run that still is. */
export async function untilIdle(db: Db, clock: Clock): Promise<string | undefined> {
  for (let waited = 0; ; waited += LOOK_EVERY_MS) {
    const open = await findOpenRun(db);
    if (open === undefined) return undefined;
    if (waited >= PATIENCE_MS) return open.id;
    await clock.sleep(LOOK_EVERY_MS, new AbortController().signal);
  }
}
