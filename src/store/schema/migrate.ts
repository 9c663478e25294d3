import type { Knex } from 'knex';
import { ConfigError, UnavailableError } from '#core/errors.ts';
import type { Database } from '../database.ts';
import { explainForbidden } from '../database-errors.ts';
import { adoptJournal } from './adopt-journal.ts';
import { FOLDER, isBreaking, isOnline, namesIn, readMigration } from './migrations.ts';

/** Any constant will do; all replicas use the same. */
const LOCK_KEY = 7_154_829_133;
const RETRY_MS = 200;
/** A statement that waits for a lock keeps everybody behind it waiting: it steps back, and tries again. */
const LOCK_WITHIN_MS = 2_000;
const GIVE_UP_AFTER_MS = 120_000;
/** PostgreSQL: lock_not_available. */
const BLOCKED = '55P03';

/**
 * Brings the schema up to date in one transaction and answers the names of what was new, without what is made online.
 * Replicas queue; killed halfway, nothing has happened. A blocking lock would hang beside other sessions, and Knex's own
 * fails the others or stays locked for ever (both measured), hence the loop.
 * @throws {ConfigError} `database-too-new`: a later release has been here, and has taken away what this one needs
 * @throws {ConfigError} `database-forbidden`: the role may not make tables, or not use those that are there
 * @throws {UnavailableError} `migration-blocked`: a long transaction of somebody else holds a table
 */
export async function migrate(database: Database, folder: string = FOLDER): Promise<readonly string[]> {
  const until = performance.now() + GIVE_UP_AFTER_MS;
  for (;;) {
    const done = await database.knex.transaction((tx) => migrateOnce(database, tx, folder)).catch(blockedOrThrow);
    if (typeof done === 'object') return done;
    if (done === 'blocked' && performance.now() > until) throw blocked();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function blockedOrThrow(error: unknown): 'blocked' {
  if (error instanceof Error && 'code' in error && error.code === BLOCKED) return 'blocked';
  throw explainForbidden(error);
}

function blocked(): UnavailableError {
  return new UnavailableError('the schema cannot be brought up to date: another transaction holds a table', {
    reason: 'migration-blocked',
    remedy: 'End it (pg_stat_activity, the oldest xact_start), then start again.',
  });
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
    await tx.raw(`set local lock_timeout = ${LOCK_WITHIN_MS}`);
  }
  await refuseBreaking(tx, folder);
  // Knex's own lock is of no use here and may be left behind by a killed process; ours is the transaction. What a later
  // release has added is not in the folder, and is no corruption.
  const config = {
    migrationSource: sourceOf(folder),
    disableTransactions: true,
    disableMigrationsListValidation: true,
  };
  await tx.migrate.forceFreeMigrationsLock(config);
  const [, names] = await tx.migrate.latest(config);
  await adoptJournal(tx);
  return names;
}

function sourceOf(folder: string): Knex.MigrationSource<string> {
  return {
    getMigrations: async () => namesIn(folder).filter((name) => !isOnline(name)),
    getMigrationName: (name) => name,
    getMigration: (name) => readMigration(folder, name),
  };
}

/** A later release may have added to the schema, and this one goes on beside it; not when something was taken away. */
async function refuseBreaking(tx: Knex.Transaction, folder: string): Promise<void> {
  // Knex does not see a table that somebody else owns.
  const { rows: found } = await tx.raw(`select to_regclass('knex_migrations') is not null as there`);
  if (found[0].there !== true) return;
  const known = new Set(namesIn(folder));
  const { rows } = await tx.raw('select name from knex_migrations order by name');
  const names: string[] = rows.map((row: { name: string }) => row.name);
  const breaking = names.filter((name) => !known.has(name) && isBreaking(name));
  if (breaking.length > 0)
    throw new ConfigError(`the database was changed by a later release (${breaking.join(', ')})`, {
      reason: 'database-too-new',
      remedy: 'Start that release or a later one; this one does not know the schema.',
    });
}

export interface SchemaState {
  /** Migrations that this release needs and that are not applied yet. */
  readonly pending: readonly string[];
  /** Applied by a later release. */
  readonly newer: readonly string[];
  /** Those of them that this release cannot live with. */
  readonly breaking: readonly string[];
}

/**
 * How the schema stands to this release: in an empty database everything is pending.
 * @throws {ConfigError} `database-forbidden`: the role may not read it
 */
export async function readSchemaState(database: Database, folder: string = FOLDER): Promise<SchemaState> {
  const done = await readDone(database);
  const known = namesIn(folder);
  const newer = done.filter((name) => !known.includes(name));
  return {
    pending: known.filter((name) => !done.includes(name) && !isOnline(name)),
    newer,
    breaking: newer.filter(isBreaking),
  };
}

/** PostgreSQL: undefined_table. */
const NO_TABLE = '42P01';

async function readDone(database: Database): Promise<readonly string[]> {
  try {
    const { rows } = await database.query<{ name: string }>({ text: 'select name from knex_migrations order by name' });
    return rows.map(({ name }) => name);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NO_TABLE) return [];
    throw explainForbidden(error);
  }
}
