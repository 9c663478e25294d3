import { Router } from 'express';
import { z } from 'zod';
import { csvLine } from '#core/csv.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { type AuditFilter, type AuditView, listAudit } from '#store/access/audit.ts';
import { sealAudit, verifyAudit } from '#store/access/audit-chain.ts';
import type { Db } from '#store/database.ts';
import { formatOf, jsonLines, sendLines } from './formats.ts';
import { answerInTurn } from './long-work.ts';
import type { AdminParts } from './parts.ts';
import { instant, PageQuery } from './query.ts';

const AuditQuery = z.object({
  actor: z.string().max(1_000).optional(),
  action: z.string().max(80).optional(),
  since: instant.optional(),
  until: instant.optional(),
});

const head = z
  .string()
  .regex(/^[0-9a-f]{64}$/i, 'expected the 64 hexadecimal digits of a hash')
  .transform((text) => text.toLowerCase());
const VerificationQuery = z.object({ head: head.optional() });

/** Who did what, and whether the log is whole. */
export function auditRoutes({ database, longWork }: AdminParts): Router {
  const db = database.knex;
  return Router()
    .get('/audit', requireScope('admin', 'operator', 'viewer'), async (request, response) => {
      const filter = parse(AuditQuery, request.query);
      const format = formatOf(request);
      if (format === 'json') {
        response.json(await listAudit(db, { ...parse(PageQuery, request.query), ...filter }));
        return;
      }
      const entries = eachEntry(db, filter);
      const lines = format === 'csv' ? csvLines(entries) : jsonLines(entries);
      await sendLines(longWork, { request, response }, { name: 'audit', format, lines });
    })
    .get('/audit/verification', async (request, response) => {
      const query = parse(VerificationQuery, request.query);
      const asOne = { isolationLevel: 'repeatable read' } as const;
      await answerInTurn(longWork.looks, { request, response }, async (left) => {
        await sealAudit(db);
        response.json(await db.transaction((tx) => verifyAudit(tx, query.head, left), asOne));
      });
    });
}

const READ_AT_ONCE = 500;

async function* eachEntry(db: Db, filter: AuditFilter): AsyncGenerator<AuditView> {
  let cursor: string | undefined;
  do {
    const page = await listAudit(db, { limit: READ_AT_ONCE, cursor, ...filter });
    yield* page.items;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

async function* csvLines(entries: AsyncIterable<AuditView>): AsyncGenerator<string> {
  yield csvLine(['id', 'at', 'actor', 'action', 'object', 'detail', 'objectName', 'subject']);
  for await (const { id, at, actor, action, object, detail, objectName, subject } of entries)
    yield csvLine([
      id,
      new Date(at).toISOString(),
      actor,
      action,
      object,
      detail === null ? null : JSON.stringify(detail),
      objectName,
      subject,
    ]);
}
