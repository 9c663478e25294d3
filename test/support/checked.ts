// Calls of the admin API whose answers are held to openapi.yaml.
import assert from 'node:assert/strict';
import type { Api } from './gateway.ts';
import { problemsOf } from './openapi.ts';

export type Call = <Body = Record<string, unknown>>(
  method: string,
  path: string,
  status: number,
  body?: unknown,
  token?: string,
) => Promise<Body>;

/** @param api asked for at each call, so that it may be made before the gateway is */
export function checkedCall(api: () => Api): Call {
  return async (method, path, status, body, token) => {
    const answer = await api().call<never>(method, `/api/v1${path}`, body, token);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  };
}

/** A token of an app of its own, with these scopes. */
export async function tokenWith(call: Call, ...scopes: readonly string[]): Promise<string> {
  const app = await call<{ id: string }>('POST', '/apps', 201, { name: `Test of ${scopes.join(' and ')}` });
  return (await call<{ token: string }>('POST', `/apps/${app.id}/tokens`, 201, { scopes })).token;
}

/** Every item of a list, page by page. */
export async function listAll<Item>(call: Call, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const separator = path.includes('?') ? '&' : '?';
    const page: { items: Item[]; nextCursor: string | null } = await call(
      'GET',
      cursor === null ? path : `${path}${separator}cursor=${encodeURIComponent(cursor)}`,
      200,
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}
