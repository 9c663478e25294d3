// One delivery: bring one resource at one target to the state that it has here. Idempotent by state: whatever an earlier
// try came to, this one looks first and does what is left.
import { differences } from '#core/differences.ts';
import { parsePath } from '#core/filter.ts';
import { inDoubt, managedPart, outgoingForm, standing } from '#core/outgoing.ts';
import type { ResourceType } from '#core/resource.ts';
import {
  type Deprovision,
  type Payload,
  type PushPolicy,
  type Remote,
  type Target,
  TargetError,
} from '#core/target.ts';
import { type Fields, readAt, writeAt } from '#core/target-mapping.ts';
import type { Claimed } from '#store/delivery-claims.ts';
import { bringMembers, type MembersOfGroup } from './members.ts';

/** What a delivery needs of the world. */
export interface Delivering {
  readonly target: Target;
  readonly policy: PushPolicy;
  /** What the app may see of a resource. */
  cut(type: ResourceType, document: Fields): Fields;
  /** Whether another resource of ours is linked to that one of theirs, or is about to be. */
  isTaken(row: Claimed, remoteId: string): Promise<boolean>;
  membersOf(row: Claimed): MembersOfGroup;
  /** Paths of attributes that a delivery may have changed there since the last one that was done. */
  touchedSince(row: Claimed): Promise<readonly string[]>;
  now(): Date;
  /** Waits for a target that shows what it made only a little later. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** One step as a person is shown it. */
export interface Step {
  readonly step: 'import' | 'scope' | 'match' | 'action';
  readonly ok: boolean;
  readonly detail: string;
}

/** What is known of the resource at the target while a delivery goes on; kept also when it fails half-way. */
export interface Progress {
  remoteId: string | null;
  etag: string | null;
  link: 'created' | 'adopted' | null;
  sent: Record<string, unknown> | null;
  goneSince: Date | null;
  action: 'none' | 'created' | 'adopted' | 'updated' | 'deactivated' | 'deleted' | 'kept' | 'skipped';
  /** When it has to be looked at again though nothing changes. */
  again: Date | undefined;
  beganAt: number;
  readonly steps: Step[];
}

const DAY_MS = 86_400_000;
/**
 * The members of a large group are brought by several deliveries, so that none is cut short in the middle of a request and
 * others get their turn: less than a delivery may take beyond one request.
 */
const PAUSE_MS = 4_000;
/** What was made may be found only after a while. */
const LOOK_AGAIN_MS = [0, 500, 2_000] as const;
/** After this it is not there. */
const SHOWN_WITHIN_MS = 60_000;

export function startProgress(row: Claimed): Progress {
  return {
    remoteId: row.remote_id,
    etag: row.remote_etag,
    link: row.link,
    sent: row.sent,
    goneSince: row.gone_since,
    action: 'none',
    again: undefined,
    beganAt: 0,
    steps: [],
  };
}

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
    return present(world, row, progress, signal);
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

function fateOf(row: Claimed, { deprovision, types }: PushPolicy): 'present' | Deprovision {
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

/** Makes the resource, or changes what differs. One that has vanished there is made again. */
async function present(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    await bringIntoBeing(world, row, progress, signal);
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind !== 'gone' || progress.remoteId === null) throw error;
    if (!(await isThereYet(world, row, progress.remoteId, signal))) await unlink(world, row, progress);
    await bringIntoBeing(world, row, progress, signal);
  }
}

/** What was made a moment ago may be shown only after a while. */
async function isThereYet(world: Delivering, row: Claimed, remoteId: string, signal: AbortSignal): Promise<boolean> {
  const age = world.now().getTime() - (row.settled_at?.getTime() ?? 0);
  if (age > SHOWN_WITHIN_MS) return false;
  for (const wait of LOOK_AGAIN_MS) {
    if (wait > 0) await world.sleep(wait, signal);
    if ((await world.target.read(row.resource_type, remoteId, signal)) !== undefined) return true;
  }
  return false;
}

async function bringIntoBeing(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  if (progress.remoteId === null) await linkUp(world, row, progress, signal);
  if (progress.remoteId === null) return;
  if (progress.action !== 'created') await updateThere(world, row, progress, signal);
  if (row.resource_type === 'Group') {
    const mayGoOn = (): boolean => world.now().getTime() - progress.beganAt < PAUSE_MS;
    const way = { signal, mayGoOn };
    const { changed, paused } = await bringMembers(world.target, progress.remoteId, world.membersOf(row), way);
    if (changed && progress.action === 'none') progress.action = 'updated';
    if (!paused) return;
    progress.again = world.now();
    progress.steps.push({ step: 'action', ok: true, detail: 'Members are left for the next delivery, which follows.' });
  }
}

function formOf(world: Delivering, row: Claimed, occasion: 'create' | 'update'): Payload {
  const { payload, missing } = outgoingForm(
    {
      id: row.resource_id,
      type: row.resource_type,
      document: world.cut(row.resource_type, JSON.parse(row.body ?? '{}')),
    },
    world.policy,
    row.manager_remote_id ?? undefined,
    occasion,
  );
  if (missing.length > 0)
    throw new TargetError(`It has no value for ${missing.join(', ')}, which the mapping requires.`, {
      kind: 'refused',
      reason: 'required-attribute-missing',
      remedy: 'Fill in the value at the source, or change the mapping.',
    });
  if (occasion === 'update') keepCreateOnly(world, row, payload);
  return world.target.shaped(row.resource_type, payload);
}

/** What is sent at creation only stays as it was sent then. */
function keepCreateOnly({ policy }: Delivering, { resource_type, sent }: Claimed, payload: Fields): void {
  for (const { to, when } of policy.mapping[resource_type]) {
    if (when !== 'create') continue;
    const path = parsePath(to);
    writeAt(payload, path, readAt(sent ?? {}, path));
  }
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
    if (error.unknown) return made(progress, payload, there);
    await adopt(world, row, progress, payload, there, signal);
  }
}

/** Sends a payload, and when it is refused once more without what the target does not declare. */
async function orDeclared<Answer>(
  { target }: Delivering,
  { resource_type: type }: Claimed,
  payload: Payload,
  send: (payload: Payload) => Promise<Answer>,
): Promise<{ readonly answer: Answer; readonly sent: Payload }> {
  try {
    return { answer: await send(payload), sent: payload };
  } catch (error) {
    const isRefused = error instanceof TargetError && error.kind === 'refused';
    const part = isRefused ? target.declaredPart(type, payload) : undefined;
    if (part === undefined) throw error;
    const answer = await send(part);
    target.learnDeclared(type);
    return { answer, sent: part };
  }
}

/** The one resource that carries one of the matching values; undefined when none does. */
async function match(
  world: Delivering,
  row: Claimed,
  payload: Payload,
  signal: AbortSignal,
  thorough?: 'spelled' | 'everywhere',
): Promise<Remote | undefined> {
  const found = await world.target.find(row.resource_type, payload, signal, thorough);
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  if (others.length > 0)
    throw new TargetError(`${found.length} resources of the target match this one.`, {
      kind: 'conflict',
      reason: 'ambiguous-match',
      remedy: 'Remove all but one of them there, or choose another attribute to match by.',
    });
  if (await world.isTaken(row, first.id))
    throw new TargetError(`The target's resource "${first.id}" belongs to another resource of ours.`, {
      kind: 'conflict',
      reason: 'already-linked',
      remedy: 'Give the two different values in the matching attribute, or leave one out of the scope.',
    });
  return first;
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
): Promise<Remote> {
  for (const wait of LOOK_AGAIN_MS) {
    if (wait > 0) await world.sleep(wait, signal);
    const found = await match(world, row, payload, signal, 'spelled');
    if (found !== undefined) return found;
  }
  // The target says that it has one: its filters may compare by case, and its names not.
  const hidden = error.unknown ? undefined : await match(world, row, payload, signal, 'everywhere');
  if (hidden !== undefined) return hidden;
  throw error;
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

async function adopt(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  payload: Payload,
  remote: Remote,
  signal: AbortSignal,
): Promise<void> {
  const sent = managedPart(payload, remote.document ?? {});
  Object.assign(progress, { remoteId: remote.id, etag: remote.etag ?? null, link: 'adopted', sent, action: 'adopted' });
  if (row.resource_type === 'Group') await readMembers(world, row, remote.id, signal);
}

async function readMembers(world: Delivering, row: Claimed, remoteId: string, signal: AbortSignal): Promise<void> {
  await takeMembers(world, row, await world.target.read('Group', remoteId, signal));
}

/** Puts the members that the target shows in place of those that are known; where it shows none, these stay. */
async function takeMembers(world: Delivering, row: Claimed, whole: Remote | undefined): Promise<void> {
  const members = whole?.document?.['members'];
  if (Array.isArray(members)) await world.membersOf(row).replaceKnown(members.map(({ value }) => String(value)));
}

/**
 * After a try of which not everything is known: what stands there now. What a failed write was about is remembered as in
 * doubt, but for members; of a process that was killed nothing is.
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
  if (remoteId === null || fate === 'keep' || fate === 'delete' || !(row.cut || (row.unsure && isGroup))) return;
  const whole = await world.target.read(row.resource_type, remoteId, signal);
  if (row.cut && whole?.document !== undefined) {
    const after = fate === 'present' ? formOf(world, row, 'update') : { active: true };
    const touched = await world.touchedSince(row);
    progress.sent = standing(whole.document, [progress.sent ?? {}, after], touched);
  }
  if (isGroup) await takeMembers(world, row, whole);
}

/** Errors by which nobody of ours can be there. */
const NOT_MADE: ReadonlySet<string> = new Set(['required-attribute-missing', 'already-linked']);

/** The last try may have made whoever goes now, and was not heard of: found there, they leave like everybody else. */
async function takeWhatWasMade(
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

async function updateThere(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  const after = formOf(world, row, 'update');
  await change(world, row, progress, after, signal);
}

/** Sends the difference to what was sent last; nothing when there is none. */
async function change(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  after: Payload,
  signal: AbortSignal,
): Promise<void> {
  const before = progress.sent ?? {};
  const differing = differences(before, after);
  if (differing.length === 0 || progress.remoteId === null) {
    if (progress.action === 'none') progress.steps.push({ step: 'action', ok: true, detail: 'Nothing differs.' });
    return;
  }
  const { remoteId } = progress;
  const request = { before, etag: progress.etag ?? undefined };
  const { answer, sent } = await orDeclared(world, row, after, (part) =>
    world.target.update(row.resource_type, remoteId, { ...request, after: part }, signal),
  ).catch((error: unknown) => {
    const isKnown = error instanceof TargetError && !error.unknown;
    if (!isKnown) progress.sent = inDoubt(before, differing);
    throw error;
  });
  const isOff = before['active'] !== false && after['active'] === false;
  if (answer.id !== remoteId) await world.membersOf(row).rename(remoteId, answer.id);
  Object.assign(progress, { remoteId: answer.id, sent, etag: answer.etag ?? null });
  if (progress.action !== 'adopted') progress.action = isOff ? 'deactivated' : 'updated';
  progress.steps.push({ step: 'action', ok: true, detail: `Changed ${differing.map(({ path }) => path).join(', ')}.` });
}

/** Deactivates or deletes there what is gone here, or leaves it. Gone there already is as good. */
async function leave(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  fate: Deprovision,
  signal: AbortSignal,
): Promise<void> {
  const since = progress.goneSince ?? world.now();
  progress.goneSince = since;
  if (fate === 'keep') {
    progress.action = 'kept';
    progress.steps.push({ step: 'action', ok: true, detail: 'It stays at the target, as the policy says.' });
    return;
  }
  const { deleteAfterDays } = world.policy.deprovision;
  const deleteAt = deleteAfterDays === null ? undefined : new Date(since.getTime() + deleteAfterDays * DAY_MS);
  if (fate === 'delete' || (deleteAt !== undefined && deleteAt <= world.now()))
    return removeThere(world, row, progress, signal);
  try {
    const before = progress.sent ?? { active: true };
    await change(world, row, progress, { ...before, active: false }, signal);
  } catch (error) {
    if (!(error instanceof TargetError) || error.kind !== 'gone') throw error;
    await unlink(world, row, progress);
    progress.action = 'deleted';
    return;
  }
  progress.again = deleteAt;
}

async function removeThere(world: Delivering, row: Claimed, progress: Progress, signal: AbortSignal): Promise<void> {
  if (progress.remoteId === null) return;
  await world.target.remove(row.resource_type, progress.remoteId, signal);
  await unlink(world, row, progress);
  progress.action = 'deleted';
  progress.steps.push({ step: 'action', ok: true, detail: 'Deleted at the target.' });
}

async function unlink(world: Delivering, row: Claimed, progress: Progress): Promise<void> {
  await world.membersOf(row).forget(progress.remoteId ?? '');
  Object.assign(progress, { remoteId: null, etag: null, link: null, sent: null, goneSince: null, action: 'none' });
}
