import { NotFoundError } from '#core/errors.ts';
import type { Graph } from '../graph/client.ts';
import { incomplete } from '../graph/failures.ts';
import { inOneCase } from '../graph/ids.ts';
import type { GraphUser } from './records.ts';

/**
 * One user by object id or user principal name, as a read of all would show them; undefined when there is none.
 * Source: learn.microsoft.com/graph/api/user-get, checked 2026-11: a name that begins with `$` needs `users('…')`.
 * @throws {GatewayError} what `Graph.get` throws
 */
export async function readPerson(
  graph: Graph,
  properties: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<GraphUser | undefined> {
  const key = encodeURIComponent(name.trim().replaceAll("'", "''"));
  const url = `/users('${key}')?$select=${properties.join(',')}&$expand=manager($select=id)`;
  try {
    return await graph.get(url, readUser, { signal });
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function readUser(body: unknown): GraphUser {
  if (typeof body === 'object' && body !== null && 'id' in body && typeof body.id === 'string')
    return inOneCase(body as GraphUser);
  throw incomplete('Microsoft Graph answered with a user that has no id.', 'answer-broken');
}
