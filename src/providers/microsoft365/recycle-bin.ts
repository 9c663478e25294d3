import { CredentialsError, NotFoundError, UpstreamError } from '#core/errors.ts';
import type { GoneObject, Page } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet } from './batch.ts';
import type { Graph } from './client.ts';
import { collection, PAGE_SIZE } from './collection.ts';
import { REQUEST_REFUSED } from './failures.ts';

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
      yield { type: 'gone', resourceType: type, objects: objects.map(({ id }) => restorable(id)) };
    yield { type: 'gone', resourceType: type, objects: [], all: true };
  } catch (error) {
    if (!isHidden(error)) throw error;
  }
}

/** Which of these are in the recycle bin, as far as Graph shows it. */
export async function binned(
  graph: Graph,
  type: ResourceType,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<GonePage> {
  const urls = ids.map((id) => `/directory/deletedItems/${encodeURIComponent(id)}?$select=id`);
  const answers = await batchGet(graph, urls, { signal });
  const objects = ids.filter((_, index) => answers[index]?.status === 200).map(restorable);
  return { type: 'gone', resourceType: type, objects };
}

function restorable(externalId: string): GoneObject {
  return { externalId, how: 'softDeleted' };
}

/** Without the permission for it, or where the kind of object has no bin. */
function isHidden(error: unknown): boolean {
  if (error instanceof NotFoundError) return true;
  if (error instanceof CredentialsError) return error.failure === 'consent';
  return error instanceof UpstreamError && error.reason === REQUEST_REFUSED;
}
