import { type Request, Router } from 'express';
import { z } from 'zod';
import { ConflictError, NotFoundError } from '#core/errors.ts';
import { principalOf, requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { checkAskedRest, noteRest, type RestNote } from '#outbound/on-demand/asked-rest.ts';
import { dryRun, provisionOne } from '#outbound/on-demand/provision.ts';
import { testTarget } from '#outbound/on-demand/test-target.ts';
import { decideDepartures } from '#outbound/push/departures.ts';
import { kindOf, type OpenedTarget, openTarget } from '#outbound/push/open-target.ts';
import { parsePush } from '#outbound/push-settings.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { replayPicked } from '#store/target/dead-letters.ts';
import { TOLD_STATES } from '#store/target/delivery-claims.ts';
import { forgetDrift } from '#store/target/reconciliations.ts';
import {
  askBackfill,
  changeTarget,
  NO_REST,
  readTarget,
  type TargetChanges,
  type TargetRow,
} from '#store/target/targets.ts';
import {
  listDeliveries,
  listReconciliations,
  readDelivery,
  readPushFigures,
  replayDead,
  replayDelivery,
} from '#store/views/deliveries.ts';
import { listSendings, readSending } from '#store/views/sendings.ts';
import { ListQuery } from './deliveries.ts';
import { needApp } from './need-app.ts';
import type { AdminParts } from './parts.ts';
import { destinationNotSaved } from './provider-refusals.ts';
import { actorOf, PageQuery, uuidParam } from './query.ts';

const DeliveriesQuery = PageQuery.extend({
  state: z.enum(TOLD_STATES).optional(),
  resourceId: z.guid().optional(),
  cursor: z.guid().optional(),
});
const MessagesQuery = ListQuery.pick({ state: true, resourceId: true, limit: true, cursor: true });
/** A report lists all that it found, so a page of them is short. */
const ReportsQuery = PageQuery.extend({ limit: PageQuery.shape.limit.unwrap().default(20) });
const ReplayBody = z.strictObject({ code: z.string().max(100).optional() }).prefault({});
const DeparturesBody = z.strictObject({ decision: z.enum(['allow', 'reject']) });
const ProvisionBody = z.strictObject({ resourceId: z.guid(), dryRun: z.boolean().default(false) });
const DryRunBody = z.strictObject({ limit: z.number().int().min(1).max(200).default(50) }).prefault({});
const ClearBody = z.strictObject({
  deadLetters: z.boolean().default(false),
  quarantine: z.boolean().default(false),
  learned: z.boolean().default(false),
  backfill: z.boolean().default(false),
});
/** A test, or one object, that takes longer is given up. */
const ACT_MS = 60_000;
const DRY_RUN_MS = 120_000;

/** What an app's push target does, and what people may do to it. */
export function pushRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/apps/:id/push', async (request, response) => {
      response.json(await status(db, (await needTarget(db, request)).app_id));
    })
    .post('/apps/:id/push/test', operator, async (request, response) => {
      const checks = await test(parts, request);
      response.json({ ok: checks.every(({ ok }) => ok), checks });
    })
    .post(
      '/apps/:id/push/pause',
      operator,
      change(parts, 'target.pause', (row) => {
        if (row.state === 'disabled') throw disabled();
        return { state: 'paused' };
      }),
    )
    .post(
      '/apps/:id/push/resume',
      operator,
      change(parts, 'target.resume', () => ({ state: 'active', quarantine: null, ...NO_REST })),
    )
    .post(
      '/apps/:id/push/reconcile',
      operator,
      change(parts, 'target.reconcile', () => ({ reconcile_asked: true }), 202),
    )
    .get('/apps/:id/push/reconciliations', async (request, response) => {
      const { app_id } = await needTarget(db, request);
      response.json(await listReconciliations(db, app_id, parse(ReportsQuery, request.query)));
    })
    .post('/apps/:id/push/departures', operator, async (request, response) => {
      const { decision } = parse(DeparturesBody, request.body ?? {});
      const count = await db.transaction(async (tx) => {
        const { app_id } = await needTarget(tx, request);
        const decided = await decideDepartures(tx, app_id, decision, parts.clock.now());
        await writeAudit(tx, {
          actor: actorOf(request),
          action: `target.departures.${decision}`,
          object: app_id,
          detail: { count: decided },
        });
        return decided;
      });
      parts.dispatcher?.wake();
      response.json({ decision, count });
    })
    .post('/apps/:id/push/clear', operator, async (request, response) => {
      await clear(parts, request);
      response.json(await status(db, uuidParam(request, 'id')));
    })
    .use(actRoutes(parts))
    .use(pushDeliveryRoutes(parts));
}

function actRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  const provisioning = { ...parts, kinds: parts.targetKinds };
  return Router()
    .post('/apps/:id/push/provision', operator, async (request, response) => {
      const { resourceId, dryRun: isDry } = parse(ProvisionBody, request.body ?? {});
      const { app_id } = await needTarget(db, request);
      const done = await provisionOne(provisioning, app_id, { resourceId, dryRun: isDry }, AbortSignal.timeout(ACT_MS));
      if (!isDry)
        await writeAudit(db, {
          actor: actorOf(request),
          action: 'target.provision',
          object: app_id,
          detail: { resourceId, ok: done.ok },
        });
      response.json(done);
    })
    .post('/apps/:id/push/dry-run', operator, async (request, response) => {
      const { limit } = parse(DryRunBody, request.body ?? {});
      const { app_id } = await needTarget(db, request);
      response.json(await dryRun(provisioning, app_id, limit, AbortSignal.timeout(DRY_RUN_MS)));
    });
}

function pushDeliveryRoutes(parts: AdminParts): Router {
  const db = parts.database.knex;
  const operator = requireScope('admin', 'operator');
  return Router()
    .get('/apps/:id/deliveries', async (request, response) => {
      const { id: appId } = await needApp(db, request);
      if ((await readTarget(db, appId)) === undefined) {
        const { limit, cursor, ...picked } = parse(MessagesQuery, request.query);
        response.json(await listSendings(db, { ...picked, appId }, { limit, cursor }));
        return;
      }
      const { state, resourceId, limit, cursor } = parse(DeliveriesQuery, request.query);
      response.json(await listDeliveries(db, { appId, state, resourceId, limit, cursor }));
    })
    .post('/apps/:id/deliveries/replay', operator, async (request, response) => {
      const { code } = parse(ReplayBody, request.body ?? {});
      const { app_id: appId } = await needTarget(db, request);
      const count = await db.transaction(async (tx) => {
        const replayed = await replayDead(tx, { appId, code, now: parts.clock.now() });
        const detail = { count: replayed };
        await writeAudit(tx, { actor: actorOf(request), action: 'delivery.replay', object: appId, detail });
        return replayed;
      });
      parts.dispatcher?.wake();
      response.status(202).json({ count });
    })
    .post('/deliveries/:id/replay', operator, async (request, response) => {
      const id = uuidParam(request, 'id');
      const isPush = (await readDelivery(db, id)) !== undefined;
      if (!isPush && (await readSending(db, id)) === undefined)
        throw new NotFoundError(`There is no delivery "${id}".`, { reason: 'delivery-not-found' });
      await db.transaction(async (tx) => {
        if (isPush) await replayDelivery(tx, id, parts.clock.now());
        else await replayPicked(tx, { ids: [id] }, parts.clock.now());
        await writeAudit(tx, { actor: actorOf(request), action: 'delivery.replay', object: id });
      });
      parts.dispatcher?.wake();
      parts.events?.wake();
      response.status(202).json(isPush ? await readDelivery(db, id) : await readSending(db, id));
    });
}

type Handler = (request: Request, response: import('express').Response) => Promise<void>;

/** Changes the row of a target, and says how it does now. */
function change(parts: AdminParts, action: string, changing: (row: TargetRow) => TargetChanges, code = 200): Handler {
  return async (request, response) => {
    const db = parts.database.knex;
    await db.transaction(async (tx) => {
      const row = await needTarget(tx, request);
      await changeTarget(tx, row.app_id, changing(row));
      await writeAudit(tx, { actor: actorOf(request), action, object: row.app_id });
    });
    parts.dispatcher?.wake();
    response.status(code).json(await status(db, uuidParam(request, 'id')));
  };
}

async function needTarget(db: Db, request: Request): Promise<TargetRow> {
  const app = await needApp(db, request);
  const row = await readTarget(db, app.id);
  if (row === undefined)
    throw new NotFoundError(`The app "${app.name}" has no push target.`, {
      reason: 'no-push',
      remedy: 'PATCH the app with "push" first.',
    });
  return row;
}

/** How the target does. */
async function status(db: Db, appId: string) {
  const row = await readTarget(db, appId);
  if (row === undefined) throw new NotFoundError('This app has no push target.', { reason: 'no-push' });
  const { state, quarantine, guard, rest_until, capabilities, learned, backfill, reconciled_at } = row;
  return {
    state,
    quarantine,
    heldDepartures: guard,
    restUntil: rest_until,
    backfill: backfill?.type ?? null,
    capabilities,
    learned,
    reconciledAt: reconciled_at,
    ...(await readPushFigures(db, appId)),
  };
}

/**
 * The saved settings, or those of the body before they are saved.
 * @throws {ForbiddenError} `destination-not-saved` @throws {ConflictError} `target-asked-for-rest`
 */
async function test(parts: AdminParts, request: Request) {
  const db = parts.database.knex;
  const app = await needApp(db, request);
  const { askedToRest, save } = noteRest(parts.clock);
  const isUnsaved = Object.keys(request.body ?? {}).length > 0;
  const open = isUnsaved ? openUnsaved : openSaved;
  const { target, policy, isKnown } = await open(parts, request, app.id, askedToRest);
  try {
    return await testTarget(target, policy, AbortSignal.timeout(ACT_MS));
  } finally {
    await target.close();
    if (isKnown) await save(db, app.id);
  }
}

/** `isKnown` when it is the saved target that is asked, with the saved credential. */
type Tested = OpenedTarget & { readonly isKnown: boolean };

const untraced = (): void => undefined;

async function openSaved(
  { database, clock, targetKinds, seal }: AdminParts,
  request: Request,
  _appId: string,
  askedToRest: RestNote['askedToRest'],
): Promise<Tested> {
  const row = await needTarget(database.knex, request);
  checkAskedRest(row, clock.now());
  return { ...openTarget(targetKinds, { ...row, learned: {} }, seal, untraced, { askedToRest }), isKnown: true };
}

async function openUnsaved(
  parts: AdminParts,
  request: Request,
  appId: string,
  askedToRest: RestNote['askedToRest'],
): Promise<Tested> {
  const { database, clock, targetKinds } = parts;
  const { whole, elsewhere, anew } = await parsePush(database.knex, parts, appId, request.body);
  if (elsewhere && !principalOf(request).scopes.includes('admin')) throw destinationNotSaved();
  const row = anew ? undefined : await readTarget(database.knex, appId);
  if (row !== undefined) checkAskedRest(row, clock.now());
  const kind = kindOf(targetKinds, whole);
  const context = { learned: {}, capabilities: undefined, trace: untraced, dryRun: false, askedToRest };
  return { target: kind.open(whole, context), policy: kind.policy(whole), isKnown: row !== undefined };
}

/** Each kind of memory by itself. */
async function clear(parts: AdminParts, request: Request): Promise<void> {
  const what = parse(ClearBody, request.body ?? {});
  await parts.database.knex.transaction(async (tx) => {
    const { app_id: appId } = await needTarget(tx, request);
    if (what.deadLetters) await replayDead(tx, { appId, code: undefined, now: parts.clock.now() });
    if (what.quarantine) await changeTarget(tx, appId, { state: 'active', quarantine: null, ...NO_REST });
    if (what.learned) {
      await changeTarget(tx, appId, { learned: {} });
      await forgetDrift(tx, appId);
    }
    if (what.backfill) await askBackfill(tx, appId, 'all');
    await writeAudit(tx, { actor: actorOf(request), action: 'target.clear', object: appId, detail: what });
  });
  parts.dispatcher?.wake();
}

function disabled(): ConflictError {
  return new ConflictError('The target is disabled after a long quarantine.', {
    reason: 'target-disabled',
    remedy: 'Mend its cause, then resume it.',
  });
}
