// Webhooks and security event tokens within the apps that have them.
import type { AppScope } from '#core/scope.ts';
import type { SetInput, WebhookInput } from '#outbound/event/stream-settings.ts';
import { type StreamParts, saveSets, saveWebhook } from '#outbound/event/streams.ts';
import { viewStream } from '#outbound/event/view-stream.ts';
import type { AppView } from '#store/access/apps.ts';
import type { Db } from '#store/database.ts';
import { listStreams, type StreamKind, type StreamRow } from '#store/event/event-streams.ts';
import { readFigures } from '#store/views/event-deliveries.ts';
import type { AdminParts } from './parts.ts';

export interface StreamInputs {
  readonly webhook?: WebhookInput | null | undefined;
  readonly events?: SetInput | null | undefined;
}

/** What is shown once. */
export interface ShownSecrets {
  readonly secret: string | undefined;
}

export function streamParts({ seal, clock, outgoing, eventViewOf, publicUrl }: AdminParts): StreamParts {
  return { seal, clock, policy: outgoing, viewOf: eventViewOf, publicUrl };
}

/** @throws {InputError} what `saveWebhook` and `saveSets` throw */
export async function saveStreams(
  tx: Db,
  parts: AdminParts,
  app: { readonly id: string; readonly scope: AppScope | null },
  { webhook, events }: StreamInputs,
): Promise<ShownSecrets> {
  const saved = webhook === undefined ? { secret: undefined } : await saveWebhook(tx, streamParts(parts), app, webhook);
  if (events !== undefined) await saveSets(tx, streamParts(parts), app, events);
  return saved;
}

/** Apps with their streams as answers show them. */
export async function withStreams(db: Db, parts: AdminParts, apps: readonly AppView[]) {
  const streams = await listStreams(
    db,
    apps.map(({ id }) => id),
  );
  return apps.map(await viewerOf(db, parts, streams));
}

/** An app with its streams as answers show it, and what of it people set: how its ways out do is no part of that. */
export async function describeApp(db: Db, parts: AdminParts, app: AppView, secrets?: ShownSecrets) {
  const streams = await listStreams(db, [app.id]);
  const view = await viewerOf(db, parts, streams, secrets);
  return { shown: view(app), set: settingsOf(app, streams) };
}

export async function readAppSettings(db: Db, app: AppView): Promise<object> {
  return settingsOf(app, await listStreams(db, [app.id]));
}

function settingsOf({ name, scope, push }: AppView, streams: readonly StreamRow[]): object {
  return { name, scope, push, streams: streams.map(({ kind, enabled, settings }) => ({ kind, enabled, settings })) };
}

async function viewerOf(
  db: Db,
  parts: AdminParts,
  streams: readonly StreamRow[],
  { secret }: ShownSecrets = { secret: undefined },
) {
  const figures = await readFigures(
    db,
    streams.map(({ id }) => id),
  );
  const view = (appId: string, kind: StreamKind) => {
    const stream = streams.find((one) => one.app_id === appId && one.kind === kind);
    if (stream === undefined) return null;
    const mine = figures.find(({ stream_id }) => stream_id === stream.id);
    return viewStream(streamParts(parts), stream, mine);
  };
  return (app: AppView) => {
    const webhook = view(app.id, 'webhook');
    const shown = webhook !== null && secret !== undefined ? { ...webhook, secret } : webhook;
    return { ...app, webhook: shown, events: view(app.id, 'set') };
  };
}

/** What the audit log keeps of them: no secret. */
export function auditedStreams({ webhook, events }: StreamInputs): object {
  const hidden = '[redacted]';
  const shownWebhook =
    webhook === undefined || webhook === null || webhook.secret === undefined
      ? webhook
      : { ...webhook, secret: hidden };
  const delivery = events?.delivery;
  const shownEvents =
    events === undefined || events === null || delivery?.method !== 'push' || delivery.authorization == null
      ? events
      : { ...events, delivery: { ...delivery, authorization: hidden } };
  return {
    ...(webhook === undefined ? {} : { webhook: shownWebhook }),
    ...(events === undefined ? {} : { events: shownEvents }),
  };
}
