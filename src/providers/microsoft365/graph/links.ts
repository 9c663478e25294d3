// Whom an object is linked to, asked of the object itself.
// Sources: learn.microsoft.com/graph/api/user-list-memberof, group-list-memberof, user-list-directreports and
// user-list-manager, checked 2026-11.
import type { ResourceType } from '#core/resource.ts';
import type { GraphMember } from '../map/records.ts';
import { type BatchAnswer, batchGet } from './batch.ts';
import type { Graph } from './client.ts';
import { collection, PAGE_SIZE, readPage } from './collection.ts';

export type LinkName = 'memberOf' | 'directReports' | 'manager';

export function linkUrl(type: ResourceType, id: string, name: LinkName): string {
  const path = `/${type === 'User' ? 'users' : 'groups'}/${encodeURIComponent(id)}/${name}?$select=id`;
  return name === 'manager' ? path : `${path}&$top=${PAGE_SIZE}`;
}

/**
 * The ids of a list that was asked for by batch; one of several pages is read by itself. Undefined where Graph does not
 * show it: then it stays as it was known.
 */
export async function linkedIn(
  graph: Graph,
  url: string,
  answer: BatchAnswer | undefined,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (answer?.status !== 200) return undefined;
  const { items, nextLink } = readPage<GraphMember>(answer.body);
  if (nextLink === undefined) return items.map(({ id }) => id);
  const ids: string[] = [];
  for await (const page of collection<GraphMember>(graph, url, { signal })) ids.push(...page.map(({ id }) => id));
  return ids;
}

/** Objects that are asked together: keeps the answers small. */
const ASKED_AT_ONCE = 500;

/** The direct groups of each of these; whoever Graph does not show is left out. */
export async function groupsOf(
  graph: Graph,
  { type, ids }: { readonly type: ResourceType; readonly ids: readonly string[] },
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (let start = 0; start < ids.length; start += ASKED_AT_ONCE) {
    const some = ids.slice(start, start + ASKED_AT_ONCE);
    const urls = some.map((id) => linkUrl(type, id, 'memberOf'));
    const answers = await batchGet(graph, urls, { signal });
    for (const [index, id] of some.entries()) {
      const groups = await linkedIn(graph, urls[index] ?? '', answers[index], signal);
      if (groups !== undefined) found.set(id, groups);
    }
  }
  return found;
}
