// Opens PostgreSQL, or embedded PGlite when there is no URL, as one Knex. `int8` comes back as text, as `pg` does it.
import type { Duplex } from 'node:stream';
import knexModule, { type Knex } from 'knex';
import pg from 'pg';
import { ConfigError, UnavailableError } from '#core/errors.ts';
import type { Log } from '#platform/log.ts';
import { ask, type HotQuery, type Texts } from './ask.ts';
import { isReadOnly, isRefusal, readOnly, refused, unreachable } from './database-errors.ts';
import { openEmbedded } from './embedded/embedded.ts';
import { CONNECT_WITHIN_MS, watchServer } from './watch-server.ts';

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
  /**
   * For hot paths: straight through `pg`, without knex between, on a connection of the same pool. Not inside a
   * transaction.
   * @throws {UnavailableError} `database-busy` when no connection becomes free
   */
  query<Row extends pg.QueryResultRow>(query: HotQuery): Promise<pg.QueryResult<Row>>;
  /** The same where it costs least: rows come as texts. */
  ask(query: HotQuery): Promise<readonly Texts[]>;
  /** After many writes: embedded storage frees its dead rows; PostgreSQL does so by itself. */
  maintain(): void;
  /** Why the upkeep of embedded storage fails; undefined while it works, and on PostgreSQL. */
  trouble(): string | undefined;
  /** Connections of the pool, and who waits for one. */
  pool(): { readonly used: number; readonly free: number; readonly waiting: number };
  /** Waits for what is under way, then closes everything. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly databaseUrl?: string | undefined;
  /** Where PGlite keeps its files; in memory when both are absent. */
  readonly dataDir?: string | undefined;
  /** A PGlite folder as a tarball, for a new database. */
  readonly template?: Uint8Array | undefined;
  /** PostgreSQL only: PGlite has one connection. */
  readonly poolMax?: number | undefined;
  /** How long a query waits for a connection. Short in tests: there it finds a query outside its transaction. */
  readonly acquireMs?: number | undefined;
  /** How long to keep trying while the server is away at the start. */
  readonly startWithinMs?: number | undefined;
  /**
   * PostgreSQL only: PGlite cannot interrupt a statement. Sent as a start-up parameter, which PgBouncer takes only
   * with `ignore_startup_parameters`; there, set it on the role instead.
   */
  readonly statementTimeoutMs?: number | undefined;
  readonly log?: Pick<Log, 'debug' | 'warn' | 'error'> | undefined;
}

const OLDEST_SERVER = 150_000;
const POOL_MAX = 8;
const ACQUIRE_MS = 30_000;
const START_WITHIN_MS = 10_000;

/**
 * @throws {ConfigError} `data-dir-not-writable`, `data-dir-in-use`, `data-dir-broken`, `database-refused`,
 * `database-too-old`
 * @throws {UnavailableError} `database-unreachable`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return options.databaseUrl === undefined ? openEmbeddedDatabase(options) : openPostgres(options.databaseUrl, options);
}

async function openEmbeddedDatabase(options: DatabaseOptions): Promise<Database> {
  const embedded = await openEmbedded(options);
  // A function, so that a connection that was lost is followed by a new stream.
  const stream = (): Duplex => embedded.connect();
  const connection = { stream, user: 'postgres', database: 'postgres' } as unknown as Knex.PgConnectionConfig;
  const knex = openKnex(connection, { max: 1, afterConnect: once(SESSION) }, options);
  return {
    kind: 'embedded',
    knex,
    query: (query) => queryOn(knex, query),
    ask: (query) => askOn(knex, query),
    maintain: () => embedded.vacuum(),
    trouble: () => embedded.trouble(),
    pool: () => poolOf(knex),
    async close() {
      await knex.destroy();
      await embedded.close();
    },
  };
}

async function openPostgres(url: string, options: DatabaseOptions): Promise<Database> {
  const pooled = await reachable(url, options.startWithinMs ?? START_WITHIN_MS);
  const { statementTimeoutMs } = options;
  const connection = {
    connectionString: url,
    application_name: 'sluice',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(statementTimeoutMs === undefined ? {} : { statement_timeout: statementTimeoutMs }),
  };
  const watch = watchServer(
    url,
    () => knex.client.pool?.numUsed() > 0,
    () => options.log?.error({}, 'the database answers nobody any more; its connections are given up'),
  );
  // Behind a pooler what a session sets stays behind for whoever comes next; there it is set on the role.
  const greet = once(pooled ? NO_STANDBY : `${SESSION}; ${NO_STANDBY}`);
  const afterConnect = async (client: pg.ClientBase): Promise<void> => {
    watch.add(client);
    await greet(client);
  };
  const knex = openKnex(connection, { max: options.poolMax ?? POOL_MAX, afterConnect }, options);
  const sent: (query: HotQuery) => HotQuery = pooled ? ({ name: _, ...query }) => query : (query) => query;
  return {
    kind: 'postgres',
    knex,
    query: (query) => queryOn(knex, sent(query)),
    ask: (query) => askOn(knex, sent(query)),
    maintain: () => undefined,
    trouble: () => undefined,
    pool: () => poolOf(knex),
    async close() {
      watch.stop();
      await knex.destroy();
    },
  };
}

/**
 * Compiling a statement takes longer than any of ours runs. A transaction of a process that was stopped holds the change
 * feed back, and whoever waits for its locks: it ends.
 */
const SESSION = 'set jit = off; set idle_in_transaction_session_timeout = 60000';
/** After a failover a name may lead to the old primary for a while. Its 25006 is what a write on a standby gets. */
const NO_STANDBY = `do $$ begin if pg_is_in_recovery() then raise 'this server is a standby' using errcode = '25006'; end if; end $$`;

interface PoolOptions {
  readonly max: number;
  /** What is done first on each connection. One that fails here is not used. */
  afterConnect(client: pg.ClientBase): Promise<unknown>;
}

function once(text: string): PoolOptions['afterConnect'] {
  return (client) => client.query(text);
}

/**
 * One pool for Knex and for hot paths, so that a limit means what it says and a query that forgot its transaction
 * waits for itself on either path.
 */
function openKnex(
  connection: Knex.PgConnectionConfig,
  { max, afterConnect }: PoolOptions,
  options: DatabaseOptions,
): Knex {
  const acquireMs = options.acquireMs ?? ACQUIRE_MS;
  const note = (message: unknown): void => options.log?.debug({ detail: String(message) }, 'database pool');
  const knex = knexModule.knex({
    client: 'pg',
    connection,
    pool: {
      min: 0,
      max,
      afterCreate: (client: pg.ClientBase, done: (error: Error | null, client: pg.ClientBase) => void) =>
        void afterConnect(client).then(
          () => done(null, client),
          (error: Error) => done(error, client),
        ),
    },
    acquireConnectionTimeout: acquireMs,
    // Otherwise the message of an error shows values in place of each question mark that a statement still has.
    compileSqlOnError: false,
    log: { warn: note, error: note, debug: note, deprecate: note },
  });
  const acquire = knex.client.acquireConnection.bind(knex.client);
  knex.client.acquireConnection = () => acquire().catch((error: unknown) => Promise.reject(busy(error, acquireMs)));
  return knex;
}

function poolOf(knex: Knex): ReturnType<Database['pool']> {
  const { pool } = knex.client;
  return { used: pool.numUsed(), free: pool.numFree(), waiting: pool.numPendingAcquires() };
}

function busy(error: unknown, acquireMs: number): unknown {
  if (!(error instanceof Error && error.name === 'KnexTimeoutError')) return error;
  return new UnavailableError(
    `no database connection became free within ${acquireMs / 1000} s: is a query outside its transaction?`,
    { reason: 'database-busy', remedy: 'Try again; if it repeats, report it with the log.', cause: error },
  );
}

/** One statement with `$n`, on a pool or inside a transaction. */
export async function queryOn<Row extends pg.QueryResultRow>(knex: Db, query: HotQuery): Promise<pg.QueryResult<Row>> {
  const connection: pg.ClientBase = await knex.client.acquireConnection();
  try {
    return await connection.query<Row>({ ...query, values: [...(query.values ?? [])] });
  } finally {
    await knex.client.releaseConnection(connection);
  }
}

/** The same with rows as texts. */
export async function askOn(knex: Db, query: HotQuery): Promise<readonly Texts[]> {
  const connection: pg.ClientBase = await knex.client.acquireConnection();
  try {
    return await ask(connection, query);
  } finally {
    knex.client.releaseConnection(connection);
  }
}

/**
 * Waits for the server and looks at what it is. Answers whether a pooler such as PgBouncer stands between: then a
 * statement prepared on one connection may be asked for on another (42P05, 26000), so none is named.
 */
async function reachable(url: string, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await lookAtServer(url);
    } catch (cause) {
      if (cause instanceof ConfigError) throw cause;
      if (isRefusal(cause)) throw refused(cause);
      if (performance.now() >= deadline) throw isReadOnly(cause) ? readOnly(cause) : unreachable(cause);
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

async function lookAtServer(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query(NO_STANDBY);
    const { rows } = await client.query<{ version: string; pid: number }>(
      `select current_setting('server_version_num') as version, pg_backend_pid() as pid`,
    );
    if (Number(rows[0]?.version) < OLDEST_SERVER)
      throw new ConfigError('the PostgreSQL server is older than version 15', {
        reason: 'database-too-old',
        remedy: 'Point DATABASE_URL at PostgreSQL 15 or later.',
      });
    // A pooler makes up the process id that it gives its clients.
    return rows[0]?.pid !== (client as pg.Client & { readonly processID: number }).processID;
  } finally {
    await client.end().catch(() => undefined);
  }
}
