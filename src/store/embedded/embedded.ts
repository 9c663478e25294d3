// Embedded PostgreSQL (PGlite) behind the unmodified `pg` driver: the driver writes to a Duplex whose other end is a
// worker thread. One connection only; in-process PGlite would starve the event loop, and its socket server mixes up
// answers (both measured).
import { chmodSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { ConfigError, UnavailableError } from '#core/errors.ts';
import type { Log } from '#platform/log.ts';
import { EmbeddedStream } from './embedded-stream.ts';
import type { Code, FromWorker, ToWorker, WorkerInput } from './embedded-worker.ts';
import { lockFolder } from './folder-lock.ts';

export interface Embedded {
  /** A stream for `pg`: `new Client({ stream })`. A new one takes over the single connection, in a clean session. */
  connect(): Duplex;
  /** Frees dead rows and refreshes statistics at the next moment without a transaction. */
  vacuum(): void;
  /** Why checkpoints or vacuum failed the last time; undefined when they did not. */
  trouble(): string | undefined;
  /** Checkpoints, closes the files and gives the folder free. Queries still under way fail. */
  close(): Promise<void>;
}

export interface EmbeddedOptions {
  /** In memory when absent. */
  readonly dataDir?: string | undefined;
  /** A PGlite folder as a tarball, for a new database; without it, initdb takes some seconds. */
  readonly template?: Uint8Array | undefined;
  /** How long a written row may wait for a checkpoint, in ms. */
  readonly checkpointEveryMs?: number | undefined;
  readonly log?: Pick<Log, 'warn' | 'error'> | undefined;
}

/** WAL is kept short: reopening after a kill took 19 s without checkpoints, 2 s with. */
const CHECKPOINT_EVERY_MS = 60_000;

/**
 * V8 frees the code of WebAssembly that it has compiled better since, and rarely loses count of it: the whole process then
 * dies (nodejs/node#64500, reported with PGlite alone, open in November 2026). Kept instead, it takes no memory that can
 * be measured.
 */
setFlagsFromString('--no-wasm-code-gc');

/** TypeScript knows it of browsers only. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<Code> };

/** The code of the database, compiled once for all that this process opens: what V8 has made of it is there for the next one. */
let code: Promise<Code> | undefined;

async function compile(): Promise<Code> {
  return WebAssembly.compile(await readFile(new URL('./pglite.wasm', import.meta.resolve('@electric-sql/pglite'))));
}

/**
 * Opens the embedded database in a folder, making it when it is new. Files are 0600 and folders 0700.
 * @throws {ConfigError} `data-dir-not-writable`, `data-dir-in-use`, `data-dir-broken`
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const unlock = options.dataDir === undefined ? () => undefined : lockFolder(options.dataDir);
  const folder = options.dataDir === undefined ? undefined : join(options.dataDir, 'postgres');
  let worker: Worker | undefined;
  try {
    code ??= compile();
    const { checkpointEveryMs = CHECKPOINT_EVERY_MS } = options;
    const input = { code: await code, dataDir: folder, checkpointEveryMs };
    const start = (template?: Uint8Array): Worker => {
      const workerData: WorkerInput = { ...input, template };
      return new Worker(new URL('./embedded-worker.ts', import.meta.url), { execArgv: [], workerData });
    };
    const finishMaking = folder === undefined ? () => undefined : beginMaking(folder);
    worker = start(folder === undefined || !existsSync(folder) ? options.template : undefined);
    await ready(worker);
    finishMaking();
    return serve(worker, start, unlock, options.log);
  } catch (cause) {
    await worker?.terminate();
    unlock();
    throw new ConfigError(`the embedded database in "${options.dataDir}" does not open: ${(cause as Error).message}`, {
      reason: 'data-dir-broken',
      remedy: 'Restore the folder from a backup, or point DATA_DIR at a new one.',
      cause,
    });
  }
}

/** Marks a folder that is being made, so that one left half made by a kill is made again. It cannot hold a row. */
function beginMaking(folder: string): () => void {
  const mark = `${folder}.unfinished`;
  if (existsSync(mark)) rmSync(folder, { recursive: true, force: true });
  const isNew = !existsSync(folder);
  if (isNew) writeFileSync(mark, '', { mode: 0o600 });
  return () => {
    makePrivate(folder);
    if (isNew) rmSync(mark);
  };
}

/** PGlite makes a new folder with files that everyone may write (0666); those it adds later are 0600. */
function makePrivate(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600);
}

function serve(first: Worker, start: () => Worker, unlock: () => void, log: EmbeddedOptions['log']): Embedded {
  let worker: Worker | undefined;
  let session = 0;
  let stream: EmbeddedStream | undefined;
  let trouble: string | undefined;
  adopt(first);

  function adopt(next: Worker): Worker {
    worker = next;
    let cause = new Error('the embedded database has stopped');
    next.on('message', (message: FromWorker) => {
      if (message.type === 'data' && message.session === session) stream?.answer(message.data);
      if (message.type === 'trouble') log?.warn({ detail: message.message }, 'database upkeep failed');
      if (message.type === 'trouble') trouble = message.message;
      if (message.type === 'well') trouble = undefined;
      if (message.type === 'failed') {
        cause = new Error(message.message);
        // What is left of an engine that did not start may keep its thread.
        void next.terminate();
      }
    });
    next.on('error', (error) => {
      cause = error as Error;
    });
    // Nothing acknowledged is lost: the next connection opens the folder again, as after a kill.
    next.on('exit', (code) => {
      worker = undefined;
      stream?.destroy(code === 0 ? undefined : stopped(cause));
      if (code !== 0) log?.error({ err: cause }, 'embedded database stopped');
    });
    return next;
  }

  return {
    connect() {
      session += 1;
      const mine = { session, worker: worker ?? adopt(start()) };
      const send = (message: ToWorker, transfer: ArrayBuffer[] = []): void =>
        mine.worker.postMessage(message, transfer);
      send({ type: 'connect', session });
      stream = new EmbeddedStream((data) => send({ type: 'data', session: mine.session, data }, [data.buffer]));
      return stream;
    },
    vacuum: () => worker?.postMessage({ type: 'vacuum' } satisfies ToWorker),
    trouble: () => trouble,
    async close() {
      const last = worker;
      if (last !== undefined) {
        const gone = new Promise<void>((resolve) => last.once('exit', () => resolve()));
        last.postMessage({ type: 'close' } satisfies ToWorker);
        await gone;
      }
      unlock();
    },
  };
}

function stopped(cause: Error): UnavailableError {
  return new UnavailableError(`the embedded database has stopped: ${cause.message}`, {
    reason: 'database-unreachable',
    remedy: 'It is opened again by the next request; if that repeats, look at the disk and at the log.',
    cause,
  });
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`it stopped with code ${code}`)));
    worker.once('message', (message: FromWorker) => {
      worker.off('error', reject);
      if (message.type === 'ready') resolve();
      else reject(new Error(message.type === 'failed' ? message.message : 'the worker answered out of turn'));
    });
  });
}
