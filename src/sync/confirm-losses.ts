// Before members are believed to have left a group because a list did not show them: the group is read once more.
import type { MemberRef, SecondLook, SkippedObject } from '#core/pages.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import type { GroupMembers } from '#store/mirror.ts';
import { readLostMembers } from '#store/mirror-members.ts';
import { groupMembersOf, type MembersPage } from './gather-members.ts';
import type { Loss } from './movers.ts';

export interface LossParts {
  readonly db: Db;
  readonly provider: ProviderKindName;
  readonly look: SecondLook;
  readonly signal: AbortSignal;
  /** False for whoever is known not to be there at all, whose leaving needs no other proof. */
  isThere(member: MemberRef): boolean;
  /** Told who is in a group no more by both readings of it, of those who are there. */
  onLoss?(losses: readonly Loss[]): void;
}

/**
 * The same groups. One that lost somebody is read once more; where the second reading shows others than the first,
 * neither proves a loss, and the members are those of both.
 */
export async function confirmLosses(
  { db, provider, look, signal, isThere, onLoss }: LossParts,
  groups: readonly GroupMembers[],
): Promise<readonly GroupMembers[]> {
  const known = groups.filter(({ digest }) => digest !== null);
  const lost = (await readLostMembers(db, provider, known)).filter(isThere);
  const doubted = new Set(lost.map(({ group }) => group));
  if (doubted.size === 0) return groups;
  const second = new Map<string, MembersPage[]>();
  for await (const page of look.members([...doubted], signal))
    second.set(page.group, [...(second.get(page.group) ?? []), page]);
  onLoss?.(lost.filter(({ group, externalId }) => !shows(second.get(group), externalId)));
  return groups.map((group) => {
    const pages = second.get(group.group);
    return pages === undefined ? group : bothOf(group, pages);
  });
}

function shows(pages: readonly MembersPage[] = [], externalId: string): boolean {
  return pages.some(({ members }) => members.some((member) => member.externalId === externalId));
}

function bothOf(first: GroupMembers, pages: readonly MembersPage[]): GroupMembers {
  const members: readonly MemberRef[] = [...first.members, ...pages.flatMap((page) => page.members)];
  const skipped: readonly SkippedObject[] = [...first.skipped, ...pages.flatMap((page) => page.skipped)];
  return groupMembersOf(first.group, members, skipped);
}
