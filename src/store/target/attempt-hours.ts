// How sending to each app went, by the hour.
import { type Db, sql } from '../database.ts';

/** The ways in which an app is reached. */
export const CHANNELS = ['push', 'webhook', 'events'] as const;
export type Channel = (typeof CHANNELS)[number];

export interface Attempts {
  readonly delivered: number;
  readonly failed: number;
  /** Also what needed nothing to be sent. */
  readonly settled: number;
}

/** Adds to the hour of `now`; within the transaction that settles. */
export async function countAttempts(
  db: Db,
  { appId, channel }: { readonly appId: string; readonly channel: Channel },
  { delivered, failed, settled }: Attempts,
  now: Date,
): Promise<void> {
  if (settled === 0) return;
  await sql(
    db,
    `insert into attempt_hours as h (app_id, channel, hour, delivered, failed, settled, delivered_at)
     values (?, ?, date_trunc('hour', ?::timestamptz), ?, ?, ?, ?::timestamptz)
     on conflict (app_id, channel, hour) do update set delivered = h.delivered + excluded.delivered, failed = h.failed + excluded.failed,
       settled = h.settled + excluded.settled, delivered_at = greatest(h.delivered_at, excluded.delivered_at)`,
    [appId, channel, now, delivered, failed, settled, delivered === 0 ? null : now],
  );
}

/** Hours that nobody looks at any more. */
export async function deleteOldHours(db: Db, before: Date, limit: number): Promise<number> {
  const { rowCount } = await sql(
    db,
    `delete from attempt_hours where (app_id, channel, hour) in (select app_id, channel, hour from attempt_hours where hour < ? limit ?)`,
    [before, limit],
  );
  return rowCount ?? 0;
}
