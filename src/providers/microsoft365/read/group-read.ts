// A read of designated groups: the groups, those below them as far as they count, and the people in them. Its cost
// follows the groups that were selected, and not the tenant.
import type { MembershipScope } from '#core/membership-scope.ts';
import type { Page, ReadMemory } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { PAGE_SIZE } from '../graph/collection.ts';
import { GROUP_SELECT, type GraphGroup, type GraphUser, hidesMembers } from '../map/records.ts';
import { countMembers, membersOfAll } from './members.ts';
import { missedMembers } from './missed-members.ts';
import { howTheyLeft } from './recycle-bin.ts';
import { countObjects } from './second-look.ts';
import { foundIn, type Taker, userPages, usersById } from './users.ts';

/** Graph's batches hold so many steps, so looking a few people up costs less than listing everybody. */
const PEOPLE_PER_REQUEST = 20;
/** People who are yielded together. */
const PEOPLE_PER_PAGE = 500;

export interface GroupReadOptions {
  readonly userProperties: readonly string[];
  readonly scope: MembershipScope;
  readonly memory: ReadMemory | undefined;
  isGroupWanted(group: GraphGroup): boolean;
}

/**
 * True when a bounded read tells all that the scope asks for: groups in the filter must be named by their ids, since
 * only a read of all groups finds those of a name.
 */
export function canReadByGroup({ selected, conditions }: MembershipScope): boolean {
  return selected !== null && conditions.every(({ operator, value }) => operator === 'eq' && isObjectId(value));
}

function isObjectId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text);
}

/**
 * Groups with their members level by level, then everybody in them. Whoever is in the directory and was not reached is
 * read too: only so is it known whether they left the groups or the tenant.
 * Sources: learn.microsoft.com/graph/api/group-list-members, json-batching and api/user-list, checked 2026-11.
 * @throws what `fullRead` throws
 */
export async function* groupRead(
  graph: Graph,
  { userProperties, scope, memory, isGroupWanted }: GroupReadOptions,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>> {
  const reached: Reached = { people: new Set(), groups: new Set(), entered: new Set(), absent: new Set() };
  yield* walk(graph, { scope, isGroupWanted, reached }, signal);
  const { people, groups } = reached;
  const left = {
    Group: await whoIsLeft(memory, 'Group', groups),
    User: await whoIsLeft(memory, 'User', people),
  };
  const here = new Set<string>();
  for await (const page of peopleAndLeft(graph, { ...reached, left, userProperties }, signal)) {
    if (page.type === 'records' && page.resourceType === 'User') for (const { id } of page.records) here.add(id);
    yield page;
  }
  yield* missedMembers(graph, { ...reached, people: here.intersection(left.User.ids) }, signal);
  yield { type: 'end' };
}

/** What a walk has come upon. */
interface Reached {
  /** Members of groups that count. */
  readonly people: Set<string>;
  /** Groups that were asked for. */
  readonly groups: Set<string>;
  /** Of them, those whose members Graph shows, and those of which it said that there is none. */
  readonly entered: Set<string>;
  readonly absent: Set<string>;
}

interface Walking extends Pick<GroupReadOptions, 'scope' | 'isGroupWanted'> {
  readonly reached: Reached;
}

/** The groups and their members, level by level. */
async function* walk(
  graph: Graph,
  { scope, isGroupWanted, reached }: Walking,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>> {
  const asked = new Set(scope.conditions.map(({ value }) => value.toLowerCase()));
  const deepest = scope.nested === 'ignore' ? 0 : (scope.maxDepth ?? Number.POSITIVE_INFINITY);
  let level: ReadonlySet<string> = new Set([...(scope.selected ?? []), ...asked]);
  for (let depth = 0; level.size > 0; depth += 1) {
    const found = await groupsById(graph, [...level], signal);
    for (const id of level) reached.groups.add(id);
    for (const id of level.difference(new Set(found.map((group) => group.id)))) reached.absent.add(id);
    // One level below the last that counts is shown with the reason and the number of its members, and not entered.
    const records = depth > deepest ? await withCounts(graph, found, signal) : found;
    yield { type: 'records', resourceType: 'Group', records };
    const counting = depth > deepest ? [] : records.filter((group) => isGroupWanted(group) || asked.has(group.id));
    level = yield* enter(graph, counting, reached, signal);
  }
}

/** The members of these groups. Answers the groups among them that were not asked for yet. */
async function* enter(
  graph: Graph,
  counting: readonly GraphGroup[],
  { people, groups, entered }: Reached,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>, ReadonlySet<string>> {
  const hiding = new Map(counting.map((group) => [group.id, hidesMembers(group)]));
  for (const [id, hides] of hiding) if (!hides) entered.add(id);
  const below = new Set<string>();
  for await (const page of membersOfAll(graph, hiding, signal)) {
    for (const { type, externalId } of page.members) (type === 'User' ? people : below).add(externalId);
    yield page;
  }
  return below.difference(groups);
}

interface Left {
  /** Who is in the directory, and not among those who were read. */
  readonly ids: ReadonlySet<string>;
  /** Of them, and of those who left before, who was last seen in the recycle bin. */
  readonly restorable: ReadonlySet<string>;
}

async function whoIsLeft(memory: ReadMemory | undefined, type: ResourceType, read: ReadonlySet<string>): Promise<Left> {
  const collect = async (pages: AsyncIterable<readonly string[]> | undefined): Promise<string[]> => {
    const ids: string[] = [];
    for await (const page of pages ?? []) ids.push(...page.filter((id) => !read.has(id)));
    return ids;
  };
  const restorable = new Set(await collect(memory?.restorable(type)));
  return { ids: restorable.union(new Set(await collect(memory?.served(type)))), restorable };
}

interface Last extends Pick<Reached, 'people' | 'absent'> {
  readonly left: Readonly<Record<ResourceType, Left>>;
  readonly userProperties: readonly string[];
}

/** People, whoever is left, and how those of the left went who are not in the tenant any more. */
async function* peopleAndLeft(
  graph: Graph,
  { people, absent, left, userProperties }: Last,
  signal: AbortSignal,
): AsyncGenerator<Page<GraphUser | GraphGroup>> {
  const records = await groupsById(graph, [...left.Group.ids], signal);
  yield { type: 'records', resourceType: 'Group', records };
  const found = new Set(records.map(({ id }) => id));
  const wanted = people.union(left.User.ids);
  for await (const page of peopleOf(graph, wanted, { userProperties, signal })) {
    for (const { id } of page.records) found.add(id);
    yield page;
  }
  // Also who was still a member of a group, or is designated, and is there no more.
  const asked = { User: wanted, Group: left.Group.ids.union(absent) };
  for (const type of ['User', 'Group'] as const) {
    const missing = [...asked[type].difference(found)];
    if (missing.length > 0) yield await howTheyLeft(graph, type, { missing, ...left[type] }, signal);
  }
}

type UsersPage = Extract<Page<GraphUser>, { type: 'records' }>;

async function* peopleOf(
  graph: Graph,
  wanted: ReadonlySet<string>,
  { userProperties, signal }: { userProperties: readonly string[]; signal: AbortSignal },
): AsyncGenerator<UsersPage> {
  const total = await countObjects(graph, 'User', signal);
  const shown = new Set<string>();
  const listing = Math.ceil((total ?? Number.POSITIVE_INFINITY) / PAGE_SIZE);
  if (listing < Math.ceil(wanted.size / PEOPLE_PER_REQUEST)) {
    for await (const page of userPages(graph, userProperties, signal)) {
      const records = page.filter(({ id }) => wanted.has(id));
      for (const { id } of records) shown.add(id);
      yield { type: 'records', resourceType: 'User', records };
    }
  }
  // A list may be short: whoever it did not show is asked for.
  const ids = [...wanted.difference(shown)];
  for (let start = 0; start < ids.length; start += PEOPLE_PER_PAGE) {
    const records = await usersById(graph, ids.slice(start, start + PEOPLE_PER_PAGE), { userProperties, signal });
    yield { type: 'records', resourceType: 'User', records };
  }
}

/** A number that Graph does not give is left out. */
async function withCounts(graph: Graph, groups: readonly GraphGroup[], signal: AbortSignal): Promise<GraphGroup[]> {
  const counts = await countMembers(graph, groups, signal);
  return groups.map((group, index) => {
    const memberCount = counts[index];
    return memberCount === undefined ? group : { ...group, memberCount };
  });
}

/** The groups that there are of these ids; a 404 says that there is none. */
export async function groupsById(
  graph: Graph,
  ids: readonly string[],
  signal: AbortSignal,
  take: Taker = foundIn,
): Promise<GraphGroup[]> {
  const urls = ids.map((id) => `/groups/${encodeURIComponent(id)}?$select=${GROUP_SELECT.join(',')}`);
  return (await batchGet(graph, urls, { signal })).flatMap((answer) => take<GraphGroup>(answer));
}
