// What is new since a moment ago, for those who watch: by one query, however many watch.
import { type Db, sql } from '../database.ts';
import { type RunView, readRuns } from './runs.ts';

/** How far the logs have come that tell of changes. */
export interface Marks {
  readonly audit: string;
  readonly changes: string;
}

export interface Happenings {
  readonly marks: Marks;
  /** Runs that are open, and the newest one. */
  readonly runs: readonly RunView[];
  /** Nouns of what was done since `from`: `provider`, `plan`, `app`; `directory` when users or groups changed. */
  readonly topics: readonly string[];
}

/** @param from undefined at the first look, which has no topics */
export async function readHappenings(db: Db, from: Marks | undefined): Promise<Happenings> {
  const { rows } = await sql<Marks & { ids: string[]; nouns: string[] }>(
    db,
    `select coalesce((select max(seq) from audit), 0)::text as audit, coalesce((select max(seq) from changes), 0)::text as changes,
       array(select id::text from runs where status in ('queued', 'running') or seq = (select max(seq) from runs)) as ids,
       array(select distinct split_part(action, '.', 1) from audit where seq > ?::bigint) as nouns`,
    [from?.audit ?? '9223372036854775807'],
  );
  const row = rows[0];
  if (row === undefined) return { marks: { audit: '0', changes: '0' }, runs: [], topics: [] };
  const directory = from !== undefined && from.changes !== row.changes ? ['directory'] : [];
  return {
    marks: { audit: row.audit, changes: row.changes },
    runs: row.ids.length === 0 ? [] : await readRuns(db, row.ids),
    topics: [...row.nouns, ...directory],
  };
}
