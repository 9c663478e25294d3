// What a change means to a receiver of events, and how it is written: as the body of a webhook, or as the claims of a
// security event token.
import type { Document } from './coerce.ts';
import type { ResourceType } from './resource.ts';

/** What happened, seen by one receiver: whoever comes into its scope or leaves it is `entered` or `left`. */
export type EventAction = 'created' | 'updated' | 'activated' | 'deactivated' | 'deleted' | 'entered' | 'left';

/** That somebody was activated, or deactivated, when they came into scope or left it. */
export type Turn = 'on' | 'off';

/** A change as one receiver is told of it. */
export interface ResourceEvent {
  /** `webhook-id`, and `jti` of a token: the same at every try. */
  readonly messageId: string;
  readonly action: EventAction;
  /** Of who is `entered` or `left`, where the receiver sees whether somebody is active. */
  readonly turn?: Turn | undefined;
  readonly resourceType: ResourceType;
  readonly id: string;
  readonly externalId: string | undefined;
  readonly version: string | undefined;
  /** Names of attributes that changed, or that a new resource has; only those that the receiver sees. */
  readonly attributes: readonly string[];
  readonly at: Date;
  /** The same for all events of one run, or of one request. */
  readonly transaction: string;
  /** The resource, where the receiver wants it and it is not too large. */
  readonly resource?: Document | undefined;
}

/** Larger ones are told of without the resource: the receiver reads it when it needs it. */
export const RESOURCE_BYTES_MAX = 64 * 1024;

export const WEBHOOK_EVENTS = [
  'user.created',
  'user.updated',
  'user.activated',
  'user.deactivated',
  'user.deleted',
  'group.created',
  'group.updated',
  'group.deleted',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

/** True of what should overtake other messages: somebody's access ends. */
export function isLeaver({ resourceType, action }: Pick<ResourceEvent, 'resourceType' | 'action'>): boolean {
  return resourceType === 'User' && (action === 'deactivated' || action === 'deleted' || action === 'left');
}

/**
 * The type under which a webhook is told; undefined when it does not want it. Who wants updates and not the more exact
 * word is told of an update; and who does not want to hear that somebody came into scope or left it, hears that they were
 * activated or deactivated, where that is so.
 */
export function webhookTypeOf(
  { resourceType, action, turn }: Pick<ResourceEvent, 'resourceType' | 'action' | 'turn'>,
  wanted: readonly string[],
): WebhookEvent | undefined {
  const noun = resourceType === 'User' ? 'user' : 'group';
  const words = [...WORDS[action], ...(turn === undefined ? [] : WORDS[turn === 'on' ? 'activated' : 'deactivated'])];
  const types = words.map((word) => WEBHOOK_EVENTS.find((type) => type === `${noun}.${word}`));
  return types.find((type) => type !== undefined && (wanted.length === 0 || wanted.includes(type)));
}

/** What a webhook calls it: the more exact word first. */
const WORDS: Readonly<Record<EventAction, readonly string[]>> = {
  created: ['created'],
  entered: ['created'],
  updated: ['updated'],
  activated: ['activated', 'updated'],
  deactivated: ['deactivated', 'updated'],
  deleted: ['deleted'],
  left: ['deleted'],
};

/** The body of a webhook. Source: standardwebhooks.com, specification 1.0.0, "Payload structure", checked 2026-11. */
export function webhookBody(type: WebhookEvent, event: ResourceEvent, base: string): string {
  const { id, resourceType, externalId, version, action, attributes, resource, transaction } = event;
  const scopeReason = action === 'entered' || action === 'left' ? { reason: `${action}-scope` } : {};
  const data = {
    id,
    resourceType,
    ...(externalId === undefined ? {} : { externalId }),
    location: `${base}/${resourceType}s/${id}`,
    ...(version === undefined ? {} : { version: etag(version) }),
    ...(attributes.length === 0 ? {} : { attributes }),
    ...scopeReason,
    transaction,
    ...(resource === undefined ? {} : { resource }),
  };
  return JSON.stringify({ type, timestamp: event.at.toISOString(), data });
}

const SCIM_EVENT = 'urn:ietf:params:scim:event';

/** What a token can say here (RFC 9967 section 2). Nothing is told as a PATCH with data: what was asked is not kept. */
export const SET_EVENTS = [
  `${SCIM_EVENT}:feed:add`,
  `${SCIM_EVENT}:feed:remove`,
  `${SCIM_EVENT}:prov:create:notice`,
  `${SCIM_EVENT}:prov:create:full`,
  `${SCIM_EVENT}:prov:patch:notice`,
  `${SCIM_EVENT}:prov:put:full`,
  `${SCIM_EVENT}:prov:delete`,
  `${SCIM_EVENT}:prov:activate`,
  `${SCIM_EVENT}:prov:deactivate`,
] as const;
export type SetEvent = (typeof SET_EVENTS)[number];

/** Asks a receiver to show that it listens. Source: OpenID Shared Signals Framework 1.0, section 8.1.4, checked 2026-11. */
export const VERIFICATION_EVENT = 'https://schemas.openid.net/secevent/ssf/event-type/verification';

type Statements = Partial<Record<SetEvent, object>>;

/**
 * The statements of a token about one change; undefined when the receiver wants none of them. Whether there is data or a
 * notice is for the payload to say, so who wants either is told. Whoever comes into scope or leaves it is told as created
 * or deleted where the feed is not wanted.
 */
export function setStatements(event: ResourceEvent, wanted: readonly string[]): Statements | undefined {
  const wants = (uri: string): boolean =>
    wanted.length === 0 || wanted.includes(uri) || wanted.includes(COUNTERPARTS.get(uri) ?? uri);
  const kept = Object.entries(statementsOf(event, wants)).filter(([uri]) => wants(uri));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
}

/** The same happening, with data and without. */
const COUNTERPARTS: ReadonlyMap<string, string> = new Map(
  [
    [`${SCIM_EVENT}:prov:create:notice`, `${SCIM_EVENT}:prov:create:full`] as const,
    [`${SCIM_EVENT}:prov:patch:notice`, `${SCIM_EVENT}:prov:put:full`] as const,
  ].flatMap(([notice, full]) => [
    [notice, full],
    [full, notice],
  ]),
);

function statementsOf(event: ResourceEvent, wants: (uri: string) => boolean): Statements {
  const added = `${SCIM_EVENT}:feed:add` as const;
  const removed = `${SCIM_EVENT}:feed:remove` as const;
  switch (event.action) {
    case 'created':
      return contentOf(event, 'create');
    case 'entered': {
      const turned = event.turn === 'on' ? { [`${SCIM_EVENT}:prov:activate`]: {} } : {};
      if (!wants(added)) return { ...contentOf(event, 'create'), ...turned };
      return { [added]: {}, ...(event.resource === undefined ? {} : contentOf(event, 'create')), ...turned };
    }
    case 'updated':
      return contentOf(event, 'change');
    case 'activated':
      return { ...contentOf(event, 'change'), [`${SCIM_EVENT}:prov:activate`]: {} };
    case 'deactivated':
      return { ...contentOf(event, 'change'), [`${SCIM_EVENT}:prov:deactivate`]: {} };
    case 'deleted':
      return { [`${SCIM_EVENT}:prov:delete`]: {} };
    case 'left': {
      // That somebody is in the feed no more does not say that they may not work any more (RFC 9967 section 2.3.2).
      const turned = event.turn === 'off' ? { [`${SCIM_EVENT}:prov:deactivate`]: {} } : {};
      return { [wants(removed) ? removed : `${SCIM_EVENT}:prov:delete`]: {}, ...turned };
    }
  }
}

/** Exactly one of `data` and `attributes` (RFC 9967 section 2.4). */
function contentOf({ resource, attributes, version }: ResourceEvent, what: 'create' | 'change'): Statements {
  const more = version === undefined ? {} : { version: etag(version) };
  if (resource !== undefined)
    return { [`${SCIM_EVENT}:prov:${what === 'create' ? 'create' : 'put'}:full`]: { data: resource, ...more } };
  return { [`${SCIM_EVENT}:prov:${what === 'create' ? 'create' : 'patch'}:notice`]: { attributes, ...more } };
}

export interface SetEnvelope {
  readonly issuer: string;
  readonly audience: readonly string[];
  readonly now: Date;
}

/**
 * The claims of a token (RFC 8417 section 2.2, RFC 9967 section 2.1): `sub_id` at the top, never `sub`, never `exp`; `toe`
 * is when it happened, `iat` when this was written.
 */
export function setClaims(event: ResourceEvent, events: object, { issuer, audience, now }: SetEnvelope): string {
  const { id, resourceType, externalId } = event;
  return JSON.stringify({
    iss: issuer,
    iat: secondsOf(now),
    toe: secondsOf(event.at),
    jti: event.messageId,
    aud: audience,
    txn: event.transaction,
    sub_id: {
      format: 'scim',
      uri: `/${resourceType}s/${id}`,
      ...(externalId === undefined ? {} : { externalId }),
      id,
    },
    events,
  });
}

/** The claims of a token that asks for nothing but a sign of life. */
export function verificationClaims(
  { messageId, streamId, state }: { messageId: string; streamId: string; state: string | undefined },
  { issuer, audience, now }: SetEnvelope,
): string {
  return JSON.stringify({
    iss: issuer,
    iat: secondsOf(now),
    jti: messageId,
    aud: audience,
    sub_id: { format: 'opaque', id: streamId },
    events: { [VERIFICATION_EVENT]: state === undefined ? {} : { state } },
  });
}

function secondsOf(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

function etag(version: string): string {
  return `W/"${version}"`;
}

/** One poll, in the words of RFC 8936 section 2.2. */
export interface SetPoll {
  readonly maxEvents?: number | undefined;
  readonly returnImmediately?: boolean | undefined;
  readonly ack?: readonly string[] | undefined;
  readonly setErrs?:
    | Readonly<Record<string, { readonly err: string; readonly description?: string | undefined }>>
    | undefined;
}

export interface PolledSets {
  /** Signed tokens by their `jti`. */
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}
