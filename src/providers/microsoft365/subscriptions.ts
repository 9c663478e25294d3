import { NotFoundError, UpstreamError } from '#core/errors.ts';
import type { Subscribed, SubscriptionKind } from '#core/provider.ts';
import type { Graph } from './client.ts';
import { collection } from './collection.ts';
import { incomplete } from './failures.ts';
import type { Microsoft365Settings } from './settings.ts';

/** Of users and groups. Source: learn.microsoft.com/graph/api/resources/subscription, checked 2026-11. */
const LIFE_MAX_MINUTES = 41_760;
/** `updated` covers what is new and what went to the recycle bin; `deleted` is for good. Same source. */
const CHANGE_TYPE = 'updated,deleted';

/**
 * Change notifications of users and groups.
 * Sources: learn.microsoft.com/graph/api/subscription-post-subscriptions, subscription-update and
 * change-notifications-lifecycle-events, checked 2026-11.
 */
export function graphSubscriptions(
  open: (settings: Microsoft365Settings) => Graph,
): SubscriptionKind<Microsoft365Settings> {
  return {
    resources: ['users', 'groups'],
    lifeMsMax: LIFE_MAX_MINUTES * 60_000,
    wanted: ({ notifications }) => notifications.enabled,
    sweepMs: ({ notifications }) => notifications.sweepMinutes * 60_000,
    async create(settings, { resource, notificationUrl, lifecycleUrl, secret, expiresAt }, signal) {
      const body = {
        changeType: CHANGE_TYPE,
        resource: `/${resource}`,
        notificationUrl,
        lifecycleNotificationUrl: lifecycleUrl,
        clientState: secret,
        expirationDateTime: expiresAt.toISOString(),
      };
      const graph = open(settings);
      try {
        return await graph.post('/subscriptions', body, readSubscription, { signal });
      } catch (error) {
        // One of ours whose id was lost, or that we were too late to take back: there can be only one.
        if (!isDuplicate(error)) throw error;
        await removeLeft(graph, notificationUrl, resource, signal);
        return graph.post('/subscriptions', body, readSubscription, { signal });
      }
    },
    async renew(settings, id, expiresAt, signal) {
      const body = { expirationDateTime: expiresAt.toISOString() };
      try {
        return await open(settings).patch(pathOf(id), body, readSubscription, { signal });
      } catch (error) {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      }
    },
    async remove(settings, id, signal) {
      try {
        await open(settings).delete(pathOf(id), { signal });
      } catch (error) {
        if (!(error instanceof NotFoundError)) throw error;
      }
    },
  };
}

function isDuplicate(error: unknown): boolean {
  return error instanceof UpstreamError && error.details['status'] === 409;
}

/** Takes back what tells the same to the same place. */
async function removeLeft(graph: Graph, notificationUrl: string, resource: string, signal: AbortSignal): Promise<void> {
  for await (const page of collection<LeftSubscription>(graph, '/subscriptions', { signal }))
    for (const left of page)
      if (left.notificationUrl === notificationUrl && left.resource?.replace(/^\//, '') === resource)
        await graph.delete(pathOf(left.id), { signal });
}

interface LeftSubscription {
  readonly id: string;
  readonly notificationUrl?: string | null;
  readonly resource?: string | null;
}

function pathOf(id: string): string {
  return `/subscriptions/${encodeURIComponent(id)}`;
}

function readSubscription(body: unknown): Subscribed {
  const { id, expirationDateTime } = (body ?? {}) as { id?: unknown; expirationDateTime?: unknown };
  const expiresAt = new Date(String(expirationDateTime));
  if (typeof id !== 'string' || id === '' || Number.isNaN(expiresAt.getTime()))
    throw incomplete('Graph answers a subscription without its id or its end.', 'subscription-broken');
  return { remoteId: id, expiresAt };
}
