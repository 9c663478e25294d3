import { UpstreamError } from '#core/errors.ts';
import { type BatchAnswer, batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { collection, PAGE_SIZE } from '../graph/collection.ts';
import { explainDenied, incomplete, REQUEST_REFUSED } from '../graph/failures.ts';
import { idInOneCase, inOneCase } from '../graph/ids.ts';
import type { GraphUser } from '../map/records.ts';

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
  if (answer?.status === 200 && typeof id === 'string') return { id: idInOneCase(id) };
  throw new UpstreamError('Microsoft Graph does not say who the manager of a user is.', {
    failure: 'source-incomplete',
    reason: 'manager-unknown',
    remedy: 'Grant User.Read.All, and run again.',
    details: { status: answer?.status },
  });
}

/** What is made of an answer to a question for one object. */
export type Taker = <Item extends { readonly id: string }>(answer: BatchAnswer) => Item[];

export interface ByIdParts {
  readonly userProperties: readonly string[];
  /** `foundIn` unless given. */
  readonly take?: Taker;
  readonly signal: AbortSignal;
}

/** The users that there are of these ids, with their manager's id. A 404 says that there is none. */
export async function usersById(
  graph: Graph,
  ids: readonly string[],
  { userProperties, take = foundIn, signal }: ByIdParts,
): Promise<readonly GraphUser[]> {
  const plain = ids.map((id) => `/users/${encodeURIComponent(id)}?$select=${userProperties.join(',')}`);
  const expanded = await batchGet(
    graph,
    plain.map((url) => `${url}&$expand=manager($select=id)`),
    { signal },
  );
  if (!expanded.some(({ status }) => status === 400)) return expanded.flatMap((answer) => take<GraphUser>(answer));
  const users = (await batchGet(graph, plain, { signal })).flatMap((answer) => take<GraphUser>(answer));
  return withManagers(graph, users, signal);
}

/**
 * @throws {UpstreamError} `source-incomplete`: Graph neither shows the object nor says that there is none
 * @throws {CredentialsError} 403: it may not be read
 */
export function foundIn<Item extends { readonly id: string }>(answer: BatchAnswer): Item[] {
  const { url, status, body } = answer;
  const found = shownIn<Item>(answer);
  if (found.length > 0 || status === 404) return found;
  if (status === 403) throw explainDenied(url, body);
  throw incomplete(`Microsoft Graph answers ${status} for an object that it was asked for.`, 'object-unknown');
}

/** The object, where Graph shows it. */
export function shownIn<Item extends { readonly id: string }>({ status, body }: BatchAnswer): Item[] {
  const found = body as Partial<Item> | null | undefined;
  return status === 200 && typeof found?.id === 'string' ? [inOneCase(found as Item)] : [];
}
