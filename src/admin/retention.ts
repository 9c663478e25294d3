import { Router } from 'express';
import { z } from 'zod';
import { DEFAULT_RETENTION, RETENTION_MIN, type RetentionSettings } from '#core/retention.ts';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { lockSettings, readSetting, writeSetting } from '#store/source/settings.ts';
import { refuseChanged, sendDocument } from './documents.ts';
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
      sendDocument(response, await readRetention(db));
    })
    .put('/retention', requireAdmin(), async (request, response) => {
      const settings = parse(RetentionBody, request.body);
      await db.transaction(async (tx) => {
        await lockSettings(tx);
        await refuseChanged(tx, request, await readRetention(tx), { action: 'retention.change' });
        await writeSetting(tx, 'retention', settings);
        await writeAudit(tx, { actor: actorOf(request), action: 'retention.change', detail: settings });
      });
      sendDocument(response, settings);
    });
}

async function readRetention(db: Db): Promise<RetentionSettings> {
  return { ...DEFAULT_RETENTION, ...(await readSetting<Partial<RetentionSettings>>(db, 'retention')) };
}
