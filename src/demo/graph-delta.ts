// Delta queries of the simulated Graph. Sources: learn.microsoft.com/graph/delta-query-overview, delta-query-users,
// delta-query-groups, api/user-delta and api/group-delta, checked 2026-11.
import type { TenantChange } from './changes.ts';
import { GraphProblem } from './problem.ts';
import type { Tenant } from './tenant.ts';

export type DeltaList = 'users' | 'groups';

/** What a link carries: the query that it belongs to, and which part of the log it stands for. */
interface Token {
  readonly list: DeltaList;
  readonly select: readonly string[] | null;
  /** Everything is told when `from` is null. */
  readonly from: number | null;
  /** Where a round ends that is under way; absent in a deltaLink. */
  readonly to?: number;
  readonly place?: number;
}

export interface DeltaRequest {
  readonly tenant: Tenant;
  readonly list: DeltaList;
  readonly url: URL;
  /** `return=minimal` tells only what has changed of an object. */
  readonly prefer: string;
  /** Places of the log before this one are forgotten. */
  readonly forgottenBefore: number;
  readonly pageSize: number;
  /** Members told with one object; the rest comes with further objects of the same group. */
  readonly membersPerObject: number;
}

type Shaped = Record<string, unknown>;

/** One page of changes as JSON. @throws {GraphProblem} as Graph refuses what it does not support */
export function deltaPage(request: DeltaRequest): string {
  const { tenant, list, url, forgottenBefore, pageSize } = request;
  const token = readToken(list, url);
  if (token.from !== null && token.from < forgottenBefore) throw resync(url, list);
  const to = token.to ?? tenant.log.length;
  const slots = slotsOf(request, token, to);
  const place = token.place ?? 0;
  const page = slots.slice(place, place + pageSize).flatMap((slot) => tell(request, token.select, slot));
  const end = place + pageSize >= slots.length;
  const next: Token = end ? { list, select: token.select, from: to } : { ...token, to, place: place + pageSize };
  const name = end ? '$deltatoken' : '$skiptoken';
  const link = `${url.origin}/v1.0/${list}/delta?${name}=${Buffer.from(JSON.stringify(next)).toString('base64url')}`;
  return JSON.stringify({
    '@odata.context': `${url.origin}/v1.0/$metadata#${list}`,
    [end ? '@odata.deltaLink' : '@odata.nextLink']: link,
    value: page,
  });
}

function readToken(list: DeltaList, url: URL): Token {
  const { searchParams } = url;
  for (const name of ['$expand', '$top', '$orderby', '$search', '$count', '$filter'])
    if (searchParams.has(name))
      throw new GraphProblem(400, 'Request_UnsupportedQuery', `'${name}' is not supported with delta queries.`);
  const text = searchParams.get('$deltatoken') ?? searchParams.get('$skiptoken');
  const select = searchParams.get('$select')?.split(',') ?? null;
  if (text === null) return { list, select, from: null };
  if (text === 'latest') return { list, select, from: Number.POSITIVE_INFINITY };
  if (select !== null) throw new GraphProblem(400, 'Request_BadRequest', '$select must not be added to a state token.');
  try {
    const token = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as Token;
    if (token.list === list) return token;
  } catch {
    // Refused below.
  }
  throw new GraphProblem(400, 'Request_BadRequest', 'The state token is not one of this query.');
}

/** Asks to begin anew with an empty token. */
function resync(url: URL, list: DeltaList): GraphProblem {
  return new GraphProblem(410, 'resyncRequired', 'Resync required. Any differences found are lost.', {
    location: `${url.origin}/v1.0/${list}/delta?$deltatoken=`,
  });
}

/** A place in a round: an object, and which part of its members. Depends on the log alone, so that pages never shift. */
interface Slot {
  readonly id: string;
  readonly happened: readonly TenantChange[];
  readonly part: number;
  readonly parts: number;
}

function slotsOf({ tenant, membersPerObject }: DeltaRequest, { list, from }: Token, to: number): readonly Slot[] {
  const kind = list === 'users' ? 'user' : 'group';
  const changes =
    from === null
      ? [...tenant[list].keys()].map((id): TenantChange => ({ kind, id, what: 'created' }))
      : tenant.log.slice(from, to).filter((change) => change.kind === kind);
  const byObject = new Map<string, TenantChange[]>();
  for (const change of changes) {
    const happened = byObject.get(change.id);
    if (happened === undefined) byObject.set(change.id, [change]);
    else happened.push(change);
  }
  const rows = [...byObject].map(([id, happened]) => {
    const members = happened.filter(({ what }) => what === 'members').length;
    const parts = Math.max(1, Math.ceil(members / membersPerObject));
    return Array.from({ length: parts }, (_, part): Slot => ({ id, happened, part, parts }));
  });
  // Parts of one group come with other groups in between.
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return Array.from({ length: longest }, (_, part) => rows.flatMap((row) => row[part] ?? [])).flat();
}

/** What is told at one place: nothing where nothing that changed is tracked. */
function tell(request: DeltaRequest, select: readonly string[] | null, { id, happened, part, parts }: Slot): Shaped[] {
  const { tenant, list, prefer, membersPerObject } = request;
  const object = tenant[list].get(id);
  if (object === undefined) {
    const soft = list === 'users' ? tenant.deletedUsers.has(id) : tenant.deletedGroups.has(id);
    return part === 0 ? [{ id, '@removed': { reason: soft ? 'changed' : 'deleted' } }] : [];
  }
  const isTracked = (name: string): boolean => select === null || select.includes(name);
  const created = happened.some(({ what }) => what === 'created');
  const changed = new Set(happened.flatMap(({ properties = [] }) => properties).filter(isTracked));
  const minimal = prefer.includes('return=minimal') && !created;
  const properties = Object.entries(object).filter(
    ([name, value]) => name === 'id' || changed.has(name) || (!minimal && isTracked(name) && value !== null),
  );
  const first: Shaped = part === 0 ? Object.fromEntries(properties) : { id };
  const isTold = part === 0 && (created || changed.size > 0);
  if (list === 'users') {
    const manager = isTracked('manager') ? managerOf(tenant, id, happened, created) : [];
    if (!isTold && manager.length === 0) return [];
    return [manager.length === 0 ? first : { ...first, 'manager@delta': manager }];
  }
  const all = isTracked('members') ? membersOf(tenant, id, happened, created) : [];
  const own = all.slice(part * membersPerObject, part === parts - 1 ? undefined : (part + 1) * membersPerObject);
  const members = own.filter(
    ({ id: member, '@removed': removed }) => removed !== undefined || !tenant.deletedUsers.has(String(member)),
  );
  if (!isTold && members.length === 0) return [];
  return [members.length === 0 ? first : { ...first, 'members@delta': members }];
}

/** Who is the manager now, and each who was one meanwhile; who is in the recycle bin is told of as one who was. */
function managerOf(tenant: Tenant, id: string, happened: readonly TenantChange[], created: boolean): Shaped[] {
  const manager = tenant.managers.get(id);
  const now = manager !== undefined && !tenant.deletedUsers.has(manager) ? manager : undefined;
  const named = happened.flatMap(({ what, other }) => (what === 'manager' ? (other ?? []) : []));
  if (named.length === 0 && !(created && now !== undefined)) return [];
  const type = { '@odata.type': '#microsoft.graph.user' };
  const were = [...new Set(named)].filter((other) => other !== now);
  return [
    ...were.map((other) => ({ ...type, id: other, '@removed': { reason: 'deleted' } })),
    ...(now === undefined ? [] : [{ ...type, id: now }]),
  ];
}

function membersOf(tenant: Tenant, id: string, happened: readonly TenantChange[], created: boolean): Shaped[] {
  const members = new Map<string, boolean>();
  if (created) for (const member of tenant.members.get(id) ?? []) members.set(member, false);
  for (const { what, other, removed = false } of happened)
    if (what === 'members' && other !== undefined) {
      members.delete(other);
      members.set(other, removed);
    }
  // Who is in the recycle bin is not shown, and did not leave: that is left out where it is told.
  return [...members].map(([member, removed]) => ({
    '@odata.type': `#microsoft.graph.${typeOf(tenant, member)}`,
    id: member,
    ...(removed ? { '@removed': { reason: 'deleted' } } : {}),
  }));
}

function typeOf(tenant: Tenant, id: string): string {
  if (tenant.groups.has(id) || tenant.deletedGroups.has(id)) return 'group';
  return tenant.others.get(id)?.type ?? 'user';
}
