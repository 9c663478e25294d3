import { Router } from 'express';
import { z } from 'zod';
import { adviseBudget, type Budget, forecastMonth, type MonthCost, NO_BUDGET } from '#core/budget.ts';
import { requireAdmin } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import { readSetting, writeSetting } from '#store/source/settings.ts';
import { listMonthCosts } from '#store/views/costs.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const CostsQuery = z.object({ months: z.coerce.number().int().min(1).max(60).default(12) });

const limit = z.number().int().min(1).nullable().default(null);
const BudgetBody = z.strictObject({ wallMinutes: limit, requests: limit, resourceUnits: limit });

/** What runs cost by month, what this month will cost, and what to do when that is more than it may. */
export function costRoutes({ database, clock }: AdminParts): Router {
  const db = database.knex;
  return Router()
    .get('/costs', async (request, response) => {
      const { months } = parse(CostsQuery, request.query);
      const items = await listMonthCosts(db, months);
      const budget = { ...NO_BUDGET, ...(await readSetting<Partial<Budget>>(db, 'budget')) };
      const now = clock.now();
      const month = now.toISOString().slice(0, 7);
      const forecast = forecastMonth(items.find((item) => item.month === month) ?? emptyMonth(month), now);
      response.json({ items, nextCursor: null, forecast, budget, advice: adviseBudget(forecast, budget) });
    })
    .put('/costs/budget', requireAdmin(), async (request, response) => {
      const budget = parse(BudgetBody, request.body);
      await db.transaction(async (tx) => {
        await writeSetting(tx, 'budget', budget);
        await writeAudit(tx, { actor: actorOf(request), action: 'budget.change', detail: budget });
      });
      response.json(budget);
    });
}

function emptyMonth(month: string): MonthCost {
  return { month, runs: 0, wallMs: 0, requests: 0, resourceUnits: 0, bytes: 0, throttledMs: 0 };
}
