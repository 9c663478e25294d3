// One delivery: bring one resource at one target to the state that it has here. Idempotent by state: whatever an earlier
// try came to, this one looks first and does what is left.
import { differences } from '#core/differences.ts';
import { differingOf, driftAfter, memberDrift, rememberedDrift } from '#core/drift.ts';
import { managedPart, standing } from '#core/outgoing.ts';
import {
  type Deprovision,
  type Payload,
  type PushPolicy,
  type Remote,
  shownMembers,
  TargetError,
} from '#core/target.ts';
import type { Fields } from '#core/target-mapping.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import { adopt, change, type Found, formOf, match, orDeclared, takeMembers, unlink, updatedForm } from './change.ts';
import { type Delivering, isOffThere, type Progress, type Step } from './delivering.ts';
import { leave, takeWhatWasMade } from './leave.ts';
import { bringMembers } from './members.ts';
import { isThereYet, LOOK_AGAIN_MS, makeMemberWait } from './shown.ts';

/**
 * The members of a large group are brought by several deliveries, so that none is cut short in the middle of a request and
 * others get their turn: less than a delivery may take beyond one request.
 */
const PAUSE_MS = 4_000;

/** @throws {TargetError} what is left to do is left as it is; `progress` tells what was done */
export async function deliver(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const { policy } = world;
  progress.beganAt = world.now().getTime();
  const note = (step: Step['step'], detail: string, ok = true): void => void progress.steps.push({ step, ok, detail });
  const state = row.deleted ? 'deleted here' : row.active === false ? 'inactive here' : 'active here';
  note('import', row.version === null ? 'It is not in the directory any more.' : `Version ${row.version}, ${state}.`);
  note('scope', row.in_scope ? 'In the scope of the app.' : row.deleted ? 'Gone.' : 'Out of the scope of the app.');
  const fate = fateOf(row, policy);
  await lookWhatBecame(world, row, progress, fate, signal);
  if (fate === 'present') {
    progress.goneSince = null;
    await present(world, row, progress, signal);
    return lookWhatIsKept(world, row, progress, signal);
  }
  const isOff = row.resource_type === 'User' && row.active === false && !row.deleted && row.in_scope;
  if (progress.remoteId === null && isOff && fate === 'deactivate') return present(world, row, progress, signal);
  if (progress.remoteId === null && row.unsure) await takeWhatWasMade(world, row, progress, signal);
  if (progress.remoteId === null) {
    progress.action = 'skipped';
    return note('action', 'It is not at the target, and is not made there.');
  }
  await leave(world, row, progress, fate, signal);
}

/** What its policy makes of it there. */
export function fateOf(row: Claimed, { deprovision, types }: PushPolicy): 'present' | Deprovision {
  const isGone = row.deleted || !row.in_scope || !types.includes(row.resource_type);
  if (row.resource_type === 'Group') return isGone ? deprovision.groups : 'present';
  if (row.deleted) return deprovision.sourceDeleted;
  if (isGone) return deprovision.outOfScope;
  if (row.active !== false) return 'present';
  // An inactive person who stays in scope is an update like any other, unless the policy says otherwise.
  return deprovision.sourceDisabled === 'deactivate'
    ? row.remote_id === null
      ? 'deactivate'
      : 'present'
    : deprovision.sourceDisabled;
}

/**
 * After a try of which not everything is known, or when somebody asks for it again: what stands there now. What a failed write
 * was about is remembered as in doubt, but for members; of a process that was killed nothing is.
 */
async function lookWhatBecame(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  fate: 'present' | Deprovision,
  signal: AbortSignal,
): Promise<void> {
  const { remoteId } = progress;
  const isGroup = row.resource_type === 'Group' && fate === 'present';
  const isUnknown = row.cut || row.doubted;
  if (remoteId === null || fate === 'keep' || fate === 'delete' || !(isUnknown || (row.unsure && isGroup))) return;
  const whole = await world.target.read(row.resource_type, remoteId, signal);
  if (whole === undefined && row.doubted) return unlink(world, row, progress);
  if (isUnknown && whole?.document !== undefined) {
    const after = fate === 'present' ? updatedForm(world, row, progress.sent) : { active: true };
    const touched = await world.touchedSince(row);
    progress.sent = standing(whole.document, [progress.sent ?? {}, after], touched);
  }
  if (isGroup) await takeMembers(world, row, whole);
}

/** What a comparison had mended is read back: a target that drops or rewrites something does so each time. */
async function lookWhatIsKept(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const { drift, remoteId, again } = progress;
  if (drift === null || drift.asked.length === 0 || remoteId === null || again !== undefined) return;
  try {
    const whole = await world.target.read(row.resource_type, remoteId, signal);
    const { members: _members, ...document } = whole?.document ?? {};
    const members = shownMembers(whole?.document);
    const sent = progress.sent ?? {};
    const still = differences(managedPart(sent, document), sent).map(differingOf);
    const there = members === undefined ? undefined : new Set(members);
    const wanted = there === undefined ? [] : await world.membersOf(row).wanted();
    const left = driftAfter(
      drift,
      [...still, ...(there === undefined ? [] : memberDrift(there, new Set(wanted)))],
      world.now(),
    );
    progress.drift = left;
    if (left === null || left.unkept.length === drift.unkept.length) return;
    progress.steps.push({
      step: 'action',
      ok: true,
      detail: 'The target does not keep all of it; it is not written again.',
    });
  } catch (error) {
    // It was done all the same; the next comparison looks again.
    if (!(error instanceof TargetError)) throw error;
    progress.drift = rememberedDrift([], drift.unkept, drift.at);
  }
}

/** Makes the resource, or changes what differs. One that has vanished there is made again. */
async function present(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await bringIntoBeing(world, row, progress, signal);
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind !== 'gone' || progress.remoteId === null) throw error;
    if (!(await isThereYet(world, row, progress, signal))) {
      // Who was made by this very delivery is not made twice by it.
      if (progress.action === 'created') throw error;
      await unlink(world, row, progress);
    }
    await bringIntoBeing(world, row, progress, signal);
  }
}

async function bringIntoBeing(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  if (progress.remoteId === null) await linkUp(world, row, progress, signal);
  if (progress.remoteId === null) return;
  if (progress.action === 'adopted' && row.active === false && isActive(progress.sent)) {
    progress.again = world.now();
    progress.leaves = true;
    progress.steps.push({ step: 'action', ok: true, detail: 'It is active there: the next delivery deactivates it.' });
    return;
  }
  if (row.resource_type === 'Group') return bringGroup(world, row, progress, signal);
  if (progress.action !== 'created') await updateThere(world, row, progress, signal);
}

/** A name that is refused keeps nobody in the group who is to go, and nobody out of it. */
async function bringGroup(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  let refused: unknown;
  if (progress.action !== 'created')
    await updateThere(world, row, progress, signal).catch((error: unknown) => {
      if (!isRefusal(error)) throw error;
      refused = error;
    });
  if (progress.remoteId !== null) {
    const mayGoOn = (): boolean => world.mayGoOn() && world.now().getTime() - progress.beganAt < PAUSE_MS;
    const way = { signal, mayGoOn, mayTakeNow: makeMemberWait(world, row, signal) };
    const { changed, paused } = await bringMembers(world.target, progress.remoteId, world.membersOf(row), way);
    // The tag that was seen last is of before.
    if (changed) progress.etag = null;
    if (changed && progress.action === 'none') progress.action = 'updated';
    if (paused) {
      progress.again = world.now();
      progress.steps.push({
        step: 'action',
        ok: true,
        detail: 'Members are left for the next delivery, which follows.',
      });
      return;
    }
  }
  if (refused !== undefined) throw refused;
}

function isRefusal(error: unknown): error is TargetError {
  return error instanceof TargetError && (error.kind === 'refused' || error.kind === 'conflict');
}

/** Some say it as text. */
function isActive(there: Fields | null): boolean {
  return String(there?.['active']).toLowerCase() === 'true';
}

/** Finds the resource there, or makes it. Inactive people are adopted when they are there, and never made. */
async function linkUp(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const payload = formOf(world, row, 'create');
  const found = await match(world, row, payload, signal);
  if (found !== undefined) {
    progress.steps.push({ step: 'match', ok: true, detail: `The target has it already as "${found.id}".` });
    return adopt(world, row, progress, payload, found, signal);
  }
  progress.steps.push({ step: 'match', ok: true, detail: 'The target does not have it yet.' });
  if (row.resource_type === 'User' && row.active === false) {
    progress.action = 'skipped';
    return;
  }
  try {
    const { answer, sent } = await orDeclared(world, row, payload, (part) =>
      world.target.create(row.resource_type, part, signal),
    );
    made(progress, sent, answer);
  } catch (error) {
    if (!(error instanceof TargetError) || !(error.unknown || error.kind === 'conflict')) throw error;
    const there = await lookAgain(world, row, payload, error, signal);
    if (error.unknown && isOfThisTry(payload, there)) return made(progress, payload, there);
    await adopt(world, row, progress, payload, there, signal);
  }
}

/**
 * After a create whose outcome is not known, or that was refused because the value is taken: what is there?
 * @throws the error itself when nothing is
 */
async function lookAgain(
  world: Delivering,
  row: Claimed,
  payload: Payload,
  error: TargetError,
  signal: AbortSignal,
): Promise<Found> {
  const look = (thorough: 'spelled' | 'everywhere'): Promise<Found | undefined> =>
    match(world, row, payload, signal, thorough).catch((later: unknown) => {
      // It asked to be left alone, with its answer or since: the next try looks first.
      throw later instanceof TargetError && later.reason === 'target-resting' ? notLookedYet(error, later) : later;
    });
  for (const wait of LOOK_AGAIN_MS) {
    if (wait > 0) await world.sleep(wait, signal);
    const found = await look('spelled');
    if (found !== undefined) return found;
  }
  // The target says that it has one: its filters may compare by case, and its names not.
  const hidden = error.unknown ? undefined : await look('everywhere');
  if (hidden !== undefined) return hidden;
  throw error;
}

/** What the answer came to is known only by a look: until then it is tried again, and counted, as after any failure. */
function notLookedYet(error: TargetError, { retryAfterMs }: TargetError): TargetError {
  if (error.kind !== 'conflict' && error.kind !== 'contract') return error;
  const { message, reason, remedy, status, unknown, exchange } = error;
  const facts = { kind: 'server', reason, status, unknown, exchange, retryAfterMs, cause: error } as const;
  return new TargetError(message, { ...facts, ...(remedy === undefined ? {} : { remedy }) });
}

/** Whether what is found after a create that may have failed was made by it, and not there before under another spelling. */
function isOfThisTry(payload: Payload, { document = {}, formerly = {} }: Found): boolean {
  const [ours, theirs] = [payload['externalId'], document['externalId'] ?? undefined];
  if (ours !== undefined && theirs !== undefined) return theirs === ours;
  // No id tells: what stands there does.
  return differences(standing(document, [formerly, payload], []), payload).every(({ path }) => path === 'externalId');
}

function made(progress: Progress, payload: Payload, remote: Remote): void {
  Object.assign(progress, {
    remoteId: remote.id,
    etag: remote.etag ?? null,
    link: 'created',
    sent: payload,
    action: 'created',
  });
  progress.steps.push({ step: 'action', ok: true, detail: `Created as "${remote.id}".` });
}

async function updateThere(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const before = progress.sent;
  const after = updatedForm(world, row, before);
  try {
    await change(world, row, progress, after, signal);
  } catch (error) {
    if (!isRefusal(error) || row.active !== false || after['active'] !== false || isOffThere(before)) throw error;
    // What else of them is refused keeps nobody in.
    await change(world, row, progress, { ...before, active: false }, signal);
    throw error;
  }
}
