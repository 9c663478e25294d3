// What the simulated directory answers about its objects. Who may ask is decided where the request comes in.
import type { IncomingMessage } from 'node:http';
import { selected } from './graph-collections.ts';
import { GraphProblem } from './problem.ts';
import type { Tenant } from './tenant.ts';

/** Properties of a user without `$select`. Source: learn.microsoft.com/graph/api/user-list, checked 2026-11. */
const USER_DEFAULT = [
  'businessPhones',
  'displayName',
  'givenName',
  'id',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
];

/** By id or user principal name. Source: learn.microsoft.com/graph/api/user-get, checked 2026-11. */
export function userBy(tenant: Tenant, key: string): object {
  const named = (user: { readonly [property: string]: unknown }): boolean =>
    String(user['userPrincipalName']).toLowerCase() === key.toLowerCase();
  const found = tenant.users.get(key) ?? [...tenant.users.values()].find(named);
  if (found === undefined) throw notFound(key);
  return found;
}

/** Groups and directory roles. Source: learn.microsoft.com/graph/api/user-list-memberof, checked 2026-11. */
export function groupsOf(tenant: Tenant, member: string): object[] {
  if (!tenant.users.has(member) && !tenant.groups.has(member)) throw notFound(member);
  const groups = [...tenant.groups.values()].filter(({ id }) => tenant.members.get(id)?.has(member) === true);
  return groups.map((group) => ({ '@odata.type': '#microsoft.graph.group', ...group }));
}

/** Of any type. Source: learn.microsoft.com/graph/api/directory-deleteditems-get, checked 2026-11. */
export function deletedItem(tenant: Tenant, id: string): object {
  const found = tenant.deletedUsers.get(id) ?? tenant.deletedGroups.get(id)?.group;
  if (found === undefined) throw notFound(id);
  return found;
}

export function reportsOf(tenant: Tenant, user: string): object[] {
  if (!tenant.users.has(user)) throw notFound(user);
  const reports = [...tenant.managers].filter(([, manager]) => manager === user).map(([report]) => report);
  return reports.flatMap((report) => tenant.users.get(report) ?? []);
}

export function userShape(tenant: Tenant, url: URL): (user: object) => unknown {
  const select = selected(url, false, USER_DEFAULT);
  const expand = url.searchParams.get('$expand');
  if (expand === null) return select;
  if (!/^manager(\(\$select=[\w,]+\))?$/.test(expand))
    throw new GraphProblem(400, 'Request_BadRequest', `Unsupported expand '${expand}'.`);
  return (user) => {
    const manager = tenant.managers.get((user as { id: string }).id);
    const shaped = select(user) as object;
    return manager === undefined || tenant.deletedUsers.has(manager)
      ? shaped
      : { ...shaped, manager: { '@odata.type': '#microsoft.graph.user', id: manager } };
  };
}

/** `$search` splits a property's text into words. Source: learn.microsoft.com/graph/search-query-parameter, checked 2026-11. */
export function searchedGroups(tenant: Tenant, url: URL, headers: IncomingMessage['headers']): Iterable<object> {
  const search = url.searchParams.get('$search');
  if (search === null) return tenant.groups.values();
  if (headers['consistencylevel'] !== 'eventual')
    throw new GraphProblem(
      400,
      'Request_UnsupportedQuery',
      "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
    );
  const clauses = search.split(' OR ').map((clause) => /^"(displayName|mail):(.*)"$/.exec(clause));
  if (clauses.some((clause) => clause === null))
    throw new GraphProblem(400, 'Request_BadRequest', 'Syntax error in $search.');
  return [...tenant.groups.values()].filter((group) => clauses.some((clause) => isFound(group, clause)));
}

/** v1.0 leaves service principals out. Source: learn.microsoft.com/graph/known-issues, checked 2026-11. */
export function membersOf(tenant: Tenant, group: string): object[] {
  return [...(tenant.members.get(group) ?? [])].flatMap((id) => {
    const user = tenant.users.get(id);
    if (user !== undefined) return [{ '@odata.type': '#microsoft.graph.user', ...user }];
    const nested = tenant.groups.get(id);
    if (nested !== undefined) return [{ '@odata.type': '#microsoft.graph.group', ...nested }];
    const other = tenant.others.get(id);
    if (other === undefined || other.type === 'servicePrincipal') return [];
    return [{ '@odata.type': `#microsoft.graph.${other.type}`, id, displayName: other.displayName }];
  });
}

/** Names are searched by words, other properties by how they begin. */
function isFound(group: object, clause: RegExpExecArray | null): boolean {
  const [, property = '', text = ''] = clause ?? [];
  const value = String((group as Record<string, unknown>)[property] ?? '').toLowerCase();
  if (property !== 'displayName') return value.startsWith(text.toLowerCase());
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => value.includes(word));
}

/** Source: learn.microsoft.com/graph/api/resources/organization, checked 2026-11. */
export function organizationOf({ id, domain, hybridSyncAt }: Tenant): object {
  return {
    id,
    displayName: 'Contoso',
    verifiedDomains: [
      { name: 'contoso.onmicrosoft.com', isDefault: false, isInitial: true, type: 'Managed' },
      { name: domain, isDefault: true, isInitial: false, type: 'Managed' },
    ],
    onPremisesSyncEnabled: hybridSyncAt === undefined ? null : true,
    onPremisesLastSyncDateTime: hybridSyncAt ?? null,
  };
}

export function notFound(id: string): GraphProblem {
  return new GraphProblem(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );
}
