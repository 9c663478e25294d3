import { Router } from 'express';
import { listActors } from '#store/access/actors.ts';
import type { AdminParts } from './parts.ts';

/** Who is behind `token:<id>` and `user:<name>` in logs and runs. */
export function actorRoutes({ database }: Pick<AdminParts, 'database'>): Router {
  return Router().get('/actors', async (_request, response) => {
    response.json({ items: await listActors(database.knex), nextCursor: null });
  });
}
