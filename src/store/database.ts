// Opens PostgreSQL, or embedded PGlite when there is no URL, as one Knex. `int8` comes back as text, as `pg` does it.
import type { Duplex } from 'node:stream';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { ConfigError, UnavailableError } from '#core/errors.ts';
import { type Embedded, openEmbedded } from './embedded.ts';

/**
 * One statement with `?` for each value; arrays are PostgreSQL arrays. The shape of a row is the caller's word for
 * what the statement selects.
 */
// biome-ignore lint/suspicious/noExplicitAny: a row is what its statement says.
export async function sql<Row = any>(
  db: Db,
  text: string,
  values: readonly unknown[] = [],
): Promise<{ readonly rows: Row[]; readonly rowCount: number | null }> {
  return db.raw(text, values as readonly Knex.Value[]);
}

/** A pool or a transaction. Every query takes one first, so that a caller cannot slip out of its transaction. */
export type Db = Knex | Knex.Transaction;

export interface Database {
  readonly kind: 'postgres' | 'embedded';
  readonly knex: Knex;
  /** For hot paths: straight through `pg`, without knex between. `name` prepares the statement. */
  query<Row extends pg.QueryResultRow>(query: {
    readonly text: string;
    readonly values?: readonly unknown[];
    readonly name?: string;
  }): Promise<pg.QueryResult<Row>>;
  /** After many writes: embedded storage frees its dead rows; PostgreSQL does so by itself. */
  maintain(): void;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly databaseUrl?: string | undefined;
  /** Where PGlite keeps its files; in memory when both are absent. */
  readonly dataDir?: string | undefined;
  /** A PGlite folder as a tarball, for a new database. */
  readonly template?: Uint8Array | undefined;
  readonly poolMax?: number | undefined;
  /** How long a query waits for a connection. Short in tests: there it finds a query outside its transaction. */
  readonly acquireMs?: number | undefined;
  /** How long to keep trying while the server is away at the start. */
  readonly startWithinMs?: number | undefined;
}

const OLDEST_SERVER = 150_000;
const POOL_MAX = 8;
const ACQUIRE_MS = 30_000;
const START_WITHIN_MS = 10_000;

/**
 * @throws {ConfigError} `data-dir-not-writable`, `data-dir-in-use`, `data-dir-broken`, `database-refused`, `database-too-old`
 * @throws {UnavailableError} `database-unreachable`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.databaseUrl === undefined ? openEmbeddedDatabase(options) : openPostgres(options.databaseUrl, options);
}

async function openEmbeddedDatabase(options: DatabaseOptions): Promise<Database> {
  const embedded: Embedded = await openEmbedded({
    ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
    ...(options.template === undefined ? {} : { template: options.template }),
  });
  // A function, so that a connection that was lost is followed by a new stream.
  const stream = (): Duplex => embedded.connect();
  const knex = knexModule.knex({
    client: 'pg',
    connection: { stream, user: 'postgres', database: 'postgres' } as unknown as Knex.PgConnectionConfig,
    pool: { min: 0, max: 1 },
    acquireConnectionTimeout: options.acquireMs ?? ACQUIRE_MS,
  });
  return {
    kind: 'embedded',
    knex,
    async query(query) {
      const connection = await knex.client.acquireConnection();
      try {
        return await connection.query({ text: query.text, values: query.values });
      } finally {
        knex.client.releaseConnection(connection);
      }
    },
    maintain: () => embedded.vacuum(),
    async close() {
      await knex.destroy();
      await embedded.close();
    },
  };
}

async function openPostgres(url: string, options: DatabaseOptions): Promise<Database> {
  await reachable(url, options.startWithinMs ?? START_WITHIN_MS);
  const max = options.poolMax ?? POOL_MAX;
  const connection = { connectionString: url, application_name: 'sluice' };
  const knex = knexModule.knex({
    client: 'pg',
    connection,
    pool: { min: 0, max },
    acquireConnectionTimeout: options.acquireMs ?? ACQUIRE_MS,
  });
  const pool = new pg.Pool({ ...connection, max, connectionTimeoutMillis: options.acquireMs ?? ACQUIRE_MS });
  pool.on('error', () => undefined); // an idle connection that broke is replaced at the next query
  return {
    kind: 'postgres',
    knex,
    query: (query) => pool.query({ ...query, values: query.values === undefined ? [] : [...query.values] }),
    maintain: () => undefined,
    async close() {
      await Promise.all([knex.destroy(), pool.end()]);
    },
  };
}

/** Waits for the server, and looks at what it is. */
async function reachable(url: string, withinMs: number): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
      if (Number(rows[0]?.server_version_num) < OLDEST_SERVER)
        throw new ConfigError('the PostgreSQL server is older than version 15', {
          reason: 'database-too-old',
          remedy: 'Point DATABASE_URL at PostgreSQL 15 or later.',
        });
      return;
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      if (isRefusal(cause)) throw refused(cause);
      if (Date.now() >= deadline) throw unreachable(cause);
      await new Promise((resolve) => setTimeout(resolve, 250));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** Wrong password, role or database: waiting does not help. Classes 28 and 3D of PostgreSQL's error codes. */
function isRefusal(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'code' in error && /^(28|3D)/.test(String(error.code));
}

function refused(cause: Error): ConfigError {
  return new ConfigError(`the PostgreSQL server refuses the connection: ${cause.message}`, {
    reason: 'database-refused',
    remedy: 'Correct the user, password and database in DATABASE_URL.',
    cause,
  });
}

function unreachable(cause: unknown): UnavailableError {
  return new UnavailableError('the PostgreSQL server of DATABASE_URL cannot be reached', {
    reason: 'database-unreachable',
    remedy: 'Start the server, or correct host and port in DATABASE_URL.',
    cause,
  });
}

const CONNECTION_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ENOTFOUND',
  'ETIMEDOUT',
  '57P01',
  '57P02',
  '57P03',
]);

/** An error of a lost or refused connection as `UnavailableError`, so that an edge answers 503; any other as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error ? String(error.code) : '';
  const lost =
    CONNECTION_CODES.has(code) ||
    code.startsWith('08') ||
    /Connection terminated|timeout exceeded when trying to connect|Timeout acquiring a connection/.test(error.message);
  return lost ? unreachable(error) : error;
}
