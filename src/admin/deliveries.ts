import { Router } from 'express';
import { z } from 'zod';
import { NotFoundError } from '#core/errors.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import { CHANNELS } from '#store/target/attempt-hours.ts';
import { dropPicked, replayPicked } from '#store/target/dead-letters.ts';
import { TOLD_STATES } from '#store/target/delivery-claims.ts';
import { listDeadCauses, listSendings, readSending } from '#store/views/sendings.ts';
import { listTargets } from '#store/views/targets.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, instant, PageQuery, uuidParam } from './query.ts';
import { resendRoutes } from './resend.ts';

const Picked = z.strictObject({
  appId: z.guid().optional(),
  channel: z.enum(CHANNELS).optional(),
  code: z.string().max(100).optional(),
  resourceId: z.guid().optional(),
  search: z.string().trim().min(1).max(200).optional(),
  since: instant.optional(),
});
/** What was sent, in whatever way; `limit` and `cursor` of such a list. */
export const ListQuery = PageQuery.extend({
  ...Picked.shape,
  state: z.enum(TOLD_STATES).optional(),
  cursor: z
    .string()
    .regex(/^[\w-]{40,120}$/, 'expected the nextCursor of an earlier answer')
    .optional(),
});
const CausesQuery = PageQuery.extend({ appId: z.guid().optional() });
/** Nothing named means all dead letters; so that nobody means all by an empty body, something must be named. */
const ManyBody = Picked.extend({
  ids: z.array(z.guid()).min(1).max(500).optional(),
  all: z.literal(true).optional(),
}).refine((body) => Object.values(body).some((value) => value !== undefined), 'name what is meant, or "all": true');
const DropBody = ManyBody.safeExtend({ reason: z.string().trim().min(1).max(500) });

/** Every way out, what was sent on it, and what was given up. */
export function deliveryRoutes(parts: AdminParts): Router {
  const { database, clock } = parts;
  const db = database.knex;
  const operator = requireScope('admin', 'operator');
  const wake = (): void => {
    parts.dispatcher?.wake();
    parts.events?.wake();
  };
  return Router()
    .use(resendRoutes(parts))
    .get('/targets', async (request, response) => {
      response.json(await listTargets(db, parse(PageQuery, request.query)));
    })
    .get('/targets/presets', (_request, response) => {
      const items = [...parts.targetKinds.values()].flatMap(({ kind, presets }) =>
        presets.map((preset) => ({ kind, ...preset })),
      );
      response.json({ items, nextCursor: null });
    })
    .get('/deliveries', async (request, response) => {
      const { limit, cursor, ...picked } = parse(ListQuery, request.query);
      response.json(await listSendings(db, picked, { limit, cursor }));
    })
    .get('/deliveries/causes', async (request, response) => {
      const { appId, ...page } = parse(CausesQuery, request.query);
      response.json(await listDeadCauses(db, appId, page));
    })
    .get('/deliveries/:id', async (request, response) => {
      const id = uuidParam(request, 'id');
      const sending = await readSending(db, id);
      if (sending === undefined)
        throw new NotFoundError(`There is no delivery "${id}".`, { reason: 'delivery-not-found' });
      response.json(sending);
    })
    .post('/deliveries/replay', operator, async (request, response) => {
      const { all: _all, ...picked } = parse(ManyBody, request.body ?? {});
      const count = await db.transaction(async (tx) => {
        const replayed = await replayPicked(tx, picked, clock.now());
        const detail = { ...picked, count: replayed };
        await writeAudit(tx, { actor: actorOf(request), action: 'delivery.replay', detail });
        return replayed;
      });
      wake();
      response.status(202).json({ count });
    })
    .post('/deliveries/drop', operator, async (request, response) => {
      const { all: _all, reason, ...picked } = parse(DropBody, request.body ?? {});
      const count = await db.transaction(async (tx) => {
        const dropped = await dropPicked(tx, picked, clock.now());
        const detail = { ...picked, reason, count: dropped };
        await writeAudit(tx, { actor: actorOf(request), action: 'delivery.drop', detail });
        return dropped;
      });
      wake();
      response.json({ count });
    });
}
