// Drafts of provider settings: what a set-up that was left half way had so far. A draft is checked only when it is saved
// as settings.
import { type Request, Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { hostsIn } from '#core/hosts.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { mergeSecrets, splitSecrets } from '#core/secrets.ts';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { keptSecrets } from '#platform/seal.ts';
import { writeAudit } from '#store/access/audit.ts';
import { deleteSetting, readSetting, writeSetting } from '#store/source/settings.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const DraftBody = z.strictObject({ step: z.string().max(40), settings: z.record(z.string(), z.unknown()) });

interface Stored {
  readonly step: string;
  readonly settings: unknown;
  readonly secrets: string;
  readonly savedAt: string;
  readonly savedBy: string;
}

export function draftRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const admin = requireAdmin();
  return Router()
    .get('/providers/:kind/draft', async (request, response) => {
      const kind = needKind(parts, request);
      const draft = await readSetting<Stored>(db, draftName(kind));
      if (draft === undefined)
        throw new NotFoundError(`There is no draft of the settings of "${kind.title}".`, { reason: 'no-draft' });
      response.json(viewDraft(parts, draft));
    })
    .put('/providers/:kind/draft', admin, async (request, response) => {
      const kind = needKind(parts, request);
      const body = parse(DraftBody, request.body);
      const actor = actorOf(request);
      const draft = await db.transaction(async (tx) => {
        const before = await readSetting<Stored>(tx, draftName(kind));
        const kept = keptSecrets(parts.seal, before?.secrets);
        const { settings, secrets } = splitSecrets(mergeSecrets(body.settings, kept), kind.secretPaths);
        const stored: Stored = {
          step: body.step,
          settings,
          secrets: parts.seal.seal(JSON.stringify(secrets)),
          savedAt: parts.clock.now().toISOString(),
          savedBy: actor,
        };
        await writeSetting(tx, draftName(kind), stored);
        const detail = { step: body.step, hosts: hostsIn(settings) };
        await writeAudit(tx, { actor, action: 'draft.save', object: kind.kind, detail });
        return stored;
      });
      response.json(viewDraft(parts, draft));
    })
    .delete('/providers/:kind/draft', admin, async (request, response) => {
      const kind = needKind(parts, request);
      await db.transaction(async (tx) => {
        if (await deleteSetting(tx, draftName(kind)))
          await writeAudit(tx, { actor: actorOf(request), action: 'draft.delete', object: kind.kind });
      });
      response.status(204).end();
    });
}

function viewDraft({ seal }: AdminParts, { step, settings, secrets, savedAt, savedBy }: Stored): object {
  return { step, settings, secretsSet: Object.keys(keptSecrets(seal, secrets)), savedAt, savedBy };
}

/** Of the setting in which a draft is kept. */
export function draftName({ kind }: ProviderKind): string {
  return `draft:${kind}`;
}

/** @throws {NotFoundError} no such kind */
function needKind(parts: AdminParts, request: Request): ProviderKind {
  const kind = parts.kinds.get(String(request.params['kind']) as ProviderKindName);
  if (kind === undefined) throw new NotFoundError('There is no such inbound provider.', { reason: 'provider-unknown' });
  return kind;
}
