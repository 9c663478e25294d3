import { CredentialsError, UpstreamError } from '#core/errors.ts';
import type { Page } from '#core/provider.ts';
import type { Graph } from './client.ts';
import { collection, PAGE_SIZE } from './collection.ts';
import { REQUEST_REFUSED } from './failures.ts';

const BIN = `/directory/deletedItems/microsoft.graph.user?$select=id&$top=${PAGE_SIZE}`;

/**
 * Users in the recycle bin, so that a full read knows of a leaver that the account can be restored. It proves nothing
 * else: where Graph does not show the bin, nothing is said of how anybody left.
 * Source: learn.microsoft.com/graph/api/directory-deleteditems-list, checked 2026-11.
 */
export async function* recycleBin(graph: Graph, signal: AbortSignal): AsyncGenerator<Extract<Page, { type: 'gone' }>> {
  try {
    for await (const users of collection<{ readonly id: string }>(graph, BIN, { signal }))
      yield {
        type: 'gone',
        resourceType: 'User',
        objects: users.map(({ id }) => ({ externalId: id, how: 'softDeleted' })),
      };
  } catch (error) {
    if (error instanceof CredentialsError && error.failure === 'consent') return;
    if (error instanceof UpstreamError && error.reason === REQUEST_REFUSED) return;
    throw error;
  }
}
