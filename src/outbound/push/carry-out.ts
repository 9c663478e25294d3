import { CUT_SHORT } from '#core/failure.ts';
import { RANKS } from '#core/order.ts';
import { type Exchange, type PushPolicy, type Target, TargetError, type TargetFailure } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { inSpan } from '#platform/trace.ts';
import type { SettledDelivery } from '#store/target/deliveries.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import type { Deadlines } from './deadlines.ts';
import { deliver, fateOf } from './deliver.ts';
import { type Delivering, isOffThere, sentOf, startProgress } from './delivering.ts';
import type { Health } from './health.ts';
import { settledOf } from './outcome.ts';

export interface CarryingOut {
  readonly clock: Clock;
  readonly log: Log;
  readonly health: Health;
  readonly world: Delivering;
  /** Nothing is kept up for longer. */
  readonly deadlines: Deadlines;
  /** The exchanges that belong to a signal are written into the list. */
  listen(signal: AbortSignal, to: Exchange[]): void;
}

/** What was claimed and not begun by then is given back. */
const BEGIN_WITHIN_MS = 5_000;
/** What a delivery may take beyond one request; a long one, such as of a large group, goes on where it was. */
const BEYOND_MS = 5_000;

/** How long a claim holds: whoever has not settled it by then is dead. */
export function claimMs(timeoutMs: number): number {
  return BEGIN_WITHIN_MS + timeoutMs + 2 * BEYOND_MS;
}

/** One delivery as far as it goes, and what became of it. Never throws. */
export async function carryOut(parts: CarryingOut, claimed: Claimed, claimedAt: Date): Promise<SettledDelivery> {
  const { clock, log, health, world, deadlines } = parts;
  if (clock.now().getTime() - claimedAt.getTime() > BEGIN_WITHIN_MS) return giveBack(claimed, clock);
  if (isUnguarded(world.policy, claimed)) return asLeaver(claimed, clock);
  const progress = startProgress(claimed);
  const exchanges: Exchange[] = [];
  const own = deadlines.begin(world.policy.timeoutMs + BEYOND_MS);
  parts.listen(own, exchanges);
  const ending = (isDone: boolean): SettledDelivery =>
    settledOf(claimed, progress, { now: clock.now(), exchanges, isDone });
  try {
    const facts = { 'sluice.resource': claimed.resource_id, 'sluice.type': claimed.resource_type };
    await inSpan('delivery', facts, () => deliver(world, claimed, progress, own));
    await health.noteGood();
    return ending(true);
  } catch (thrown) {
    // A long one goes on where it was; a request may have been on its way.
    if (own.aborted) return { ...ending(false), error: { ...CUT_SHORT, status: null } };
    const error = await lookedAt(thrown, world.target, health, own);
    const { maxAttempts } = world.policy;
    const {
      state,
      readyAt,
      attempts,
      error: told,
      awaits,
    } = await health.noteBad(error, { attempts: claimed.attempts, maxAttempts });
    if (error instanceof TargetError) log.debug({ delivery: claimed.id, code: error.reason, state }, 'delivery failed');
    else log.error({ err: error, delivery: claimed.id }, 'delivery failed');
    return { ...ending(false), state, ready_at: readyAt, attempts, error: told, awaits };
  } finally {
    deadlines.end(own);
  }
}

/**
 * Whether it is to take somebody away there over whom the guard has not watched: they were asked for before they were to
 * leave, or by whoever does not know the policy, or were kept there by it until now.
 */
function isUnguarded(policy: PushPolicy, claimed: Claimed): boolean {
  const { rank, remote_id: remoteId, gone_since: goneSince } = claimed;
  if (policy.guard === null || rank === RANKS.leaver || remoteId === null) return false;
  if (goneSince !== null && (isOffThere(sentOf(claimed)) || fateOf(claimed, policy) === 'keep')) return false;
  if (claimed.deleted || !claimed.in_scope) return true;
  if (claimed.active !== false) return false;
  return policy.deprovision.sourceDisabled !== 'deactivate' || !isOffThere(sentOf(claimed));
}

/** Given back, to be claimed once the guard has looked. */
function asLeaver(claimed: Claimed, clock: Clock): SettledDelivery {
  const progress = { ...startProgress(claimed), leaves: true };
  return settledOf(claimed, progress, { now: clock.now(), exchanges: [], isDone: false });
}

/** Claimed, and not begun. */
export function giveBack(claimed: Claimed, clock: Clock): SettledDelivery {
  const ending = { now: clock.now(), exchanges: [], isDone: false };
  return settledOf(claimed, startProgress(claimed), ending);
}

/** A refusal of one object may look like that of a credential: one cheap read tells them apart. */
async function lookedAt(error: unknown, target: Target, health: Health, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof TargetError)) return error;
  const isDoubtful = (error.kind === 'credentials' && error.status === 403) || error.kind === 'contract';
  if (!isDoubtful) return error;
  const { message, reason, status, exchange } = error;
  const as = (kind: TargetFailure) => new TargetError(message, { kind, reason, status, exchange, cause: error });
  // One that rests cannot be asked: it is for the next try to tell.
  if (health.isResting()) return as('server');
  try {
    await target.probe(signal);
  } catch {
    return error;
  }
  return as(error.kind === 'contract' ? 'server' : 'refused');
}
