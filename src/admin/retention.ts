import { Router } from 'express';
import { z } from 'zod';
import { DEFAULT_RETENTION, RETENTION_MIN, type RetentionSettings } from '#core/retention.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/audit.ts';
import { readSetting, writeSetting } from '#store/settings.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const days = (name: keyof RetentionSettings) =>
  z.number().int().min(RETENTION_MIN[name]).max(3_650).nullable().default(DEFAULT_RETENTION[name]);

const RetentionBody = z.strictObject({
  runs: days('runs'),
  plans: days('plans'),
  tombstones: days('tombstones'),
  changes: days('changes'),
  audit: days('audit'),
});

/** For how long what is kept. */
export function retentionRoutes({ database }: AdminParts): Router {
  const db = database.knex;
  return Router()
    .get('/retention', async (_request, response) => {
      response.json({ ...DEFAULT_RETENTION, ...(await readSetting<Partial<RetentionSettings>>(db, 'retention')) });
    })
    .put('/retention', requireScope('admin'), async (request, response) => {
      const settings = parse(RetentionBody, request.body ?? {});
      await db.transaction(async (tx) => {
        await writeSetting(tx, 'retention', settings);
        await writeAudit(tx, { actor: actorOf(request), action: 'retention.change', detail: settings });
      });
      response.json(settings);
    });
}
