// Whoever is gone here leaves the target as its policy says.
import { type Deprovision, type Payload, type Remote, TargetError } from '#core/target.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import { adopt, change, formOf, match, unlink } from './change.ts';
import type { Delivering, Progress } from './delivering.ts';
import { isThereYet } from './shown.ts';

const DAY_MS = 86_400_000;

/** Errors by which nobody of ours can be there. */
const NOT_MADE: ReadonlySet<string> = new Set(['required-attribute-missing', 'already-linked']);

/** The last try may have made whoever goes now, and was not heard of: found there, they leave like everybody else. */
export async function takeWhatWasMade(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  try {
    const payload = formOf(world, row, 'create');
    const found = await match(world, row, payload, signal, 'spelled');
    if (found === undefined || !isOfOurMaking(row, payload, found)) return;
    await adopt(world, row, progress, payload, found, signal);
    progress.action = 'none';
    progress.steps.push({ step: 'match', ok: true, detail: `An earlier try has made it as "${found.id}".` });
  } catch (error) {
    if (!(error instanceof TargetError) || !NOT_MADE.has(error.reason)) throw error;
  }
}

/** Whoever was there before us and was never linked is left alone. Where no id tells, a try that was cut short does. */
function isOfOurMaking({ cut }: Claimed, payload: Payload, { document }: Remote): boolean {
  const [ours, theirs] = [payload['externalId'], document?.['externalId']];
  return ours === undefined || theirs === undefined || theirs === null ? cut : theirs === ours;
}

/** Deactivates or deletes there what is gone here, or leaves it. Gone there already is as good. */
export async function leave(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  fate: Deprovision,
  signal: AbortSignal,
): Promise<void> {
  const since = progress.goneSince ?? world.now();
  if (fate === 'keep') {
    progress.goneSince = since;
    progress.action = 'kept';
    progress.steps.push({ step: 'action', ok: true, detail: 'It stays at the target, as the policy says.' });
    return;
  }
  const { deleteAfterDays } = world.policy.deprovision;
  const deleteAt = deleteAfterDays === null ? undefined : new Date(since.getTime() + deleteAfterDays * DAY_MS);
  const isDue = fate === 'delete' || (deleteAt !== undefined && deleteAt <= world.now());
  await (isDue ? removeThere : deactivate)(world, row, progress, signal);
  // Of whom is gone there already nothing is left to delete.
  if (progress.remoteId === null) return;
  progress.goneSince = since;
  if (!isDue) progress.again = deleteAt;
}

async function deactivate(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const before = progress.sent ?? { active: true };
  const turnOff = () => change(world, row, progress, { ...before, active: false }, signal);
  try {
    await turnOff();
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind !== 'gone') throw error;
    if (await isThereYet(world, row, progress, signal)) return turnOff();
    await unlink(world, row, progress);
    progress.action = 'deleted';
  }
}

async function removeThere(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const { remoteId } = progress;
  if (remoteId === null) return;
  const remove = () => world.target.remove(row.resource_type, remoteId, signal);
  try {
    // Whoever was made a moment ago may not be shown yet, and would stay.
    if (!(await remove()) && (await isThereYet(world, row, progress, signal))) await remove();
  } catch (error) {
    if (!isNotDeleted(error)) throw error;
    // Whoever is gone here may not go on working there.
    const isInactive = error.status === 403 && progress.sent?.['active'] === false;
    if (row.resource_type === 'User' && !isInactive) {
      progress.steps.push({ step: 'action', ok: false, detail: 'The target does not delete it: it is deactivated.' });
      return deactivate(world, row, progress, signal);
    }
    // Nothing is left to do instead. That it is about this one, and not about the credential, shows when it can be read.
    const there = await world.target.read(row.resource_type, remoteId, signal);
    if (there !== undefined) throw deletionRefused(error);
  }
  await unlink(world, row, progress);
  progress.action = 'deleted';
  progress.steps.push({ step: 'action', ok: true, detail: 'Deleted at the target.' });
}

/** Some have no deletion (405, 501), or do not let us (403), and take everything else. A rate limit says nothing of that. */
function isNotDeleted(error: unknown): error is TargetError {
  if (!(error instanceof TargetError) || error.kind === 'throttled') return false;
  return error.kind === 'unsupported' || error.status === 403;
}

/** A dead letter of its own, which says nothing of how the target does: it takes everything else. */
function deletionRefused(cause: TargetError): TargetError {
  const { message, status, exchange } = cause;
  return new TargetError(`The target does not delete it: ${message}`, {
    kind: 'refused',
    reason: 'deletion-refused',
    status,
    exchange,
    remedy:
      'Delete it there by hand, or let us delete there, and replay it; or let what is gone stay there (deprovision).',
    cause,
  });
}
