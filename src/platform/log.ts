import { type Logger, levels, pino, symbols } from 'pino';
import type { Mask } from './mask.ts';
import { callerFacts } from './trace.ts';

export type Log = Logger;

/** What never leaves the process in a log line, wherever it stands. */
const REDACTED = ['authorization', 'token', 'secret', 'password', 'privateKey', 'certificate', 'clientSecret', 'body'];

/** What PostgreSQL adds to an error: the row that it refused, with names and all. */
const ROWS = ['err.detail', 'err.where', 'err.aggregateErrors[*].detail', 'err.aggregateErrors[*].where'];

function options(level: string) {
  const paths = [...REDACTED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), ...ROWS];
  const redact = { paths, censor: '[redacted]' };
  return { level, base: null, redact, mixin: () => callerFacts(), timestamp: pino.stdTimeFunctions.isoTime };
}

/**
 * JSON lines on standard output. Messages are short constants, the facts are fields: `request`, `run`, `provider`,
 * `plan`, `app`, `ms`, `count`, `code`. What is logged while a request is answered names it, and its trace. People appear
 * by our id, never by name or mail.
 */
export function makeLog(level: string): Log {
  return pino(options(level));
}

export interface Tap {
  /** From this level on, lines go to `take`. */
  readonly level: string;
  readonly mask: Mask;
  /** Called with one line of JSON, masked, without its line break. */
  take(line: string): void;
}

/**
 * A logger with the fields of another that also hands its lines to somebody. The other gets what its own level lets
 * through, masked as well.
 */
export function tapLog(log: Log, { level, mask, take }: Tap): Log {
  const lowest = rank(level) < rank(log.level) ? level : log.level;
  const below = (log as unknown as Record<symbol, { write(line: string): void }>)[symbols.streamSym];
  const stream = {
    lastLevel: 0,
    // pino sets `lastLevel` before each line on a stream that asks for it.
    [symbols.needsMetadataGsym]: true,
    write(line: string) {
      const masked = mask(line);
      if (this.lastLevel >= rank(log.level)) below?.write(masked);
      if (this.lastLevel >= rank(level)) take(masked.trimEnd());
    },
  };
  return pino(options(lowest), stream).child(log.bindings());
}

function rank(level: string): number {
  return levels.values[level] ?? Number.POSITIVE_INFINITY;
}
