// What is new since a moment ago, for those who watch: by one query, however many watch.
import { type Db, sql } from '../database.ts';
import { type RunView, readRuns } from './runs.ts';

/** How far the logs have come that tell of changes. */
export interface Marks {
  /** The newest entries, since one that commits later may have a smaller number. */
  readonly audit: readonly string[];
  /** Of the newest entries. */
  readonly changes: string;
  /** How targets and streams stand, and how much they have taken. */
  readonly outbound: string;
}

export interface Happenings {
  readonly marks: Marks;
  /** Runs that are open, and the newest one. */
  readonly runs: readonly RunView[];
  /**
   * Nouns of what was done since `from`: `provider`, `plan`, `app`; `directory` when users or groups changed, `delivery`
   * when something became of deliveries, or of a target.
   */
  readonly topics: readonly string[];
}

/** So many entries back, one that commits late is still seen. */
const NEWEST = 100;

/** Small tables only: a row for each target and stream, and for the last hours of each. */
const OUTBOUND = `md5(concat_ws('/',
  (select sum(settled) from attempt_hours where hour > now() - interval '3 hours'),
  (select string_agg(concat_ws('|', app_id, state, guard, quarantine, rest_until, backfill, place_xid, place_seq, reconciled_at), ',' order by app_id)
   from targets),
  (select count(*) from reconciliations where finished_at is null),
  (select string_agg(concat_ws('|', id, enabled, failures, retry_at, last_success_at, polled_at, disabled_at, place_xid, place_seq), ',' order by id)
   from event_streams)))`;

/** @param from undefined at the first look, which has no topics */
export async function readHappenings(db: Db, from: Marks | undefined): Promise<Happenings> {
  const { rows } = await sql<Marks & { ids: string[]; nouns: string[] }>(
    db,
    `select array(select seq::text from audit order by seq desc limit ${NEWEST}) as audit,
       md5((select string_agg(seq::text, ',') from (select seq from changes order by seq desc limit ${NEWEST}) n)) as changes,
       ${OUTBOUND} as outbound,
       array(select id::text from runs where status in ('queued', 'running') or seq = (select max(seq) from runs)) as ids,
       array(select distinct split_part(action, '.', 1) from audit where seq > ?::bigint and seq <> all(?::bigint[])) as nouns`,
    [lowestOf(from?.audit), from?.audit ?? []],
  );
  const row = rows[0];
  if (row === undefined) return { marks: { audit: [], changes: '', outbound: '' }, runs: [], topics: [] };
  const directory = from !== undefined && from.changes !== row.changes ? ['directory'] : [];
  const delivery = from !== undefined && from.outbound !== row.outbound ? ['delivery'] : [];
  return {
    marks: { audit: row.audit, changes: row.changes, outbound: row.outbound },
    runs: row.ids.length === 0 ? [] : await readRuns(db, row.ids),
    topics: [...row.nouns, ...directory, ...delivery],
  };
}

/** What is told of lies above it. At the first look that is nothing, and everything where all that there is was seen. */
function lowestOf(seen: readonly string[] | undefined): string {
  if (seen === undefined) return '9223372036854775807';
  return (seen.length < NEWEST ? undefined : seen.at(-1)) ?? '0';
}
