import { UpstreamError } from '#core/errors.ts';
import { batchGet } from './batch.ts';
import type { Graph } from './client.ts';
import { collection, PAGE_SIZE } from './collection.ts';
import { REQUEST_REFUSED } from './failures.ts';
import type { GraphUser } from './records.ts';

/**
 * All users with their manager's id. Where Graph refuses `$expand`, managers are read by batch.
 * Sources: learn.microsoft.com/graph/api/user-list and user-list-manager, checked 2026-11.
 */
export async function* userPages(
  graph: Graph,
  properties: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<readonly GraphUser[]> {
  const users = `/users?$select=${properties.join(',')}&$top=${PAGE_SIZE}`;
  let started = false;
  try {
    for await (const page of collection<GraphUser>(graph, `${users}&$expand=manager($select=id)`, { signal })) {
      started = true;
      yield page;
    }
    return;
  } catch (error) {
    if (started || !isRefused(error)) throw error;
  }
  for await (const page of collection<GraphUser>(graph, users, { signal }))
    yield await withManagers(graph, page, signal);
}

function isRefused(error: unknown): boolean {
  return error instanceof UpstreamError && error.reason === REQUEST_REFUSED;
}

async function withManagers(graph: Graph, page: readonly GraphUser[], signal: AbortSignal): Promise<GraphUser[]> {
  const urls = page.map(({ id }) => `/users/${encodeURIComponent(id)}/manager?$select=id`);
  const answers = await batchGet(graph, urls, { signal });
  return page.map((user, index) => ({ ...user, manager: managerOf(answers[index]) }));
}

/** 404 says that there is no manager, or no such user any more; anything else says that we do not know. */
function managerOf(answer: { readonly status: number; readonly body: unknown } | undefined) {
  if (answer?.status === 404) return null;
  const id = (answer?.body as { id?: unknown } | undefined)?.id;
  if (answer?.status === 200 && typeof id === 'string') return { id };
  throw new UpstreamError('Microsoft Graph does not say who the manager of a user is.', {
    failure: 'source-incomplete',
    reason: 'manager-unknown',
    remedy: 'Grant User.Read.All, and run again.',
    details: { status: answer?.status },
  });
}
