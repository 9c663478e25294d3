// What can be looked up in the directory while the settings are made.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { GroupChoice, MemberChoice, PermissionReview, SourceField } from '#core/provider.ts';
import { foldCase } from '#core/search.ts';
import { type Connection, connect, type RawEntry } from './connection.ts';
import { memberNames } from './members.ts';
import {
  addNames,
  type Directory,
  findEverybody,
  GROUP_ATTRIBUTES,
  memberAttributes,
  type Reading,
  searchOf,
} from './read.ts';
import { anchorOf, type LdapRecord, recordOf, textsOf } from './records.ts';
import { type LdapSettings, planOf } from './settings.ts';
import { makeMapping } from './to-scim.ts';

const GROUPS_MAX = 100;
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

/** Groups whose name contains the text, at most a hundred. */
export function findGroups(
  settings: LdapSettings,
  search: string | undefined,
  signal: AbortSignal,
): Promise<readonly GroupChoice[]> {
  const plan = planOf(settings);
  const text = escapeFilter(search?.trim() ?? '');
  const extra = text === '' ? '' : `(|(cn=*${text}*)(displayName=*${text}*))`;
  const asked = searchOf({ settings, plan }, 'Group', [plan.anchor, ...GROUP_ATTRIBUTES, 'objectClass'], extra);
  if (asked === undefined) return Promise.resolve([]);
  return within(settings, signal, async (connection) => {
    const entries = await connection.first({ ...asked, sizeLimit: GROUPS_MAX }, signal);
    return entries.flatMap((entry) => {
      const id = anchorOf(entry, plan.anchor);
      if (id === undefined) return [];
      const type = textsOf(entry, 'objectClass').at(-1) ?? 'group';
      return [{ id, displayName: nameOf(entry), type, memberCount: null }];
    });
  });
}

/** Subgroups and users of a group, through all groups in between, each once; a cycle ends where it closes. */
export function membersBelow(
  settings: LdapSettings,
  groupId: string,
  signal: AbortSignal,
): Promise<readonly MemberChoice[]> {
  const plan = planOf(settings);
  return within(settings, signal, async (connection) => {
    const reading: Reading = { connection, settings, plan, wanted: [], signal };
    const directory = await findEverybody(reading);
    const groups = await readGroupEntries(reading, directory);
    const found: MemberChoice[] = [];
    const seen = new Set([groupId]);
    const queue: { readonly id: string; readonly path: readonly string[] }[] = [{ id: groupId, path: [] }];
    for (let at = 0; at < queue.length && found.length < MEMBERS_MAX; at += 1) {
      const { id, path } = queue[at] ?? { id: '', path: [] };
      const group = groups.get(id);
      if (group === undefined) continue;
      const way = [...path, nameOf(group)];
      for (const attribute of memberAttributes(plan))
        for await (const names of memberNames(connection, group, attribute, signal))
          for (const name of names) {
            const member = directory.byDn.find(name) ?? directory.byUid.find(name);
            if (member === undefined || seen.has(member.externalId)) continue;
            seen.add(member.externalId);
            const type = member.type === 'User' ? 'user' : 'group';
            found.push({ id: member.externalId, displayName: firstRdn(name), type, path: way });
            if (type === 'group') queue.push({ id: member.externalId, path: way });
          }
    }
    return found.slice(0, MEMBERS_MAX);
  });
}

async function readGroupEntries(reading: Reading, directory: Directory): Promise<Map<string, RawEntry>> {
  const { plan, signal, connection } = reading;
  const groups = new Map<string, RawEntry>();
  const asked = searchOf(reading, 'Group', [plan.anchor, ...memberAttributes(plan), ...GROUP_ATTRIBUTES]);
  if (asked === undefined) return groups;
  for await (const entries of connection.search(asked, signal))
    for (const entry of entries) {
      addNames(directory, entry, { plan, type: 'Group' });
      groups.set(anchorOf(entry, plan.anchor) ?? '', entry);
    }
  return groups;
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
    return entry === undefined || id === undefined ? undefined : recordOf(entry, id, attributes);
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
      operators: ['eq', 'ne', 'co', 'sw', 'ew', 'pr'],
      example: `${name} eq "…"`,
    }),
  ),
  { name: 'enabled', type: 'boolean', operators: ['eq', 'ne', 'pr'], example: 'enabled eq true' },
  { name: 'dn', type: 'string', operators: ['ew', 'co', 'eq'], example: 'dn ew ",ou=Sales,dc=example,dc=com"' },
];

/** The usual ones: a filter may name any attribute of the server. */
export function findFields(prefix: string): readonly SourceField[] {
  return FIELDS.filter(({ name }) => foldCase(name).startsWith(foldCase(prefix)));
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

/** Source: RFC 4515 section 3. */
export function escapeFilter(text: string): string {
  return text.replaceAll(/[\0()*\\]/g, (one) => `\\${one.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
