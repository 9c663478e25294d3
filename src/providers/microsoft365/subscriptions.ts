import { CredentialsError, NotFoundError, UpstreamError } from '#core/errors.ts';
import type { Subscribed, SubscriptionKind } from '#core/provider.ts';
import type { Graph } from './graph/client.ts';
import { collection } from './graph/collection.ts';
import { incomplete, saysCode } from './graph/failures.ts';
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
        if (isUnproven(error)) throw unproven(notificationUrl, resource, error);
        // One of ours whose id was lost, or that we were too late to take back: there can be only one.
        if (!isDuplicate(error)) throw error;
        const others = await removeLeft(graph, notificationUrl, resource, signal);
        try {
          return await graph.post('/subscriptions', body, readSubscription, { signal });
        } catch (again) {
          throw isDuplicate(again) ? takenBy(others, resource, again) : again;
        }
      }
    },
    async renew(settings, id, expiresAt, signal) {
      const body = { expirationDateTime: expiresAt.toISOString() };
      try {
        return await open(settings).patch(pathOf(id), body, readSubscription, { signal });
      } catch (error) {
        if (isNotOurs(error)) return undefined;
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

/**
 * Graph asks the address for an answer before it subscribes, and says so when there is none.
 * Source: learn.microsoft.com/graph/change-notifications-delivery-webhooks, "notificationUrl validation", checked 2026-11.
 */
function isUnproven(error: unknown): error is UpstreamError {
  const isRefused = error instanceof UpstreamError && error.details['status'] === 400;
  return isRefused && saysCode(error, /^(ValidationError|InvalidRequest)$/i);
}

function unproven(notificationUrl: string, resource: string, cause: UpstreamError): UpstreamError {
  return new UpstreamError(
    `Microsoft Graph refuses to tell changes of ${resource} to ${hostIn(notificationUrl)}: mostly since it cannot reach it.`,
    {
      failure: 'server',
      reason: 'subscription-refused',
      remedy:
        'Check that Microsoft reaches PUBLIC_URL from the internet, by a certificate of a public authority, and that nothing before the gateway asks for a login at /hooks/ or answers in its place.',
      details: cause.details,
      cause,
    },
  );
}

/** Gone, or made by another application than the settings name now: then it is made by this one. */
function isNotOurs(error: unknown): boolean {
  return error instanceof NotFoundError || (error instanceof CredentialsError && error.failure === 'consent');
}

/** Takes back what tells the same to the same place. Answers where others tell it. */
async function removeLeft(
  graph: Graph,
  notificationUrl: string,
  resource: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const others: string[] = [];
  for await (const page of collection<LeftSubscription>(graph, '/subscriptions', { signal }))
    for (const left of page) {
      if (left.resource?.replace(/^\//, '') !== resource) continue;
      if (left.notificationUrl === notificationUrl) await graph.delete(pathOf(left.id), { signal });
      else others.push(hostIn(left.notificationUrl));
    }
  return others;
}

function hostIn(url: string | null | undefined): string {
  return URL.parse(url ?? '')?.host ?? 'somewhere else';
}

function takenBy(others: readonly string[], resource: string, cause: unknown): UpstreamError {
  const where = others.length === 0 ? 'somewhere else' : [...new Set(others)].join(', ');
  return new UpstreamError(`Microsoft Graph tells changes of ${resource} to ${where} already.`, {
    failure: 'server',
    reason: 'subscription-taken',
    remedy:
      'An application has one such subscription: give each gateway an app registration of its own. One that nobody renews ends within 29 days.',
    cause,
  });
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
