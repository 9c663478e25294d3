import type { GroupChoice, MemberChoice, PermissionReview, SourceField } from '#core/provider.ts';
import type { Graph } from './client.ts';
import { collection } from './pages.ts';
import { GROUP_SELECT, type GraphGroup, type GraphMember } from './records.ts';
import { groupType } from './scope.ts';

/** What an administrator can look through before anything is saved. */
const GROUPS_SHOWN = 50;
/** A preview of members stops here; a sync reads them all. */
const MEMBERS_SHOWN = 5_000;
const DEPTH_MAX = 20;

/**
 * Groups by name: Graph's word search, at most 50.
 * Source: learn.microsoft.com/graph/search-query-parameter, checked 2026-11.
 */
export async function findGroups(
  graph: Graph,
  search: string | undefined,
  signal: AbortSignal,
): Promise<readonly GroupChoice[]> {
  const select = `$select=${GROUP_SELECT.join(',')}&$top=${GROUPS_SHOWN}`;
  const words = search?.replaceAll(/["\\]/g, ' ').trim() ?? '';
  const query = words === '' ? '' : `&$count=true&$search=${encodeURIComponent(`"displayName:${words}"`)}`;
  for await (const groups of collection<GraphGroup>(graph, `/groups?${select}${query}`, signal, words !== '')) {
    return groups.slice(0, GROUPS_SHOWN).map((group) => ({
      id: group.id,
      displayName: group.displayName ?? group.id,
      type: groupType(group) ?? 'unknown',
      memberCount: null,
    }));
  }
  return [];
}

/** Everybody below a group, each with the groups on the way; a group that contains itself is entered once. */
export async function membersBelow(
  graph: Graph,
  groupId: string,
  signal: AbortSignal,
): Promise<readonly MemberChoice[]> {
  const found: MemberChoice[] = [];
  const entered = new Set<string>();
  const root = (await graph.get(`/groups/${encodeURIComponent(groupId)}?$select=id,displayName`, {
    signal,
  })) as GraphGroup;
  const waiting: { id: string; path: readonly string[] }[] = [{ id: groupId, path: [root.displayName ?? groupId] }];
  for (let next = waiting.shift(); next !== undefined && found.length < MEMBERS_SHOWN; next = waiting.shift()) {
    if (entered.has(next.id) || next.path.length > DEPTH_MAX) continue;
    entered.add(next.id);
    const url = `/groups/${encodeURIComponent(next.id)}/members?$select=id,displayName&$top=999`;
    for await (const members of collection<GraphMember>(graph, url, signal))
      for (const { id, displayName, '@odata.type': type } of members) {
        const name = displayName ?? id;
        const group = /graph\.group$/.test(type ?? '');
        if (!group && !/graph\.user$/.test(type ?? '')) continue;
        found.push({ id, displayName: name, type: group ? 'group' : 'user', path: next.path });
        if (group) waiting.push({ id, path: [...next.path, name] });
      }
  }
  return found.slice(0, MEMBERS_SHOWN);
}

const TEXT = ['eq', 'ne', 'co', 'sw', 'ew', 'pr'];
const field = (name: string, type: SourceField['type'], example: string): SourceField => ({
  name,
  type,
  operators: type === 'boolean' ? ['eq', 'ne', 'pr'] : TEXT,
  example: `${name} eq ${type === 'boolean' ? example : `"${example}"`}`,
});

/** What a scope filter may name. */
const FIELDS: readonly SourceField[] = [
  field('accountEnabled', 'boolean', 'true'),
  field('assignedLicenses.skuId', 'strings', '05e9a617-0261-4cee-bb44-138d3ef5d965'),
  field('city', 'string', 'Seoul'),
  field('companyName', 'string', 'Contoso'),
  field('country', 'string', 'Germany'),
  field('department', 'string', 'Sales'),
  field('displayName', 'string', 'Ada Lovelace'),
  field('employeeId', 'string', '1042'),
  field('employeeType', 'string', 'Employee'),
  field('givenName', 'string', 'Ada'),
  field('id', 'string', '6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0'),
  field('jobTitle', 'string', 'Engineer'),
  field('mail', 'string', 'ada@contoso.com'),
  field('mailEnabled', 'boolean', 'true'),
  field('onPremisesSyncEnabled', 'boolean', 'true'),
  field('preferredLanguage', 'string', 'en-GB'),
  field('proxyAddresses', 'strings', 'smtp:ada@contoso.com'),
  field('proxyAddress', 'strings', 'smtp:ada@contoso.com'),
  field('surname', 'string', 'Lovelace'),
  field('usageLocation', 'string', 'GB'),
  field('userPrincipalName', 'string', 'ada@contoso.com'),
  field('userType', 'string', 'Member'),
];

export function findFields(prefix: string): readonly SourceField[] {
  const wanted = prefix.toLowerCase();
  return FIELDS.filter(({ name }) => name.toLowerCase().startsWith(wanted));
}

const REQUIRED = [
  { name: 'User.Read.All', feature: 'users' },
  { name: 'GroupMember.Read.All', feature: 'groups and their members' },
] as const;

/** Permissions that include a required one. Source: learn.microsoft.com/graph/permissions-reference, checked 2026-11. */
const INCLUDED_IN: Readonly<Record<string, readonly string[]>> = {
  'User.Read.All': ['User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  'GroupMember.Read.All': [
    'GroupMember.ReadWrite.All',
    'Group.Read.All',
    'Group.ReadWrite.All',
    'Directory.Read.All',
    'Directory.ReadWrite.All',
  ],
};
const OPTIONAL = new Set(['Organization.Read.All', 'Member.Read.Hidden']);

/** What the token grants beside what a sync needs. The token's own `roles` say it (application permissions). */
export async function reviewPermissions(graph: Graph): Promise<PermissionReview> {
  const granted = rolesOf(await graph.tokens.token(true));
  const has = (name: string): boolean =>
    granted.includes(name) || (INCLUDED_IN[name] ?? []).some((wider) => granted.includes(wider));
  const needed = new Set<string>(REQUIRED.map(({ name }) => name));
  return {
    granted,
    required: REQUIRED,
    missing: REQUIRED.filter(({ name }) => !has(name)),
    superfluous: granted.filter((name) => !needed.has(name) && !OPTIONAL.has(name)),
  };
}

/** The `roles` claim of an access token; empty for a token that is no JWT. */
function rolesOf(token: string): readonly string[] {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const roles = (claims as { roles?: unknown }).roles;
    return Array.isArray(roles) ? roles.map(String).sort() : [];
  } catch {
    return [];
  }
}
