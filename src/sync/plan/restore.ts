// Brings back one who was removed, through a plan that is applied at once: an administrator has asked for just this one.
import { ConflictError, NotFoundError } from '#core/errors.ts';
import type { LeavePolicy, RunPolicy } from '#core/policy.ts';
import type { ProviderKind } from '#core/provider.ts';
import { describeReason } from '#core/reasons.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import type { Seal } from '#platform/seal.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Database, Db } from '#store/database.ts';
import { planRestore, type Removed, readRemoved } from '#store/directory/restore.ts';
import { insertPlan, setPlanStatus } from '#store/plan/plans.ts';
import { attachPlan, insertRun, type RunRow } from '#store/run/runs.ts';
import { listProviders, type ProviderRow, readActiveProvider } from '#store/source/settings.ts';
import { runInProgress } from '../decide.ts';
import { openSettings } from '../provider/settings.ts';
import { finishPlan, type RunContext } from '../run.ts';
import { judgePlan } from './judge-plan.ts';

export interface RestoreParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
}

interface Wanted {
  readonly type: ResourceType;
  readonly id: string;
}

/** One who was removed, and what stands in the way of bringing them back; undefined when nothing does. */
export async function describeRemoved(
  parts: RestoreParts,
  { type, id }: Wanted,
): Promise<{ readonly removed: Removed; readonly refusal: ConflictError | undefined }> {
  const db = parts.database.knex;
  const removed = await readRemoved(db, type, id);
  if (removed === undefined) throw new NotFoundError(`There is no ${type} with the id "${id}".`);
  return { removed, refusal: refusalOf(removed, await policyOf(parts, db)) };
}

/**
 * Queues the run that brings one back under the same id. Answers the run's id.
 * @throws {NotFoundError} nothing is kept of it any more
 * @throws {ConflictError} `not-removed`, `name-taken`, `link-taken`, `source-would-remove` or `run-in-progress`
 */
export async function requestRestore(parts: RestoreParts, wanted: Wanted, actor: string): Promise<string> {
  const { removed, refusal } = await describeRemoved(parts, wanted);
  if (refusal !== undefined) throw refusal;
  return parts.database.knex.transaction(async (tx) => {
    const rows = await listProviders(tx);
    const row = rows.find(({ kind }) => kind === removed.origin) ?? rows.find(({ active }) => active) ?? rows[0];
    const runId = await insertRun(tx, {
      provider: row?.kind ?? 'scim',
      mode: 'full',
      preview: false,
      trigger: 'restore',
      options: { allowLargeSync: false, resetAccountMapping: false, restores: wanted },
      requestedBy: actor,
      configVersion: row?.config_version ?? '0',
    });
    if (runId === undefined) throw await runInProgress(tx);
    const action = wanted.type === 'User' ? 'user.restore' : 'group.restore';
    await writeAudit(tx, { actor, action, object: wanted.id, detail: { run: runId } });
    return runId;
  });
}

/** Carries it out. What stands in the way since it was asked for ends the run with that reason. */
export async function runRestore(context: RunContext, run: RunRow, parts: RestoreParts): Promise<void> {
  const wanted = run.options.restores;
  if (wanted === undefined) throw new Error(`the run ${run.id} restores nobody`);
  const { refusal } = await describeRemoved(parts, wanted);
  if (refusal !== undefined) throw refusal;
  await context.progress({ phase: 'planning', done: 0, total: null });
  const planId = await context.write(async (tx) => {
    const { provider, configVersion, runId, schemas } = context;
    const made = await insertPlan(tx, { runId, provider, configVersion, complete: true });
    await planRestore(tx, made, { id: wanted.id, active: (await readActiveProvider(tx))?.kind });
    const situation = { complete: true, initial: false, initialAuto: false, allowLargeSync: true };
    await judgePlan(tx, { planId: made, provider }, schemas, situation);
    await attachPlan(tx, runId, made);
    await setPlanStatus(tx, made, 'applying');
    return made;
  });
  await finishPlan(context, { planId, complete: true, initial: false, revert: true });
}

interface Active {
  readonly kind: ProviderKindName;
  readonly title: string;
  readonly policy: RunPolicy;
}

async function policyOf({ kinds, seal }: RestoreParts, db: Db): Promise<Active | undefined> {
  const row: ProviderRow | undefined = await readActiveProvider(db);
  const kind = row === undefined ? undefined : kinds.get(row.kind);
  if (row === undefined || kind === undefined) return undefined;
  return { kind: row.kind, title: kind.title, policy: kind.policy(openSettings(kind, row, seal)) };
}

function refusalOf(removed: Removed, active: Active | undefined): ConflictError | undefined {
  const { deleted_at, left_at, name_holder, link_holder, origin, display } = removed;
  if (deleted_at === null && left_at === null)
    return new ConflictError(`"${display}" is not removed.`, {
      reason: 'not-removed',
      remedy: 'Nothing needs to be done.',
    });
  if (name_holder !== null)
    return new ConflictError(`The user name "${removed.user_name}" belongs to "${name_holder}" now.`, {
      reason: 'name-taken',
      remedy: 'Rename or remove that user first.',
    });
  if (link_holder !== null)
    return new ConflictError(`"${link_holder}" is linked to the same account of the source now.`, {
      reason: 'link-taken',
      remedy: 'Remove that one first, or keep it instead.',
    });
  if (active === undefined || active.kind !== origin || isSafe(removed, active.policy)) return undefined;
  const code = codeOf(removed);
  return new ConflictError(
    `${active.title} would take "${display}" away again at the next sync: ${describeReason(code).sentence}`,
    {
      reason: 'source-would-remove',
      remedy: `Bring it back in ${active.title}, and the next sync restores it under the same id; or undo the run that removed it, which keeps it until that is released.`,
      details: { reasonCode: code },
    },
  );
}

/** The active source shows it, or leaves such ones as they are, or is kept from removing it. */
function isSafe({ shown, pinned, left_how }: Removed, policy: RunPolicy): boolean {
  if (shown === 'in' || pinned) return true;
  const of: LeavePolicy =
    shown !== 'gone' || left_how === null
      ? policy.onLeaveScope
      : left_how === 'hardDeleted'
        ? policy.onSourceHardDelete
        : policy.onSourceSoftDelete;
  return of === 'keep';
}

function codeOf({ shown, reason, left_how }: Removed): string {
  if (shown === 'out') return reason ?? 'NotInSource';
  if (left_how === null) return 'NotInSource';
  return left_how === 'hardDeleted' ? 'SourceHardDeleted' : 'SourceSoftDeleted';
}
