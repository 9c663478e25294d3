import { type Request, Router } from 'express';
import { z } from 'zod';
import { ConflictError, InputError, NotFoundError } from '#core/errors.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { adopt, type DisputeRow, lockDispute, refuse } from '#store/plan/disputes.ts';
import { type DisputeView, listDisputes, readDispute } from '#store/views/disputes.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';

const DisputesQuery = PageQuery.extend({ status: z.enum(['open', 'adopted', 'refused']).optional() });
const AdoptBody = z.strictObject({ resourceId: z.guid().toLowerCase().optional() }).prefault({});

/** Records that may mean somebody who is here already. A decision counts from the next run on, which shows it in its plan. */
export function disputeRoutes({ database }: AdminParts): Router {
  const db = database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/disputes', async (request, response) => {
      response.json(await listDisputes(db, parse(DisputesQuery, request.query)));
    })
    .get('/disputes/:id', async (request, response) => {
      response.json(await needDispute(db, uuidParam(request, 'id')));
    })
    .post('/disputes/:id/adopt', operator, async (request, response) => {
      const { resourceId } = parse(AdoptBody, request.body ?? {});
      const view = await decide(db, request, async (tx, dispute) => {
        const chosen = chooseFrom(dispute, resourceId);
        await adopt(tx, dispute.id, chosen, actorOf(request));
        return { action: 'dispute.adopt', detail: { resourceId: chosen } };
      });
      response.json(view);
    })
    .post('/disputes/:id/refuse', operator, async (request, response) => {
      const view = await decide(db, request, async (tx, dispute) => {
        await refuse(tx, dispute.id, actorOf(request));
        return { action: 'dispute.refuse', detail: { candidates: dispute.candidates } };
      });
      response.json(view);
    });
}

type Deciding = (tx: Db, dispute: DisputeRow) => Promise<{ action: string; detail: Record<string, unknown> }>;

async function decide(db: Db, request: Request, deciding: Deciding): Promise<DisputeView> {
  const id = uuidParam(request, 'id');
  return db.transaction(async (tx) => {
    const dispute = await lockDispute(tx, id);
    if (dispute === undefined) throw missing(id);
    const { action, detail } = await deciding(tx, dispute);
    await writeAudit(tx, { actor: actorOf(request), action, object: id, detail });
    return needDispute(tx, id);
  });
}

/** @throws {ConflictError} `dispute-ambiguous` @throws {InputError} `not-a-candidate` */
function chooseFrom({ candidates }: DisputeRow, resourceId: string | undefined): string {
  const [only] = candidates;
  if (resourceId === undefined) {
    if (candidates.length === 1 && only !== undefined) return only;
    throw new ConflictError(`There are ${candidates.length} accounts that it may mean.`, {
      reason: 'dispute-ambiguous',
      remedy: 'Name the one that is meant with "resourceId".',
      details: { candidates },
    });
  }
  if (candidates.includes(resourceId)) return resourceId;
  throw new InputError(`"${resourceId}" is none of the accounts that it may mean.`, {
    reason: 'not-a-candidate',
    remedy: 'Name one of the candidates.',
    details: { candidates },
  });
}

async function needDispute(db: Db, id: string): Promise<DisputeView> {
  const view = await readDispute(db, id);
  if (view === undefined) throw missing(id);
  return view;
}

function missing(id: string): NotFoundError {
  return new NotFoundError(`There is no dispute "${id}".`, {
    reason: 'dispute-not-found',
    remedy: 'It was settled by a run, or one of its sides is gone; list the disputes anew.',
  });
}
