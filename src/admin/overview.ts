import { Router } from 'express';
import { readOverview } from '#store/views/overview.ts';
import type { AdminParts } from './parts.ts';

/** What a person sees first. */
export function overviewRoutes({ database, schedule }: Pick<AdminParts, 'database' | 'schedule'>): Router {
  return Router().get('/overview', async (_request, response) => {
    const [overview, { missed }] = await Promise.all([readOverview(database.knex), schedule.describe()]);
    response.json({ ...overview, missedRun: missed });
  });
}
