// What was changed in the settings, by whom, and any version of a provider's settings as it was.
import { Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { PROVIDER_KINDS } from '#core/resource.ts';
import { parse } from '#http/validate.ts';
import { readVersion } from '#store/source/settings-versions.ts';
import { listSettingsChanges } from '#store/views/settings-changes.ts';
import type { AdminParts } from './parts.ts';
import { kindParam } from './providers.ts';
import { instant, PageQuery } from './query.ts';

const ChangesQuery = PageQuery.extend({
  provider: z.enum(PROVIDER_KINDS).optional(),
  versionsOnly: z.stringbool().default(false),
  since: instant.optional(),
});

export function settingsChangeRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  return Router()
    .get('/settings-changes', async (request, response) => {
      response.json(await listSettingsChanges(db, parse(ChangesQuery, request.query)));
    })
    .get('/providers/:kind/versions/:version', async (request, response) => {
      const kind = kindParam(parts, request);
      const version = String(request.params['version']);
      const found = /^\d{1,15}$/.test(version) ? await readVersion(db, kind.kind, Number(version)) : undefined;
      if (found === undefined)
        throw new NotFoundError(`The settings of "${kind.title}" have no version "${version.slice(0, 40)}".`, {
          reason: 'version-unknown',
          remedy: 'Choose one of those under /api/v1/settings-changes.',
        });
      response.json({ configVersion: Number(version), savedAt: found.savedAt, settings: found.settings });
    });
}
