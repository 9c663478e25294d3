import { type Request, type RequestHandler, Router } from 'express';
import { z } from 'zod';
import { ConflictError, InputError, NotFoundError } from '#core/errors.ts';
import type { ProviderKind } from '#core/provider.ts';
import { describeReason } from '#core/reasons.ts';
import { mergeSecrets } from '#core/secrets.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { findMirrorPeople, readAsked } from '#store/mirror/mirror-people.ts';
import { type ProviderRow, readProvider } from '#store/source/settings.ts';
import { openSettings } from '#sync/provider/settings.ts';
import type { AdminParts } from './parts.ts';
import { notConfigured } from './provider-refusals.ts';
import { kindParam, savedSecrets } from './providers.ts';

const TryBody = z.strictObject({
  person: z.string().trim().min(1).max(500),
  /** The `mapping` of the settings as it might be saved; that of the saved settings when absent. */
  mapping: z.record(z.string(), z.unknown()).optional(),
});

/** A look-up in the provider that takes longer is given up. */
const SOURCE_TIMEOUT_MS = 30_000;

/** How records become resources: named settings, the rules in force, and a try on one person. */
export function mappingRoutes(parts: AdminParts): Router {
  return Router()
    .get('/providers/:kind/presets', (request, response) => {
      response.json({ items: kindParam(parts, request).presets ?? [], nextCursor: null });
    })
    .get('/providers/:kind/mapping', async (request, response) => {
      const { kind, row, mapping } = await openMapping(parts, request);
      response.json({ items: mapping.rules(openSettings(kind, row, parts.seal)), nextCursor: null });
    })
    .post('/providers/:kind/mapping/try', requireScope('admin', 'operator'), tryMapping(parts));
}

/** Nothing is saved or changed. The person's record is the one at hand where it has all that the rules look at. */
function tryMapping(parts: AdminParts): RequestHandler {
  return async (request, response) => {
    const { kind, row, mapping } = await openMapping(parts, request);
    const body = parse(TryBody, request.body ?? {});
    const settings = kind.parseSettings(
      mergeSecrets(
        { ...(row.settings as object), ...(body.mapping && { mapping: body.mapping }) },
        savedSecrets(row, parts),
      ),
    );
    const found = await findRecord(parts, { kind, mapping, settings }, body.person);
    const { results, outcome } = mapping.trace(settings, found.record);
    response.json({
      person: { externalId: kind.open(settings).externalId(found.record) },
      from: found.from,
      attributes: results.map(({ rule, ...result }) => ({ ...result, rule })),
      resource: 'resource' in outcome ? outcome.resource : null,
      skipped: 'skip' in outcome ? describeReason(outcome.skip, outcome.detail ?? null) : null,
    });
  };
}

async function openMapping(parts: AdminParts, request: Request) {
  const kind = kindParam(parts, request);
  const row: ProviderRow | undefined = await readProvider(parts.database.knex, kind.kind);
  if (row === undefined) throw notConfigured(kind);
  if (kind.mapping === undefined)
    throw new ConflictError(`The inbound provider "${kind.title}" has no attribute mapping.`, {
      reason: 'no-mapping',
      remedy: 'Change the attributes where they come from.',
    });
  return { kind, row, mapping: kind.mapping };
}

interface Tried {
  readonly kind: ProviderKind;
  readonly mapping: NonNullable<ProviderKind['mapping']>;
  readonly settings: unknown;
}

/** @throws {NotFoundError} @throws {InputError} `person-ambiguous`; and what asking the source throws */
async function findRecord({ database }: AdminParts, { kind, mapping, settings }: Tried, name: string) {
  const known = await findMirrorPeople(database.knex, kind.kind, name);
  if (known.length > 1)
    throw new InputError(`Several people go by "${name.slice(0, 100)}".`, {
      reason: 'person-ambiguous',
      remedy: "Give the provider's own id.",
    });
  const [person] = known;
  const asked = await readAsked(database.knex, kind.kind);
  const hasAll = mapping.person === undefined || asked === kind.open(settings).asks;
  if (person !== undefined && hasAll) return { from: 'mirror', record: JSON.parse(person.record) as unknown };
  const signal = AbortSignal.timeout(SOURCE_TIMEOUT_MS);
  const record = await mapping.person?.(settings, person?.external_id ?? name, signal);
  if (record !== undefined) return { from: 'source', record };
  throw new NotFoundError(`The provider shows nobody by the name or id "${name.slice(0, 100)}".`, {
    reason: 'person-unknown',
    remedy: 'Give an id or a user name as the provider has it.',
  });
}
