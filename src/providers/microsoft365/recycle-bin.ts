import type { GoneObject, Page } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet } from './batch.ts';
import type { Graph } from './client.ts';
import { collection, PAGE_SIZE } from './collection.ts';
import { isNotGiven } from './failures.ts';

type GonePage = Extract<Page, { type: 'gone' }>;

/**
 * Everybody in the recycle bin, so that a full read knows of leavers that they can be restored, and of those who are no
 * longer in it that they cannot. It proves nothing else: where Graph does not show the bin, nothing is said of how
 * anybody left.
 * Source: learn.microsoft.com/graph/api/directory-deleteditems-list, checked 2026-11.
 */
export async function* recycleBin(graph: Graph, type: ResourceType, signal: AbortSignal): AsyncGenerator<GonePage> {
  const bin = `/directory/deletedItems/microsoft.graph.${type.toLowerCase()}?$select=id&$top=${PAGE_SIZE}`;
  try {
    for await (const objects of collection<{ readonly id: string }>(graph, bin, { signal }))
      yield {
        type: 'gone',
        resourceType: type,
        objects: objects.map(({ id }): GoneObject => ({ externalId: id, how: 'softDeleted' })),
      };
    yield { type: 'gone', resourceType: type, objects: [], all: true };
  } catch (error) {
    if (!isNotGiven(error)) throw error;
  }
}

/**
 * How those went who are missing, as far as Graph shows the recycle bin: who is in it, and who was in it and is not any
 * more. Of whoever was never seen there nothing is said: it may lag.
 */
export async function howTheyLeft(
  graph: Graph,
  type: ResourceType,
  { missing, restorable }: { readonly missing: readonly string[]; readonly restorable: ReadonlySet<string> },
  signal: AbortSignal,
): Promise<GonePage> {
  const urls = missing.map((id) => `/directory/deletedItems/${encodeURIComponent(id)}?$select=id`);
  const answers = await batchGet(graph, urls, { signal });
  const objects = missing.flatMap((externalId, index): GoneObject[] => {
    const status = answers[index]?.status;
    if (status === 200) return [{ externalId, how: 'softDeleted' }];
    return status === 404 && restorable.has(externalId) ? [{ externalId, how: 'hardDeleted' }] : [];
  });
  return { type: 'gone', resourceType: type, objects };
}
