// The members of one group at one target, in batches, so that a push cut short goes on where it was.

import type { ResourceType } from '#core/resource.ts';
import { type Target, TargetError } from '#core/target.ts';
import type { MemberPage } from '#store/target/target-members.ts';

export interface MadeMember {
  readonly remoteId: string;
  readonly type: ResourceType;
}

export interface MembersOfGroup {
  /** Who should not be there, one batch of them after a place, without those named. */
  surplus(after: string | undefined, except: readonly string[]): Promise<MemberPage<string>>;
  /** Who should be there, and is not. */
  lacking(
    after: string | undefined,
    except: readonly string[],
  ): Promise<MemberPage<{ readonly remoteId: string; readonly type: ResourceType }>>;
  /** Whom the target refused, and why; kept until the group is done. */
  readonly refused: Map<string, TargetError>;
  note(done: { readonly add: readonly string[]; readonly remove: readonly string[] }): Promise<void>;
  /** The whole list as it should be, and as it is there as far as is known. */
  wanted(): Promise<readonly string[]>;
  known(): Promise<readonly string[]>;
  /** The answer to a change of these was lost: they may be there, or not. */
  doubt(remoteIds: readonly string[]): Promise<void>;
  hasDoubts(): Promise<boolean>;
  /** Those of these whom we have made there since, the newest first; a few of them at most. */
  madeSince(since: Date, remoteIds: readonly string[]): Promise<readonly MadeMember[]>;
  replaceKnown(remoteIds: readonly string[]): Promise<void>;
  /** Forgets what is known of a resource that is not there any more. */
  forget(remoteId: string): Promise<void>;
  /** A resource goes by another id there; groups hold it by that one already. */
  rename(remoteId: string, to: string): Promise<void>;
}

export interface Conduct {
  readonly signal: AbortSignal;
  mayGoOn(): boolean;
  /** Whether the target may take members now whom it has refused. */
  mayTakeNow(remoteIds: readonly string[]): Promise<boolean>;
}

/** `paused` when some are left for another time. */
export interface BroughtMembers {
  readonly changed: boolean;
  readonly paused: boolean;
}

/**
 * Removes who should not be there, then adds who should, until nobody is left; what came meanwhile is found by another
 * walk. A member whom the target refuses is left out and told of at the end. Between two requests it stops when it may
 * not go on.
 * @throws {TargetError} `member-refused` when all others are done
 */
export async function bringMembers(
  target: Target,
  group: string,
  members: MembersOfGroup,
  { signal, mayGoOn, mayTakeNow }: Conduct,
): Promise<BroughtMembers> {
  const { refused } = members;
  const way: Way = { target, group, members, refused, types: undefined, mayGoOn, mayTakeNow };
  let changed = false;
  for (;;) {
    // Who is not wanted any more, or by another id meanwhile, was refused with reason.
    if (refused.size > 0) await keepWanted(refused, members);
    const gone = await walk(way, 'surplus', signal);
    const come = gone === 'nobody' || gone === 'some' ? await walk(way, 'lacking', signal) : gone;
    changed ||= gone !== 'nobody' || come !== 'nobody';
    if (come === 'paused') return { changed, paused: true };
    if (come === 'whole' || (gone === 'nobody' && come === 'nobody')) break;
  }
  const [first] = refused.values();
  const count = refused.size;
  refused.clear();
  if (first !== undefined)
    throw new TargetError(`The target refuses ${count} member(s): ${first.message}`, {
      kind: 'refused',
      reason: 'member-refused',
      status: first.status,
      exchange: first.exchange,
      remedy: 'Look at the members named in the log of this delivery; replay it when the target has them.',
    });
  return { changed, paused: false };
}

/** Once over all of one kind. `whole` when the whole list was written instead. */
async function walk(
  way: Way,
  kind: 'surplus' | 'lacking',
  signal: AbortSignal,
): Promise<'nobody' | 'some' | 'whole' | 'paused'> {
  let found: 'nobody' | 'some' = 'nobody';
  let after: string | undefined;
  do {
    const { batch, types, next } = await nextBatch(way, kind, after);
    after = next;
    if (batch.add.length + batch.remove.length === 0) continue;
    found = 'some';
    if (await send({ ...way, types }, batch, signal)) return 'whole';
    if (!way.mayGoOn()) return 'paused';
  } while (after !== undefined);
  return found;
}

async function nextBatch({ members, refused }: Way, kind: 'surplus' | 'lacking', after: string | undefined) {
  const except = [...refused.keys()];
  if (kind === 'surplus') {
    const { members: remove, next } = await members.surplus(after, except);
    return { batch: { add: [], remove }, types: undefined, next };
  }
  const { members: lacking, next } = await members.lacking(after, except);
  const types = new Map(lacking.map(({ remoteId, type }) => [remoteId, type]));
  return { batch: { add: [...types.keys()], remove: [] }, types, next };
}

async function keepWanted(refused: Map<string, TargetError>, members: MembersOfGroup): Promise<void> {
  const wanted = new Set(await members.wanted());
  for (const id of refused.keys()) if (!wanted.has(id)) refused.delete(id);
}

interface Way {
  readonly target: Target;
  readonly group: string;
  readonly members: MembersOfGroup;
  readonly refused: Map<string, TargetError>;
  readonly types: ReadonlyMap<string, 'User' | 'Group'> | undefined;
  readonly mayGoOn: Conduct['mayGoOn'];
  readonly mayTakeNow: Conduct['mayTakeNow'];
}

interface Batch {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Answers whether the whole list was written. A refused batch is halved until the one who is refused is found. */
async function send(way: Way, batch: Batch, signal: AbortSignal): Promise<boolean> {
  const { target, group, members, refused, types } = way;
  let all: readonly string[] | undefined;
  let before: readonly string[] = [];
  const whole = async (): Promise<readonly string[]> => {
    const [wanted, known] = [await members.wanted(), await members.known()];
    // Somebody came or went since the batch was made.
    if (isSame(wanted, known) && !(await members.hasDoubts())) throw new NothingDiffers();
    all = wanted;
    before = known;
    return wanted;
  };
  try {
    await target.changeMembers(group, { ...batch, ...(types && { types }) }, whole, signal);
  } catch (error) {
    if (error instanceof NothingDiffers) return true;
    if (!(error instanceof TargetError) || error.unknown)
      await members.doubt(all === undefined ? [...batch.add, ...batch.remove] : eitherOf(all, before));
    if (!(error instanceof TargetError)) throw error;
    if (await isForNow(way, batch, all, error)) return send(way, batch, signal);
    if (!(await isAboutMembers(target, group, error, signal))) throw error;
    return halve(way, batch, error, signal);
  }
  if (all === undefined) await members.note(batch);
  else await members.replaceKnown(all);
  for (const id of batch.add) refused.delete(id);
  return all !== undefined;
}

/** It says so of one member, or of a list that is refused whole, and may take them now. */
async function isForNow(
  { mayTakeNow }: Way,
  { add, remove }: Batch,
  all: readonly string[] | undefined,
  { kind, reason }: TargetError,
): Promise<boolean> {
  if (reason === 'member-list-refused') return mayTakeNow(all ?? add);
  const isOne = add.length === 1 && remove.length === 0;
  return isOne && (kind === 'refused' || kind === 'conflict' || kind === 'gone') && mayTakeNow(add);
}

/** Those who are in one list only. */
function eitherOf(ids: readonly string[], others: readonly string[]): readonly string[] {
  const [one, other] = [new Set(ids), new Set(others)];
  return [...ids.filter((id) => !other.has(id)), ...others.filter((id) => !one.has(id))];
}

class NothingDiffers extends Error {}

function isSame(ids: readonly string[], others: readonly string[]): boolean {
  const all = new Set([...ids, ...others]);
  return all.size === ids.length && all.size === others.length;
}

/** About all members: with half of those who come or go the list would be the same. */
const WHOLE_LIST: ReadonlySet<string> = new Set(['too-many-members', 'member-list-refused']);

async function isAboutMembers(
  target: Target,
  group: string,
  error: TargetError,
  signal: AbortSignal,
): Promise<boolean> {
  if (WHOLE_LIST.has(error.reason)) return false;
  if (error.kind === 'refused' || error.kind === 'conflict') return true;
  // Some answer 404 for a member that they do not have.
  return error.kind === 'gone' && (await target.read('Group', group, signal)) !== undefined;
}

async function halve(way: Way, { add, remove }: Batch, error: TargetError, signal: AbortSignal): Promise<boolean> {
  const [first, ...others] = [...add, ...remove];
  if (first === undefined) throw error;
  if (others.length === 0) {
    // Who is gone there is no member any more either.
    if (remove.length > 0) await way.members.note({ add: [], remove });
    else way.refused.set(first, error);
    return false;
  }
  const cut = (ids: readonly string[]) => [
    ids.slice(0, Math.ceil(ids.length / 2)),
    ids.slice(Math.ceil(ids.length / 2)),
  ];
  const [addOne = [], addTwo = []] = cut(add);
  const [removeOne = [], removeTwo = []] = cut(remove);
  const whole = await send(way, { add: addOne, remove: removeOne }, signal);
  return whole || send(way, { add: addTwo, remove: removeTwo }, signal);
}
