// The dirty mark of a provider: since when, and when last, the source has said that something changed. A time and not a
// flag, so that what changes during a run is not lost. What is told may come before what is shown: a run that found nothing
// leaves the mark with the time of another look.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from '../database.ts';

export interface SourceMark {
  /** The first thing that no run has seen yet. */
  readonly first_at: Date;
  readonly last_at: Date;
  /** When a run was last started because of it. */
  readonly tried_at: Date | null;
  /** When to look once more after a run that has seen all and found nothing. */
  readonly follow_at: Date | null;
}

/** Something changed just now. What a run has looked for in vain is not waited for by itself any more. */
export async function markSource(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `insert into source_marks as m (provider, first_at, last_at) values (?, clock_timestamp(), clock_timestamp())
     on conflict (provider) do update set last_at = excluded.last_at, follow_at = null,
       first_at = case when m.follow_at is null then m.first_at else excluded.first_at end,
       tried_at = case when m.follow_at is null then m.tried_at end`,
    [provider],
  );
}

export async function listMarks(db: Db): Promise<ReadonlyMap<ProviderKindName, SourceMark>> {
  const { rows } = await sql<SourceMark & { provider: ProviderKindName }>(
    db,
    'select provider, first_at, last_at, tried_at, follow_at from source_marks',
  );
  return new Map(rows.map((row) => [row.provider, row]));
}

export async function readMark(db: Db, provider: ProviderKindName): Promise<SourceMark | undefined> {
  const { rows } = await sql<SourceMark>(
    db,
    'select first_at, last_at, tried_at, follow_at from source_marks where provider = ?',
    [provider],
  );
  return rows[0];
}

export async function noteTried(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(db, 'update source_marks set tried_at = clock_timestamp(), follow_at = null where provider = ?', [
    provider,
  ]);
}

/**
 * A run has read the source to its end: what was told before it began is done, what was told since is not.
 * @param followMs how long after the last that was told it is worth another look, of a run that found nothing; each time
 *   that is still to come keeps the mark
 */
export async function clearMark(
  db: Db,
  provider: ProviderKindName,
  runId: string,
  followMs: readonly number[] = [],
): Promise<void> {
  await sql(
    db,
    `update source_marks m set tried_at = coalesce(m.tried_at, r.started_at), follow_at = (
       select min(m.last_at + f.ms * interval '1 millisecond') from unnest(?::integer[]) as f(ms)
       where m.last_at + f.ms * interval '1 millisecond' > r.started_at)
     from runs r where m.provider = ? and r.id = ? and m.last_at < r.started_at`,
    [followMs, provider, runId],
  );
  await sql(
    db,
    `delete from source_marks m using runs r
     where m.provider = ? and r.id = ? and m.last_at < r.started_at and m.follow_at is null`,
    [provider, runId],
  );
  await sql(
    db,
    `update source_marks m set first_at = m.last_at, tried_at = null, follow_at = null from runs r
     where m.provider = ? and r.id = ? and m.first_at < r.started_at and m.last_at >= r.started_at`,
    [provider, runId],
  );
}
