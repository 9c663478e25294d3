// Embedded PostgreSQL (PGlite) behind the unmodified `pg` driver: the driver writes to a Duplex whose other end is a
// worker thread. One connection only; in-process PGlite would starve the event loop, and its socket server mixes up
// answers (both measured).
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { ConfigError } from '#core/errors.ts';
import type { FromWorker, ToWorker, WorkerInput } from './embedded-worker.ts';

export interface Embedded {
  /** A stream for `pg`: `new Client({ stream })`. A new one takes over the single connection. */
  connect(): Duplex;
  /** Frees dead rows and refreshes statistics at the next moment without a transaction; PGlite never does by itself. */
  vacuum(): void;
  /** Checkpoints, closes the files and gives the folder free. */
  close(): Promise<void>;
}

/**
 * Opens the embedded database in a folder, making it when it is new, or in memory without one.
 * @throws {ConfigError} `data-dir-not-writable`, `data-dir-in-use`, `data-dir-broken`
 */
export async function openEmbedded(options: { dataDir?: string; template?: Uint8Array }): Promise<Embedded> {
  const unlock = options.dataDir === undefined ? () => undefined : lockFolder(options.dataDir);
  const folder = options.dataDir === undefined ? undefined : join(options.dataDir, 'postgres');
  const isNew = folder === undefined || !existsSync(join(folder, 'PG_VERSION'));
  const input: WorkerInput = { dataDir: folder, template: isNew ? options.template : undefined };
  const worker = new Worker(new URL('./embedded-worker.ts', import.meta.url), { workerData: input });
  try {
    await ready(worker);
  } catch (cause) {
    unlock();
    await worker.terminate();
    throw new ConfigError(`the embedded database in "${options.dataDir}" does not open: ${(cause as Error).message}`, {
      reason: 'data-dir-broken',
      remedy: 'Restore the folder from a backup, or point DATA_DIR at a new one.',
      cause,
    });
  }
  if (folder !== undefined) chmodSync(folder, 0o700);
  return makeEmbedded(worker, unlock);
}

function makeEmbedded(worker: Worker, unlock: () => void): Embedded {
  const send = (message: ToWorker): void => worker.postMessage(message);
  let current: EmbeddedStream | undefined;
  worker.on('message', (message: FromWorker) => {
    if (message.type === 'data')
      current?.push(Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength));
  });
  worker.on('error', (error) => current?.destroy(error));
  return {
    connect() {
      send({ type: 'connect' });
      current = new EmbeddedStream((data) => send({ type: 'data', data }));
      return current;
    },
    vacuum: () => send({ type: 'vacuum' }),
    async close() {
      const closed = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
      send({ type: 'close' });
      await closed;
      unlock();
    },
  };
}

function ready(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject);
    worker.once('message', (message: FromWorker) => {
      worker.off('error', reject);
      if (message.type === 'ready') resolve();
      else reject(new Error(message.type === 'failed' ? message.message : 'the worker answered out of turn'));
    });
  });
}

/** The driver's end: hands on whole protocol messages, without the farewell that would end the only session. */
class EmbeddedStream extends Duplex {
  private readonly post: (data: Uint8Array) => void;
  private waiting: Buffer = Buffer.alloc(0);
  private started = false;

  constructor(post: (data: Uint8Array) => void) {
    super();
    this.post = post;
  }

  /** What `pg` calls on a socket before and after it connects. */
  connect(): this {
    queueMicrotask(() => this.emit('connect'));
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  override _read(): void {
    // Answers are pushed as they come.
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.waiting = this.waiting.length === 0 ? chunk : Buffer.concat([this.waiting, chunk]);
    const end = this.endOfMessages();
    if (end > 0) {
      const whole = this.waiting.subarray(0, end);
      this.waiting = this.waiting.subarray(end);
      // A message of the driver ends where another begins, so a farewell stands alone.
      if (whole[0] !== 'X'.charCodeAt(0) || whole.length > 5) this.post(new Uint8Array(whole));
    }
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  private endOfMessages(): number {
    let at = 0;
    for (;;) {
      const header = this.started ? 5 : 4;
      if (this.waiting.length - at < header) return at;
      const size = this.waiting.readInt32BE(at + header - 4) + (header - 4);
      if (this.waiting.length - at < size) return at;
      this.started = true;
      at += size;
    }
  }
}

/**
 * The kernel frees this lock when the process dies, however it dies. Two processes on one PGlite folder lose rows
 * without an error, so nobody opens the folder without it.
 */
function lockFolder(dataDir: string): () => void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(dataDir, 'lock'), '', { flag: 'a', mode: 0o600 });
  } catch (cause) {
    throw new ConfigError(`DATA_DIR "${dataDir}" cannot be written`, {
      reason: 'data-dir-not-writable',
      remedy: 'Give the user that runs the gateway write access to it, or point DATA_DIR elsewhere.',
      cause,
    });
  }
  try {
    const lock = new DatabaseSync(join(dataDir, 'lock'), { timeout: 0 });
    lock.exec('pragma locking_mode = exclusive; begin exclusive; create table if not exists held (at text); commit');
    return () => lock.close();
  } catch (cause) {
    throw new ConfigError(`DATA_DIR "${dataDir}" is in use by another process`, {
      reason: 'data-dir-in-use',
      remedy:
        'Stop the other gateway, give this one a DATA_DIR of its own, or set DATABASE_URL to share one PostgreSQL.',
      cause,
    });
  }
}
