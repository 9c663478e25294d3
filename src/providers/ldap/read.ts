// A whole read: who is there (names and ids alone), then users, groups, and the members of each group. Every search goes
// to its end or throws; what is kept in memory is an id and a hash for each entry.
import type { MemberRef, Page, SkippedObject } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Connection, RawEntry, SearchAsked } from './connection.ts';
import { anchorMissing, anchorTwice } from './failures.ts';
import { memberNames } from './members.ts';
import { makeNames, type Names } from './names.ts';
import { anchorOf, type LdapRecord, recordOf, textsOf } from './records.ts';
import type { LdapSettings, Plan } from './settings.ts';

type LdapPage = Page<LdapRecord>;

/** Members of one page: a large group comes in several. */
const MEMBERS_PER_PAGE = 5_000;
const UID = 'uid';
const MADE_BY_SERVERS = new Set(['objectguid', 'entryuuid', 'nsuniqueid', 'ipauniqueid', 'objectsid']);

export interface Reading {
  readonly connection: Connection;
  readonly settings: LdapSettings;
  readonly plan: Plan;
  /** Attributes of a user that are asked for, beside the anchor. */
  readonly wanted: readonly string[];
  readonly signal: AbortSignal;
}

/** Attributes of a group, beside its anchor and members. */
export const GROUP_ATTRIBUTES = ['cn', 'displayName', 'name', 'description', 'mail', 'sAMAccountName'];

export interface Directory {
  /** By distinguished name. */
  readonly byDn: Names;
  /** By uid, where groups keep their members so. */
  readonly byUid: Names;
}

/** Yields everything up to, and without, the end. @throws what a search throws */
export async function* readAll(reading: Reading): AsyncGenerator<LdapPage> {
  const directory = await findEverybody(reading);
  yield* readUsers(reading, directory);
  yield* readGroups(reading);
  yield* readMembers(reading, directory);
}

/** Names and ids of all users and groups, and nothing else of them. */
export async function findEverybody(reading: Reading): Promise<Directory> {
  const { plan, signal, connection } = reading;
  const directory = { byDn: makeNames(), byUid: makeNames((uid) => uid) };
  for (const type of ['User', 'Group'] as const) {
    // Those that a server makes itself are different for each entry.
    const ids = MADE_BY_SERVERS.has(plan.anchor.toLowerCase()) ? undefined : new Set<string>();
    const asked = searchOf(reading, type, [plan.anchor, ...(hasUids(plan) ? [UID] : [])]);
    if (asked === undefined) continue;
    for await (const entries of connection.search(asked, signal))
      for (const entry of entries) {
        addNames(directory, entry, { plan, type });
        if (ids === undefined) continue;
        const id = idOf(entry, plan);
        if (ids.has(id)) throw anchorTwice(plan.anchor, id);
        ids.add(id);
      }
  }
  return directory;
}

/** @throws {ConfigError} `anchor-missing` */
export function addNames(
  { byDn, byUid }: Directory,
  entry: RawEntry,
  { plan, type }: { readonly plan: Plan; readonly type: ResourceType },
): void {
  const externalId = idOf(entry, plan);
  byDn.add(entry.dn, { externalId, type });
  if (type === 'User') for (const uid of textsOf(entry, UID)) byUid.add(uid, { externalId, type });
}

export async function* readUsers(reading: Reading, { byDn }: Directory, extra = ''): AsyncGenerator<LdapPage> {
  const { plan, wanted, signal, connection } = reading;
  const asked = searchOf(reading, 'User', [plan.anchor, ...wanted], extra);
  if (asked === undefined) return;
  for await (const entries of connection.search(asked, signal)) {
    const records = entries.map((entry) => userOf(entry, reading, byDn));
    yield { type: 'records', resourceType: 'User', records };
  }
}

function userOf(entry: RawEntry, { plan, wanted }: Reading, byDn: Names): LdapRecord {
  const record = recordOf(entry, idOf(entry, plan), wanted);
  const manager = byDn.find(textsOf(entry, 'manager')[0] ?? '');
  return manager?.type === 'User' ? { ...record, managerId: manager.externalId } : record;
}

export async function* readGroups(reading: Reading, extra = ''): AsyncGenerator<LdapPage> {
  const { plan, signal, connection } = reading;
  const asked = searchOf(reading, 'Group', [plan.anchor, ...GROUP_ATTRIBUTES], extra);
  if (asked === undefined) return;
  for await (const entries of connection.search(asked, signal)) {
    const records = entries.map((entry) => recordOf(entry, idOf(entry, plan), GROUP_ATTRIBUTES));
    yield { type: 'records', resourceType: 'Group', records };
  }
}

export async function* readMembers(reading: Reading, directory: Directory, extra = ''): AsyncGenerator<MembersPage> {
  const { plan, signal, connection } = reading;
  const attributes = memberAttributes(plan);
  const asked = searchOf(reading, 'Group', [plan.anchor, ...attributes], extra);
  if (asked === undefined) return;
  for await (const entries of connection.search(asked, signal))
    for (const entry of entries) yield* membersOf(entry, reading, directory);
}

export type MembersPage = Extract<LdapPage, { type: 'members' }>;

async function* membersOf(entry: RawEntry, reading: Reading, directory: Directory): AsyncGenerator<MembersPage> {
  const { plan, signal, connection } = reading;
  const group = idOf(entry, plan);
  let waiting: string[] = [];
  for (const attribute of memberAttributes(plan)) {
    const names = attribute.toLowerCase() === 'memberuid' ? directory.byUid : directory.byDn;
    for await (const some of memberNames(connection, entry, attribute, signal))
      for (const name of some) {
        waiting.push(name);
        if (waiting.length < MEMBERS_PER_PAGE) continue;
        yield pageOf(group, waiting, names, false);
        waiting = [];
      }
    yield pageOf(group, waiting, names, false);
    waiting = [];
  }
  yield { type: 'members', group, members: [], skipped: [], complete: true };
}

function pageOf(group: string, given: readonly string[], names: Names, complete: boolean): MembersPage {
  const members: MemberRef[] = [];
  const skipped: SkippedObject[] = [];
  for (const name of given) {
    const found = names.find(name);
    if (found !== undefined) members.push(found);
    else if (name !== '')
      skipped.push({ externalId: name.slice(0, 300), objectType: 'entry', reason: 'UnknownMember' });
  }
  return { type: 'members', group, members, skipped, complete };
}

/** A group of unique names keeps them under another attribute; both are looked at, since a tree may have both. */
export function memberAttributes({ memberAttribute }: Plan): readonly string[] {
  return memberAttribute === 'member' ? ['member', 'uniqueMember'] : [memberAttribute];
}

function hasUids({ memberAttribute }: Plan): boolean {
  return memberAttribute.toLowerCase() === 'memberuid';
}

/** @throws {ConfigError} `anchor-missing` */
function idOf(entry: RawEntry, { anchor }: Plan): string {
  const id = anchorOf(entry, anchor);
  if (id === undefined) throw anchorMissing(anchor, entry.dn);
  return id;
}

/** Undefined for groups where the settings want none. `extra` is a filter that must hold too. */
export function searchOf(
  { settings, plan }: Pick<Reading, 'settings' | 'plan'>,
  type: ResourceType,
  attributes: readonly string[],
  extra = '',
): SearchAsked | undefined {
  const where = type === 'User' ? settings.users : settings.groups;
  if (where === null) return undefined;
  const filter = type === 'User' ? plan.userFilter : plan.groupFilter;
  return {
    base: where.base,
    scope: where.scope,
    filter: extra === '' ? filter : `(&${filter}${extra})`,
    attributes: [...new Set(attributes)],
    doing: type === 'User' ? 'search of users' : 'search of groups',
  };
}
