import { InputError, NotFoundError, UpstreamError } from '#core/errors.ts';
import type { MemberRef, Page, SkippedObject } from '#core/provider.ts';
import type { Graph } from './client.ts';
import { GROUP_SELECT, type GraphGroup, type GraphMember, type GraphUser, USER_SELECT } from './records.ts';

/** Graph's largest page. Source: learn.microsoft.com/graph/api/user-list, checked 2026-11. */
const PAGE_SIZE = 999;
/** Groups whose members are read at the same time; Graph throttles by resource units, not by connections. */
const GROUPS_AT_ONCE = 8;
/** More pages than any tenant has: ten million objects. */
const PAGES_MAX = 10_000;

interface Collection<Item> {
  readonly value: readonly Item[];
  readonly '@odata.nextLink'?: string;
}

const USERS = `/users?$select=${USER_SELECT.join(',')}&$top=${PAGE_SIZE}`;
const USERS_WITH_MANAGER = `${USERS}&$expand=manager($select=id)`;
const GROUPS = `/groups?$select=${GROUP_SELECT.join(',')}&$top=${PAGE_SIZE}`;

/**
 * Everything: users, groups, then the direct members of each group for which `inScope` holds. The ids of those groups
 * are all that is kept. The `end` page comes only when every page was read whole.
 * Sources: learn.microsoft.com/graph/api/user-list, group-list, group-list-members, paging, checked 2026-11.
 */
export async function* fullRead(
  graph: Graph,
  inScope: (group: GraphGroup) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>> {
  for await (const records of userPages(graph, signal)) yield { type: 'records', resourceType: 'User', records };
  const groups: string[] = [];
  for await (const records of collection<GraphGroup>(graph, GROUPS, signal)) {
    for (const group of records) if (inScope(group)) groups.push(group.id);
    yield { type: 'records', resourceType: 'Group', records };
  }
  yield* membersOfAll(graph, [...new Set(groups)], signal);
  yield { type: 'end' };
}

/** Users with their manager's id. Where `$expand` is refused, without: a read without managers is better than none. */
async function* userPages(graph: Graph, signal: AbortSignal): AsyncGenerator<readonly GraphUser[]> {
  let started = false;
  try {
    for await (const page of collection<GraphUser>(graph, USERS_WITH_MANAGER, signal)) {
      started = true;
      yield page;
    }
  } catch (error) {
    if (started || !(error instanceof InputError)) throw error;
    yield* collection<GraphUser>(graph, USERS, signal);
  }
}

/**
 * The pages of a collection, the next one asked for while this one is used. A page may be empty and still have a next.
 * @throws {UpstreamError} `source-incomplete`: a page without a list, a link that was followed before, or too many pages
 */
export async function* collection<Item extends { readonly id: string }>(
  graph: Graph,
  first: string,
  signal: AbortSignal,
  advanced = false,
): AsyncGenerator<readonly Item[]> {
  const followed = new Set<string>();
  let next: Promise<unknown> | undefined = graph.get(first, { signal, advanced });
  try {
    while (next !== undefined) {
      const page = checkPage<Item>(await next);
      const link = page['@odata.nextLink'];
      next = undefined;
      if (link !== undefined) {
        if (followed.has(link)) throw incomplete('Graph repeats a page link without an end.', 'page-loop');
        if (followed.size >= PAGES_MAX)
          throw incomplete(`A list of Graph has more than ${PAGES_MAX} pages.`, 'too-many-pages');
        followed.add(link);
        next = graph.get(link, { signal, advanced });
        // Awaited in the next turn; until then a failure must not count as unhandled.
        next.catch(() => undefined);
      }
      yield page.value;
    }
  } finally {
    await next?.catch(() => undefined);
  }
}

function checkPage<Item extends { readonly id: string }>(body: unknown): Collection<Item> {
  const page = body as Partial<Collection<Item>> | null | undefined;
  if (!Array.isArray(page?.value)) throw incomplete('A page of Graph has no list of objects.', 'page-without-list');
  const nextLink = page['@odata.nextLink'];
  if (nextLink !== undefined && nextLink !== null && typeof nextLink !== 'string')
    throw incomplete('A page of Graph has a next link that is no text.', 'page-broken');
  const value = page.value as readonly Partial<Item>[];
  if (value.some((item) => typeof item?.id !== 'string' || item.id === ''))
    throw incomplete('A page of Graph has an object without an id.', 'page-broken');
  return { value: value as readonly Item[], ...(typeof nextLink === 'string' ? { '@odata.nextLink': nextLink } : {}) };
}

function incomplete(message: string, reason: string): UpstreamError {
  return new UpstreamError(message, {
    failure: 'source-incomplete',
    reason,
    remedy: 'Run again; if it repeats, look for a proxy between the gateway and Graph.',
  });
}

type MembersPage = Extract<Page, { type: 'members' }>;

/** Members of many groups, a bounded number of groups at a time, pages in the order in which they come. */
async function* membersOfAll(
  graph: Graph,
  groups: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<MembersPage> {
  const stop = new AbortController();
  const bounded = AbortSignal.any([signal, stop.signal]);
  const waiting = groups[Symbol.iterator]();
  const running = new Map<AsyncGenerator<MembersPage>, Promise<Step>>();
  const advance = (pages: AsyncGenerator<MembersPage>): void => {
    const step = pages.next().then((result): Step => ({ pages, result }));
    step.catch(() => undefined);
    running.set(pages, step);
  };
  const startNext = (): void => {
    const { value, done } = waiting.next();
    if (!done) advance(membersOf(graph, value, bounded));
  };
  try {
    for (let count = 0; count < GROUPS_AT_ONCE; count += 1) startNext();
    while (running.size > 0) {
      const { pages, result } = await Promise.race(running.values());
      running.delete(pages);
      if (result.done) startNext();
      else {
        advance(pages);
        yield result.value;
      }
    }
  } finally {
    stop.abort();
    await Promise.allSettled(running.values());
  }
}

interface Step {
  readonly pages: AsyncGenerator<MembersPage>;
  readonly result: IteratorResult<MembersPage, void>;
}

/** The direct members of one group; the last page says `complete`. A group deleted meanwhile has none. */
async function* membersOf(graph: Graph, group: string, signal: AbortSignal): AsyncGenerator<MembersPage> {
  const url = `/groups/${encodeURIComponent(group)}/members?$select=id,displayName&$top=${PAGE_SIZE}`;
  try {
    for await (const members of collection<GraphMember>(graph, url, signal))
      yield { type: 'members', group, ...sortMembers(members), complete: false };
  } catch (error) {
    if (!(error instanceof NotFoundError) || (await exists(graph, group, signal))) throw error;
  }
  yield { type: 'members', group, members: [], skipped: [], complete: true };
}

/** A 404 on the members may come before the group itself is known everywhere; only the group's own 404 counts. */
async function exists(graph: Graph, group: string, signal: AbortSignal): Promise<boolean> {
  try {
    await graph.get(`/groups/${encodeURIComponent(group)}?$select=id`, { signal });
    return true;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

function sortMembers(members: readonly GraphMember[]): { members: MemberRef[]; skipped: SkippedObject[] } {
  const kept: MemberRef[] = [];
  const skipped: SkippedObject[] = [];
  for (const { id, displayName, '@odata.type': odataType } of members) {
    const type = odataType?.replace(/^#?microsoft\.graph\./, '');
    if (type === 'user') kept.push({ externalId: id, type: 'User' });
    else if (type === 'group') kept.push({ externalId: id, type: 'Group' });
    else
      skipped.push({
        externalId: id,
        objectType: type ?? 'unknown',
        ...(typeof displayName === 'string' && displayName !== '' ? { displayName } : {}),
        reason: type === undefined || type === 'directoryObject' ? 'UnreadableMember' : 'UnsupportedObjectType',
      });
  }
  return { members: kept, skipped };
}
