// What we have asked a source to tell us of, one row for each of its lists.
import { randomUUID } from 'node:crypto';
import type { RunError } from '#core/failure.ts';
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface SubscriptionRow {
  readonly id: string;
  readonly provider: ProviderKindName;
  readonly resource: string;
  readonly notification_url: string;
  /** Null while it is to be made. */
  readonly remote_id: string | null;
  readonly expires_at: Date | null;
  /** The source wants to hear from us before the time. */
  readonly renew_now: boolean;
  readonly attempts: number;
  /** Not to be looked at before. */
  readonly attempt_at: Date;
  readonly error: RunError | null;
  readonly created_at: Date;
  /** When it was last made or renewed. */
  readonly settled_at: Date | null;
  readonly failed_at: Date | null;
}

const COLUMNS = `id, provider, resource, notification_url, remote_id, expires_at, renew_now, attempts, attempt_at, error, created_at,
  settled_at, failed_at`;

export async function listSubscriptions(db: Db): Promise<readonly SubscriptionRow[]> {
  const { rows } = await sql<SubscriptionRow>(
    db,
    `select ${COLUMNS} from source_subscriptions order by provider, resource`,
  );
  return rows;
}

/** Wants a subscription; what is there already stays. */
export async function wantSubscription(
  db: Db,
  provider: ProviderKindName,
  resource: string,
  notificationUrl: string,
): Promise<void> {
  await sql(
    db,
    `insert into source_subscriptions (id, provider, resource, notification_url) values (?, ?, ?, ?)
     on conflict (provider, resource) do nothing`,
    [randomUUID(), provider, resource, notificationUrl],
  );
}

/** A secret that notifications may carry from now on: stored before the source is asked, since it tells at once. */
export async function prepareSubscription(db: Db, id: string, secretHash: Buffer): Promise<void> {
  await sql(db, 'update source_subscriptions set secret_hash = ?, remote_id = null where id = ?', [secretHash, id]);
}

export async function settleSubscription(
  db: Db,
  id: string,
  { remoteId, expiresAt }: { remoteId: string; expiresAt: Date },
): Promise<void> {
  await sql(
    db,
    `update source_subscriptions set remote_id = ?, expires_at = ?, renew_now = false, attempts = 0, error = null,
       attempt_at = now(), settled_at = now() where id = ?`,
    [remoteId, expiresAt, id],
  );
}

export async function failSubscription(
  db: Db,
  id: string,
  { error, waitMs }: { error: RunError; waitMs: number },
): Promise<void> {
  await sql(
    db,
    `update source_subscriptions set error = ?::jsonb, attempts = attempts + 1, failed_at = now(),
       attempt_at = now() + make_interval(secs => ?::float8 / 1000) where id = ?`,
    [JSON.stringify(error), waitMs, id],
  );
}

/** Whoever has changed something need not wait for the next try. */
export async function retrySubscriptions(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(db, 'update source_subscriptions set attempt_at = now() where provider = ? and attempt_at > now()', [
    provider,
  ]);
}

/** Other settings may be another application, to which those that are there do not belong: the source is asked. */
export async function renewSubscriptions(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(db, 'update source_subscriptions set renew_now = true where provider = ? and remote_id is not null', [
    provider,
  ]);
}

export async function deleteSubscription(db: Db, id: string): Promise<void> {
  await sql(db, 'delete from source_subscriptions where id = ?', [id]);
}

/** The subscription that a notification names, with the hash of its secret. */
export async function findSubscriptions(
  db: Db,
  provider: ProviderKindName,
  remoteIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly id: string; readonly secretHash: Buffer }>> {
  const { rows } = await sql<{ remote_id: string; id: string; secret_hash: Buffer }>(
    db,
    `select remote_id, id, secret_hash from source_subscriptions
     where provider = ? and remote_id = any(?::text[]) and secret_hash is not null`,
    [provider, remoteIds],
  );
  return new Map(rows.map((row) => [row.remote_id, { id: row.id, secretHash: row.secret_hash }]));
}

/** The source wants it renewed, or has dropped it, in which case it is made anew. */
export async function askForRenewal(db: Db, id: string, dropped: boolean): Promise<void> {
  await sql(
    db,
    `update source_subscriptions set renew_now = true, attempt_at = now(), remote_id = case when ? then null else remote_id end
     where id = ?`,
    [dropped, id],
  );
}
