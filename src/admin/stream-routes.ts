import { randomUUID } from 'node:crypto';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import { requireAdmin, requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { sendMessage } from '#outbound/event/send-events.ts';
import { OVERLAP_HOURS, requestVerification, resume, rotateWebhookKeys } from '#outbound/event/streams.ts';
import { isWebhookSecret } from '#platform/webhook-signature.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { replayDeliveries } from '#store/event/event-deliveries.ts';
import { readStream, type StreamKind, type StreamRow } from '#store/event/event-streams.ts';
import { listDeliveries, readDelivery } from '#store/views/event-deliveries.ts';
import { needApp } from './need-app.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';
import { streamParts, withStreams } from './streams.ts';

const DeliveriesQuery = PageQuery.extend({ state: z.enum(['pending', 'delivered', 'dead']).optional() });
const ResumeBody = z.strictObject({ from: z.enum(['stopped', 'now', 'snapshot']).default('stopped') }).prefault({});
const RotateBody = z
  .strictObject({
    secret: z.string().refine(isWebhookSecret, 'expected "whsec_" and 24 to 64 random bytes in base64').optional(),
    overlapHours: z.number().min(0).max(720).default(OVERLAP_HOURS),
  })
  .prefault({});
const VerifyBody = z.strictObject({ state: z.string().max(1_000).optional() }).prefault({});

/** The names of the kinds in paths and bodies. */
const NOUNS = [
  ['webhook', 'webhook'],
  ['events', 'set'],
] as const satisfies readonly (readonly [string, StreamKind])[];

/** What a webhook and a stream of tokens have in common, and what each has by itself. */
export function streamRoutes(parts: AdminParts): Router {
  const router = Router();
  for (const [noun, kind] of NOUNS) addCommonRoutes(router, parts, noun, kind);
  return router.use(webhookRoutes(parts)).use(tokenStreamRoutes(parts));
}

function addCommonRoutes(router: Router, parts: AdminParts, noun: string, kind: StreamKind): void {
  const { database, clock } = parts;
  const db = database.knex;
  const operator = requireScope('admin', 'operator');
  const path = `/apps/:id/${noun}`;
  router
    .get(`${path}/deliveries`, async (request, response) => {
      const { id } = await needStream(db, request, kind);
      response.json(await listDeliveries(db, id, parse(DeliveriesQuery, request.query)));
    })
    .get(`${path}/deliveries/:deliveryId`, async (request, response) => {
      const { id } = await needStream(db, request, kind);
      response.json(await needDelivery(db, request, id));
    })
    .post(`${path}/deliveries/:deliveryId/replay`, operator, async (request, response) => {
      const { id } = await needStream(db, request, kind);
      const delivery = await needDelivery(db, request, id);
      await db.transaction(async (tx) => {
        await replayDeliveries(tx, id, delivery.id, clock.now());
        const detail = { delivery: delivery.id, count: 1 };
        await writeAudit(tx, { actor: actorOf(request), action: `${noun}.replay`, object: id, detail });
      });
      parts.events?.wake();
      const { payload: _payload, ...view } = await needDelivery(db, request, id);
      response.status(202).json(view);
    })
    .post(`${path}/replay`, operator, async (request, response) => {
      const { id } = await needStream(db, request, kind);
      const replayed = await db.transaction(async (tx) => {
        const count = await replayDeliveries(tx, id, 'dead', clock.now());
        await writeAudit(tx, { actor: actorOf(request), action: `${noun}.replay`, object: id, detail: { count } });
        return count;
      });
      parts.events?.wake();
      response.json({ replayed });
    })
    .post(`${path}/resume`, operator, async (request, response) => {
      const { from } = parse(ResumeBody, request.body ?? {});
      const app = await db.transaction(async (tx) => {
        const stream = await needStream(tx, request, kind);
        await resume(tx, stream, from, streamParts(parts));
        await writeAudit(tx, {
          actor: actorOf(request),
          action: `${noun}.resume`,
          object: stream.id,
          detail: { from },
        });
        const [whole] = await withStreams(tx, parts, [await needApp(tx, request)]);
        return whole;
      });
      parts.events?.wake();
      response.json(app);
    });
}

function webhookRoutes(parts: AdminParts): Router {
  const { database } = parts;
  const db = database.knex;
  return Router()
    .post('/apps/:id/webhook/test', requireScope('admin', 'operator'), async (request, response) => {
      const stream = await needStream(db, request, 'webhook');
      response.json(await tryWebhook(parts, stream));
    })
    .post('/apps/:id/webhook/rotate-secret', requireAdmin(), async (request, response) => {
      const body = parse(RotateBody, request.body ?? {});
      const rotated = await db.transaction(async (tx) => {
        const stream = await needStream(tx, request, 'webhook');
        const made = await rotateWebhookKeys(tx, streamParts(parts), stream, body);
        const detail = { overlapHours: body.overlapHours };
        await writeAudit(tx, { actor: actorOf(request), action: 'webhook.rotate', object: stream.id, detail });
        return made;
      });
      response.json(rotated);
    });
}

/** Sends a message that says it is a test, at once, and says what became of it. */
async function tryWebhook(parts: AdminParts, stream: StreamRow) {
  const { clock, publicUrl } = parts;
  const data = { text: 'This is a test message. Nothing has changed.', link: publicUrl() };
  const payload = JSON.stringify({ type: 'test', timestamp: clock.now().toISOString(), data });
  const sending = { ...parts, policy: parts.outgoing, random: Math.random };
  const { verdict, status, answer, error } = await sendMessage(sending, stream, { message_id: randomUUID(), payload });
  const ok = verdict === 'delivered';
  const detail = ok ? 'The receiver took a test message.' : (error?.message ?? 'The receiver did not take it.');
  return { ok, checks: [{ name: 'webhook', ok, detail, remedy: error?.remedy ?? null }], status, answer };
}

function tokenStreamRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  return Router().post('/apps/:id/events/verify', requireScope('admin', 'operator'), async (request, response) => {
    const { state } = parse(VerifyBody, request.body ?? {});
    const messageId = await db.transaction(async (tx) => {
      const stream = await needStream(tx, request, 'set');
      if (!stream.enabled || stream.disabled_at !== null) throw atRest();
      await writeAudit(tx, { actor: actorOf(request), action: 'events.verify', object: stream.id });
      return requestVerification(tx, streamParts(parts), stream, state);
    });
    parts.events?.wake();
    response.status(202).json({ messageId });
  });
}

function atRest(): ConflictError {
  return new ConflictError('The stream of tokens is paused or disabled.', {
    reason: 'stream-at-rest',
    remedy: 'Enable or resume it first.',
  });
}

async function needStream(db: Db, request: Request, kind: StreamKind): Promise<StreamRow> {
  const app = await needApp(db, request);
  const stream = await readStream(db, app.id, kind);
  if (stream !== undefined) return stream;
  const what = kind === 'webhook' ? 'webhook' : 'stream of security event tokens';
  throw new NotFoundError(`The app "${app.name}" has no ${what}.`, {
    reason: 'stream-not-found',
    remedy: 'PATCH the app to set one up.',
  });
}

async function needDelivery(db: Db, request: Request, streamId: string) {
  const id = uuidParam(request, 'deliveryId');
  const delivery = await readDelivery(db, streamId, id);
  if (delivery === undefined)
    throw new NotFoundError(`There is no delivery "${id}".`, { reason: 'delivery-not-found' });
  return delivery;
}
