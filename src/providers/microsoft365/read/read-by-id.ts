// Users and groups by their ids, each as a full read shows it, where no list does.
import { GatewayError, UpstreamError } from '#core/errors.ts';
import type { ChangeReader, SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Graph } from '../graph/client.ts';
import { type GraphGroup, type GraphUser, hidesMembers } from '../map/records.ts';
import { groupsById } from './group-read.ts';
import { membersOfAll } from './members.ts';
import type { ReadOptions } from './pages.ts';
import { shownIn, usersById } from './users.ts';

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

type Raw = GraphUser | GraphGroup;

/**
 * Whole records of those whom a change shows for the first time with no more than what has changed. Who is enabled and what
 * kind of group it is must not be guessed from what is left out: whoever is not there, or cannot be read, has no record.
 * Source: learn.microsoft.com/graph/delta-query-overview, "Resource representation", checked 2026-11.
 */
export function wholeRecords(
  graph: Graph,
  { userProperties, complete }: Pick<ByIdOptions, 'userProperties' | 'complete'>,
): NonNullable<ChangeReader<Raw>['whole']> {
  const read = async (type: ResourceType, ids: readonly string[], signal: AbortSignal): Promise<readonly Raw[]> => {
    if (type === 'Group') return groupsById(graph, ids, signal, shownIn);
    return complete(await usersById(graph, ids, { userProperties, take: shownIn, signal }), signal);
  };
  return async (type, changes, signal) => {
    const thin = changes.filter((change) => !saysWhatItIs(type, change)).map(({ id }) => id);
    const found = new Map<string, Raw | undefined>(thin.map((id) => [id, undefined]));
    try {
      for (let start = 0; start < thin.length; start += IDS_PER_PAGE)
        for (const record of await read(type, thin.slice(start, start + IDS_PER_PAGE), signal))
          found.set(record.id, record);
      return found;
    } catch (error) {
      signal.throwIfAborted();
      // Whoever was not read is not guessed at. A Graph that is busy tells the next read all of it again.
      const isBusy = error instanceof UpstreamError && error.failure === 'throttled';
      if (error instanceof GatewayError && !isBusy) return found;
      throw error;
    }
  };
}

/** What every object has, and a new one is told with. */
const ALWAYS: Readonly<Record<ResourceType, readonly string[]>> = {
  User: ['userPrincipalName', 'accountEnabled'],
  Group: ['displayName', 'mailEnabled', 'securityEnabled'],
};

function saysWhatItIs(type: ResourceType, change: Raw): boolean {
  return ALWAYS[type].every((name) => name in change);
}
