// What consumers see of an organisation, by our ids: for comparing it before and after a switch of providers. And an
// identity provider that brings an organisation as its client would: it looks for each, and writes what differs.
import assert from 'node:assert/strict';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { type Api, expectStatus } from './gateway.ts';
import type { IdentityProvider, ScimUser } from './identity-provider.ts';

export interface Organisation {
  /** Bodies by id, without `meta`, memberships, addresses and where they come from. */
  readonly users: Readonly<Record<string, Record<string, unknown>>>;
  readonly groups: Readonly<Record<string, { readonly displayName: string; readonly members: readonly string[] }>>;
}

async function readAll(api: Api, path: string): Promise<ScimUser[]> {
  const items: ScimUser[] = [];
  for (;;) {
    const { body } = await api.call<{ totalResults: number; Resources: ScimUser[] }>(
      'GET',
      `${path}?startIndex=${items.length + 1}&count=500`,
    );
    items.push(...body.Resources);
    if (body.Resources.length === 0 || items.length >= body.totalResults) return items;
  }
}

export async function readOrganisation(api: Api): Promise<Organisation> {
  const users = await readAll(api, '/scim/v2/Users');
  const groups = await readAll(api, '/scim/v2/Groups');
  return {
    users: Object.fromEntries(
      users.map(({ id, meta: _meta, groups: _groups, schemas: _schemas, [GATEWAY_SCHEMA]: _gateway, ...body }) => [
        id,
        withoutAddress(body),
      ]),
    ),
    groups: Object.fromEntries(
      groups.map(({ id, displayName, members = [] }) => [
        id,
        {
          displayName: String(displayName),
          members: (members as { value: string }[]).map(({ value }) => value).sort(),
        },
      ]),
    ),
  };
}

/** Where a manager is found follows from where the gateway is. */
function withoutAddress(body: Record<string, unknown>): Record<string, unknown> {
  const { manager, ...company } = (body[ENTERPRISE_SCHEMA] ?? {}) as { manager?: { value: string } };
  return manager === undefined
    ? body
    : { ...body, [ENTERPRISE_SCHEMA]: { ...company, manager: { value: manager.value } } };
}

/** Writes all of it: whom it finds by name is replaced, whom it does not is made. Answers its own ids for those of `wanted`. */
export async function writeOrganisation(
  idp: IdentityProvider,
  wanted: Organisation,
): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  const managers = new Map<string, string>();
  for (const [id, body] of Object.entries(wanted.users)) {
    const { [ENTERPRISE_SCHEMA]: company, ...core } = body;
    const { manager, ...enterprise } = (company ?? {}) as { manager?: { value: string } };
    if (manager !== undefined) managers.set(id, manager.value);
    const document = { ...core, schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA], [ENTERPRISE_SCHEMA]: enterprise };
    ids.set(id, await findOrMake(idp, '/Users', `userName eq ${JSON.stringify(body['userName'])}`, document));
  }
  for (const [id, manager] of managers) {
    const path = `${ENTERPRISE_SCHEMA}:manager`;
    const value = ids.get(manager);
    assert.ok(value !== undefined, 'a manager is somebody who was written');
    await expectStatus(idp.patch(`/Users/${ids.get(id)}`, { op: 'Add', path, value }), 200);
  }
  for (const [id, { displayName }] of Object.entries(wanted.groups)) {
    const document = { schemas: [GROUP_SCHEMA], displayName };
    ids.set(id, await findOrMake(idp, '/Groups', `displayName eq ${JSON.stringify(displayName)}`, document));
  }
  for (const [id, { members }] of Object.entries(wanted.groups))
    if (members.length > 0) {
      const value = members.map((member) => ({ value: ids.get(member) }));
      const answer = await idp.patch(`/Groups/${ids.get(id)}`, { op: 'Add', path: 'members', value });
      assert.ok(answer.status === 200 || answer.status === 204, JSON.stringify(answer.body));
    }
  return ids;
}

async function findOrMake(
  idp: IdentityProvider,
  path: string,
  filter: string,
  document: Record<string, unknown>,
): Promise<string> {
  const query = `${path}?filter=${encodeURIComponent(filter)}&excludedAttributes=members`;
  const found = await expectStatus(idp.send<{ Resources: { id: string }[] }>('GET', query), 200);
  const [first] = found.body.Resources;
  if (first === undefined) return (await expectStatus(idp.send('POST', path, document), 201)).body.id;
  if (path === '/Groups') {
    await expectStatus(
      idp.patch(`${path}/${first.id}`, { op: 'Replace', path: 'displayName', value: document['displayName'] }),
      200,
    );
    return first.id;
  }
  await expectStatus(idp.send('PUT', `${path}/${first.id}`, document), 200);
  return first.id;
}
