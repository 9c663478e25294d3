import { pipeline } from 'node:stream/promises';
import { Router } from 'express';
import { requireAdmin } from '#http/auth.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

/** What the doctor finds, and what a person who helps needs to see. */
export function diagnosticsRoutes({
  database,
  doctor,
  clock,
}: Pick<AdminParts, 'database' | 'doctor' | 'clock'>): Router {
  const admin = requireAdmin({ changes: false });
  return Router()
    .post('/diagnostics', admin, async (_request, response) => {
      response.json(await doctor.report());
    })
    .post('/diagnostics/bundle', admin, async (request, response) => {
      const { names, archive } = await doctor.bundle();
      await writeAudit(database.knex, {
        actor: actorOf(request),
        action: 'diagnostics.bundle',
        detail: { files: names },
      });
      response.attachment(`sluice-support-${clock.now().toISOString().slice(0, 10)}.tar.gz`).type('application/gzip');
      await pipeline(archive, response);
    });
}
