import { Router } from 'express';
import { z } from 'zod';
import { isTimeZone, lastDays } from '#core/schedule.ts';
import { parse } from '#http/validate.ts';
import { readOverview } from '#store/views/overview.ts';
import type { AdminParts } from './parts.ts';

const Query = z.object({
  timeZone: z.string().max(100).refine(isTimeZone, 'expected a time zone such as Europe/Berlin').default('UTC'),
});
const DAYS = 30;

/** What a person sees first. */
export function overviewRoutes({
  database,
  schedule,
  clock,
}: Pick<AdminParts, 'database' | 'schedule' | 'clock'>): Router {
  return Router().get('/overview', async (request, response) => {
    const { timeZone } = parse(Query, request.query);
    const days = lastDays(timeZone, clock.now(), DAYS);
    const [overview, { missed }] = await Promise.all([readOverview(database.knex, days), schedule.describe()]);
    response.json({ ...overview, missedRun: missed });
  });
}
