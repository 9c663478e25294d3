// Before people are believed to have left designated groups because no list of members showed them: they are asked
// themselves. Lists of members are read one after the other, so whoever moves meanwhile may be in none of them.
import type { MemberRef, Page } from '#core/pages.ts';
import type { Graph } from '../graph/client.ts';
import { incomplete } from '../graph/failures.ts';
import { groupsOf } from '../graph/links.ts';
import { membersOfAll } from './members.ts';

/** More are not asked: to take so many away the guard asks a person. */
const PEOPLE_MAX = 2_000;

export interface Missing {
  /** People who are there, and in none of the groups. */
  readonly people: ReadonlySet<string>;
  /** Groups whose members were read. */
  readonly entered: ReadonlySet<string>;
  /** Groups of which Graph has said that there is none. */
  readonly absent: ReadonlySet<string>;
}

type MembersPage = Extract<Page, { type: 'members' }>;

/**
 * The members of each group in which one of these people is by their own account: those of a second reading, and the people
 * who say so. Of two answers that differ the one counts by which nobody leaves.
 * Source: learn.microsoft.com/graph/api/user-list-memberof, checked 2026-11.
 * @throws {UpstreamError} `members-not-found`: somebody is in a group that Graph said it did not know
 */
export async function* missedMembers(
  graph: Graph,
  { people, entered, absent }: Missing,
  signal: AbortSignal,
): AsyncGenerator<MembersPage> {
  if (people.size > PEOPLE_MAX) return;
  const missed = new Map<string, MemberRef[]>();
  for (const [externalId, groups] of await groupsOf(graph, { type: 'User', ids: [...people] }, signal)) {
    if (groups.some((group) => absent.has(group)))
      throw incomplete('The members of a group that exists cannot be found.', 'members-not-found');
    for (const group of groups)
      if (entered.has(group)) missed.set(group, [...(missed.get(group) ?? []), { externalId, type: 'User' }]);
  }
  for await (const page of membersOfAll(graph, new Map([...missed.keys()].map((id) => [id, false])), signal))
    yield page.complete ? { ...page, members: [...page.members, ...(missed.get(page.group) ?? [])] } : page;
}
