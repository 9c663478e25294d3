// Fresh, migrated databases for tests: embedded ones are copies of a template folder, PostgreSQL ones of a template
// database. test/run.ts makes both once; a file run by itself makes its own, and skips PostgreSQL without a server.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe } from 'node:test';
import { type Database, type DatabaseOptions, openDatabase } from '#store/database.ts';
import { migrate } from '#store/migrate.ts';
import { createDatabase, dropDatabase } from './postgres-databases.ts';

export type DatabaseKind = Database['kind'];

const SERVER = process.env['TEST_DATABASE_URL'] || undefined;
const POOL_MAX = process.env['TEST_POOL_MAX'] ? Number(process.env['TEST_POOL_MAX']) : undefined;
/** A query that forgot its transaction waits for itself, and is found after this long. */
const ACQUIRE_MS = 5_000;

/** Why there is no PostgreSQL, or false: for `describe(…, { skip: postgresMissing })`. */
export const postgresMissing: string | false = SERVER === undefined ? 'no PostgreSQL server here' : false;

const open = new Set<Database>();
let count = 0;

// Belongs to the root of each test file: what nobody closed would keep the process alive without a word.
after(async () => {
  const left = [...open];
  for (const database of left) await database.close().catch(() => undefined);
  if (left.length > 0) throw new Error(`${left.length} test database(s) were never closed`);
});

/**
 * Describes the suite twice: on embedded storage and on PostgreSQL. `open` gives a fresh migrated database each time;
 * all are closed after the suite, and a transaction that is still open then fails it.
 */
export function eachDatabase(
  name: string,
  define: (open: (options?: Partial<DatabaseOptions>) => Promise<Database>, kind: DatabaseKind) => void,
): void {
  for (const kind of ['embedded', 'postgres'] as const) {
    const skip = kind === 'postgres' && postgresMissing;
    describe(`${name} (${kind === 'postgres' ? 'PostgreSQL' : 'embedded'})`, { skip }, () => {
      const mine: Database[] = [];
      define(async (options) => {
        const database = await openTestDatabase(kind, options);
        mine.push(database);
        return database;
      }, kind);
      after(async () => {
        for (const database of mine) if (open.has(database)) await database.close();
      });
    });
  }
}

/** Makes a database as good as new, faster than a new one. */
export async function emptyDatabase(database: Database): Promise<void> {
  const { rows } = await database.query<{ tables: string }>({
    text: `select string_agg(tablename, ', ') as tables from pg_tables where schemaname = 'public' and tablename not like 'knex%'`,
  });
  await database.query({ text: `truncate ${rows[0]?.tables} restart identity cascade` });
}

/** A fresh migrated database. Whoever opens it closes it, which also removes it. */
export async function openTestDatabase(kind: DatabaseKind, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const place = kind === 'embedded' ? await copyFolder() : await copyDatabase();
  const database = await openDatabase({
    acquireMs: ACQUIRE_MS,
    poolMax: POOL_MAX,
    ...('dataDir' in place ? { dataDir: place.dataDir } : { databaseUrl: place.databaseUrl }),
    ...options,
  });
  const opened: Database = {
    ...database,
    async close() {
      open.delete(opened);
      const busy = database.knex.client.pool.numUsed();
      await closeWithin(database, 5_000);
      await place.remove();
      if (busy > 0) throw new Error(`${busy} connection(s) of a test database were in use when it was closed`);
    },
  };
  open.add(opened);
  return opened;
}

async function closeWithin(database: Database, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a test database does not close: a transaction was left open')), ms);
  });
  await Promise.race([database.close(), late]).finally(() => clearTimeout(timer));
}

interface Place {
  remove(): Promise<void> | void;
}

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A new folder for a test, removed when the process ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(process.env['TEST_FOLDER'] ?? tmpdir(), 'sluice-'));
  folders.push(folder);
  return folder;
}

async function copyFolder(): Promise<Place & { dataDir: string }> {
  const dataDir = makeFolder();
  cpSync(await embeddedTemplate(), dataDir, { recursive: true });
  return { dataDir, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

let template: Promise<string> | undefined;

function embeddedTemplate(): Promise<string> {
  const made = process.env['TEST_EMBEDDED_TEMPLATE'];
  if (made) return Promise.resolve(made);
  template ??= (async () => {
    const dataDir = makeFolder();
    const database = await openDatabase({ dataDir });
    await migrate(database);
    await database.close();
    return dataDir;
  })();
  return template;
}

async function copyDatabase(): Promise<Place & { databaseUrl: string }> {
  if (SERVER === undefined) throw new Error('TEST_DATABASE_URL is not set');
  const from = process.env['TEST_POSTGRES_TEMPLATE'];
  const databaseUrl = await createTestDatabase(from);
  const remove = (): Promise<void> => dropDatabase(SERVER, new URL(databaseUrl).pathname.slice(1));
  if (from) return { databaseUrl, remove };
  const database = await openDatabase({ databaseUrl });
  await migrate(database);
  await database.close();
  return { databaseUrl, remove };
}

/** The URL of a new database on the test server; empty unless it is made from a template. Drop it with `dropDatabase`. */
export async function createTestDatabase(from?: string): Promise<string> {
  if (SERVER === undefined) throw new Error('TEST_DATABASE_URL is not set');
  count += 1;
  return createDatabase(SERVER, `sluice_test_${process.pid}_${count}`, from);
}
