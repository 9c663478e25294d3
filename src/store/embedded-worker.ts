// The worker thread that owns PGlite. It is fed whole protocol messages and posts the answers back, one at a time, so
// the event loop of the process stays free. Between transactions it checkpoints and vacuums, which PGlite never does.
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';

/** What the process sends. `data` is one or more whole protocol messages. */
export type ToWorker =
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'connect' }
  | { readonly type: 'vacuum' }
  | { readonly type: 'close' };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string }
  | { readonly type: 'data'; readonly data: Uint8Array }
  | { readonly type: 'closed' };

export interface WorkerInput {
  /** Absent: in memory, for tests. */
  readonly dataDir: string | undefined;
  /** A data folder as a tarball, used only when `dataDir` is new. */
  readonly template: Uint8Array | undefined;
}

/** WAL is kept short: reopening after a kill took 19 s without checkpoints, 2 s with. */
const CHECKPOINT_EVERY_MS = 60_000;
const IDLE = 'I'.charCodeAt(0);

const port = parentPort;
if (port === null) throw new Error('embedded-worker runs in a worker thread');
const { dataDir, template } = workerData as WorkerInput;

const send = (message: FromWorker): void => port.postMessage(message);
let idle = true;
let written = false;
let vacuumWanted = false;
let queue: Promise<void> = Promise.resolve();

async function open(): Promise<PGlite> {
  const db = await PGlite.create({
    ...(dataDir === undefined ? {} : { dataDir }),
    ...(template === undefined ? {} : { loadDataDir: new Blob([template as Uint8Array<ArrayBuffer>]) }),
    extensions: { pg_trgm },
  });
  send({ type: 'ready' });
  return db;
}

async function handle(db: PGlite, message: ToWorker): Promise<void> {
  if (message.type === 'connect') {
    if (!idle) await db.exec('rollback');
    await db.exec('discard all');
    idle = true;
  } else if (message.type === 'data') {
    const answer = await db.execProtocolRaw(message.data);
    written = true;
    // The last message of an answer to Sync or Query is ReadyForQuery, whose last byte is the transaction status.
    if (answer.at(-6) === 'Z'.charCodeAt(0)) idle = answer.at(-1) === IDLE;
    send({ type: 'data', data: answer });
    if (vacuumWanted && idle) await vacuum(db);
  } else if (message.type === 'vacuum') {
    vacuumWanted = true;
    if (idle) await vacuum(db);
  } else {
    await db.exec('checkpoint');
    await db.close();
    send({ type: 'closed' });
    port?.close();
  }
}

async function vacuum(db: PGlite): Promise<void> {
  vacuumWanted = false;
  await db.exec('vacuum (analyze)');
}

async function checkpoint(db: PGlite): Promise<void> {
  if (!idle || !written) return;
  written = false;
  await db.exec('checkpoint');
}

try {
  const db = await open();
  const timer = setInterval(() => {
    queue = queue.then(() => checkpoint(db));
  }, CHECKPOINT_EVERY_MS);
  timer.unref();
  port.on('message', (message: ToWorker) => {
    if (message.type === 'close') clearInterval(timer);
    queue = queue.then(() => handle(db, message));
  });
} catch (error) {
  send({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}
