import { Router } from 'express';
import { readOverview } from '#store/views/overview.ts';
import type { AdminParts } from './parts.ts';

/** What a person sees first. */
export function overviewRoutes({ database }: Pick<AdminParts, 'database'>): Router {
  return Router().get('/overview', async (_request, response) => {
    response.json(await readOverview(database.knex));
  });
}
