// The deletion guard of a target: when more people leave at once than is usual, nobody is taken away there until a
// person has looked.
import { RANKS } from '#core/order.ts';
import type { PushPolicy } from '#core/target.ts';
import { type Db, sql } from '#store/database.ts';
import { isSentOff } from '#store/target/deliveries.ts';
import { onTheirWay } from '#store/target/delivery-claims.ts';
import { askForHeirs } from '#store/target/gone-links.ts';
import { changeTarget, readTarget } from '#store/target/targets.ts';

/** Departures of this long count together. */
const WINDOW = '1 hour';

/** Of whoever is off there already only their deletion is to come: they were counted when they left. Who was kept there was not. */
const IS_THERE = `remote_id is not null and (gone_since is null or not ${isSentOff('sent')})`;
const LEAVES = `rank = ${RANKS.leaver} and not allowed and ${IS_THERE}`;
const WAITING = `app_id = ? and state = 'pending' and ${LEAVES}
  and resource_id not in ${onTheirWay()}`;

/** Holds the leavers that wait when they, with those of the last hour, are more than the policy lets through. */
export async function guardDepartures(tx: Db, appId: string, guard: PushPolicy['guard'], now: Date): Promise<void> {
  if (guard === null) return;
  await openWhenNobodyWaits(tx, appId);
  const { rows } = await sql<{ waiting: number }>(
    tx,
    `select count(*)::int as waiting from deliveries where ${WAITING} and ready_at <= ?`,
    [appId, appId, now],
  );
  const waiting = rows[0]?.waiting ?? 0;
  if (waiting === 0) return;
  const row = await readTarget(tx, appId);
  if (row === undefined) return;
  if (row.guard === null && (await isWithin(tx, appId, guard, now))) return;
  await sql(tx, `update deliveries set state = 'held' where ${WAITING}`, [appId, appId]);
  const { rows: held } = await sql(
    tx,
    `select count(*)::int as count from deliveries where app_id = ? and state = 'held'`,
    [appId],
  );
  const since = row.guard?.since ?? now.toISOString();
  await changeTarget(tx, appId, {
    guard: { count: held[0].count, limit: await limitOf(tx, appId, guard, now), since },
  });
}

/** They have all come back, or are gone: there is nothing left to decide, and whoever leaves next is judged anew. */
async function openWhenNobodyWaits(tx: Db, appId: string): Promise<void> {
  await sql(
    tx,
    `update targets set guard = null where app_id = ? and guard is not null
       and not exists (select 1 from deliveries where app_id = ? and state = 'held')`,
    [appId, appId],
  );
}

/** Whoever left, is on their way out, or waits for it counts once, however often they were asked for. */
async function isWithin(tx: Db, appId: string, guard: NonNullable<PushPolicy['guard']>, now: Date): Promise<boolean> {
  const { rows } = await sql<{ leaving: number }>(
    tx,
    `select count(*)::int as leaving from (
       select resource_id from deliveries where ${WAITING} and ready_at <= ?
       union select d.resource_id from departures d join targets t on t.app_id = d.app_id where d.app_id = ?
         and d.acknowledged_at > ?::timestamptz - interval '${WINDOW}'
         and d.acknowledged_at > coalesce(t.guard_allowed_at, '-infinity')
       union select d.resource_id from delivery_claims c join deliveries d on d.app_id = c.app_id and d.resource_id = c.resource_id
         where c.app_id = ? and ${LEAVES}) leavers`,
    [appId, appId, now, appId, now, appId],
  );
  const leaving = rows[0]?.leaving ?? 0;
  return leaving <= guard.max || leaving <= (await limitOf(tx, appId, guard, now));
}

/** The share is of those who are there, with whoever of them left within the window; whoever left before is none of them. */
async function limitOf(
  tx: Db,
  appId: string,
  { max, percent }: NonNullable<PushPolicy['guard']>,
  now: Date,
): Promise<number> {
  const { rows } = await sql<{ count: number }>(
    tx,
    `select count(*)::int as count from (
       select resource_id from deliveries where app_id = ? and ${IS_THERE}
       union select resource_id from departures where app_id = ? and acknowledged_at > ?::timestamptz - interval '${WINDOW}') there`,
    [appId, appId, now],
  );
  return Math.max(max, Math.floor(((rows[0]?.count ?? 0) * percent) / 100));
}

/** A person has looked: those who wait may go, or stay until something about them changes. Answers how many. */
export async function decideDepartures(
  tx: Db,
  appId: string,
  decision: 'allow' | 'reject',
  now: Date,
): Promise<number> {
  const change =
    decision === 'allow'
      ? `state = 'pending', allowed = true, ready_at = ?`
      : `state = 'idle', last_action = 'kept', gone_since = null`;
  const { rows } = await sql<{ id: string }>(
    tx,
    `update deliveries set ${change} where app_id = ? and state = 'held' returning resource_id as id`,
    [...(decision === 'allow' ? [now] : []), appId],
  );
  // Who waits for the account of somebody who stays is told so; of who leaves they hear when that is done.
  const stay = decision === 'reject' ? rows.map(({ id }) => id) : [];
  await askForHeirs(tx, appId, stay, now);
  await changeTarget(tx, appId, { guard: null, ...(decision === 'allow' ? { guard_allowed_at: now } : {}) });
  return rows.length;
}
