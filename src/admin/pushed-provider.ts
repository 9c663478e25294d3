// What is particular to a provider that writes to us: how it is connected is seen from its tokens and its writes.
import type { Check } from '#core/check.ts';
import type { ProviderKind } from '#core/provider.ts';
import { readWriters } from '#store/access/tokens.ts';
import { readWrittenAt } from '#store/source/push-guard.ts';
import type { ProviderRow } from '#store/source/settings.ts';
import type { AdminParts } from './parts.ts';

export function connectionOfPushed(
  row: ProviderRow | undefined,
  writtenAt: Date | null,
): { readonly state: string; readonly detail: string } {
  if (row === undefined) return { state: 'not-configured', detail: 'No settings are saved.' };
  if (writtenAt === null)
    return { state: 'unknown', detail: 'The identity provider has not written while it was active.' };
  return { state: 'connected', detail: `Last write at ${writtenAt.toISOString()}.` };
}

/** None for a provider that we read. */
export async function checkPushed(
  { database, publicUrl }: AdminParts,
  kind: ProviderKind,
  settings: unknown,
): Promise<readonly Check[]> {
  const push = kind.push?.(settings);
  if (push === undefined) return [];
  const { usable, lastUsedAt } = await readWriters(database.knex, push.appId);
  const writtenAt = await readWrittenAt(database.knex);
  const base = `${publicUrl()}/scim/v2`;
  return [
    {
      name: 'token',
      ok: usable > 0,
      detail:
        usable === 0
          ? 'No app has a token with the scope "scim:write".'
          : `${usable} token${usable === 1 ? '' : 's'} may write; last used ${lastUsedAt?.toISOString() ?? 'never'}.`,
      remedy:
        usable === 0 ? 'Make an app for the identity provider, and a token of it with the scope "scim:write".' : null,
    },
    {
      name: 'writes',
      ok: writtenAt !== null,
      detail:
        writtenAt === null
          ? 'Nothing was written while this provider was active.'
          : `Last write at ${writtenAt.toISOString()}.`,
      remedy: writtenAt === null ? `Activate it, and let the identity provider write to ${base}.` : null,
    },
  ];
}
