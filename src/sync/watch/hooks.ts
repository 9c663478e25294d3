// What a source tells: it is checked, and leaves a mark. Nothing is read because of it here.
import { timingSafeEqual } from 'node:crypto';
import type { ProviderKindName } from '#core/resource.ts';
import type { Log } from '#platform/log.ts';
import { hashToken } from '#platform/token.ts';
import type { Database } from '#store/database.ts';
import { markSource } from '#store/source/source-marks.ts';
import { askForRenewal, findSubscriptions } from '#store/source/subscriptions.ts';

/** One notification as it came: nothing of it is trusted before its secret is known. */
export interface SourceNotification {
  readonly subscriptionId: string;
  readonly secret: string;
  /** What became of the subscription itself; absent when something in the source changed. */
  readonly lifecycle?: string | undefined;
}

/** `forged`: a subscription of ours was named without its secret. `unknown`: none of ours was. */
export type Received = 'taken' | 'forged' | 'unknown';

export interface HookParts {
  readonly database: Database;
  readonly log: Log;
  /** Called when a subscription is to be looked after now. */
  onLifecycle(): void;
}

/**
 * Takes notifications: those that carry the secret of their subscription mark the provider, whatever they say, since
 * they may come twice, late, or for something that no longer is. One short statement each for looking up and marking.
 */
export async function receiveNotifications(
  { database, log, onLifecycle }: HookParts,
  provider: ProviderKindName,
  notifications: readonly SourceNotification[],
): Promise<Received> {
  const db = database.knex;
  const ids = [...new Set(notifications.map(({ subscriptionId }) => subscriptionId))];
  const known = await findSubscriptions(db, provider, ids);
  const ours = notifications.filter(({ subscriptionId }) => known.has(subscriptionId));
  const proven = ours.filter(({ subscriptionId, secret }) => {
    const hash = known.get(subscriptionId)?.secretHash;
    return hash !== undefined && timingSafeEqual(hash, hashToken(secret));
  });
  if (proven.length < notifications.length)
    log.warn({ provider, count: notifications.length - proven.length }, 'notifications refused');
  if (proven.length === 0) return ours.length > 0 ? 'forged' : 'unknown';
  await markSource(db, provider);
  const asking = new Map(
    proven.flatMap((one) => (isAsking(one.lifecycle) ? [[one.subscriptionId, one.lifecycle]] : [])),
  );
  for (const [subscriptionId, lifecycle] of asking)
    await askForRenewal(db, known.get(subscriptionId)?.id ?? '', lifecycle === 'subscriptionRemoved');
  if (asking.size > 0) onLifecycle();
  return 'taken';
}

/** `missed` only says that something changed. Source: graph/change-notifications-lifecycle-events, checked 2026-11. */
function isAsking(lifecycle: string | undefined): lifecycle is string {
  return lifecycle === 'reauthorizationRequired' || lifecycle === 'subscriptionRemoved';
}
