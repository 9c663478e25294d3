// Fresh, migrated databases for tests: embedded ones are copies of a template folder, PostgreSQL ones of a template
// database. test/run.ts makes both once; a file run by itself makes its own, and skips PostgreSQL without a server.
// An embedded one that was closed is emptied and used again in the same file: opening one costs a second of processor.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe } from 'node:test';
import { type Database, type DatabaseOptions, openDatabase } from '#store/database.ts';
import { migrate } from '#store/schema/migrate.ts';
import { createDatabase, dropDatabase } from './postgres-databases.ts';

export type DatabaseKind = Database['kind'];

const SERVER = process.env['TEST_DATABASE_URL'] || undefined;
const POOL_MAX = process.env['TEST_POOL_MAX'] ? Number(process.env['TEST_POOL_MAX']) : undefined;
/** A query that forgot its transaction waits for itself, and is found after this long; others may wait in a long line. */
const ACQUIRE_MS = 60_000;

/** Why there is no PostgreSQL, or false: for `describe(…, { skip: postgresMissing })`. */
export const postgresMissing: string | false = SERVER === undefined ? 'no PostgreSQL server here' : false;

const open = new Set<Database>();
/** Closed by their tests, but open in truth, and not emptied yet. */
const used: Made[] = [];
let count = 0;

// Belongs to the root of each test file: what nobody closed would keep the process alive without a word.
after(async () => {
  const left = [...open];
  for (const database of left) await database.close().catch(() => undefined);
  for (const made of used.splice(0)) await unmake(made);
  if (left.length > 0) throw new Error(`${left.length} test database(s) were never closed`);
});

/**
 * Describes the suite twice: on embedded storage and on PostgreSQL. `open` gives a fresh migrated database each time;
 * one that was opened for a test is closed after it, others after the suite, and a transaction that is still open then
 * fails it.
 */
export function eachDatabase(
  name: string,
  define: (open: (options?: Partial<DatabaseOptions>) => Promise<Database>, kind: DatabaseKind) => void,
): void {
  for (const kind of ['embedded', 'postgres'] as const) {
    const skip = kind === 'postgres' && postgresMissing;
    describe(`${name} (${kind === 'postgres' ? 'PostgreSQL' : 'embedded'})`, { skip }, () => {
      const mine: Database[] = [];
      /** How many of them were there before the test. */
      let older: number | undefined;
      const closeFrom = async (first: number): Promise<void> => {
        for (const database of mine.splice(first)) if (open.has(database)) await database.close();
      };
      beforeEach(() => {
        older ??= mine.length;
      });
      define(async (options) => {
        const database = await openTestDatabase(kind, options);
        mine.push(database);
        return database;
      }, kind);
      // The last of the hooks, so that what the suite has on its database has ended.
      afterEach(async () => {
        await closeFrom(older ?? 0);
        older = undefined;
      });
      after(() => closeFrom(0));
    });
  }
}

/**
 * Makes a database as good as new, faster than a new one. To truncate a table takes as long as to delete some thousand
 * rows, and most have none.
 */
export async function emptyDatabase(database: Database): Promise<void> {
  await database.query({
    text: `do $$
      declare name regclass;
      begin
        set local session_replication_role = replica;
        for name in select oid from pg_class
          where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not like 'knex%' and pg_relation_size(oid) > 0
        loop
          if pg_relation_size(name) > 1000000 then execute format('truncate %s cascade', name);
          else execute format('delete from %s', name);
          end if;
        end loop;
        perform setval(format('%I', sequencename)::regclass, start_value, false) from pg_sequences
          where schemaname = 'public' and sequencename not like 'knex%' and last_value is not null;
      end $$`,
  });
}

interface Made {
  readonly database: Database;
  readonly place: Place;
  /** Of its tables, as they were made. */
  readonly shape: string;
}

/** A fresh migrated database. Whoever opens it closes it, which also removes it. */
export async function openTestDatabase(kind: DatabaseKind, options: Partial<DatabaseOptions> = {}): Promise<Database> {
  const isPlain = kind === 'embedded' && Object.keys(options).length === 0;
  const again = isPlain ? used.pop() : undefined;
  if (again !== undefined) await emptyDatabase(again.database);
  const made = again ?? (await make(kind, options));
  const { database } = made;
  const opened: Database = {
    ...database,
    async close() {
      open.delete(opened);
      const busy = database.knex.client.pool.numUsed();
      if (isPlain && busy === 0 && (await shapeOf(database)) === made.shape) used.push(made);
      else await unmake(made);
      if (busy > 0) throw new Error(`${busy} connection(s) of a test database were in use when it was closed`);
    },
  };
  open.add(opened);
  return opened;
}

async function make(kind: DatabaseKind, options: Partial<DatabaseOptions>): Promise<Made> {
  const place = kind === 'embedded' ? await copyFolder() : await copyDatabase();
  const database = await openDatabase({
    acquireMs: ACQUIRE_MS,
    poolMax: POOL_MAX,
    ...('dataDir' in place ? { dataDir: place.dataDir } : { databaseUrl: place.databaseUrl }),
    ...options,
  });
  return { database, place, shape: kind === 'embedded' ? await shapeOf(database) : '' };
}

async function unmake({ database, place }: Made): Promise<void> {
  await closeWithin(database, 60_000);
  await place.remove();
}

/** What a test that changes the schema changes. */
async function shapeOf(database: Database): Promise<string> {
  const { rows } = await database
    .query<{ shape: string }>({
      text: `select md5(string_agg(format('%s %s %s', c.oid, c.relname, a.attname), ',' order by c.oid, a.attnum)) as shape
             from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = 'public'::regnamespace`,
    })
    .catch(() => ({ rows: [] }));
  return rows[0]?.shape ?? 'none';
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

/** A new folder with an embedded database in it that is migrated. */
export async function makeDataDir(): Promise<string> {
  const dataDir = makeFolder();
  cpSync(await embeddedTemplate(), dataDir, { recursive: true });
  return dataDir;
}

async function copyFolder(): Promise<Place & { dataDir: string }> {
  const dataDir = await makeDataDir();
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
