// Users and groups by their ids, each as a full read shows it, where no list does.
import type { SecondLook } from '#core/pages.ts';
import type { Graph } from './client.ts';
import { groupsById } from './group-read.ts';
import { membersOfAll } from './members.ts';
import type { ReadOptions } from './pages.ts';
import { type GraphUser, hidesMembers } from './records.ts';
import { usersById } from './users.ts';

/** Objects that are yielded together. */
const IDS_PER_PAGE = 500;

export interface ByIdOptions extends ReadOptions {
  /** The same users, with what their mailboxes are for. */
  complete(users: readonly GraphUser[], signal: AbortSignal): Promise<readonly GraphUser[]>;
}

/**
 * Sources: learn.microsoft.com/graph/json-batching, api/user-get, api/group-get and api/group-list-members, checked 2026-11.
 */
export function readById(
  graph: Graph,
  { userProperties, isGroupWanted, complete }: ByIdOptions,
): NonNullable<SecondLook['read']> {
  return async function* (resourceType, ids, signal) {
    for (let start = 0; start < ids.length; start += IDS_PER_PAGE) {
      const some = ids.slice(start, start + IDS_PER_PAGE);
      if (resourceType === 'User') {
        const users = await usersById(graph, some, { userProperties, signal });
        yield { type: 'records', resourceType, records: await complete(users, signal) };
        continue;
      }
      const groups = await groupsById(graph, some, signal);
      yield { type: 'records', resourceType, records: groups };
      const wanted = groups.filter(isGroupWanted).map((group) => [group.id, hidesMembers(group)] as const);
      yield* membersOfAll(graph, new Map(wanted), signal);
    }
  };
}
