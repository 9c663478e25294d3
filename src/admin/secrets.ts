import { Router } from 'express';
import { requireAdmin } from '#http/auth.ts';
import { writeAudit } from '#store/access/audit.ts';
import { reseal } from '#store/access/reseal.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

/** Sealing what is stored with the present SECRET_KEY, after it was changed. */
export function secretRoutes({ database, seal }: AdminParts): Router {
  return Router().post('/secrets/reseal', requireAdmin(), async (request, response) => {
    const done = await database.knex.transaction(async (tx) => {
      const sealed = await reseal(tx, seal);
      if (sealed.resealed > 0)
        await writeAudit(tx, { actor: actorOf(request), action: 'secrets.reseal', detail: { ...sealed } });
      return sealed;
    });
    response.json(done);
  });
}
