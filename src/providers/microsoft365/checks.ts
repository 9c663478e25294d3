import { GatewayError } from '#core/errors.ts';
import type { Check } from '#core/provider.ts';
import type { Graph } from './client.ts';

/** Says step by step what works. Nothing is changed, and nothing is thrown. */
export async function checkConnection(graph: Graph, signal: AbortSignal): Promise<readonly Check[]> {
  const token = await check('token', 'An access token was issued.', () => graph.tokens.token(true));
  if (!token.ok) return [token];
  const tenant = await check('tenant', 'The tenant answers.', async () =>
    nameOf(await graph.get('/organization?$select=id,displayName', { signal })),
  );
  const users = await check('read-users', 'Users can be read.', () =>
    graph.get('/users?$select=id&$top=1', { signal }),
  );
  const groups = await check('read-groups', 'Groups can be read.', async () => {
    const page = (await graph.get('/groups?$select=id&$top=1', { signal })) as { value?: readonly { id: string }[] };
    return page.value?.[0]?.id;
  });
  const members = await check('read-members', 'Members of groups can be read.', async () => {
    const page = (await graph.get('/groups?$select=id&$top=1', { signal })) as { value?: readonly { id: string }[] };
    const id = page.value?.[0]?.id;
    if (id !== undefined) await graph.get(`/groups/${encodeURIComponent(id)}/members?$select=id&$top=1`, { signal });
  });
  // The organization's name is good to know; a sync needs only users, groups and members.
  return [token, { ...tenant, ok: true }, users, groups, members];
}

async function check(name: string, detail: string, step: () => Promise<unknown>): Promise<Check> {
  try {
    const found = await step();
    return {
      name,
      ok: true,
      detail: name === 'tenant' && typeof found === 'string' ? `The tenant is "${found}".` : detail,
      remedy: null,
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { name, ok: false, detail: error.message, remedy: error.remedy ?? null };
  }
}

function nameOf(body: unknown): string | undefined {
  const name = (body as { value?: readonly { displayName?: unknown }[] } | undefined)?.value?.[0]?.displayName;
  return typeof name === 'string' ? name : undefined;
}
