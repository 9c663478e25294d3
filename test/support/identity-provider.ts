// An identity provider that writes over SCIM: its token, and the few writes that tests repeat.
import { GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { type Api, expectStatus } from './gateway.ts';

export interface ScimUser {
  readonly id: string;
  readonly userName: string;
  readonly active: boolean;
  readonly externalId?: string;
  readonly [name: string]: unknown;
}

export interface IdentityProvider {
  readonly token: string;
  readonly appId: string;
  send<Answer = ScimUser>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: Answer; headers: Headers }>;
  createUser(userName: string, more?: Record<string, unknown>): Promise<ScimUser>;
  createGroup(displayName: string, members?: readonly string[]): Promise<ScimUser>;
  patch(path: string, ...operations: readonly unknown[]): Promise<{ status: number; body: ScimUser; headers: Headers }>;
}

/** Makes an app for it with a token that may write. Saves and activates nothing. */
export async function makeIdentityProvider(api: Api, name = 'Identity provider'): Promise<IdentityProvider> {
  const app = await expectStatus(api.call<{ id: string }>('POST', '/api/v1/apps', { name }), 201);
  const made = api.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, { scopes: ['scim:write'] });
  const { token } = (await expectStatus(made, 201)).body;
  const send: IdentityProvider['send'] = (method, path, body) => api.call(method, `/scim/v2${path}`, body, token);
  return {
    token,
    appId: app.body.id,
    send,
    async createUser(userName, more = {}) {
      const body = { schemas: [USER_SCHEMA], userName, externalId: `x-${userName}`, active: true, ...more };
      return (await expectStatus(send('POST', '/Users', body), 201)).body;
    },
    async createGroup(displayName, members = []) {
      const body = { schemas: [GROUP_SCHEMA], displayName, members: members.map((value) => ({ value })) };
      return (await expectStatus(send('POST', '/Groups', body), 201)).body;
    },
    patch: (path, ...operations) =>
      send('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations }),
  };
}

/** Saves settings of inbound SCIM and makes it the active provider. */
export async function activateScim(api: Api, settings: Record<string, unknown> = {}): Promise<void> {
  await expectStatus(api.call('PUT', '/api/v1/providers/scim', settings), 200);
  await expectStatus(api.call('POST', '/api/v1/providers/scim/activate', {}), 200);
}
