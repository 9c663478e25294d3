// What the gateway serves, in the words of the tenant: for comparing both exactly.
import type { Tenant } from '#demo/tenant.ts';
import type { Api } from './gateway.ts';

interface ScimUser {
  readonly id: string;
  readonly externalId: string;
  readonly userName: string;
  readonly active: boolean;
  readonly displayName?: string;
  readonly 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'?: { manager?: { value: string } };
}

interface ScimGroup {
  readonly id: string;
  readonly externalId: string;
  readonly displayName: string;
  readonly members?: readonly { value: string; type: string }[];
}

/** People and groups by the tenant's ids. */
export interface Picture {
  readonly users: Record<string, { userName: string; displayName: string | undefined; manager: string | undefined }>;
  readonly groups: Record<string, { displayName: string; members: string[] }>;
}

async function readAll<Item>(api: Api, path: string): Promise<Item[]> {
  const items: Item[] = [];
  for (;;) {
    const { body } = await api.call<{ totalResults: number; Resources: Item[] }>(
      'GET',
      `${path}?startIndex=${items.length + 1}&count=500`,
    );
    items.push(...body.Resources);
    if (body.Resources.length === 0 || items.length >= body.totalResults) return items;
  }
}

/** Active users, and all groups, as SCIM serves them. */
export async function readServed(api: Api): Promise<Picture & { ids: Record<string, string> }> {
  const users = await readAll<ScimUser>(api, '/scim/v2/Users');
  const groups = await readAll<ScimGroup>(api, '/scim/v2/Groups');
  const source = new Map([...users, ...groups].map(({ id, externalId }) => [id, externalId]));
  const picture: Picture = { users: {}, groups: {} };
  for (const user of users.filter(({ active }) => active)) {
    const manager = user['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User']?.manager?.value;
    picture.users[user.externalId] = {
      userName: user.userName,
      displayName: user.displayName,
      manager: manager === undefined ? undefined : source.get(manager),
    };
  }
  for (const group of groups)
    picture.groups[group.externalId] = {
      displayName: group.displayName,
      members: (group.members ?? []).map(({ value }) => source.get(value) ?? value).sort(),
    };
  return { ...picture, ids: Object.fromEntries([...source].map(([id, externalId]) => [externalId, id])) };
}

/** Whoever is in the recycle bin is shown as nobody's manager. */
function presentIn(tenant: Tenant, id: string | undefined): string | undefined {
  return id !== undefined && tenant.users.has(id) ? id : undefined;
}

/** The tenant's enabled users and all its groups, in the same form. */
export function pictureOf(tenant: Tenant): Picture {
  const picture: Picture = { users: {}, groups: {} };
  for (const user of tenant.users.values())
    if (user['accountEnabled'] !== false)
      picture.users[user.id] = {
        userName: String(user['userPrincipalName']),
        displayName: user['displayName'] as string | undefined,
        manager: presentIn(tenant, tenant.managers.get(user.id)),
      };
  for (const group of tenant.groups.values())
    picture.groups[group.id] = {
      displayName: String(group['displayName']),
      members: [...(tenant.members.get(group.id) ?? [])]
        .filter((id) => tenant.users.has(id) || tenant.groups.has(id))
        .sort(),
    };
  return picture;
}
