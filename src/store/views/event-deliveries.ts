// Messages of streams as they are shown, and figures over them.
import type { RunError } from '#core/failure.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';
import type { DeliveryState } from '../event/event-deliveries.ts';
import { type Page, type PageQuery, pageOf } from './page.ts';

export interface DeliveryView {
  readonly id: string;
  readonly messageId: string;
  readonly type: string;
  readonly resourceType: ResourceType | null;
  readonly resourceId: string | null;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly changedAt: string;
  readonly attemptedAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly settledAt: string | null;
  readonly status: number | null;
  readonly answer: string | null;
  readonly error: RunError | null;
}

const VIEW = `d.seq, d.id, d.message_id as "messageId", d.type, d.resource_type as "resourceType", d.resource_id as "resourceId", d.state,
  d.attempts, d.changed_at as "changedAt", d.attempted_at as "attemptedAt",
  case when d.state = 'pending' and s.pushed then greatest(d.next_at, s.retry_at) end as "nextAttemptAt",
  d.settled_at as "settledAt", d.status, d.answer, d.error`;

/** Newest first. */
export async function listDeliveries(
  db: Db,
  streamId: string,
  { limit, cursor, state }: PageQuery & { readonly state?: DeliveryState | undefined },
): Promise<Page<DeliveryView>> {
  const { rows } = await sql<DeliveryView & { seq: string }>(
    db,
    `select ${VIEW} from event_deliveries d join event_streams s on s.id = d.stream_id
     where d.stream_id = ? and (?::bigint is null or d.seq < ?::bigint) and (?::text is null or d.state = ?)
     order by d.seq desc limit ?`,
    [streamId, cursor ?? null, cursor ?? null, state ?? null, state ?? null, limit + 1],
  );
  const page = pageOf(rows, limit, ({ seq }) => seq);
  return { items: page.items.map(({ seq: _seq, ...item }) => item), nextCursor: page.nextCursor };
}

/** One message with what is in it. */
export async function readDelivery(
  db: Db,
  streamId: string,
  id: string,
): Promise<(DeliveryView & { readonly payload: string }) | undefined> {
  const { rows } = await sql<DeliveryView & { seq: string; payload: string }>(
    db,
    `select ${VIEW}, d.payload from event_deliveries d join event_streams s on s.id = d.stream_id where d.stream_id = ? and d.id = ?`,
    [streamId, id],
  );
  if (rows[0] === undefined) return undefined;
  const { seq: _seq, ...view } = rows[0];
  return view;
}

export interface StreamFigures {
  readonly stream_id: string;
  readonly pending: number;
  readonly dead: number;
  readonly oldest: Date | null;
  /** Of people whose access ended: from the change to the receiver's word, over what is kept. */
  readonly leavers: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
  readonly worst_ms: number | null;
}

/** Each figure by an index of its own, so that a list of apps does not read what is kept of all of them. */
export async function readFigures(db: Db, streamIds: readonly string[]): Promise<readonly StreamFigures[]> {
  if (streamIds.length === 0) return [];
  const { rows } = await sql<StreamFigures>(
    db,
    `select s.id as stream_id, waiting.*, dead.*, leavers.* from event_streams s
     cross join lateral (select count(*)::int as pending, min(d.changed_at) as oldest from event_deliveries d
       where d.stream_id = s.id and d.state = 'pending') waiting
     cross join lateral (select count(*)::int as dead from event_deliveries d where d.stream_id = s.id and d.state = 'dead') dead
     cross join lateral (select count(*)::int as leavers, round(percentile_cont(0.5) within group (order by took))::float8 as p50_ms,
         round(percentile_cont(0.95) within group (order by took))::float8 as p95_ms, round(max(took))::float8 as worst_ms
       from (select (extract(epoch from d.settled_at - d.changed_at) * 1000)::float8 as took from event_deliveries d
         where d.stream_id = s.id and d.state = 'delivered' and d.urgent) t) leavers
     where s.id = any(?::uuid[])`,
    [streamIds],
  );
  return rows;
}
