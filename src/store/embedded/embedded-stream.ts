import { Duplex } from 'node:stream';

/** Parse, Bind, Describe, Execute and Close: the server answers these only after the Sync or Flush that follows. */
const UNFINISHED = new Set(Array.from('PBDEC', (letter) => letter.charCodeAt(0)));
const TERMINATE = 'X'.charCodeAt(0);

/**
 * The `pg` driver's end of the embedded database: a Duplex that is asked to be a socket. `post` gets whole batches:
 * the start-up message, one simple query, or everything up to a Sync, so nothing of ours can come between a Parse and
 * its Execute. Terminate is dropped: it would end the only session PGlite has.
 * Source: postgresql.org/docs/18/protocol-message-formats.html, checked 2026-11.
 */
export class EmbeddedStream extends Duplex {
  private readonly post: (batch: Uint8Array<ArrayBuffer>) => void;
  private waiting: Buffer = Buffer.alloc(0);
  private started = false;

  constructor(post: (batch: Uint8Array<ArrayBuffer>) => void) {
    super();
    this.post = post;
  }

  /** Hands an answer to the driver; one that comes after the end is dropped. */
  answer(data: Uint8Array): void {
    if (!this.writableEnded && !this.destroyed) this.push(Buffer.from(data.buffer, data.byteOffset, data.byteLength));
  }

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
    const end = this.endOfBatch();
    if (end > 0) this.post(Uint8Array.from(this.waiting.subarray(0, end)));
    this.waiting = this.waiting.subarray(end);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  /** Where the last finished batch ends; 0 when none has. Only the start-up message has no letter in front. */
  private endOfBatch(): number {
    let at = 0;
    let end = 0;
    for (;;) {
      const letter = this.started ? this.waiting[at] : undefined;
      const header = this.started ? 5 : 4;
      if (letter === TERMINATE || this.waiting.length - at < header) return end;
      at += this.waiting.readInt32BE(at + header - 4) + header - 4;
      if (at > this.waiting.length) return end;
      this.started = true;
      if (letter === undefined || !UNFINISHED.has(letter)) end = at;
    }
  }
}
