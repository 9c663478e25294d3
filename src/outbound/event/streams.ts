// Streams as an administrator sees and sets them: saved whole or in part, shown without secrets.
import { randomUUID } from 'node:crypto';
import { InputError } from '#core/errors.ts';
import { VERIFICATION_EVENT, verificationClaims } from '#core/events.ts';
import type { AppScope } from '#core/scope.ts';
import type { Clock } from '#platform/clock.ts';
import { checkOutgoingUrl, type OutgoingPolicy } from '#platform/fetch.ts';
import type { Seal } from '#platform/seal.ts';
import type { Db } from '#store/database.ts';
import { journalEnd } from '#store/directory/changes.ts';
import { insertDeliveries } from '#store/event/event-deliveries.ts';
import { fillKnown } from '#store/event/event-scope.ts';
import {
  deleteStream,
  insertStream,
  readStream,
  resumeStream,
  type StreamKind,
  type StreamRow,
  saveStreamSecrets,
  updateStream,
} from '#store/event/event-streams.ts';
import type { EventViewOf } from './event-view.ts';
import {
  keptSecrets,
  NO_SECRETS,
  type SetInput,
  type SetSettings,
  type StreamSecrets,
  viewKeys,
  type WebhookInput,
  type WebhookSettings,
  withNewKeys,
} from './stream-settings.ts';

export interface StreamParts {
  readonly seal: Seal;
  readonly clock: Clock;
  readonly policy: OutgoingPolicy;
  readonly viewOf: EventViewOf;
  publicUrl(): string;
}

export interface StreamApp {
  readonly id: string;
  readonly scope: AppScope | null;
}

/** What a rotated secret signs along with its successor, unless the administrator says otherwise. */
export const OVERLAP_HOURS = 24;

/**
 * Sets up, changes or (with null) removes the webhook of an app. Answers the secret when the gateway made it: the only
 * time it is shown.
 * @throws {InputError} `settings-invalid`, `url-refused`
 */
export async function saveWebhook(
  tx: Db,
  parts: StreamParts,
  app: StreamApp,
  input: WebhookInput | null,
): Promise<{ readonly secret: string | undefined }> {
  const stream = await readStream(tx, app.id, 'webhook');
  if (input === null) {
    if (stream !== undefined) await deleteStream(tx, stream.id);
    return { secret: undefined };
  }
  const now = parts.clock.now();
  const before = stream?.settings as WebhookSettings | undefined;
  const url = input.url ?? before?.url;
  if (url === undefined) throw needed('webhook.url');
  if (url !== before?.url) checkOutgoingUrl(url, parts.policy);
  const settings: WebhookSettings = {
    url,
    events: input.events ?? before?.events ?? [],
    payload: input.payload ?? before?.payload ?? 'thin',
    signatures: [...new Set(input.signatures ?? before?.signatures ?? (['v1'] as const))],
  };
  const secrets = stream === undefined ? NO_SECRETS : keptSecrets(parts.seal, stream);
  const kept = { ...secrets, keys: secrets.keys.filter(({ kind }) => settings.signatures.includes(kind)) };
  const missing = settings.signatures.filter(
    (kind) => (kind === 'v1' && input.secret !== undefined) || !kept.keys.some((key) => key.kind === kind),
  );
  const overlapUntil = hoursAfter(now, OVERLAP_HOURS);
  const next = withNewKeys(kept, missing, { now, secret: input.secret, overlapUntil });
  const moved = url !== before?.url;
  await save(tx, parts, app, { kind: 'webhook', stream, settings, secrets: next, pushed: true, moved, input });
  const made = input.secret === undefined && missing.includes('v1');
  return { secret: made ? next.keys.find(({ kind }) => kind === 'v1')?.secret : undefined };
}

/**
 * The same for security event tokens. The header that a receiver wants stays only as long as the tokens go to the same
 * place.
 * @throws {InputError} `settings-invalid`, `url-refused`
 */
export async function saveSets(tx: Db, parts: StreamParts, app: StreamApp, input: SetInput | null): Promise<void> {
  const stream = await readStream(tx, app.id, 'set');
  if (input === null) {
    if (stream !== undefined) await deleteStream(tx, stream.id);
    return;
  }
  const before = stream?.settings as SetSettings | undefined;
  const wanted = input.delivery ?? before?.delivery;
  if (wanted === undefined) throw needed('events.delivery');
  const delivery = wanted.method === 'push' ? { method: wanted.method, url: wanted.url } : { method: wanted.method };
  const isSamePlace = before !== undefined && placeOf(delivery) === placeOf(before.delivery);
  if (delivery.method === 'push' && !isSamePlace) checkOutgoingUrl(delivery.url, parts.policy);
  const settings: SetSettings = {
    delivery,
    audience: input.audience ?? before?.audience ?? [`urn:uuid:${app.id}`],
    events: input.events ?? before?.events ?? [],
    payload: input.payload ?? before?.payload ?? 'notice',
  };
  const given = input.delivery?.method === 'push' ? input.delivery.authorization : undefined;
  const old = stream === undefined || !isSamePlace ? undefined : keptSecrets(parts.seal, stream).authorization;
  const secrets: StreamSecrets = { keys: [], authorization: given === undefined ? old : (given ?? undefined) };
  const pushed = delivery.method === 'push';
  await save(tx, parts, app, { kind: 'set', stream, settings, secrets, pushed, moved: !isSamePlace, input });
}

function placeOf(delivery: SetSettings['delivery']): string {
  return delivery.method === 'push' ? delivery.url : '';
}

interface Saving {
  readonly kind: StreamKind;
  readonly stream: StreamRow | undefined;
  readonly settings: object;
  readonly secrets: StreamSecrets;
  readonly pushed: boolean;
  /** Whether it goes somewhere else, or another way, than before. */
  readonly moved: boolean;
  readonly input: { readonly enabled?: boolean | undefined; readonly start?: 'now' | 'snapshot' | undefined };
}

async function save(
  tx: Db,
  { seal, viewOf }: StreamParts,
  app: StreamApp,
  { kind, stream, settings, secrets, pushed, moved, input }: Saving,
): Promise<void> {
  const sealed = seal.seal(JSON.stringify(secrets));
  const enabled = input.enabled ?? stream?.enabled ?? true;
  if (stream !== undefined) {
    // To enable it is to say that it works again; who is asked at another place has said nothing yet.
    const isMended = input.enabled === true || moved;
    if (isMended && stream.disabled_at !== null) await resumeStream(tx, stream.id, undefined);
    return updateStream(tx, stream.id, { enabled, pushed, settings, sealed });
  }
  const snapshot = input.start === 'snapshot';
  const { visible } = viewOf(app.scope);
  const place = await journalEnd(tx);
  const scope = app.scope;
  const ledger = snapshot || visible !== undefined;
  const row = { appId: app.id, kind, enabled, pushed, settings, sealed, place, scope, ledger, rescan: snapshot };
  const id = await insertStream(tx, row);
  if (!snapshot && visible !== undefined) await fillKnown(tx, id, visible);
}

/** A new key of each kind that the webhook signs with; the old ones sign along for some hours. */
export async function rotateWebhookKeys(
  tx: Db,
  { seal, clock }: StreamParts,
  stream: StreamRow,
  { secret, overlapHours }: { secret?: string | undefined; overlapHours: number },
): Promise<{ readonly secret: string | null; readonly keys: ReturnType<typeof viewKeys> }> {
  const now = clock.now();
  const { signatures } = stream.settings as WebhookSettings;
  const overlapUntil = hoursAfter(now, overlapHours);
  const next = withNewKeys(keptSecrets(seal, stream), signatures, { now, secret, overlapUntil });
  await saveStreamSecrets(tx, stream.id, seal.seal(JSON.stringify(next)));
  const made = secret === undefined ? next.keys.find(({ kind }) => kind === 'v1')?.secret : undefined;
  return { secret: made ?? null, keys: viewKeys(next, now) };
}

/** Takes a stream up again: from where it stopped, from now on, or from now on with everybody who is there told first. */
export async function resume(tx: Db, stream: StreamRow, from: 'stopped' | 'now' | 'snapshot', { viewOf }: StreamParts) {
  if (from === 'stopped') return resumeStream(tx, stream.id, undefined);
  const snapshot = from === 'snapshot';
  const { visible } = viewOf(stream.app_scope);
  await resumeStream(tx, stream.id, {
    place: await journalEnd(tx),
    scope: stream.app_scope,
    ledger: snapshot || visible !== undefined,
    rescan: snapshot,
  });
  if (!snapshot && visible !== undefined) await fillKnown(tx, stream.id, visible);
}

/** Puts a token in line that asks for nothing but a sign of life. Answers its id. */
export async function requestVerification(
  tx: Db,
  { clock, publicUrl }: StreamParts,
  stream: StreamRow,
  state: string | undefined,
): Promise<string> {
  const now = clock.now();
  const messageId = randomUUID();
  const { audience } = stream.settings as SetSettings;
  const payload = verificationClaims({ messageId, streamId: stream.id, state }, { issuer: publicUrl(), audience, now });
  const message = { messageId, type: VERIFICATION_EVENT, resourceType: null, resourceId: null, urgent: false };
  await insertDeliveries(tx, stream.id, [{ ...message, payload, changedAt: now }], now);
  return messageId;
}

function hoursAfter(now: Date, hours: number): Date {
  return new Date(now.getTime() + hours * 3_600_000);
}

function needed(path: string): InputError {
  return new InputError(`The app cannot be set up like this: ${path} is needed.`, {
    reason: 'settings-invalid',
    remedy: 'Correct the fields named.',
    details: { problems: [{ path, message: 'is needed' }] },
  });
}
