// Messages of streams: made with the place that was read, claimed, sent, settled, and kept for a while to be looked at.
import { randomUUID } from 'node:crypto';
import type { RunError } from '#core/failure.ts';
import { storableJson } from '#core/json.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { Lease } from '../leases.ts';

export type DeliveryState = 'pending' | 'delivered' | 'dead';

export interface NewDelivery {
  readonly messageId: string;
  readonly type: string;
  readonly resourceType: ResourceType | null;
  readonly resourceId: string | null;
  readonly urgent: boolean;
  readonly payload: string;
  readonly changedAt: Date;
}

/** Adds messages in the order given. One that the stream has already is left out. */
export async function insertDeliveries(
  db: Db,
  streamId: string,
  deliveries: readonly NewDelivery[],
  now: Date,
): Promise<void> {
  if (deliveries.length === 0) return;
  const rows = deliveries.map(({ messageId, type, resourceType, resourceId, urgent, payload, changedAt }, place) => ({
    ...{ place, id: randomUUID(), message_id: messageId, type, resource_type: resourceType, resource_id: resourceId },
    ...{ urgent, payload, changed_at: changedAt },
  }));
  await sql(
    db,
    `insert into event_deliveries (id, stream_id, message_id, type, resource_type, resource_id, urgent, payload, changed_at, next_at, created_at)
     select id, ?, message_id, type, resource_type, resource_id, urgent, payload, changed_at, ?, ?
     from jsonb_to_recordset(?::jsonb) as d(place int, id uuid, message_id uuid, type text, resource_type text, resource_id uuid,
       urgent boolean, payload text, changed_at timestamptz)
     order by place on conflict on constraint event_deliveries_message_key do nothing`,
    [streamId, now, now, JSON.stringify(rows)],
  );
  if (deliveries.some(({ urgent }) => urgent)) await giveUpBeforeLeavers(db, streamId, now);
}

/** Nobody's end of access waits for a message of the same person that the receiver refuses. */
async function giveUpBeforeLeavers(db: Db, streamId: string, now: Date): Promise<void> {
  await sql(
    db,
    `update event_deliveries e set state = 'dead', settled_at = ?
     where e.stream_id = ? and e.state = 'pending' and e.refusals > 0 and e.claimed_until is null
       and exists (select 1 from event_deliveries u where u.stream_id = e.stream_id and u.resource_id = e.resource_id
         and u.state = 'pending' and u.urgent and u.seq > e.seq)`,
    [now, streamId],
  );
}

export async function countPendingDeliveries(db: Db, streamId: string): Promise<number> {
  const { rows } = await sql<{ count: string }>(
    db,
    `select count(*) as count from event_deliveries where stream_id = ? and state = 'pending'`,
    [streamId],
  );
  return Number(rows[0]?.count ?? 0);
}

/** A message that is to be sent. */
export interface WaitingDelivery {
  readonly seq: string;
  readonly message_id: string;
  /** Null of a message about no resource. */
  readonly resource_type: ResourceType | null;
  readonly resource_id: string | null;
  readonly payload: string;
}

export interface ClaimedDelivery extends WaitingDelivery {
  readonly id: string;
  readonly type: string;
  /** This try included; settling names it, so that a claim that was lost to time settles nothing. */
  readonly attempts: number;
  /** Tries before this one that failed because of the message. */
  readonly refusals: number;
  /** When the try before this one ended. */
  readonly tried_at: Date | null;
}

/** Message `d` of stream `s` is to be sent now. Twice the instant. */
export const IS_DUE = `d.state = 'pending' and d.next_at <= ?
  and s.enabled and s.disabled_at is null and s.pushed and (s.retry_at is null or s.retry_at <= ?)
  and not exists (select 1 from event_deliveries e where e.stream_id = d.stream_id and e.resource_id = d.resource_id
    and e.state = 'pending' and e.seq < d.seq)`;

/**
 * Claims messages that are due: of each resource only its earliest, leavers first. Whoever dies with them loses them
 * after `claimMs`; whoever has lost the lease gets none, and takes none away from whoever has it.
 * @param leastTriedFirst for a receiver that fails: so that it is not judged by one message that it does not like
 */
export async function claimDeliveries(
  db: Db,
  streamId: string,
  lease: Lease,
  { now, limit, claimMs, leastTriedFirst }: { now: Date; limit: number; claimMs: number; leastTriedFirst: boolean },
): Promise<readonly ClaimedDelivery[]> {
  const { rows } = await sql<ClaimedDelivery>(
    db,
    `with held as materialized (select 1 from leases where name = ? and owner = ? and fence = ? for share)
     update event_deliveries set attempts = attempts + 1, attempted_at = ?, claimed_until = ? where exists (select 1 from held) and id = any(array(
       select d.id from event_deliveries d join event_streams s on s.id = d.stream_id
       where d.stream_id = ? and ${IS_DUE} and (d.claimed_until is null or d.claimed_until <= ?)
       order by ${leastTriedFirst ? 'd.attempts, ' : ''}d.urgent desc, d.seq limit ? for update of d skip locked))
     returning id, seq, message_id, type, resource_type, resource_id, payload, attempts, refusals, (tries -> -1 ->> 'at')::timestamptz as tried_at`,
    [
      ...[lease.name, lease.owner, lease.fence],
      ...[now, new Date(now.getTime() + claimMs), streamId, now, now, now, limit],
    ],
  );
  return rows;
}

/** Frees what a process claimed that died: for whoever has the right to work now, and has nothing under way itself. */
export async function freeClaims(db: Db): Promise<void> {
  await sql(
    db,
    `update event_deliveries set claimed_until = null where state = 'pending' and claimed_until is not null`,
  );
}

export interface Settlement {
  readonly id: string;
  readonly attempts: number;
  readonly state: DeliveryState;
  /** Tries that failed because of the message, this one included. */
  readonly refusals: number;
  /** Status and beginning of the answer; null when there was none. */
  readonly status: number | null;
  readonly answer: string | null;
  readonly error: RunError | null;
  /** When to try again, of a message that stays pending. */
  readonly nextAt: Date | null;
  /** How long the receiver took. */
  readonly ms: number;
}

/** One try of a message, as it is kept. */
export interface Try {
  readonly at: string;
  readonly ms: number | null;
  readonly status: number | null;
  readonly answer: string | null;
  readonly error: Pick<RunError, 'code' | 'message'> | null;
}

/** Tries kept of a message. */
const TRIES_KEPT = 10;

/** The newest of `d.tries`, and `s.try`. */
const WITH_TRY = `case when jsonb_array_length(d.tries) >= ${TRIES_KEPT} then d.tries - 0 else d.tries end || jsonb_build_array(s.try)`;

/** Ends claims of one stream. A claim that was lost meanwhile changes nothing. */
export async function settleDeliveries(
  db: Db,
  streamId: string,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  const rows = settlements.map(({ nextAt, ms, ...rest }) => {
    const { status, answer, error } = rest;
    const told = error === null ? null : { code: error.code, message: error.message };
    return { ...rest, next_at: nextAt, try: { at: now.toISOString(), ms, status, answer, error: told } satisfies Try };
  });
  await sql(
    db,
    `update event_deliveries d set state = s.state, refusals = s.refusals, status = s.status, answer = s.answer, error = s.error,
       next_at = coalesce(s.next_at, d.next_at), claimed_until = null, tries = ${WITH_TRY},
       settled_at = case when s.state = 'pending' then null else ?::timestamptz end
     from jsonb_to_recordset(?::jsonb)
       as s(id uuid, attempts int, state text, refusals int, status int, answer text, error jsonb, next_at timestamptz, try jsonb)
     where d.id = s.id and d.attempts = s.attempts and d.state = 'pending'`,
    [now, storableJson(rows)],
  );
  if (settlements.some(({ state, refusals }) => state === 'pending' && refusals > 0))
    await giveUpBeforeLeavers(db, streamId, now);
}

/** What a receiver that asks has not taken yet, in order. */
export async function listWaiting(db: Db, streamId: string, limit: number): Promise<readonly WaitingDelivery[]> {
  const { rows } = await sql<WaitingDelivery>(
    db,
    `select seq, message_id, resource_type, resource_id, payload from event_deliveries where stream_id = ? and state = 'pending' order by seq limit ?`,
    [streamId, limit],
  );
  return rows;
}

/** What a receiver that asks has taken, or will not take. Names that nothing waits under are passed over. Answers how many of each. */
export async function takeAnswers(
  db: Db,
  streamId: string,
  { taken, refused }: { taken: readonly string[]; refused: readonly { messageId: string; error: RunError }[] },
  now: Date,
): Promise<{ readonly delivered: number; readonly failed: number }> {
  const rows = [
    ...taken.map((messageId) => ({ message_id: messageId, state: 'delivered', error: null })),
    ...refused.map(({ messageId, error }) => ({ message_id: messageId, state: 'dead', error })),
  ];
  if (rows.length === 0) return { delivered: 0, failed: 0 };
  const settled = await sql<{ state: DeliveryState }>(
    db,
    `update event_deliveries d set state = a.state, error = a.error, settled_at = ?
     from jsonb_to_recordset(?::jsonb) as a(message_id uuid, state text, error jsonb)
     where d.stream_id = ? and d.message_id = a.message_id and d.state = 'pending' returning d.state`,
    [now, storableJson(rows), streamId],
  );
  const delivered = settled.rows.filter(({ state }) => state === 'delivered').length;
  return { delivered, failed: settled.rows.length - delivered };
}

/** Notes that these were handed to a receiver that asked. */
export async function noteHandedOut(db: Db, streamId: string, messageIds: readonly string[], now: Date): Promise<void> {
  if (messageIds.length === 0) return;
  await sql(
    db,
    `update event_deliveries set attempts = attempts + 1, attempted_at = ?
     where stream_id = ? and message_id = any(?::uuid[]) and state = 'pending'`,
    [now, streamId, messageIds],
  );
}

/** Sends messages again, with the same id: one, or all that were given up. Answers how many. */
export async function replayDeliveries(db: Db, streamId: string, which: string | 'dead', now: Date): Promise<number> {
  const isOne = which !== 'dead';
  const { rowCount } = await sql(
    db,
    `update event_deliveries set state = 'pending', attempts = 0, refusals = 0, next_at = ?, claimed_until = null, settled_at = null, error = null
     where stream_id = ? and ${isOne ? 'id = ?' : 'state = ?'} and (state <> 'pending' or claimed_until is null)`,
    [now, streamId, which],
  );
  return rowCount ?? 0;
}

/**
 * Delivered messages are kept for a week and given-up ones for a month, of each stream no more than `max`. A process
 * whose clock is ahead of the database's removes nothing before its time.
 */
export async function pruneDeliveries(db: Db, now: Date, max: number): Promise<void> {
  const ago = (days: number): Date => new Date(now.getTime() - days * 86_400_000);
  await sql(
    db,
    `delete from event_deliveries
     where state = 'delivered' and settled_at < least(?, now() - interval '7 days')
       or state = 'dead' and settled_at < least(?, now() - interval '30 days')`,
    [ago(7), ago(30)],
  );
  await sql(
    db,
    `delete from event_deliveries d using event_streams s cross join lateral (
       select seq from event_deliveries k where k.stream_id = s.id and k.state <> 'pending' order by k.seq desc offset ? limit 1) oldest
     where d.stream_id = s.id and d.state <> 'pending' and d.seq <= oldest.seq`,
    [max],
  );
}
