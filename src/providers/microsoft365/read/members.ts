import { CredentialsError, NotFoundError } from '#core/errors.ts';
import type { MemberRef, Page, SkippedObject } from '#core/pages.ts';
import { type BatchAnswer, batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { collection, PAGE_SIZE } from '../graph/collection.ts';
import { incomplete } from '../graph/failures.ts';
import { type GraphGroup, type GraphMember, hidesMembers, memberKind } from '../map/records.ts';
import { readClaims } from '../sign-in/permissions.ts';

/** Groups whose members are read at the same time; Graph throttles by resource units, not by connections. */
const GROUPS_AT_ONCE = 8;
/** Reads of the members of a group that exists and whose members are said not to. */
const NOT_FOUND_READS_MAX = 3;

type MembersPage = Extract<Page, { type: 'members' }>;
type Pages = AsyncGenerator<MembersPage, void>;

interface Step {
  readonly pages: Pages;
  readonly result: IteratorResult<MembersPage, void>;
}

/**
 * Direct members of many groups, a bounded number of groups at a time, pages in the order in which they come.
 * @param groups ids, each with whether that group hides its members
 */
export async function* membersOfAll(graph: Graph, groups: ReadonlyMap<string, boolean>, signal: AbortSignal): Pages {
  const stop = new AbortController();
  const bounded = AbortSignal.any([signal, stop.signal]);
  const waiting = groups.entries();
  const running = new Map<Pages, Promise<Step>>();
  const advance = (pages: Pages): void => {
    const step = pages.next().then((result): Step => ({ pages, result }));
    step.catch(() => undefined);
    running.set(pages, step);
  };
  const startNext = (): void => {
    const next = waiting.next();
    if (next.done === true) return;
    const [group, hidden] = next.value;
    advance((hidden ? hiddenMembersOf : membersOf)(graph, group, bounded));
  };
  try {
    for (let count = 0; count < GROUPS_AT_ONCE; count += 1) startNext();
    while (running.size > 0) {
      const { pages, result } = await Promise.race(running.values());
      running.delete(pages);
      if (result.done === true) startNext();
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

/**
 * The direct members of one group; the last page says `complete`, and `hidden` of a group that is not there when it is asked
 * for: deleted since it was listed, or not known yet where it was asked for. Either says nothing of who its members are.
 * Source: graph/api/group-list-members, checked 2026-11.
 */
async function* membersOf(graph: Graph, group: string, signal: AbortSignal): Pages {
  for (let reads = 1; ; reads += 1)
    try {
      for await (const members of listMembers(graph, group, signal))
        yield { type: 'members', group, ...sortMembers(members), complete: false };
      yield { type: 'members', group, members: [], skipped: [], complete: true };
      return;
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      if (!(await exists(graph, group, signal))) break;
      if (reads >= NOT_FOUND_READS_MAX)
        throw incomplete('The members of a group that exists cannot be found.', 'members-not-found', error);
    }
  yield { type: 'members', group, members: [], skipped: [], complete: true, hidden: true };
}

/** Only their ids; where that leaves open of what kind somebody is, all of them once more, with what they have. */
async function* listMembers(
  graph: Graph,
  group: string,
  signal: AbortSignal,
): AsyncGenerator<readonly GraphMember[], void> {
  const members = `/groups/${encodeURIComponent(group)}/members`;
  for await (const page of collection<GraphMember>(graph, `${members}?$select=id&$top=${PAGE_SIZE}`, { signal })) {
    if (page.some((member) => memberKind(member) === undefined)) {
      yield* collection<GraphMember>(graph, `${members}?$top=${PAGE_SIZE}`, { signal });
      return;
    }
    yield page;
  }
}

/**
 * The direct members of a group that hides them. Without Member.Read.Hidden Graph denies them or shows none, which
 * says nothing of who they are.
 * Sources: graph/api/group-list-members and graph/permissions-reference, checked 2026-11.
 */
async function* hiddenMembersOf(graph: Graph, group: string, signal: AbortSignal): Pages {
  let shown = 0;
  try {
    for await (const page of membersOf(graph, group, signal)) {
      shown += page.members.length + page.skipped.length;
      if (page.complete && shown === 0 && !(await mayReadHidden(graph, signal))) yield hiddenPage(group);
      else yield page;
    }
  } catch (error) {
    if (!(error instanceof CredentialsError) || error.failure !== 'consent') throw error;
    yield hiddenPage(group);
  }
}

function hiddenPage(group: string): MembersPage {
  const skipped = [{ externalId: group, objectType: 'Group', reason: 'HiddenMembership' }];
  return { type: 'members', group, members: [], skipped, complete: true, hidden: true };
}

async function mayReadHidden({ tokens }: Graph, signal: AbortSignal): Promise<boolean> {
  return readClaims(await tokens.token(signal))?.roles.includes('Member.Read.Hidden') === true;
}

async function exists(graph: Graph, group: string, signal: AbortSignal): Promise<boolean> {
  try {
    return await graph.get(`/groups/${encodeURIComponent(group)}?$select=id`, () => true, { signal });
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/** Users and groups are kept; devices, contacts, service principals and what cannot be read are skipped with a reason. */
export function sortMembers(objects: readonly GraphMember[]): { members: MemberRef[]; skipped: SkippedObject[] } {
  const members: MemberRef[] = [];
  const skipped: SkippedObject[] = [];
  for (const object of objects) {
    const kind = memberKind(object);
    if (kind === 'user') members.push({ externalId: object.id, type: 'User' });
    else if (kind === 'group') members.push({ externalId: object.id, type: 'Group' });
    else if (kind === undefined)
      skipped.push({ externalId: object.id, objectType: 'unknown', reason: 'UnreadableMember' });
    else skipped.push({ externalId: object.id, objectType: kind, reason: 'UnsupportedObjectType' });
  }
  return { members, skipped };
}

/**
 * How many direct members each group has, in the same order. Good to know and not worth an error: whatever goes wrong
 * leaves the numbers out. So does a group that hides its members, of which Graph counts none.
 */
export async function countMembers(
  graph: Graph,
  groups: readonly GraphGroup[],
  signal: AbortSignal,
): Promise<readonly (number | undefined)[]> {
  const urls = groups.map(({ id }) => `/groups/${encodeURIComponent(id)}/members/$count`);
  try {
    const answers = await batchGet(graph, urls, { signal, advanced: true });
    return groups.map((group, index) => countIn(group, answers[index]));
  } catch {
    signal.throwIfAborted();
    return [];
  }
}

/**
 * How many direct members the answer of a batch says that a group has; undefined where it does not, or the group hides them.
 * A body that is no JSON may stand in base64. Source: learn.microsoft.com/graph/json-batching, checked 2026-11.
 */
export function countIn(group: GraphGroup, answer: BatchAnswer | undefined): number | undefined {
  if (answer?.status !== 200 || hidesMembers(group)) return undefined;
  const { body } = answer;
  const text = typeof body === 'string' && !isNumber(body) ? Buffer.from(body, 'base64').toString('latin1') : body;
  return isNumber(String(text)) ? Number(text) : undefined;
}

function isNumber(text: string): boolean {
  return /^\d{1,15}$/.test(text);
}
