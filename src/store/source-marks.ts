// The dirty mark of a provider: since when, and when last, the source has said that something changed. A time and not a
// flag, so that what changes during a run is not lost.
import type { ProviderKindName } from '#core/resource.ts';
import { type Db, sql } from './database.ts';

export interface SourceMark {
  /** The first thing that no run has seen yet. */
  readonly first_at: Date;
  readonly last_at: Date;
  /** When a run was last started because of it. */
  readonly tried_at: Date | null;
}

/** Something changed just now. */
export async function markSource(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(
    db,
    `insert into source_marks as m (provider, first_at, last_at) values (?, clock_timestamp(), clock_timestamp())
     on conflict (provider) do update set last_at = excluded.last_at`,
    [provider],
  );
}

export async function listMarks(db: Db): Promise<ReadonlyMap<ProviderKindName, SourceMark>> {
  const { rows } = await sql<SourceMark & { provider: ProviderKindName }>(
    db,
    'select provider, first_at, last_at, tried_at from source_marks',
  );
  return new Map(rows.map((row) => [row.provider, row]));
}

export async function readMark(db: Db, provider: ProviderKindName): Promise<SourceMark | undefined> {
  const { rows } = await sql<SourceMark>(
    db,
    'select first_at, last_at, tried_at from source_marks where provider = ?',
    [provider],
  );
  return rows[0];
}

export async function noteTried(db: Db, provider: ProviderKindName): Promise<void> {
  await sql(db, 'update source_marks set tried_at = clock_timestamp() where provider = ?', [provider]);
}

/** A run has read the source to its end: what was told before it began is done, what was told since is not. */
export async function clearMark(db: Db, provider: ProviderKindName, runId: string): Promise<void> {
  await sql(
    db,
    `delete from source_marks m using runs r where m.provider = ? and r.id = ? and m.last_at < r.started_at`,
    [provider, runId],
  );
  await sql(
    db,
    `update source_marks m set first_at = m.last_at, tried_at = null from runs r
     where m.provider = ? and r.id = ? and m.first_at < r.started_at and m.last_at >= r.started_at`,
    [provider, runId],
  );
}
