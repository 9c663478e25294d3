// What is to be sent once more although it has arrived: what changed since, or what somebody picked.
import type { JournalPlace } from '#core/journal.ts';
import { type Db, sql } from '../database.ts';

/** From when on: an instant, or a place in the journal. */
export type Since = { readonly at: Date } | { readonly place: JournalPlace };

/** A long transaction writes what it began with: lines that are older than those before them by this much at most. */
const SLACK = `interval '1 hour'`;
const TRIMMED = `select 1 from journal where (trimmed_xid, trimmed_seq)`;

/** Whether the journal still has everything from there on. */
export async function reachesBack(db: Db, since: Since): Promise<boolean> {
  const { rows } = await ('place' in since
    ? sql(db, `${TRIMMED} > (?::text::xid8, ?::bigint)`, [since.place.xid, since.place.seq])
    : sql(db, `${TRIMMED} > ('0'::xid8, 0) and not exists (select 1 from changes where at < ?)`, [since.at]));
  return rows.length === 0;
}

/** Resources that changed since, each once, `limit` of them at most. Takes time that follows what changed since. */
export async function listChangedSince(db: Db, since: Since, limit: number): Promise<readonly string[]> {
  const { rows } = await ('place' in since
    ? sql<{ id: string }>(
        db,
        `select distinct resource_id as id from changes where (xid, seq) > (?::text::xid8, ?::bigint) limit ?`,
        [since.place.xid, since.place.seq, limit],
      )
    : sql<{ id: string }>(
        db,
        `select distinct resource_id as id from changes where at >= ?::timestamptz and seq > coalesce((select seq from changes
           where at < ?::timestamptz - ${SLACK} order by seq desc limit 1), 0) limit ?`,
        [since.at, since.at, limit],
      ));
  return rows.map(({ id }) => id);
}

/** What is there of these at a target is read back when they are next delivered. What waits for a decision is left alone. */
export async function doubt(db: Db, appId: string, resourceIds: readonly string[]): Promise<number> {
  const { rowCount } = await sql(
    db,
    `update deliveries set doubted = true where app_id = ? and resource_id = any(?::uuid[]) and state <> 'held'`,
    [appId, resourceIds],
  );
  return rowCount ?? 0;
}

/** Deliveries that somebody picked, by the way that they went. */
export interface PickedWay {
  readonly app_id: string;
  /** Null for a push target. */
  readonly stream_id: string | null;
  readonly resource_ids: readonly string[];
}

/** Messages that are about nobody are none of them. */
export async function readPicked(db: Db, ids: readonly string[]): Promise<readonly PickedWay[]> {
  const { rows } = await sql<PickedWay>(
    db,
    `select app_id, stream_id, array_agg(distinct resource_id) as resource_ids from (
       select d.app_id, null::uuid as stream_id, d.resource_id from deliveries d where d.id = any(?::uuid[])
       union all
       select s.app_id, d.stream_id, d.resource_id from event_deliveries d join event_streams s on s.id = d.stream_id
       where d.id = any(?::uuid[]) and d.resource_id is not null) picked group by app_id, stream_id`,
    [ids, ids],
  );
  return rows;
}

/** Given up, and sent anew with what is so today: the old message is not sent any more. */
export async function forgetDead(db: Db, streamId: string, resourceIds: readonly string[]): Promise<void> {
  await sql(
    db,
    `delete from event_deliveries where stream_id = ? and state = 'dead' and resource_id = any(?::uuid[])`,
    [streamId, resourceIds],
  );
}

/** Which of these were made since an instant. */
export async function madeSince(db: Db, ids: readonly string[], at: Date | undefined): Promise<ReadonlySet<string>> {
  if (at === undefined) return new Set();
  const { rows } = await sql<{ id: string }>(
    db,
    'select id from resources where id = any(?::uuid[]) and created_at >= ?',
    [ids, at],
  );
  return new Set(rows.map(({ id }) => id));
}
