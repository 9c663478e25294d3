// What whoever is to be at a target and whoever leaves it have in common: their form there, who is meant, and the difference.
import { differences } from '#core/differences.ts';
import { parsePath } from '#core/filter.ts';
import { inDoubt, outgoingForm, standing, stillManaged } from '#core/outgoing.ts';
import { type Payload, type Remote, shownMembers, TargetError } from '#core/target.ts';
import { type Fields, readAt, writeAt } from '#core/target-mapping.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import type { Holder } from '#store/target/gone-links.ts';
import { type Delivering, type Progress, sentOf } from './delivering.ts';

export function formOf(world: Delivering, row: Claimed, occasion: 'create' | 'update'): Payload {
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

/** As it is to stand there. Whoever is inactive leaves without what the mapping requires of others: a mailbox is often gone first. */
export function updatedForm(world: Delivering, row: Claimed, sent: Fields | null): Payload {
  try {
    return formOf(world, row, 'update');
  } catch (error) {
    const isMissing = error instanceof TargetError && error.reason === 'required-attribute-missing';
    if (!isMissing || row.resource_type !== 'User' || row.active !== false) throw error;
    return { ...sent, active: false };
  }
}

/** What is sent at creation only stays as it was sent then. */
function keepCreateOnly({ policy }: Delivering, row: Claimed, payload: Fields): void {
  const rules = policy.mapping[row.resource_type].filter(({ when }) => when === 'create');
  const sent = rules.length === 0 ? {} : (sentOf(row) ?? {});
  for (const path of rules.map(({ to }) => parsePath(to))) writeAt(payload, path, readAt(sent, path));
}

/** Sends a payload, and when it is refused once more without what the target does not declare. */
export async function orDeclared<Answer>(
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

/** A resource of the target that is to be adopted. */
export interface Found extends Remote {
  /** What it was sent last for somebody else of ours, who is gone. */
  readonly formerly?: Fields;
  /** Our id of them. */
  readonly predecessor?: string;
}

/** The one resource that carries one of the matching values; undefined when none does. */
export async function match(
  world: Delivering,
  row: Claimed,
  payload: Payload,
  signal: AbortSignal,
  thorough?: 'spelled' | 'everywhere',
): Promise<Found | undefined> {
  const found = await world.target.find(row.resource_type, payload, signal, thorough);
  const [first, ...others] = found;
  if (first === undefined) return undefined;
  if (others.length > 0)
    throw new TargetError(`${found.length} resources of the target match this one.`, {
      kind: 'conflict',
      reason: 'ambiguous-match',
      remedy: 'Remove all but one of them there, or choose another attribute to match by.',
    });
  if (!(await world.isTaken(row, first.id))) return first;
  const taken = await takeFromGone(world, row, first.id, signal);
  return taken ?? match(world, row, payload, signal, thorough);
}

/** Whoever is leaving at this moment is looked at again after these. */
const LEAVES_WITHIN_MS = [0, 200, 1_000] as const;
/** Whoever the guard holds is waited for until a person decides, which is told of; this is for what is missed. */
const HELD_MS = 6 * 3_600_000;

/**
 * Somebody of ours has it. Who is gone here, and has left there, gives it up to whoever comes under the same name: they
 * were deleted and made anew, or came back. It is read first: what was seen of it may be of before they left, and what they
 * were sent last is forgotten with their link. Undefined when nobody has it any more, which may be because it is gone.
 * @throws {TargetError} `already-linked`
 */
async function takeFromGone(
  world: Delivering,
  row: Claimed,
  remoteId: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  let state: Holder = 'stays';
  let holder: string | undefined;
  for (const wait of row.deleted || !row.in_scope ? [] : LEAVES_WITHIN_MS) {
    const wasLeaving = state === 'leaving';
    if (wait > 0) await world.sleep(wait, signal);
    ({ state, id: holder } = await world.holderOf(row, remoteId));
    if (state === 'gone') {
      const there = await world.target.read(row.resource_type, remoteId, signal);
      const taken = await world.takeOver(row, remoteId);
      if (taken !== undefined) return there && { ...there, formerly: taken.sent, predecessor: taken.id };
    }
    if (state === 'stays' && wasLeaving) return undefined;
    if (state === 'stays' || state === 'held') break;
  }
  // Who is about to leave is waited for by the next try as well.
  throw new TargetError(`The target's resource "${remoteId}" belongs to another resource of ours.`, {
    kind: state === 'stays' ? 'conflict' : 'stale',
    reason: 'already-linked',
    holder,
    retryAfterMs: state === 'held' ? HELD_MS : undefined,
    remedy: 'Give the two different values in the matching attribute, or leave one out of the scope.',
  });
}

export async function adopt(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  payload: Payload,
  remote: Found,
  signal: AbortSignal,
): Promise<void> {
  const formerly = remote.formerly ?? progress.sent ?? {};
  const sent = standing(remote.document ?? {}, [formerly, payload], []);
  Object.assign(progress, { remoteId: remote.id, etag: remote.etag ?? null, link: 'adopted', sent, action: 'adopted' });
  progress.predecessor = remote.predecessor ?? null;
  if (row.resource_type === 'Group') await readMembers(world, row, remote.id, signal);
}

async function readMembers(world: Delivering, row: Claimed, remoteId: string, signal: AbortSignal): Promise<void> {
  await takeMembers(world, row, await world.target.read('Group', remoteId, signal));
}

/** Puts the members that the target shows in place of those that are known; where it shows none, these stay. */
export async function takeMembers(world: Delivering, row: Claimed, whole: Remote | undefined): Promise<void> {
  const members = shownMembers(whole?.document);
  if (members !== undefined) await world.membersOf(row).replaceKnown(members);
}

/** Sends the difference to what was sent last; nothing when there is none. */
export async function change(
  world: Delivering,
  row: Claimed,
  progress: Progress,
  after: Payload,
  signal: AbortSignal,
): Promise<void> {
  const before = stillManaged(progress.sent ?? {}, after, world.policy);
  const differing = differences(before, after);
  if (differing.length === 0 || progress.remoteId === null) {
    if (progress.action === 'none') progress.steps.push({ step: 'action', ok: true, detail: 'Nothing differs.' });
    return;
  }
  const { remoteId } = progress;
  const members = (): Promise<readonly string[]> => world.membersOf(row).known();
  const request = { before, etag: progress.etag ?? undefined, members };
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

export async function unlink(world: Delivering, row: Claimed, progress: Progress): Promise<void> {
  await world.membersOf(row).forget(progress.remoteId ?? '');
  Object.assign(progress, {
    remoteId: null,
    etag: null,
    link: null,
    sent: null,
    goneSince: null,
    drift: null,
    action: 'none',
  });
}
