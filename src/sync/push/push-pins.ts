// What an administrator has undone and pinned, against a client that writes it again: the wish is kept in the mirror, and
// the directory stays as it is until the pin is released.
import { ForbiddenError } from '#core/errors.ts';
import type { NamedMembers } from '#core/patch.ts';
import { isCreationPinned, type PinnedMembers, readPinnedMembers } from '#store/plan/pinned.ts';
import type { PinnedClass, Pushed } from '#store/source/pushed.ts';
import type { Writing } from './push-source.ts';

/** What to answer to a change of this class; undefined when no pin forbids it. */
export function pinnedAgainst({ pinned }: Pushed, change: PinnedClass): ForbiddenError | undefined {
  return pinned.includes(change) ? isPinned() : undefined;
}

/** The same of somebody new, whose creation may have been undone. */
export async function creationPinned(
  { tx, type }: Writing,
  id: string,
  externalId: string | null,
): Promise<ForbiddenError | undefined> {
  return (await isCreationPinned(tx, 'scim', { id, type, externalId })) ? isPinned() : undefined;
}

export interface Unpinned {
  readonly changes: readonly NamedMembers[];
  /** Whether pins kept anything back. */
  readonly pinned: boolean;
}

/** The changes to the members of a group without what pins forbid. */
export async function withoutPinned(
  { tx }: Writing,
  groupId: string,
  changes: readonly NamedMembers[],
): Promise<Unpinned> {
  const pins = await readPinnedMembers(tx, 'scim', groupId);
  if (pins.present.size + pins.absent.size === 0) return { changes, pinned: false };
  const left = changes.map((change) => unpinned(change, pins));
  return { changes: left, pinned: left.some(({ ids }, place) => String(ids) !== String(changes[place]?.ids)) };
}

function unpinned({ kind, ids }: NamedMembers, { present, absent }: PinnedMembers): NamedMembers {
  const given = ids.map((id) => id.toLowerCase());
  if (kind === 'remove') return { kind, ids: given.filter((id) => !present.has(id)) };
  const coming = given.filter((id) => !absent.has(id));
  return kind === 'add' ? { kind, ids: coming } : { kind, ids: [...new Set([...coming, ...present])] };
}

export function isPinned(): ForbiddenError {
  return new ForbiddenError('An administrator has undone this change, and it stays undone until its pin is released.', {
    reason: 'pinned',
    remedy: 'Release the pin under /api/v1/pins; or correct it in the identity provider.',
  });
}
