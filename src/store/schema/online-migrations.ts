// Migrations that may take long and must keep nobody waiting, such as an index on a large table: made one after the other
// while the gateway serves, by one process. They only make something faster: nothing relies on one, not even a later one.
import { randomUUID } from 'node:crypto';
import { type Database, sql } from '../database.ts';
import { withLease } from '../leased.ts';
import { FOLDER, isOnline, namesIn, readMigration } from './migrations.ts';

const LEASE = 'online-migrations';
const LEASE_TTL_MS = 15_000;

/**
 * Makes what is not there yet, unless another process does; answers the names of what it made. One that was cut short is
 * made again, so it begins with `drop index concurrently if exists`: half an index stays behind as an invalid one.
 */
export async function migrateOnline(database: Database, folder: string = FOLDER): Promise<readonly string[]> {
  const db = database.knex;
  const names = namesIn(folder).filter(isOnline);
  if (names.length === 0) return [];
  const leased = { name: LEASE, owner: randomUUID(), ttlMs: LEASE_TTL_MS };
  const made = await withLease(db, leased, async (lease) => {
    const { rows } = await sql<{ name: string }>(db, 'select name from knex_migrations where name = any(?::text[])', [
      names,
    ]);
    const done = new Set(rows.map(({ name }) => name));
    const missing = names.filter((name) => !done.has(name));
    for (const name of missing) {
      await lease.confirm();
      const { up } = await readMigration(folder, name);
      await up(db);
      const note = `insert into knex_migrations (name, batch, migration_time)
        select ?, coalesce(max(batch), 0) + 1, now() from knex_migrations`;
      await sql(db, note, [name]);
    }
    return missing;
  });
  return made ?? [];
}
