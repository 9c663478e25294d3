// The change guard for writes that come one by one: what takes away more than its limits within a window is not done,
// waits in a held plan, and is answered so that the client comes again.
import { ForbiddenError, type GatewayError, RateError } from '#core/errors.ts';
import { judgeBurst } from '#core/guard.ts';
import type { HoldReason } from '#core/guard-reasons.ts';
import type { Db } from '#store/database.ts';
import { insertRun } from '#store/run/runs.ts';
import {
  countOwned,
  countTaken,
  findDecision,
  isNamed,
  lockRemovals,
  noteRemoval,
  noteWish,
  type Removal,
  withdrawWish,
} from '#store/source/push-guard.ts';
import { readGuard } from '#store/source/settings.ts';
import { compileProtect } from '../plan/protect.ts';
import type { PushParts, Source } from './push-source.ts';

/**
 * How long a client whose write is held should wait. Entra ID pauses its whole cycle for as long as a 429 says, so that
 * it is short; what is still held then fails for this cycle, and comes again in a later one.
 * Source: learn.microsoft.com/answers/questions/2284725, checked 2026-11.
 */
const RETRY_AFTER_MS = 60_000;

export interface Asked {
  readonly removal: Removal;
  /** Of a membership removal: how many members the group has. */
  readonly members?: number;
  /** Whether the client had asked for the very same before. */
  readonly again: boolean;
  readonly actor: string;
}

/** Undefined when the removal may be done now, which is noted; else what to answer once the wish is written down. */
export async function holdRemoval(
  parts: PushParts,
  tx: Db,
  source: Source,
  asked: Asked,
): Promise<GatewayError | undefined> {
  const { removal, again } = asked;
  await lockRemovals(tx);
  const decision = await findDecision(tx, removal.id, removal.class);
  if (decision?.outcome === 'rejected' && again) return rejected(decision.planId);
  const waits = decision?.outcome === 'held';
  const reason = waits ? undefined : await judgeRemoval(parts, tx, source, asked);
  if (reason === undefined && !waits) {
    await noteRemoval(tx, removal);
    return undefined;
  }
  if (!(waits && again)) await queuePlan(parts, tx, source, asked.actor);
  return heldBack(reason, decision?.planId);
}

async function judgeRemoval(
  { schemas }: PushParts,
  tx: Db,
  { push: { removalWindowMinutes: minutes } }: Source,
  { removal, members = 0 }: Asked,
): Promise<HoldReason | undefined> {
  const guard = await readGuard(tx);
  if (!guard.enabled) return undefined;
  if (guard.protect !== null && removal.class === 'remove') {
    const where = compileProtect(guard.protect, schemas).get(removal.type);
    if (where !== undefined && (await isNamed(tx, removal.id, where)))
      return { code: 'protected', message: 'A protected object would be deactivated or deleted.', count: 1 };
  }
  if (removal.count === 0) return undefined;
  const before = await countTaken(tx, removal, minutes);
  const taken = before.all + removal.count;
  if (taken <= guard.minObjects) return undefined;
  const owned = await countOwned(tx);
  const isRemoval = removal.class === 'remove';
  const ofType = removal.type === 'Group' ? owned.groups : owned.users;
  return judgeBurst(
    {
      class: removal.class,
      taken,
      takenSame: before.same + removal.count,
      total: (isRemoval ? owned.users + owned.groups : owned.memberships) + before.all,
      totalSame: (isRemoval ? ofType : members) + before.same,
      minutes,
    },
    guard,
  );
}

/** A run compares what was written with what is served, and holds what it would take away. */
async function queuePlan({ wake }: PushParts, tx: Db, { configVersion }: Source, actor: string): Promise<void> {
  await noteWish(tx);
  const runId = await insertRun(tx, {
    provider: 'scim',
    mode: 'full',
    preview: false,
    trigger: 'push',
    options: { allowLargeSync: false, resetAccountMapping: false },
    requestedBy: actor,
    configVersion,
  });
  // While another run goes on, its end queues this one. The worker looks again by itself if this comes too early.
  if (runId !== undefined) wake();
}

/** Takes a wish back that was held: the client wants the resource as it is after all. */
export async function takeBack(tx: Db, id: string): Promise<void> {
  await withdrawWish(tx, id, 'remove');
}

/** A group whose losses wait has changed again: another plan takes the place of the one that waits. */
export async function renewWaiting(
  parts: PushParts,
  tx: Db,
  source: Source,
  { id, actor }: { readonly id: string; readonly actor: string },
): Promise<void> {
  if ((await findDecision(tx, id, 'membership'))?.outcome === 'held') await queuePlan(parts, tx, source, actor);
}

function heldBack(reason: HoldReason | undefined, planId: string | undefined): RateError {
  const why = reason?.message ?? 'It waits for an administrator.';
  return new RateError(`Held by the change guard: ${why} Try again later; an administrator can approve it.`, {
    reason: 'guard-held',
    remedy: 'Approve or reject the held plan of the provider "scim".',
    retryAfterMs: RETRY_AFTER_MS,
    details: { planId: planId ?? null },
  });
}

function rejected(planId: string): ForbiddenError {
  return new ForbiddenError('An administrator has rejected this removal.', {
    reason: 'removal-rejected',
    remedy: 'Correct it in the identity provider; a run started by an administrator proposes it again.',
    details: { planId },
  });
}
