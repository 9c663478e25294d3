import { Router } from 'express';
import { z } from 'zod';
import { ConflictError, GoneError, InputError, NotFoundError } from '#core/errors.ts';
import { decodeCursor } from '#core/journal.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import type { Telling } from '#outbound/event/event-messages.ts';
import { RESEND_MAX, resendPush, resendStream } from '#outbound/on-demand/resend.ts';
import { targetScope } from '#outbound/push/target-scope.ts';
import { readApp } from '#store/access/apps.ts';
import { writeAudit } from '#store/access/audit.ts';
import type { Db } from '#store/database.ts';
import { listStreams, lockStream } from '#store/event/event-streams.ts';
import { CHANNELS } from '#store/target/attempt-hours.ts';
import {
  listChangedSince,
  madeSince,
  type PickedWay,
  reachesBack,
  readPicked,
  type Since,
} from '#store/target/resend.ts';
import { readTarget } from '#store/target/targets.ts';
import type { AdminParts } from './parts.ts';
import { actorOf, instant } from './query.ts';

const Body = z.union([
  z.strictObject({ ids: z.array(z.guid()).min(1).max(500) }),
  z
    .strictObject({
      appId: z.guid(),
      channel: z.enum(CHANNELS).optional(),
      since: instant.optional(),
      after: z.string().max(200).optional(),
    })
    .refine(({ since, after }) => (since === undefined) !== (after === undefined), 'name either "since" or "after"'),
]);
type Body = z.output<typeof Body>;

/** Sending again what has arrived: what changed since, or what somebody picked. */
export function resendRoutes(parts: AdminParts): Router {
  return Router().post('/deliveries/resend', requireScope('admin', 'operator'), async (request, response) => {
    const body = parse(Body, request.body ?? {});
    const count = await parts.database.knex.transaction(async (tx) => {
      const sent = 'ids' in body ? await resendPicked(tx, parts, body.ids) : await resendSince(tx, parts, body);
      const object = 'appId' in body ? { object: body.appId } : {};
      const detail = { ...body, count: sent };
      await writeAudit(tx, { actor: actorOf(request), action: 'delivery.resend', ...object, detail });
      return sent;
    });
    parts.dispatcher?.wake();
    parts.events?.wake();
    response.status(202).json({ count });
  });
}

async function resendPicked(tx: Db, parts: AdminParts, ids: readonly string[]): Promise<number> {
  let count = 0;
  for (const way of await readPicked(tx, ids)) count += await resendWay(tx, parts, way, new Set());
  return count;
}

async function resendSince(
  tx: Db,
  parts: AdminParts,
  { appId, channel, ...from }: Exclude<Body, { ids: unknown }>,
): Promise<number> {
  const since = sinceOf(from);
  if (!(await reachesBack(tx, since))) throw notKept();
  const resource_ids = await listChangedSince(tx, since, RESEND_MAX + 1);
  if (resource_ids.length > RESEND_MAX) throw tooMany();
  const made = await madeSince(tx, resource_ids, 'at' in since ? since.at : undefined);
  let count = 0;
  for (const way of await waysOf(tx, appId, channel))
    count += await resendWay(tx, parts, { ...way, resource_ids }, made);
  return count;
}

function sinceOf({ since, after }: { since?: string | undefined; after?: string | undefined }): Since {
  if (since !== undefined) return { at: new Date(since) };
  const place = decodeCursor(after ?? '');
  if (place !== undefined) return { place };
  throw new InputError('The cursor is none that was given out here.', {
    reason: 'invalid-cursor',
    remedy: 'Use a cursor of GET /api/v1/changes, or "since" with a time.',
  });
}

type Way = Pick<PickedWay, 'app_id' | 'stream_id'>;

/** The ways out of an app that are asked for. @throws {NotFoundError} `app-not-found`, `nothing-to-resend` */
async function waysOf(tx: Db, appId: string, channel: string | undefined): Promise<readonly Way[]> {
  if ((await readApp(tx, appId)) === undefined)
    throw new NotFoundError(`There is no app "${appId}".`, { reason: 'app-not-found' });
  const push = channel === undefined || channel === 'push' ? await readTarget(tx, appId) : undefined;
  const streams = (await listStreams(tx, [appId])).filter(
    ({ kind }) => channel === undefined || channel === (kind === 'webhook' ? 'webhook' : 'events'),
  );
  const ways = [
    ...(push === undefined ? [] : [{ app_id: appId, stream_id: null }]),
    ...streams.map(({ id }) => ({ app_id: appId, stream_id: id })),
  ];
  if (ways.length > 0) return ways;
  throw new NotFoundError('The app has no such way out.', {
    reason: 'nothing-to-resend',
    remedy: 'Set up push, a webhook or event tokens first.',
  });
}

/** @throws {ConflictError} `stream-at-rest` */
async function resendWay(
  tx: Db,
  parts: AdminParts,
  { app_id: appId, stream_id: streamId, resource_ids: ids }: PickedWay,
  made: ReadonlySet<string>,
): Promise<number> {
  const now = parts.clock.now();
  if (streamId === null) {
    const { scope = null, push = null } = (await readApp(tx, appId)) ?? {};
    return resendPush(tx, appId, targetScope({ scope, push }, parts.scopeOf), { ids, now });
  }
  const stream = await lockStream(tx, streamId);
  if (stream === undefined)
    throw new ConflictError('The app is not told of anything at the moment: it is paused or switched off.', {
      reason: 'stream-at-rest',
      remedy: 'Enable or resume it first; it can then be told from where it stopped.',
    });
  const issuer = parts.publicUrl();
  const telling: Telling = { stream, view: parts.eventViewOf(stream.app_scope), base: `${issuer}/scim/v2`, issuer };
  return resendStream(tx, telling, { ids, made, now });
}

function notKept(): GoneError {
  return new GoneError('The changes since then are not kept any more.', {
    reason: 'cursor-expired',
    remedy: 'Name a later time; or have a push target compared, or resume a stream with a snapshot.',
  });
}

function tooMany(): ConflictError {
  return new ConflictError(`More than ${RESEND_MAX} users and groups have changed since then.`, {
    reason: 'resend-too-large',
    remedy: 'Name a later time; or have a push target compared, or resume a stream with a snapshot.',
    details: { max: RESEND_MAX },
  });
}
