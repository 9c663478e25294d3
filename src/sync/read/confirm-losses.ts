// Before members are believed to have left a group because a list did not show them: the group is read once more.
import type { MemberRef, SecondLook, SkippedObject } from '#core/pages.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import type { GroupMembers } from '#store/mirror/mirror.ts';
import { readLostMembers } from '#store/mirror/mirror-members.ts';
import { groupMembersOf, type MembersPage } from './gather-members.ts';
import { ASKED_MAX, type Loss } from './movers.ts';

export interface LossParts {
  readonly db: Db;
  readonly provider: ProviderKindName;
  readonly look: SecondLook;
  readonly signal: AbortSignal;
  /** False for whoever is known not to be there at all, whose leaving needs no other proof. */
  isThere(member: MemberRef): boolean;
  /** Of whom lists of members prove nothing: no list of people shows them, or they were gone before this read. */
  isUnproven(member: MemberRef): boolean;
  /** Told who is in a group no more by both readings of it, of those who are there. */
  onLoss?(losses: readonly Loss[]): void;
}

/**
 * The same groups. One that lost somebody is read once more; where the second reading shows others than the first,
 * neither proves a loss, and the members are those of both; where the second does not tell who they are, those already
 * known stay. Whoever neither shows and who is not there by id has not left the group: who goes to the recycle bin while
 * members are read is in no list of them, and stays a member. So does whoever is there by id and in no list of people, which
 * is as short as those of members then; and whoever has come back, whom these may not show yet.
 */
export async function confirmLosses(
  { db, provider, look, signal, isThere, isUnproven, onLoss }: LossParts,
  groups: readonly GroupMembers[],
): Promise<readonly GroupMembers[]> {
  const known = groups.filter(({ digest }) => digest !== null);
  const all = await readLostMembers(db, provider, known);
  const hidden = await whoIs(true, { look, lost: all.filter(isUnproven), signal });
  const lost = all.filter(isThere);
  const doubted = new Set(lost.map(({ group }) => group));
  if (doubted.size === 0) return groups.map((group) => withMembers(group, hidden));
  const second = new Map<string, MembersPage[]>();
  for await (const page of look.members([...doubted], signal))
    second.set(page.group, [...(second.get(page.group) ?? []), page]);
  const read = groups.map((group) => {
    const pages = second.get(group.group);
    return pages === undefined ? group : bothOf(group, pages);
  });
  const left = stillLost(lost, read);
  const away = await whoIs(false, { look, lost: left, signal });
  onLoss?.(
    left.filter(({ group, externalId }) => !away.get(group)?.some((member) => member.externalId === externalId)),
  );
  return read.map((group) => withMembers(withMembers(group, away), hidden));
}

type ByGroup = ReadonlyMap<string, readonly MemberRef[]>;

function withMembers(group: GroupMembers, more: ByGroup): GroupMembers {
  const members = more.get(group.group);
  if (members === undefined || group.digest === null) return group;
  return groupMembersOf(group.group, [...group.members, ...members], group.skipped);
}

function stillLost(lost: readonly Loss[], read: readonly GroupMembers[]): readonly Loss[] {
  const told = read.filter(({ digest }) => digest !== null);
  const shown = new Map(told.map(({ group, members }) => [group, new Set(members.map((member) => member.externalId))]));
  return lost.filter(({ group, externalId }) => shown.get(group)?.has(externalId) === false);
}

interface Asking extends Pick<LossParts, 'look' | 'signal'> {
  readonly lost: readonly Loss[];
}

/** Those who are there now, or are not, by group. */
async function whoIs(there: boolean, { look, lost, signal }: Asking): Promise<ByGroup> {
  const found = new Map<string, MemberRef[]>();
  for (const type of ['User', 'Group'] as const) {
    const some = lost.filter((member) => member.type === type);
    const asked = [...new Set(some.map(({ externalId }) => externalId))].slice(0, ASKED_MAX);
    if (asked.length === 0) continue;
    const told = await look.isThere(type, asked, signal);
    for (const { group, externalId } of some)
      if (told.get(externalId) === there) found.set(group, [...(found.get(group) ?? []), { externalId, type }]);
  }
  return found;
}

function bothOf(first: GroupMembers, pages: readonly MembersPage[]): GroupMembers {
  if (pages.some(({ hidden }) => hidden === true)) return { ...first, digest: null, members: [] };
  const members: readonly MemberRef[] = [...first.members, ...pages.flatMap((page) => page.members)];
  const skipped: readonly SkippedObject[] = [...first.skipped, ...pages.flatMap((page) => page.skipped)];
  return groupMembersOf(first.group, members, skipped);
}
