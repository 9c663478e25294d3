import { ConfigError, NotFoundError } from '#core/errors.ts';
import type { Page } from '#core/pages.ts';
import type { Graph } from '../graph/client.ts';
import { collection, PAGE_SIZE } from '../graph/collection.ts';
import { GROUP_SELECT, type GraphGroup, type GraphUser, hidesMembers } from '../map/records.ts';
import { latestCheckpoint } from './delta.ts';
import { membersOfAll } from './members.ts';
import { recycleBin } from './recycle-bin.ts';
import { userPages } from './users.ts';

const GROUPS = `/groups?$select=${GROUP_SELECT.join(',')}&$top=${PAGE_SIZE}`;

export interface ReadOptions {
  /** Properties of users to ask for. */
  readonly userProperties: readonly string[];
  /** Members are read of these groups only; all groups are yielded. */
  isGroupWanted(group: GraphGroup): boolean;
}

/**
 * Everything: users, groups, then the direct members of each wanted group. The ids of those groups, and whether they
 * hide their members, are all that is kept. The `end` page comes only when every page was read whole, with the
 * checkpoint that was taken before the first.
 * Sources: learn.microsoft.com/graph/api/user-list, group-list, group-list-members, paging, checked 2026-11.
 * @throws {GatewayError} what `collection` throws; {ConfigError} `endpoint-wrong` when there is no directory there
 */
export async function* fullRead(
  graph: Graph,
  { userProperties, isGroupWanted }: ReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>> {
  const wanted = new Map<string, boolean>();
  const checkpoint = await latestCheckpoint(graph, userProperties, signal);
  try {
    for await (const records of userPages(graph, userProperties, signal))
      yield { type: 'records', resourceType: 'User', records };
    for await (const records of collection<GraphGroup>(graph, GROUPS, { signal })) {
      for (const group of records)
        if (isGroupWanted(group)) wanted.set(group.id, hidesMembers(group));
        else wanted.delete(group.id);
      yield { type: 'records', resourceType: 'Group', records };
    }
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new ConfigError('There are no users or groups at the Graph endpoint.', {
      reason: 'endpoint-wrong',
      remedy: 'Check endpoints.graph: the origin only, without a path, of Microsoft Graph.',
      cause: error,
    });
  }
  yield* membersOfAll(graph, wanted, signal);
  for (const type of ['User', 'Group'] as const) yield* recycleBin(graph, type, signal);
  yield checkpoint === undefined ? { type: 'end' } : { type: 'end', checkpoint };
}
