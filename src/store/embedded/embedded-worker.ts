// The worker thread that owns PGlite. It is fed whole batches of protocol messages and posts the answers back, one at
// a time, so the event loop of the process stays free. Between transactions it does what PostgreSQL's background
// processes would and PGlite never does: checkpoints, and vacuum by autovacuum's own rule.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite, type PGliteOptions } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';

/** What the process sends. `data` is a whole batch; `session` counts connections, and older ones are not heard. */
export type ToWorker =
  | { readonly type: 'connect'; readonly session: number }
  | { readonly type: 'data'; readonly session: number; readonly data: Uint8Array }
  | { readonly type: 'vacuum' }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'data'; readonly session: number; readonly data: Uint8Array }
  /** Upkeep failed; after that, that it works again. */
  | { readonly type: 'trouble'; readonly message: string }
  | { readonly type: 'well' };

/** A `WebAssembly.Module`. */
export type Code = NonNullable<PGliteOptions['pgliteWasmModule']>;

export interface WorkerInput {
  /** PGlite, compiled. */
  readonly code: Code;
  /** In memory when absent. */
  readonly dataDir: string | undefined;
  /** A data folder as a tarball, used only when `dataDir` is new. */
  readonly template: Uint8Array | undefined;
  readonly checkpointEveryMs: number;
}

const CHECKPOINT_EVERY_BYTES = 64 * 1024 * 1024;
/** How often the size of the WAL is looked at while there is work; a second of bulk writes is about 60 MB. */
const LOOK_EVERY_MS = 1_000;
/** The rule of PostgreSQL's autovacuum, with its thresholds raised to 1,000 rows: the only connection waits meanwhile. */
const TABLES_TO_VACUUM = `
  select quote_ident(schemaname) || '.' || quote_ident(relname) as name from pg_stat_user_tables
  where greatest(n_dead_tup, n_ins_since_vacuum, n_mod_since_analyze) > 1000 + 0.2 * n_live_tup`;

const port = parentPort;
if (port === null) throw new Error('embedded-worker runs in a worker thread');
const { code, dataDir, template, checkpointEveryMs } = workerData as WorkerInput;
const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

let session = 0;
let idle = true;
let vacuumWanted = false;
let worked = false;
let lookedAt = performance.now();
let checkpointAt = performance.now();
let checkpointLsn = '0/0';
let inTrouble = false;

async function handle(db: PGlite, message: ToWorker): Promise<void> {
  if (message.type === 'connect') {
    session = message.session;
    if (!idle) await db.exec('rollback');
    await db.exec('discard all');
    idle = true;
  } else if (message.type === 'vacuum') {
    vacuumWanted = true;
    await keepUp(db);
  } else if (message.type === 'close') {
    if (!idle) await db.exec('rollback');
    await db.exec('checkpoint');
    await db.close();
    process.exit(0); // of this thread only
  } else if (message.session === session) {
    const answer = await db.execProtocolRaw(message.data);
    const isAlive = endsReady(answer);
    idle = endsIdle(answer);
    worked = true;
    post({ type: 'data', session, data: answer }, [answer.buffer as ArrayBuffer]);
    // A PANIC, such as a full disk under the WAL: it would never be ready again, and who waits would wait for ever.
    if (!isAlive) throw new Error('the embedded database has crashed');
    if (vacuumWanted || performance.now() - lookedAt > LOOK_EVERY_MS) await keepUp(db);
  }
}

/** Whether an answer ends with ReadyForQuery: every batch asks for one. */
function endsReady(answer: Uint8Array): boolean {
  return answer.at(-6) === 'Z'.charCodeAt(0);
}

/** Whether an answer ends with ReadyForQuery and the status "not in a transaction". */
function endsIdle(answer: Uint8Array): boolean {
  return endsReady(answer) && answer.at(-1) === 'I'.charCodeAt(0);
}

/** Checkpoint and vacuum as far as they are due. Does nothing inside a transaction, and never fails a query. */
async function keepUp(db: PGlite): Promise<void> {
  if (!idle) return;
  lookedAt = performance.now();
  try {
    if (vacuumWanted) {
      vacuumWanted = false;
      await db.exec('vacuum (analyze)');
    }
    if (!worked && !inTrouble) return;
    const { rows } = await db.query<{ bytes: number; lsn: string }>(
      'select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), $1::pg_lsn)::float8 as bytes, pg_current_wal_insert_lsn()::text as lsn',
      [checkpointLsn],
    );
    const due = lookedAt - checkpointAt >= checkpointEveryMs || (rows[0]?.bytes ?? 0) > CHECKPOINT_EVERY_BYTES;
    if (due || inTrouble) await checkpoint(db);
    if (inTrouble) post({ type: 'well' });
    inTrouble = false;
  } catch (error) {
    inTrouble = true;
    post({ type: 'trouble', message: textOf(error) });
  }
}

async function checkpoint(db: PGlite): Promise<void> {
  const { rows: tables } = await db.query<{ name: string }>(TABLES_TO_VACUUM);
  for (const { name } of tables) await db.exec(`vacuum (analyze) ${name}`);
  await db.exec('checkpoint');
  const { rows } = await db.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn');
  checkpointLsn = rows[0]?.lsn ?? checkpointLsn;
  checkpointAt = performance.now();
  worked = false;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function open(): Promise<PGlite> {
  const db = await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(template === undefined ? {} : { loadDataDir: new Blob([template as Uint8Array<ArrayBuffer>]) }),
    extensions: { pg_trgm },
    pgliteWasmModule: code,
  });
  await checkpoint(db);
  return db;
}

try {
  const db = await open();
  // One thing at a time. What fails here is no error of SQL, which is an answer: the thread ends, and is replaced.
  let queue: Promise<void> = Promise.resolve();
  const timer = setInterval(
    () => {
      queue = queue.then(() => keepUp(db));
    },
    Math.min(checkpointEveryMs, 10_000),
  );
  timer.unref();
  port.on('message', (message: ToWorker) => {
    queue = queue.then(() => handle(db, message));
  });
  post({ type: 'ready' });
} catch (error) {
  post({ type: 'failed', message: textOf(error) });
  process.exitCode = 1;
  port.close();
}
