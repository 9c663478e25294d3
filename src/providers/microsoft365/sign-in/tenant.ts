import type { Graph } from '../graph/client.ts';
import { isNotGiven } from '../graph/failures.ts';
import { readClaims } from './permissions.ts';

/**
 * The tenant behind the settings: the token names it, whatever domain the settings do. Where a token is not one that
 * can be read, the organization is asked; undefined where it does not say.
 * Source: learn.microsoft.com/entra/identity-platform/access-token-claims-reference, checked 2026-11.
 */
export async function readTenantId(graph: Graph, signal: AbortSignal): Promise<string | undefined> {
  const claimed = readClaims(await graph.tokens.token(signal))?.tenantId;
  if (claimed !== undefined) return claimed;
  try {
    return await graph.get('/organization?$select=id', idOf, { signal });
  } catch (error) {
    if (isNotGiven(error)) return undefined;
    throw error;
  }
}

function idOf(body: unknown): string | undefined {
  const id = (body as { value?: readonly { id?: unknown }[] } | undefined)?.value?.[0]?.id;
  return typeof id === 'string' && id !== '' ? id : undefined;
}
