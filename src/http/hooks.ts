// Where sources tell what changed: no token, since the sender has none. It answers at once; what it is told is checked by
// the secret of the subscription, and leaves a mark.
import { type Request, type Response, Router } from 'express';
import { InputError, NotFoundError } from '#core/errors.ts';
import { PROVIDER_KINDS, type ProviderKindName } from '#core/resource.ts';
import { jsonBody } from './json-body.ts';

/** Notifications come bundled, each of about 600 bytes. */
const BODY_MAX = '1mb';
const NOTIFICATIONS_MAX = 5_000;
/** Far longer than any that Microsoft sends. */
const TOKEN_MAX = 4_096;
const TEXT_MAX = 512;

export interface HookNotification {
  readonly subscriptionId: string;
  readonly secret: string;
  readonly lifecycle?: string | undefined;
}

export interface HookParts {
  /** Whether this kind of provider is ever told anything. */
  isKnown(kind: ProviderKindName): boolean;
  receive(kind: ProviderKindName, notifications: readonly HookNotification[]): Promise<'taken' | 'forged' | 'unknown'>;
}

/**
 * `POST /hooks/{kind}` and `/hooks/{kind}/lifecycle`: the handshake of a new subscription (the token back, as plain
 * text, decoded once) and notifications (202, or 403 when one names a subscription of ours without its secret).
 * Source: learn.microsoft.com/graph/change-notifications-delivery-webhooks, checked 2026-11.
 */
export function hookRouter(parts: HookParts): Router {
  const handle = async (request: Request, response: Response): Promise<void> => {
    const kind = kindOf(parts, request);
    const token = request.query['validationToken'];
    if (token !== undefined) {
      if (typeof token !== 'string' || token.length > TOKEN_MAX)
        throw new InputError('The validation token is none.', { reason: 'validation-token-invalid' });
      response.status(200).type('text/plain').send(token);
      return;
    }
    const received = await parts.receive(kind, readNotifications(request.body));
    response.status(received === 'forged' ? 403 : 202).end();
  };
  return Router().post(['/hooks/:kind', '/hooks/:kind/lifecycle'], jsonBody(BODY_MAX), handle);
}

function kindOf(parts: HookParts, request: Request): ProviderKindName {
  const kind = PROVIDER_KINDS.find((name) => name === request.params['kind']);
  if (kind === undefined || !parts.isKnown(kind))
    throw new NotFoundError('No source tells anything here.', { reason: 'hook-unknown' });
  return kind;
}

/** What is no notification is left out; a body that is no list of them is refused. */
function readNotifications(body: unknown): readonly HookNotification[] {
  const list = (body as { value?: unknown } | undefined)?.value;
  if (!Array.isArray(list) || list.length > NOTIFICATIONS_MAX)
    throw new InputError('The body is no list of notifications.', {
      reason: 'notification-invalid',
      remedy: 'Send {"value": [ … ]} as Microsoft Graph does.',
    });
  return list.flatMap((item: unknown) => {
    const { subscriptionId, clientState, lifecycleEvent } = (item ?? {}) as Record<string, unknown>;
    if (!isText(subscriptionId) || !isText(clientState)) return [];
    return { subscriptionId, secret: clientState, lifecycle: isText(lifecycleEvent) ? lifecycleEvent : undefined };
  });
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_MAX;
}
