// A whole read: who is there (everybody.ts), then users, groups, and the members of each group. Every search goes to its
// end or throws; what is kept in memory is an id and a hash for each entry.
import type { MemberRef, Page, SkippedObject } from '#core/pages.ts';
import { makeAccountStates } from './account-state.ts';
import type { RawEntry } from './connection.ts';
import { hasUids, idOf, type Reading, searchOf } from './everybody.ts';
import { memberNames, wholeEntry } from './members.ts';
import { type LdapRecord, recordOf, textsOf } from './records.ts';
import type { KnownNames, Resolver } from './resolver.ts';
import type { Plan } from './settings.ts';

type LdapPage = Page<LdapRecord>;

/** Members of one page: a large group comes in several. */
const MEMBERS_PER_PAGE = 5_000;
export const MANAGER = 'manager';
/** Attributes of a group, beside its anchor and members. */
export const GROUP_ATTRIBUTES = ['cn', 'displayName', 'name', 'description', 'mail', 'sAMAccountName'];

/** Who finds names. */
interface Resolvers {
  /** Of managers: nobody asks a second time whether somebody has lost theirs. */
  readonly managers: Resolver;
  readonly members: Resolver;
}

/** Yields everything up to, and without, the end. @throws what a search throws */
export async function* readAll(reading: Reading, { managers, members }: Resolvers): AsyncGenerator<LdapPage> {
  yield* readUsers(reading, managers);
  yield* readGroups(reading);
  yield* readMembers(reading, members);
}

export type RecordsPage = Extract<LdapPage, { type: 'records' }>;
export type MembersPage = Extract<LdapPage, { type: 'members' }>;

/** @param extra a filter that must hold too */
export async function* readUsers(reading: Reading, resolver: Resolver, extra = ''): AsyncGenerator<RecordsPage> {
  const { plan, wanted, signal, connection } = reading;
  const asked = searchOf(reading, 'User', [plan.anchor, ...wanted], extra);
  if (asked === undefined) return;
  const states = makeAccountStates(reading);
  for await (const given of connection.search(asked, signal)) {
    const entries: RawEntry[] = [];
    for (const entry of given) entries.push(await wholeEntry(connection, entry, signal));
    const names = await resolver.dns(entries.flatMap((entry) => textsOf(entry, MANAGER)));
    const records = await states.keep(entries.map((entry) => userOf(entry, reading, names)));
    yield { type: 'records', resourceType: 'User', records };
  }
  if (extra === '') states.checkAll();
  else await states.checkChanged();
}

export function userOf(
  entry: RawEntry,
  { plan, wanted }: Pick<Reading, 'plan' | 'wanted'>,
  names: KnownNames,
): LdapRecord {
  const record = recordOf(entry, idOf(entry, plan), wanted);
  const manager = names.find(textsOf(entry, MANAGER)[0] ?? '');
  return manager?.type === 'User' ? { ...record, managerId: manager.externalId } : record;
}

export async function* readGroups(reading: Reading, extra = ''): AsyncGenerator<RecordsPage> {
  const { plan, signal, connection } = reading;
  const asked = searchOf(reading, 'Group', [plan.anchor, ...GROUP_ATTRIBUTES], extra);
  if (asked === undefined) return;
  for await (const entries of connection.search(asked, signal)) {
    const records = entries.map((entry) => recordOf(entry, idOf(entry, plan), GROUP_ATTRIBUTES));
    yield { type: 'records', resourceType: 'Group', records };
  }
}

export async function* readMembers(reading: Reading, resolver: Resolver, extra = ''): AsyncGenerator<MembersPage> {
  const { plan, signal, connection } = reading;
  const asked = searchOf(reading, 'Group', [plan.anchor, ...memberAttributes(plan)], extra);
  if (asked === undefined) return;
  for await (const entries of connection.search(asked, signal))
    for (const entry of entries) yield* membersOf(entry, reading, resolver);
}

async function* membersOf(entry: RawEntry, reading: Reading, resolver: Resolver): AsyncGenerator<MembersPage> {
  const { plan, signal, connection } = reading;
  const group = idOf(entry, plan);
  for (const attribute of memberAttributes(plan))
    for await (const names of memberNames(connection, entry, attribute, signal))
      for (let start = 0; start < names.length; start += MEMBERS_PER_PAGE) {
        const some = names.slice(start, start + MEMBERS_PER_PAGE);
        yield pageOf(group, some, await (hasUids(plan) ? resolver.uids(some) : resolver.dns(some)));
      }
  yield { type: 'members', group, members: [], skipped: [], complete: true };
}

function pageOf(group: string, given: readonly string[], names: KnownNames): MembersPage {
  const members: MemberRef[] = [];
  const skipped: SkippedObject[] = [];
  for (const name of given) {
    const found = names.find(name);
    if (found !== undefined) members.push(found);
    else if (name !== '')
      skipped.push({ externalId: name.slice(0, 300), objectType: 'entry', reason: 'UnknownMember' });
  }
  return { type: 'members', group, members, skipped, complete: false };
}

/** A group of unique names keeps them under another attribute; both are looked at, since a tree may have both. */
export function memberAttributes({ memberAttribute }: Plan): readonly string[] {
  return memberAttribute === 'member' ? ['member', 'uniqueMember'] : [memberAttribute];
}
