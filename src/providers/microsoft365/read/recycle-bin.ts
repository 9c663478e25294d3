import { GatewayError } from '#core/errors.ts';
import type { ChangePage, GoneObject, Page } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { collection, PAGE_SIZE } from '../graph/collection.ts';
import { secondLook } from './second-look.ts';

type GonePage = Extract<Page, { type: 'gone' }>;

/**
 * Everybody in the recycle bin, so that a full read knows of leavers that they can be restored, and of those who are no
 * longer in it that they cannot. It proves nothing else: where Graph does not show the bin, refused or broken, nothing is
 * said of how anybody left, and the read is none the less whole.
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
    signal.throwIfAborted();
    if (!(error instanceof GatewayError)) throw error;
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
  const answers = await batchGet(graph, urls, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    if (error instanceof GatewayError) return [];
    throw error;
  });
  const objects = missing.flatMap((externalId, index): GoneObject[] => {
    const status = answers[index]?.status;
    if (status === 200) return [{ externalId, how: 'softDeleted' }];
    return status === 404 && restorable.has(externalId) ? [{ externalId, how: 'hardDeleted' }] : [];
  });
  return { type: 'gone', resourceType: type, objects };
}

/** Hands on the pages of a read of changes, asking before it says of anybody that they are gone for good. */
export type Confirm = <Raw>(pages: Iterable<ChangePage<Raw>>, signal: AbortSignal) => AsyncGenerator<ChangePage<Raw>>;

/**
 * Who is deleted for good cannot be made anew, here or downstream: Graph is asked for them by id. One who is in the
 * recycle bin, or still there, counts as one who can be restored. Where it does not tell, the change is believed.
 * Source: learn.microsoft.com/graph/delta-query-overview, `@removed`, checked 2026-11.
 */
export function confirmDeletions(graph: Graph): Confirm {
  const look = secondLook(graph, false);
  let isTold = true;

  async function whoStays(type: ResourceType, ids: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
    if (!isTold || ids.length === 0) return [];
    try {
      const there = await look.isThere(type, ids, signal);
      const binned = await look.isRestorable(ids, signal);
      return ids.filter((id) => there.get(id) === true || binned.get(id) === true);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof GatewayError)) throw error;
      isTold = false;
      return [];
    }
  }

  return async function* (pages, signal) {
    for (const page of pages) {
      if (page.type !== 'gone') {
        yield page;
        continue;
      }
      const deleted = page.objects.filter(({ how }) => how === 'hardDeleted').map(({ externalId }) => externalId);
      const staying = new Set(await whoStays(page.resourceType, deleted, signal));
      const objects = page.objects.map(
        ({ externalId, how }): GoneObject => ({ externalId, how: staying.has(externalId) ? 'softDeleted' : how }),
      );
      yield { ...page, objects };
    }
  };
}
