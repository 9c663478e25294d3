import { type Request, Router } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import type { Db } from '#store/database.ts';
import { listItemMembers } from '#store/views/item-members.ts';
import { readCauses } from '#store/views/plan-causes.ts';
import { type PlanView, readPlan } from '#store/views/plans.ts';
import { answerItems } from './items.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';

const RejectBody = z.strictObject({ reason: z.string().max(1000).optional() }).prefault({});

/** What the person has seen, and means to approve. */
const ApproveBody = z
  .strictObject({ hash: z.string().max(200).optional(), removals: z.number().int().min(0).optional() })
  .prefault({});

const MembersQuery = PageQuery.extend({ change: z.enum(['added', 'removed']).optional() });

/** Stored plans: look, then approve or reject. */
export function planRoutes(parts: AdminParts): Router {
  const { sync } = parts;
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/plans/:id', async (request, response) => {
      response.json(await needPlan(db, request));
    })
    .get('/plans/:id/changes', async (request, response) => {
      await answerItems(parts, await needPlan(db, request), { request, response });
    })
    .get('/plans/:id/changes/:seq/members', async (request, response) => {
      const plan = await needPlan(db, request);
      const seq = String(request.params['seq']);
      const page = /^\d{1,18}$/.test(seq)
        ? await listItemMembers(db, plan, seq, parse(MembersQuery, request.query))
        : undefined;
      if (page === undefined)
        throw new NotFoundError(`The plan has no change "${seq.slice(0, 40)}".`, { reason: 'change-not-found' });
      response.json(page);
    })
    .get('/plans/:id/causes', async (request, response) => {
      response.json(await readCauses(db, await needPlan(db, request)));
    })
    .post('/plans/:id/approve', operator, async (request, response) => {
      const seen = parse(ApproveBody, request.body ?? {});
      const id = uuidParam(request, 'id');
      refuseOther(await needPlan(db, request), seen);
      const plan = await sync.approve(id, actorOf(request));
      response.status(202).location(`/api/v1/sync-runs/${plan.runId}`).json(plan);
    })
    .post('/plans/:id/reject', operator, async (request, response) => {
      const { reason } = parse(RejectBody, request.body ?? {});
      response.json(await sync.reject(uuidParam(request, 'id'), actorOf(request), reason));
    });
}

/** @throws {ConflictError} the plan is not what the person confirmed */
function refuseOther({ hash, counts }: PlanView, seen: z.output<typeof ApproveBody>): void {
  const removals = (counts['deactivate'] ?? 0) + (counts['delete'] ?? 0);
  if ((seen.hash ?? hash) === hash && (seen.removals ?? removals) === removals) return;
  throw new ConflictError(
    `The plan is another one than the one confirmed: it removes ${removals}${seen.removals === undefined ? '' : ` instead of ${seen.removals}`}.`,
    { reason: 'plan-changed', remedy: 'Look at it again before you confirm.', details: { removals, hash } },
  );
}

async function needPlan(db: Db, request: Request): Promise<PlanView> {
  const id = uuidParam(request, 'id');
  const plan = await readPlan(db, id);
  if (plan === undefined) throw new NotFoundError(`There is no plan "${id}".`, { reason: 'plan-not-found' });
  return plan;
}
