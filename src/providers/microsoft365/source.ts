// What an administrator can look through before anything is saved.
import { InputError, UpstreamError } from '#core/errors.ts';
import type {
  GroupChoice,
  GroupPage,
  GroupSearch,
  MemberChoice,
  MemberList,
  MemberSearch,
  Truncated,
} from '#core/source.ts';
import type { Graph } from './graph/client.ts';
import { type CollectionPage, collection, PAGE_SIZE, readPage } from './graph/collection.ts';
import { REQUEST_REFUSED } from './graph/failures.ts';
import { GROUP_SELECT, type GraphGroup, type GraphMember, memberKind } from './map/records.ts';
import { countMembers } from './read/members.ts';
import { groupType } from './scope/scope.ts';

/** A look at members stops here; a sync reads them all. */
const MEMBERS_SHOWN = 5_000;
const DEPTH_MAX = 20;
const GROUPS_ENTERED_MAX = 500;
const MEMBER_SELECT = 'id,displayName,userPrincipalName,groupTypes,mailEnabled,securityEnabled';

/**
 * A page of groups by name or address: Graph's word search, or where that is refused, names that begin with
 * the text. `memberCount` is null where Graph does not say. The cursor is Graph's own, and stands for the search too.
 * Sources: learn.microsoft.com/graph/search-query-parameter and aad-advanced-queries, checked 2026-11.
 * @throws {GatewayError} what `Graph.get` throws
 */
export async function findGroups(
  graph: Graph,
  { search, cursor, limit }: GroupSearch,
  signal: AbortSignal,
): Promise<GroupPage> {
  const { items, nextLink } =
    cursor === undefined
      ? await readGroups(graph, { search: search?.trim() ?? '', limit }, signal)
      : await graph.get(linkIn(cursor), (body) => readPage<GraphGroup>(body), { signal, advanced: true });
  const counts = await countMembers(graph, items, signal);
  return {
    items: items.map(
      (group, index): GroupChoice => ({
        id: group.id,
        displayName: group.displayName ?? group.id,
        type: groupType(group) ?? 'unknown',
        memberCount: counts[index] ?? null,
      }),
    ),
    nextCursor: nextLink === undefined ? null : Buffer.from(nextLink).toString('base64url'),
    truncated: null,
  };
}

/** @throws {InputError} the cursor is none that was given out */
function linkIn(cursor: string): string {
  const link = Buffer.from(cursor, 'base64url').toString();
  if (URL.canParse(link) && /^\/v1\.0\/groups$/.test(new URL(link).pathname)) return link;
  throw new InputError('The cursor is none of this list.', {
    reason: 'invalid-cursor',
    remedy: 'Begin again without a cursor.',
  });
}

async function readGroups(
  graph: Graph,
  { search, limit }: { readonly search: string; readonly limit: number },
  signal: AbortSignal,
): Promise<CollectionPage<GraphGroup>> {
  const base = `/groups?$select=${GROUP_SELECT.join(',')}&$top=${limit}`;
  const read = (query: string, advanced: boolean): Promise<CollectionPage<GraphGroup>> =>
    graph.get(`${base}${query}`, (body) => readPage<GraphGroup>(body), { signal, advanced });
  const words = search.replaceAll(/["\\]/g, ' ').trim();
  if (words === '') return read('', false);
  try {
    return await read(`&$count=true&$search=${encodeURIComponent(`"displayName:${words}" OR "mail:${words}"`)}`, true);
  } catch (error) {
    if (!isRefused(error)) throw error;
    return read(`&$filter=${encodeURIComponent(`startswith(displayName,'${search.replaceAll("'", "''")}')`)}`, false);
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof UpstreamError && error.reason === REQUEST_REFUSED;
}

interface Place {
  readonly id: string;
  readonly path: readonly string[];
}

/**
 * Users and groups below a group, nearest first, each with the groups on the way to it; or those directly in it alone. A
 * group is entered once, so a circle ends; somebody in two groups is listed with both paths. `truncated` says where it
 * stopped before the end.
 * @throws {NotFoundError} there is no such group; and what `Graph.get` throws
 */
export async function membersBelow(
  graph: Graph,
  { groupId, transitive }: MemberSearch,
  signal: AbortSignal,
): Promise<MemberList> {
  const root = `/groups/${encodeURIComponent(groupId)}?$select=id,displayName`;
  const group = await graph.get(root, (body) => (body ?? {}) as Partial<GraphGroup>, { signal });
  const found: MemberChoice[] = [];
  const known = new Set([groupId]);
  const waiting: Place[] = [{ id: groupId, path: [group.displayName ?? groupId] }];
  let truncated: Truncated | null = null;
  for (const place of waiting) {
    if (found.length > MEMBERS_SHOWN) break;
    for (const member of await directMembers(graph, place, signal)) {
      found.push(member);
      if (!transitive || member.type !== 'group' || known.has(member.id)) continue;
      const isFull = known.size >= GROUPS_ENTERED_MAX;
      if (isFull || place.path.length >= DEPTH_MAX) {
        truncated ??= isFull ? { by: 'groups', limit: GROUPS_ENTERED_MAX } : { by: 'depth', limit: DEPTH_MAX };
        continue;
      }
      known.add(member.id);
      waiting.push({ id: member.id, path: [...place.path, member.displayName] });
    }
  }
  if (found.length > MEMBERS_SHOWN) truncated = { by: 'members', limit: MEMBERS_SHOWN };
  return { items: found.slice(0, MEMBERS_SHOWN), truncated };
}

async function directMembers(graph: Graph, { id, path }: Place, signal: AbortSignal): Promise<MemberChoice[]> {
  const url = `/groups/${encodeURIComponent(id)}/members?$select=${MEMBER_SELECT}&$top=${PAGE_SIZE}`;
  const found: MemberChoice[] = [];
  for await (const members of collection<GraphMember>(graph, url, { signal })) {
    for (const member of members) {
      const type = memberKind(member);
      if (type !== 'user' && type !== 'group') continue;
      found.push({
        id: member.id,
        displayName: member.displayName ?? member.id,
        type,
        ...detailsOf(member, type),
        path,
      });
    }
    if (found.length > MEMBERS_SHOWN) break;
  }
  return found;
}

function detailsOf(member: GraphMember, type: 'user' | 'group'): Pick<MemberChoice, 'userName' | 'groupType'> {
  if (type === 'group') return { groupType: groupType(member) ?? 'unknown' };
  return typeof member.userPrincipalName === 'string' ? { userName: member.userPrincipalName } : {};
}
