// Changes as one stream tells them: what each means to its receiver, and the message that says so.
import { createHash, randomUUID } from 'node:crypto';
import type { Document } from '#core/coerce.ts';
import { attributesAmong } from '#core/event-thin.ts';
import {
  type EventAction,
  isLeaver,
  RESOURCE_BYTES_MAX,
  type ResourceEvent,
  setClaims,
  setStatements,
  type Turn,
  webhookBody,
  webhookTypeOf,
} from '#core/events.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import type { Change } from '#store/directory/changes.ts';
import { bareTextOf, INLINE_MEMBERS } from '#store/directory/served.ts';
import type { NewDelivery } from '#store/event/event-deliveries.ts';
import { type HoldingGroup, readWhole, type ScopeDifference, type SubjectRow } from '#store/event/event-scope.ts';
import type { StreamRow } from '#store/event/event-streams.ts';
import type { EventView } from './event-view.ts';
import type { SetSettings, WebhookSettings } from './stream-settings.ts';

/** Everything that a message of a stream hangs on. */
export interface Telling {
  readonly stream: StreamRow;
  readonly view: EventView;
  /** Where our SCIM resources lie, without a trailing slash. */
  readonly base: string;
  /** Who we are, in tokens. */
  readonly issuer: string;
}

/** What a change in the log means to a receiver that knew the resource before, and sees it now; undefined when nothing. */
export function actionOf(
  { operation, detail }: Pick<Change, 'operation' | 'detail'>,
  { isKnown, isSeen, isThere }: { isKnown: boolean; isSeen: boolean; isThere: boolean },
): EventAction | undefined {
  if (!isSeen) return !isKnown ? undefined : isThere ? 'left' : 'deleted';
  if (!isKnown) return operation === 'create' ? 'created' : 'entered';
  if (operation === 'create') return 'created';
  if (operation === 'delete') return 'deleted';
  if (operation === 'deactivate') return 'deactivated';
  return operation === 'update' && namesIn(detail).includes('active') ? 'activated' : 'updated';
}

function namesIn(detail: Change['detail']): readonly string[] {
  const names = detail?.['attributes'];
  return Array.isArray(names) ? names.map(String) : [];
}

/** Undefined when the receiver sees nothing of what changed. */
export function eventOfChange(
  { stream, view }: Telling,
  change: Change,
  action: EventAction,
  subject: SubjectRow | undefined,
): ResourceEvent | undefined {
  const type = change.resource_type;
  const isNew = action === 'created' || action === 'entered';
  const changed = change.operation === 'membership' ? ['members'] : namesIn(change.detail);
  const names = isNew ? namesOf(subject?.body ?? null) : changed;
  const attributes = names.filter((name) => view.sees(type, name));
  const isChange = action === 'updated' || action === 'activated' || action === 'deactivated';
  if (isChange && attributes.length === 0) return undefined;
  const told = isChange && action !== 'updated' && !view.sees(type, 'active') ? 'updated' : action;
  const isGone = action === 'deleted' || action === 'left';
  return {
    messageId: messageIdOf(stream.app_id, change),
    action: told,
    turn: subject === undefined ? undefined : turnOf(view, told, subject),
    resourceType: type,
    id: change.resource_id,
    externalId: view.sees(type, 'externalId') ? (subject?.external_id ?? undefined) : undefined,
    version: isGone ? undefined : isNew ? (subject?.version ?? change.version) : change.version,
    attributes: isGone ? [] : attributes,
    at: change.at,
    transaction: change.run_id ?? uuidOf(`transaction ${change.xid}`),
  };
}

/** Whether somebody comes into scope active, having been inactive, or leaves it the other way round; as far as the receiver may know. */
export function turnOf(
  view: Pick<EventView, 'sees'>,
  action: EventAction,
  { resource_type: type, active, turned }: Pick<ScopeDifference, 'resource_type' | 'active' | 'turned'>,
): Turn | undefined {
  if (!turned || !view.sees(type, 'active')) return undefined;
  if (action === 'entered' && active) return 'on';
  return action === 'left' && !active ? 'off' : undefined;
}

/** Somebody who comes into scope or leaves it, whatever change that hangs on. */
export function eventOfDifference({ view }: Telling, difference: ScopeDifference, transaction: string, now: Date) {
  const { resource_type: type, id, external_id, version, enters, deleted, body, changed_at } = difference;
  const action = enters ? 'entered' : deleted ? 'deleted' : 'left';
  return {
    messageId: randomUUID(),
    action,
    turn: turnOf(view, action, difference),
    resourceType: type,
    id,
    externalId: view.sees(type, 'externalId') ? (external_id ?? undefined) : undefined,
    version: enters ? (version ?? undefined) : undefined,
    attributes: enters ? namesOf(body).filter((name) => view.sees(type, name)) : [],
    at: deleted ? (changed_at ?? now) : now,
    transaction,
  } satisfies ResourceEvent;
}

/**
 * A group of which the receiver sees more members, since some of them came into scope; undefined when it sees no members.
 * What a message would have told that it takes the place of may have changed as well.
 */
export function eventOfHolding(
  { view }: Telling,
  { id, external_id, version, dropped }: HoldingGroup,
  transaction: string,
  now: Date,
): ResourceEvent | undefined {
  if (!view.sees('Group', 'members')) return undefined;
  return {
    messageId: randomUUID(),
    action: 'updated',
    resourceType: 'Group',
    id,
    externalId: view.sees('Group', 'externalId') ? (external_id ?? undefined) : undefined,
    version,
    attributes: [...new Set(['members', ...attributesAmong(dropped)])].filter((name) => view.sees('Group', name)),
    at: now,
    transaction,
  };
}

/** The events as messages, with the resources where they are wanted; those of a type that is not wanted are left out. */
export async function messagesOf(
  tx: Db,
  telling: Telling,
  events: readonly ResourceEvent[],
  now: Date,
): Promise<readonly NewDelivery[]> {
  const settings = telling.stream.settings as WebhookSettings | SetSettings;
  const resources = settings.payload === 'full' ? await resourcesOf(tx, telling, events) : new Map<string, Document>();
  return events.flatMap((bare) => {
    const event = {
      ...bare,
      resource: bare.action === 'deleted' || bare.action === 'left' ? undefined : resources.get(bare.id),
    };
    const written = write(telling, event, now);
    if (written === undefined) return [];
    const { messageId, resourceType, id, at } = event;
    return [{ messageId, ...written, resourceType, resourceId: id, urgent: isLeaver(event), changedAt: at }];
  });
}

function write(
  { stream, base, issuer }: Telling,
  event: ResourceEvent,
  now: Date,
): { readonly type: string; readonly payload: string } | undefined {
  if (stream.kind === 'webhook') {
    const type = webhookTypeOf(event, (stream.settings as WebhookSettings).events);
    return type === undefined ? undefined : { type, payload: webhookBody(type, event, base) };
  }
  const { events, audience } = stream.settings as SetSettings;
  const statements = setStatements(event, events);
  if (statements === undefined) return undefined;
  return { type: Object.keys(statements).join(' '), payload: setClaims(event, statements, { issuer, audience, now }) };
}

/** As they are now and as the receiver sees them; those that are too large are left out. */
async function resourcesOf(
  tx: Db,
  { view, base }: Telling,
  events: readonly ResourceEvent[],
): Promise<ReadonlyMap<string, Document>> {
  const ids = [...new Set(events.map(({ id }) => id))];
  const found = new Map<string, Document>();
  for (const row of await readWhole(tx, ids, view.visible)) {
    if (row.member_count > INLINE_MEMBERS) continue;
    const text = bareTextOf(row, JSON.stringify(base).slice(1, -1));
    if (Buffer.byteLength(text) > RESOURCE_BYTES_MAX) continue;
    found.set(row.id, view.cut(row.resource_type as ResourceType, JSON.parse(text)));
  }
  return found;
}

function namesOf(body: string | null): readonly string[] {
  return body === null ? [] : Object.keys(JSON.parse(body)).filter((name) => name !== 'schemas');
}

/** The same for both streams of an app, and at every reading of the log. */
function messageIdOf(appId: string, { xid, seq }: Change): string {
  return uuidOf(`${appId} ${xid} ${seq}`);
}

/** A UUID that follows from a text (RFC 9562 section 5.8). */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
