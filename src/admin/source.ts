import { type Request, Router } from 'express';
import { z } from 'zod';
import type { ProviderKind } from '#core/provider.ts';
import { countMembers } from '#core/source.ts';
import { parse } from '#http/validate.ts';
import { readProvider } from '#store/source/settings.ts';
import { openSettings } from '#sync/provider/settings.ts';
import { withConsent } from './consent.ts';
import type { AdminParts } from './parts.ts';
import { notConfigured, notSupported } from './provider-refusals.ts';
import { kindParam, SOURCE_TIMEOUT_MS } from './providers.ts';
import { PageQuery } from './query.ts';

const GroupsQuery = z.object({
  search: z.string().max(200).optional(),
  limit: PageQuery.shape.limit,
  cursor: z.string().max(4_000).optional(),
});
const MembersQuery = z.object({ transitive: z.stringbool().default(true) });
const FieldsQuery = z.object({ prefix: z.string().max(100).default('') });
const SEEN_IN_GROUPS = 'A run brings them; GET /api/v1/groups shows what has come in.';

/** What can be looked up in a source. */
export function sourceRoutes(parts: AdminParts): Router {
  const asking = <Value>(request: Request, ask: (signal: AbortSignal) => Promise<Value>): Promise<Value> =>
    withConsent(parts, { kind: kindParam(parts, request), request }, () => ask(AbortSignal.timeout(SOURCE_TIMEOUT_MS)));
  return Router()
    .get('/providers/:kind/source/groups', async (request, response) => {
      const kind = kindParam(parts, request);
      if (kind.source?.groups === undefined) throw notSupported(kind, 'groups', SEEN_IN_GROUPS);
      const { groups } = kind.source;
      const search = parse(GroupsQuery, request.query);
      const settings = await savedSettings(parts, kind);
      response.json(await asking(request, (signal) => groups(settings, search, signal)));
    })
    .get('/providers/:kind/source/groups/:id/members', async (request, response) => {
      const kind = kindParam(parts, request);
      if (kind.source?.members === undefined) throw notSupported(kind, 'groups', SEEN_IN_GROUPS);
      const { members } = kind.source;
      const settings = await savedSettings(parts, kind);
      const search = { ...parse(MembersQuery, request.query), groupId: String(request.params['id']) };
      const { items, truncated } = await asking(request, (signal) => members(settings, search, signal));
      response.json({ items, nextCursor: null, truncated, counts: countMembers(items) });
    })
    .get('/providers/:kind/source/fields', async (request, response) => {
      const { prefix } = parse(FieldsQuery, request.query);
      const kind = kindParam(parts, request);
      const row = await readProvider(parts.database.knex, kind.kind);
      const settings = row === undefined ? undefined : openSettings(kind, row, parts.seal);
      const items = await kind.source?.fields(prefix, settings, AbortSignal.timeout(SOURCE_TIMEOUT_MS));
      response.json({ items: items ?? [], nextCursor: null });
    })
    .get('/providers/:kind/permissions', async (request, response) => {
      const kind = kindParam(parts, request);
      if (kind.source?.permissions === undefined)
        throw notSupported(kind, 'permissions', `POST /api/v1/providers/${kind.kind}/test says whether it works.`);
      const { permissions } = kind.source;
      const settings = await savedSettings(parts, kind);
      response.json(await asking(request, (signal) => permissions(settings, signal)));
    });
}

/** @throws {ConflictError} `not-configured` */
async function savedSettings(parts: AdminParts, kind: ProviderKind): Promise<unknown> {
  const row = await readProvider(parts.database.knex, kind.kind);
  if (row === undefined) throw notConfigured(kind);
  return openSettings(kind, row, parts.seal);
}
