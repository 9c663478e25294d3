import { CheckpointExpiredError, NotFoundError, UpstreamError } from '#core/errors.ts';
import type { ChangePage, ChangeReader, Checkpoint, GoneObject, MembersChange, ReturnedLinks } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { batchGet } from '../graph/batch.ts';
import type { Graph } from '../graph/client.ts';
import { readPage } from '../graph/collection.ts';
import { incomplete, isNotGiven, saysCode } from '../graph/failures.ts';
import { idInOneCase } from '../graph/ids.ts';
import { type LinkName, linkedIn, linkUrl } from '../graph/links.ts';
import {
  GROUP_SELECT,
  type GraphGroup,
  type GraphMember,
  type GraphUser,
  hidesMembers,
  listOf,
} from '../map/records.ts';
import { membersOfAll, sortMembers } from './members.ts';
import { confirmDeletions } from './recycle-bin.ts';

/** More pages than any round of changes has. */
const PAGES_MAX = 50_000;
/** An empty page may have a next one; so many in a row lead nowhere. */
const EMPTY_PAGES_MAX = 100;

/** Links of Graph, whole and opaque: they are followed, never built or changed. */
interface Links {
  readonly users: string;
  readonly groups: string;
  /** The list whose round was left in the middle: its link leads to the rest of that round, and not to what came after. */
  readonly midway?: 'users' | 'groups' | undefined;
}

/** A user or group as delta tells it: what is absent has not changed, or was never set; null was unset. */
export interface DeltaObject {
  readonly id: string;
  readonly '@removed'?: { readonly reason?: unknown } | null;
  readonly 'members@delta'?: readonly DeltaMember[] | null;
  readonly 'manager@delta'?: readonly DeltaMember[] | null;
  readonly [property: string]: unknown;
}

type DeltaMember = GraphMember & { readonly '@removed'?: object | null };

type Raw = GraphUser | GraphGroup;

/**
 * Where reading changes would begin now: asked for before a full read, so that what changes meanwhile comes with the
 * first changes, a second time at most. Undefined where Graph does not give it: everything can be read all the same, and
 * is then read each time.
 * Source: learn.microsoft.com/graph/delta-query-overview, `$deltatoken=latest`, checked 2026-11.
 * @throws {GatewayError} what `Graph.get` throws when nothing else could be read either: no token, no connection, throttled
 */
export async function latestCheckpoint(
  graph: Graph,
  userProperties: readonly string[],
  signal: AbortSignal,
): Promise<Checkpoint | undefined> {
  // What is not selected is not tracked, and the default lacks accountEnabled, userType and proxyAddresses.
  const users = [...new Set([...userProperties, 'manager'])].join(',');
  const groups = [...GROUP_SELECT, 'members'].join(',');
  try {
    return makeCheckpoint({
      users: await latest(graph, `/users/delta?$select=${users}&$deltatoken=latest`, signal),
      groups: await latest(graph, `/groups/delta?$select=${groups}&$deltatoken=latest`, signal),
    });
  } catch (error) {
    const isBroken = error instanceof UpstreamError && ['server', 'source-incomplete'].includes(error.failure);
    // What knows of no place even when it is asked for the latest gives none either.
    if (isBroken || isNotGiven(error) || error instanceof CheckpointExpiredError) return undefined;
    throw error;
  }
}

/** The link that ends the round. One that begins with all there is, since `latest` means nothing there, is read through. */
async function latest(graph: Graph, first: string, signal: AbortSignal): Promise<string> {
  let reached = first;
  for await (const { link } of deltaRound(graph, first, signal)) reached = link;
  return reached;
}

export interface ChangeOptions {
  isGroupWanted(group: GraphGroup): boolean;
}

/**
 * Changes of users, then of groups and their members. Sources: learn.microsoft.com/graph/delta-query-users,
 * delta-query-groups, api/user-delta and api/group-delta, checked 2026-11.
 */
export function changesOf(graph: Graph, { isGroupWanted }: ChangeOptions): ChangeReader<Raw> {
  const confirm = confirmDeletions(graph);
  return {
    async *pages(checkpoint, signal) {
      let links = readCheckpoint(checkpoint);
      for (const [type, list] of LISTS)
        for (let rounds = links.midway === list ? 2 : 1; rounds > 0; rounds -= 1)
          for await (const { items, link, last } of deltaRound(graph, links[list], signal)) {
            yield* confirm(toPages(type, items), signal);
            links = { ...links, [list]: link, midway: last ? undefined : list };
            yield { type: 'reached', checkpoint: makeCheckpoint(links) };
          }
      yield { type: 'end', checkpoint: makeCheckpoint(links) };
    },
    merge: mergeDelta,
    members: (groups, signal) => membersOfAll(graph, wantedOf(groups as readonly GraphGroup[], isGroupWanted), signal),
    linksOf: (type, ids, signal) => linksOf(graph, type, ids, signal),
  };
}

const LISTS: readonly (readonly [ResourceType, 'users' | 'groups'])[] = [
  ['User', 'users'],
  ['Group', 'groups'],
];

function wantedOf(
  groups: readonly GraphGroup[],
  isGroupWanted: ChangeOptions['isGroupWanted'],
): ReadonlyMap<string, boolean> {
  return new Map(groups.filter(isGroupWanted).map((group) => [group.id, hidesMembers(group)]));
}

function makeCheckpoint({ users, groups, midway }: Links): Checkpoint {
  return JSON.stringify({ users, groups, midway }) as Checkpoint;
}

function readCheckpoint(checkpoint: Checkpoint): Links {
  const { users, groups, midway } = JSON.parse(checkpoint) as Partial<Links>;
  if (typeof users !== 'string' || typeof groups !== 'string')
    throw new CheckpointExpiredError('The checkpoint is none of this release.');
  return { users, groups, midway };
}

interface DeltaPage {
  readonly items: readonly DeltaObject[];
  readonly nextLink: string | undefined;
  readonly deltaLink: string | undefined;
}

/** The pages of one round, each with the link from which a later read goes on. Ends with the page that has a deltaLink. */
async function* deltaRound(
  graph: Graph,
  first: string,
  signal: AbortSignal,
): AsyncGenerator<{ readonly items: readonly DeltaObject[]; readonly link: string; readonly last: boolean }> {
  const followed = new Set<string>();
  let empty = 0;
  for (let url = first; ; ) {
    const { items, nextLink, deltaLink } = await deltaPage(graph, url, signal);
    const link = deltaLink ?? nextLink ?? '';
    yield { items, link, last: deltaLink !== undefined };
    if (deltaLink !== undefined) return;
    empty = items.length === 0 ? empty + 1 : 0;
    if (empty > EMPTY_PAGES_MAX || (followed.has(link) && items.length > 0))
      throw incomplete('Graph sends changes without an end.', 'page-loop');
    followed.add(link);
    if (followed.size > PAGES_MAX) throw incomplete(`Changes have more than ${PAGES_MAX} pages.`, 'too-many-pages');
    url = link;
  }
}

async function deltaPage(graph: Graph, url: string, signal: AbortSignal): Promise<DeltaPage> {
  try {
    return await graph.get(url, readDeltaPage, { signal });
  } catch (error) {
    if (isExpired(error))
      throw new CheckpointExpiredError('Microsoft Graph no longer knows where the last read of changes ended.', {
        cause: error,
      });
    throw error;
  }
}

/** What a link is answered with that leads nowhere, whatever words go with it: it is Graph's own, so nothing in it is ours. */
const LEADS_NOWHERE: ReadonlySet<unknown> = new Set([400, 404, 410]);

/**
 * 410 asks to begin anew, with or without an empty token in `Location`; an expired or unknown token is 40x with a code,
 * which may stand in an inner error.
 * Sources: learn.microsoft.com/graph/delta-query-overview, "Synchronization reset", and graph/errors, checked 2026-11.
 */
function isExpired(error: unknown): boolean {
  if (!(error instanceof UpstreamError || error instanceof NotFoundError)) return false;
  const status = Number(error.details['status']);
  if (LEADS_NOWHERE.has(status)) return true;
  return status >= 400 && status < 500 && saysCode(error, /resync|syncState|PageToken|ExpiredToken/i);
}

function readDeltaPage(body: unknown): DeltaPage {
  const { items, nextLink } = readPage<DeltaObject>(body);
  const deltaLink = (body as { '@odata.deltaLink'?: unknown })['@odata.deltaLink'] ?? undefined;
  if (deltaLink !== undefined && (typeof deltaLink !== 'string' || !/^https?:\/\//i.test(deltaLink)))
    throw incomplete('A page of changes has a link that is no link.', 'page-broken');
  if (deltaLink === undefined && nextLink === undefined)
    throw incomplete('A page of changes says neither how to go on nor that it is the last.', 'page-broken');
  return { items, nextLink, deltaLink };
}

/**
 * What one page tells, in an order in which it may be written: the later of two that speak of the same object last. Who
 * goes and is there again on the same page goes first, since the new instance tells only what it has.
 */
function* toPages(type: ResourceType, items: readonly DeltaObject[]): Generator<ChangePage<Raw>> {
  const last = new Map(items.map((item, index) => [item.id, index]));
  const removal = new Map(items.flatMap((item, index) => (isRemoved(item) ? [[item.id, index] as const] : [])));
  const removed = items.filter((item, index) => removal.get(item.id) === index);
  const stays = (item: DeltaObject): boolean => last.get(item.id) !== removal.get(item.id);
  const back = removed.filter(stays);
  if (back.length > 0) yield { type: 'gone', resourceType: type, objects: back.map(goneOf) };
  const changed = items.filter((item, index) => index > (removal.get(item.id) ?? -1));
  const records = changed.filter(saysSomething);
  if (records.length > 0) yield { type: 'records', resourceType: type, records: records as unknown as Raw[] };
  const members = type === 'Group' ? changed.flatMap((item) => membersChange(item) ?? []) : [];
  if (members.length > 0) yield { type: 'memberChanges', changes: members };
  const gone = removed.filter((item) => !stays(item));
  if (gone.length > 0) yield { type: 'gone', resourceType: type, objects: gone.map(goneOf) };
}

function isRemoved(item: DeltaObject): boolean {
  return typeof item['@removed'] === 'object' && item['@removed'] !== null;
}

/** `changed` can be restored, `deleted` cannot. Source: learn.microsoft.com/graph/delta-query-overview, checked 2026-11. */
function goneOf(item: DeltaObject): GoneObject {
  return { externalId: item.id, how: item['@removed']?.reason === 'deleted' ? 'hardDeleted' : 'softDeleted' };
}

/** An object that only carries members has no property to merge. */
function saysSomething(item: DeltaObject): boolean {
  return Object.keys(item).some((name) => name !== 'id' && name !== 'members@delta' && !name.startsWith('@'));
}

/** A large group comes in many objects, with others in between; each says what it won and lost. */
function membersChange(item: DeltaObject): MembersChange | undefined {
  const named = listOf(item['members@delta']).filter((member) => typeof member.id === 'string');
  // The later of two that speak of the same member counts.
  const listed = [...new Map(named.map((member) => [member.id, member])).values()];
  if (listed.length === 0) return undefined;
  const removed = listed.filter((member) => member['@removed'] != null).map(({ id }) => id);
  const { members, skipped } = sortMembers(listed.filter((member) => member['@removed'] == null));
  // Whoever was added and is nothing that we know cannot be written, and must not be taken for somebody who left.
  if (skipped.some(({ reason }) => reason === 'UnreadableMember'))
    throw new CheckpointExpiredError('A change of members does not say what was added: the lists do.');
  return { group: item.id, added: members, skipped, removed };
}

/** Pure. The properties that a change has replace those that are known; its manager comes as a list of changes. */
export function mergeDelta(known: Raw | undefined, change: Raw): Raw {
  const { 'members@delta': _members, 'manager@delta': manager, ...properties } = change as DeltaObject;
  const named = Object.entries(properties).filter(([name]) => !name.startsWith('@'));
  const merged = { ...known, ...Object.fromEntries(named) } as GraphUser;
  if (manager == null) return merged;
  return { ...merged, manager: managerAfter(known as GraphUser | undefined, listOf(manager)) };
}

function managerAfter(known: GraphUser | undefined, changes: readonly DeltaMember[]): GraphUser['manager'] {
  const now = changes.find((change) => change['@removed'] == null);
  if (now !== undefined) return { id: now.id };
  const lost = changes.some(({ id }) => id === known?.manager?.id);
  return lost ? null : known?.manager;
}

/** What is asked for of whoever came back. */
const LINKS: Readonly<Record<ResourceType, readonly LinkName[]>> = {
  User: ['memberOf', 'directReports', 'manager'],
  Group: ['memberOf'],
};

/**
 * The groups of users and groups who came back; of users also their manager, and those whose manager they are again: a
 * restore is silent about all of it. Whoever is not to be found yet, or is gone again, is left out.
 */
async function linksOf(
  graph: Graph,
  type: ResourceType,
  returned: readonly string[],
  signal: AbortSignal,
): Promise<ReturnedLinks<Raw>> {
  const groups = new Map<string, readonly string[]>();
  const records: DeltaObject[] = [];
  const kinds = LINKS[type];
  const urls = returned.flatMap((id) => kinds.map((kind) => linkUrl(type, id, kind)));
  const answers = await batchGet(graph, urls, { signal });
  for (const [index, id] of returned.entries()) {
    const [memberOf, reports, manager] = answers.slice(index * kinds.length, (index + 1) * kinds.length);
    const links = await linkedIn(graph, linkUrl(type, id, 'memberOf'), memberOf, signal);
    if (links === undefined) continue;
    groups.set(id, links);
    for (const report of (await linkedIn(graph, linkUrl(type, id, 'directReports'), reports, signal)) ?? [])
      records.push({ id: report, 'manager@delta': [{ id }] });
    const boss = (manager?.body as { readonly id?: unknown } | null | undefined)?.id;
    if (manager?.status === 200 && typeof boss === 'string')
      records.push({ id, 'manager@delta': [{ id: idInOneCase(boss) }] });
  }
  return { groups, records: records as unknown as Raw[] };
}
