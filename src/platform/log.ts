import { type Logger, pino } from 'pino';

export type Log = Logger;

/** What never leaves the process in a log line, wherever it stands. */
const REDACTED = ['authorization', 'token', 'secret', 'password', 'privateKey', 'certificate', 'clientSecret', 'body'];

/**
 * JSON lines on standard output. Messages are short constants, the facts are fields: `request`, `run`, `provider`,
 * `plan`, `app`, `ms`, `count`, `code`. People appear by our id, never by name or mail.
 */
export function makeLog(level: string): Log {
  const paths = REDACTED.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino({ level, base: null, redact: { paths, censor: '[redacted]' }, timestamp: pino.stdTimeFunctions.isoTime });
}
