// The members of a group as the identity provider changes them: on both sides, the records and the directory.
import type { GatewayError } from '#core/errors.ts';
import { isUuid } from '#core/ids.ts';
import type { MemberChange, NamedMembers } from '#core/patch.ts';
import { changeMembers } from '#store/directory/resource-writes.ts';
import { type MemberLook, makeMemberLook } from '#store/mirror/chosen-members.ts';
import { countLosses } from '#store/source/push-guard.ts';
import { changeShown, findAnchors, stampMembers } from '#store/source/pushed.ts';
import { keepMembers } from '#store/source/pushed-images.ts';
import { claimNamed } from './push-claim.ts';
import { holdRemoval, renewWaiting } from './push-guard.ts';
import { isPinned, withoutPinned } from './push-pins.ts';
import type { Writing } from './push-source.ts';

export interface GroupChange {
  /** The group's version afterwards; undefined when nothing changed. */
  readonly version: string | undefined;
  /** What to answer when members stay whom the guard does not let go, or when all of it is pinned. */
  readonly held: GatewayError | undefined;
}

/**
 * Members that the identity provider names and another provider brought become its own. Of what takes members away,
 * nothing is done in the directory while the guard holds it; what adds some is.
 * @throws {InputError} `invalidValue`: a member to be added that there is not; as `MemberLook`
 */
export async function changeGroup(
  writing: Writing,
  group: { readonly id: string; readonly anchor: string },
  changes: readonly MemberChange[],
): Promise<GroupChange> {
  if (changes.length === 0) return { version: undefined, held: undefined };
  const { tx, actor } = writing;
  const named = await byId(changes, makeMemberLook(tx, group.id));
  await claimNamed(writing, uuidsIn(named.filter(({ kind }) => kind !== 'remove')));
  // Whoever is to go is taken out of the records by an anchor that stays until then.
  await findAnchors(tx, uuidsIn(named.filter(({ kind }) => kind === 'remove')));
  const { changes: free, pinned } = await withoutPinned(writing, group.id, named);
  const held = await holdLosses(writing, group.id, free);
  if (held === undefined) await renewWaiting(writing.parts, tx, writing.source, { id: group.id, actor });
  const done = held === undefined ? free : free.map(addedOf);
  const changed = await changeMembers(tx, group.id, done, actor);
  if (changed !== undefined) await keepMembers(tx, { id: group.id, actor }, changed);
  for (const change of named) await changeShown(tx, group.anchor, { kind: change.kind, ids: uuidsIn([change]) });
  await stampMembers(tx, [group.id], held === undefined && !pinned ? 'before' : 'none');
  return { version: changed?.version, held: held ?? (pinned && changed === undefined ? isPinned() : undefined) };
}

async function byId(changes: readonly MemberChange[], look: MemberLook): Promise<readonly NamedMembers[]> {
  const named: NamedMembers[] = [];
  for (const change of changes) {
    const known = 'filter' in change ? ({ kind: 'remove', ids: await look.choose(change) } as const) : change;
    named.push(known);
    look.expect(known);
  }
  return named;
}

function uuidsIn(changes: readonly NamedMembers[]): readonly string[] {
  return [
    ...new Set(
      changes
        .flatMap(({ ids }) => ids)
        .filter(isUuid)
        .map((id) => id.toLowerCase()),
    ),
  ];
}

function addedOf(change: NamedMembers): NamedMembers {
  return { kind: 'add', ids: change.kind === 'remove' ? [] : change.ids };
}

async function holdLosses(
  writing: Writing,
  id: string,
  changes: readonly NamedMembers[],
): Promise<GatewayError | undefined> {
  if (changes.every(({ kind }) => kind === 'add')) return undefined;
  const { tx, source, parts, actor } = writing;
  const asked = changes.map(({ kind, ids }) => ({ kind, ids: uuidsIn([{ kind: 'remove', ids }]) }));
  const { members, lost } = await countLosses(tx, id, asked);
  if (lost === 0) return undefined;
  const removal = { class: 'membership', type: 'Group', id, count: lost } as const;
  return holdRemoval(parts, tx, source, { removal, members, again: false, actor });
}
