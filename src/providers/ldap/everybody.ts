// Who is there: names and ids of all users and groups. And what every search of a read starts from.
import type { ReadMemory } from '#core/pages.ts';
import type { Trace } from '#core/provider.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Connection, RawEntry, SearchAsked } from './connection.ts';
import { anchorMissing, anchorTwice } from './failures.ts';
import { makeNames, type Names } from './names.ts';
import { anchorOf, textsOf } from './records.ts';
import type { LdapSettings, Plan } from './settings.ts';

const UID = 'uid';
const MADE_BY_SERVERS = new Set(['objectguid', 'entryuuid', 'nsuniqueid', 'ipauniqueid', 'objectsid']);

export interface Reading {
  readonly connection: Connection;
  readonly settings: LdapSettings;
  readonly plan: Plan;
  /** Attributes of a user that are asked for, beside the anchor. */
  readonly wanted: readonly string[];
  /** What was read before; absent where nobody is to be told from it. */
  readonly memory?: ReadMemory | undefined;
  readonly trace?: Trace | undefined;
  readonly signal: AbortSignal;
}

export interface Directory {
  /** By distinguished name. */
  readonly byDn: Names;
  /** By uid, where groups keep their members so. */
  readonly byUid: Names;
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

export function hasUids({ memberAttribute }: Plan): boolean {
  return memberAttribute.toLowerCase() === 'memberuid';
}

/** @throws {ConfigError} `anchor-missing` */
export function idOf(entry: RawEntry, { anchor }: Plan): string {
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
