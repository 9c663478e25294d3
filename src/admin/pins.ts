import { Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import { listPins, releasePin, releasePinsOf } from '#store/plan/pins.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery } from './query.ts';

const run = z.guid('expected the id of a run').transform((id) => id.toLowerCase());
const PinsQuery = PageQuery.extend({ run: run.optional() });
const ReleaseQuery = z.object({ run });

/** What reverts have pinned, and its release. */
export function pinRoutes({ database }: AdminParts): Router {
  const db = database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/pins', async (request, response) => {
      response.json(await listPins(db, parse(PinsQuery, request.query)));
    })
    .delete('/pins', operator, async (request, response) => {
      const { run: runId } = parse(ReleaseQuery, request.query);
      const released = await db.transaction(async (tx) => {
        const count = await releasePinsOf(tx, runId);
        await writeAudit(tx, { actor: actorOf(request), action: 'pin.release', object: runId, detail: { count } });
        return count;
      });
      response.json({ released });
    })
    .delete('/pins/:id', operator, async (request, response) => {
      const id = String(request.params['id']);
      await db.transaction(async (tx) => {
        if (!/^\d{1,18}$/.test(id) || !(await releasePin(tx, id)))
          throw new NotFoundError(`There is no pin "${id.slice(0, 40)}".`, { reason: 'pin-not-found' });
        await writeAudit(tx, { actor: actorOf(request), action: 'pin.release', object: id });
      });
      response.status(204).end();
    });
}
