import { Router } from 'express';
import { z } from 'zod';
import { parse } from '#http/validate.ts';
import { explain } from '#sync/explain.ts';
import type { AdminParts } from './parts.ts';

const ExplainQuery = z.object({ subject: z.string().trim().min(1).max(500) });

/** Why somebody is here, or is not. */
export function explainRoutes({ database, kinds, seal }: AdminParts): Router {
  return Router().get('/explain', async (request, response) => {
    const { subject } = parse(ExplainQuery, request.query);
    response.json(await explain({ db: database.knex, kinds, seal }, subject));
  });
}
