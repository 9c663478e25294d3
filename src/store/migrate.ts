import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Knex } from 'knex';
import { ConfigError } from '#core/errors.ts';
import { adoptJournal } from './adopt-journal.ts';
import type { Database } from './database.ts';

const FOLDER = fileURLToPath(new URL('../../migrations', import.meta.url));
/** Any constant will do; all replicas use the same. */
const LOCK_KEY = 7_154_829_133;
const RETRY_MS = 200;

/**
 * Brings the schema up to date in one transaction and answers the names of what was new. Replicas queue; killed
 * halfway, nothing has happened. A blocking lock would hang beside other sessions, and Knex's own fails the others
 * or stays locked for ever (both measured), hence the loop.
 * @throws {ConfigError} `database-too-new`: a later release has been here
 */
export async function migrate(database: Database, folder: string = FOLDER): Promise<readonly string[]> {
  for (;;) {
    const done = await database.knex.transaction((tx) => migrateOnce(database, tx, folder));
    if (done !== 'locked') return done;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function migrateOnce(
  database: Database,
  tx: Knex.Transaction,
  folder: string,
): Promise<readonly string[] | 'locked'> {
  if (database.kind === 'postgres') {
    const { rows } = await tx.raw('select pg_try_advisory_xact_lock(?) as taken', [LOCK_KEY]);
    if (rows[0].taken !== true) return 'locked';
    await tx.raw('set local statement_timeout = 0'); // a limit meant for requests would stop a long migration
  }
  await refuseNewer(tx, folder);
  // Knex's own lock is of no use here and may be left behind by a killed process; ours is the transaction.
  const config = { migrationSource: sourceOf(folder), disableTransactions: true };
  await tx.migrate.forceFreeMigrationsLock(config);
  const [, names] = await tx.migrate.latest(config);
  await adoptJournal(tx);
  return names;
}

/** Imports a migration as it is, however the process was started. */
function sourceOf(folder: string): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => namesIn(folder),
    getMigrationName: (name) => name,
    getMigration: (name) => import(pathToFileURL(join(folder, name)).href),
  };
}

/** In the order of their timestamps. */
function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

async function refuseNewer(tx: Knex.Transaction, folder: string): Promise<void> {
  if (!(await tx.schema.hasTable('knex_migrations'))) return;
  const known = new Set(namesIn(folder));
  const { rows } = await tx.raw('select name from knex_migrations order by name');
  const newer = rows.map((row: { name: string }) => row.name).filter((name: string) => !known.has(name));
  if (newer.length > 0)
    throw new ConfigError(`the database was changed by a later release (${newer.join(', ')})`, {
      reason: 'database-too-new',
      remedy: 'Start that release or a later one; this one does not know the schema.',
    });
}

export interface SchemaState {
  /** Migrations of this release that are not applied yet. */
  readonly pending: readonly string[];
  /** Applied by a later release. */
  readonly newer: readonly string[];
}

/** How the schema stands to this release. */
export async function readSchemaState(database: Database, folder: string = FOLDER): Promise<SchemaState> {
  const { rows } = await database.query<{ name: string }>({ text: 'select name from knex_migrations order by name' });
  const done = rows.map(({ name }) => name);
  const known = namesIn(folder);
  return {
    pending: known.filter((name) => !done.includes(name)),
    newer: done.filter((name) => !known.includes(name)),
  };
}
