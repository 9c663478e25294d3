// What can be looked up in the directory while the settings are made.
import type { ResourceSchemas } from '#core/attributes.ts';
import { NotFoundError } from '#core/errors.ts';
import {
  fieldsFrom,
  type GroupChoice,
  type GroupPage,
  type GroupSearch,
  type MemberChoice,
  type MemberList,
  type MemberSearch,
  OPERATORS_OF,
  type PermissionReview,
  type SourceField,
  type Truncated,
} from '#core/source.ts';
import { type Connection, connect, type RawEntry } from './connection.ts';
import { type Directory, findEverybody, type Reading, searchOf } from './everybody.ts';
import { escapeFilter } from './filter.ts';
import { memberNames, wholeEntry } from './members.ts';
import { GROUP_ATTRIBUTES, memberAttributes } from './read.ts';
import { anchorOf, type LdapRecord, recordOf, textsOf } from './records.ts';
import { type LdapSettings, planOf } from './settings.ts';
import { makeMapping } from './to-scim.ts';

/** Members that are listed; a picker is to choose from. */
const MEMBERS_MAX = 5_000;

async function within<Result>(
  settings: LdapSettings,
  signal: AbortSignal,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connect(settings, signal);
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** The first groups whose name contains the text: LDAP has no order in which a page could follow. */
export function findGroups(
  settings: LdapSettings,
  { search, limit }: GroupSearch,
  signal: AbortSignal,
): Promise<GroupPage> {
  const plan = planOf(settings);
  const text = escapeFilter(search?.trim() ?? '');
  const extra = text === '' ? '' : `(|(cn=*${text}*)(displayName=*${text}*))`;
  const asked = searchOf({ settings, plan }, 'Group', [plan.anchor, ...GROUP_ATTRIBUTES, 'objectClass'], extra);
  if (asked === undefined) return Promise.resolve({ items: [], nextCursor: null, truncated: null });
  return within(settings, signal, async (connection) => {
    const entries = await connection.first({ ...asked, sizeLimit: limit + 1 }, signal);
    const items = entries.slice(0, limit).flatMap((entry): GroupChoice[] => {
      const id = anchorOf(entry, plan.anchor);
      if (id === undefined) return [];
      const type = textsOf(entry, 'objectClass').at(-1) ?? 'group';
      return [{ id, displayName: nameOf(entry), type, memberCount: null }];
    });
    return { items, nextCursor: null, truncated: entries.length > limit ? { by: 'groups', limit } : null };
  });
}

interface Walk {
  readonly reading: Reading;
  readonly directory: Directory;
  readonly found: MemberChoice[];
  readonly seen: Set<string>;
  /** Groups that are still to be opened, by their distinguished name. */
  readonly queue: { readonly dn: string; readonly path: readonly string[] }[];
}

/**
 * Subgroups and users of a group, through all groups in between or directly in it alone, each once; a cycle ends where it
 * closes.
 * @throws {NotFoundError} `source-group-not-found`
 */
export function membersBelow(
  settings: LdapSettings,
  { groupId, transitive }: MemberSearch,
  signal: AbortSignal,
): Promise<MemberList> {
  return within(settings, signal, async (connection) => {
    const reading: Reading = { connection, settings, plan: planOf(settings), wanted: [], signal };
    const dn = await dnOfGroup(reading, groupId);
    if (dn === undefined)
      throw new NotFoundError(`The directory has no group "${groupId.slice(0, 64)}".`, {
        reason: 'source-group-not-found',
        remedy: 'Look it up again: its id is that of the attribute in "anchor".',
      });
    const directory = await findEverybody(reading);
    const walk: Walk = { reading, directory, found: [], seen: new Set([groupId]), queue: [{ dn, path: [] }] };
    for (let at = 0; at < walk.queue.length && walk.found.length <= MEMBERS_MAX; at += 1) {
      const { dn: name, path } = walk.queue[at] ?? { dn: '', path: [] };
      await openGroup(walk, name, path);
      if (!transitive) break;
    }
    const { found } = walk;
    const truncated: Truncated | null = found.length > MEMBERS_MAX ? { by: 'members', limit: MEMBERS_MAX } : null;
    return { items: found.slice(0, MEMBERS_MAX), truncated };
  });
}

async function openGroup(walk: Walk, dn: string, path: readonly string[]): Promise<void> {
  const { connection, plan, signal } = walk.reading;
  const attributes = [...memberAttributes(plan), ...GROUP_ATTRIBUTES];
  const asked = { base: dn, scope: 'base', filter: '(objectClass=*)', attributes, doing: 'read of a group' } as const;
  const [group] = await connection.first(asked, signal);
  if (group === undefined) return;
  const way = [...path, nameOf(group)];
  for (const attribute of memberAttributes(plan))
    for await (const names of memberNames(connection, group, attribute, signal))
      for (const name of names) takeMember(walk, name, way);
}

function takeMember({ directory, found, seen, queue }: Walk, name: string, path: readonly string[]): void {
  const member = directory.byDn.find(name) ?? directory.byUid.find(name);
  if (member === undefined || seen.has(member.externalId)) return;
  seen.add(member.externalId);
  const type = member.type === 'User' ? 'user' : 'group';
  found.push({ id: member.externalId, displayName: firstRdn(name), type, path });
  if (type === 'group') queue.push({ dn: name, path });
}

async function dnOfGroup(reading: Reading, groupId: string): Promise<string | undefined> {
  const { connection, plan, signal } = reading;
  const asked = searchOf(reading, 'Group', [plan.anchor]);
  if (asked === undefined) return undefined;
  for await (const entries of connection.search(asked, signal)) {
    const group = entries.find((entry) => anchorOf(entry, plan.anchor) === groupId);
    if (group !== undefined) return group.dn;
  }
  return undefined;
}

/** The record of a person, with what the mapping needs; by id, name or address. Undefined when there is none. */
export function findPerson(
  settings: LdapSettings,
  schemas: ResourceSchemas,
  name: string,
  signal: AbortSignal,
): Promise<LdapRecord | undefined> {
  const plan = planOf(settings);
  const { attributes } = makeMapping(settings, schemas);
  const text = escapeFilter(name);
  const anchor = plan.anchor.toLowerCase() === 'objectguid' ? '' : `(${plan.anchor}=${text})`;
  const by = ['uid', 'sAMAccountName', 'userPrincipalName', 'mail', 'cn'].map((one) => `(${one}=${text})`).join('');
  const asked = searchOf({ settings, plan }, 'User', [plan.anchor, ...attributes], `(|${anchor}${by})`);
  if (asked === undefined) return Promise.resolve(undefined);
  return within(settings, signal, async (connection) => {
    const [entry] = await connection.first(asked, signal);
    const id = entry === undefined ? undefined : anchorOf(entry, plan.anchor);
    if (entry === undefined || id === undefined) return undefined;
    return recordOf(await wholeEntry(connection, entry, signal), id, attributes);
  });
}

const FIELDS: readonly SourceField[] = [
  ...[
    'cn',
    'displayName',
    'department',
    'title',
    'employeeType',
    'ou',
    'l',
    'company',
    'mail',
    'uid',
    'sAMAccountName',
  ].map(
    (name): SourceField => ({
      name,
      type: 'string',
      operators: OPERATORS_OF.string,
      example: `${name} eq "…"`,
    }),
  ),
  { name: 'enabled', type: 'boolean', operators: OPERATORS_OF.boolean, example: 'enabled eq true' },
  { name: 'dn', type: 'string', operators: ['ew', 'co', 'eq'], example: 'dn ew ",ou=Sales,dc=example,dc=com"' },
];

/** The usual ones: a filter may name any attribute of the server. */
export function findFields(prefix: string): readonly SourceField[] {
  return fieldsFrom(FIELDS, prefix);
}

/** LDAP has no list of grants: whether the account may read is what a test of the connection finds out. */
export async function reviewAccess(): Promise<PermissionReview> {
  return { granted: [], required: [], missing: [], superfluous: [] };
}

function nameOf(entry: RawEntry): string {
  return textsOf(entry, 'displayName')[0] ?? textsOf(entry, 'cn')[0] ?? firstRdn(entry.dn);
}

/** `cn=Kim\, A,ou=People` is called `Kim, A`. */
function firstRdn(dn: string): string {
  const value = /^[^=]+=((?:\\.|[^,+\\])*)/.exec(dn)?.[1];
  return value?.replaceAll(/\\([^0-9a-fA-F])/g, '$1') ?? dn;
}
