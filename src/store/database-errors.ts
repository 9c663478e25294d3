// What PostgreSQL, `pg` and Knex say when something is wrong, in this product's words.
import { ConfigError, InputError, UnavailableError } from '#core/errors.ts';
import { UNTRUSTED } from '#platform/fetch.ts';

/** Wrong password, role or database (classes 28 and 3D of PostgreSQL's error codes), or TLS: waiting does not help. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && (/^(28|3D)/.test(codeOf(error)) || isAboutTls(error));
}

/** A certificate that is not trusted, or, as `pg` says without a code, a server that does not speak TLS. */
function isAboutTls(error: Error): boolean {
  return UNTRUSTED.test(codeOf(error)) || error.message.includes('does not support SSL');
}

export function refused(cause: Error): ConfigError {
  return new ConfigError(`the PostgreSQL server refuses the connection: ${cause.message}`, {
    reason: 'database-refused',
    remedy: isAboutTls(cause)
      ? 'Correct sslmode and sslrootcert in DATABASE_URL; the certificate must name the host that is connected to.'
      : 'Correct the user, password and database in DATABASE_URL.',
    cause,
  });
}

/** PostgreSQL: a right that is missing, and a search path without a schema that is there. */
const FORBIDDEN = new Set(['42501', '3F000']);

/** An error that says that the role lacks a right at the start, as a `ConfigError`; any other as it is. */
export function explainForbidden(error: unknown): unknown {
  if (!(error instanceof Error) || !FORBIDDEN.has(codeOf(error))) return error;
  const said = error.message.split(' - ').at(-1); // Knex puts the statement in front
  return new ConfigError(`the role of DATABASE_URL may not do what the gateway does: ${said}`, {
    reason: 'database-forbidden',
    remedy:
      'Make it the owner of its database, or of a schema that its search_path names, and of what was restored there.',
    cause: error,
  });
}

export function unreachable(cause: unknown): UnavailableError {
  const code = codeOf(cause);
  const why = code === '' ? '' : ` (${code})`;
  return new UnavailableError(`the PostgreSQL server of DATABASE_URL cannot be reached${why}`, {
    reason: 'database-unreachable',
    remedy: 'Start the server, or correct host and port in DATABASE_URL.',
    cause,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Of Node's sockets; and of PostgreSQL: shut down, crashed, starting up, idle for too long, full of connections. */
const CONNECTION_CODES = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['57P01', '57P02', '57P03', '25P03', '53300'],
]);
/** What `pg` and Knex say without a code. */
const CONNECTION_WORDS =
  /Connection terminated|Connection ended|not queryable|connection error|timeout expired|timeout exceeded when trying to connect|Timeout acquiring a connection|embedded database has stopped/;

/** PostgreSQL: a transaction that may only read, because the server is a standby or an operator said so. */
const READ_ONLY = '25006';
/** PostgreSQL: no disk space, and no memory. */
const FULL = new Set(['53100', '53200']);

/** PostgreSQL: a statement took longer than the role, the database or an operator lets it. */
const CANCELLED = '57014';

/** U+0000, and halves of surrogate pairs where JSON is read: no text of PostgreSQL holds them. */
const UNSTORABLE_CODES = new Set(['22021', '22P05']);

function isUnstorable(error: Error): boolean {
  const isHalf = codeOf(error) === '22P02' && 'detail' in error && /surrogate/.test(String(error.detail));
  return isHalf || UNSTORABLE_CODES.has(codeOf(error));
}

function unstorable(cause: Error): InputError {
  return new InputError('A text has a character that cannot be stored, such as U+0000.', {
    scimType: 'invalidValue',
    reason: 'character-refused',
    remedy: 'Leave it out.',
    cause,
  });
}

/** PostgreSQL: more than an index holds of one value, some 2,700 bytes compressed, or than fits into any. */
const TOO_LONG = '54000';

function tooLong(cause: Error): InputError {
  return new InputError('A text is too long to be stored, such as a name of more than 2,000 characters.', {
    scimType: 'invalidValue',
    reason: 'text-too-long',
    remedy: 'Shorten it.',
    cause,
  });
}

/**
 * An error of a database that cannot be reached, may only be read, is full or too slow, as `UnavailableError`, so that an edge
 * answers 503; a text that cannot be stored, or is too long for that, as `InputError`; any other as it is.
 */
export function translateDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = codeOf(error);
  if (isUnstorable(error)) return unstorable(error);
  if (code === TOO_LONG) return tooLong(error);
  if (isReadOnly(error)) return readOnly(error);
  if (FULL.has(code)) return full(error);
  if (code === CANCELLED) return tooSlow(error);
  const lost = CONNECTION_CODES.has(code) || code.startsWith('08') || CONNECTION_WORDS.test(error.message);
  return lost ? unreachable(error) : error;
}

export function isReadOnly(error: unknown): boolean {
  return codeOf(error) === READ_ONLY;
}

export function readOnly(cause: unknown): UnavailableError {
  return new UnavailableError('the PostgreSQL server of DATABASE_URL takes no writes now', {
    reason: 'database-read-only',
    remedy: 'Wait until the failover is over; if it lasts, point DATABASE_URL at the primary.',
    cause,
  });
}

function full(cause: Error): UnavailableError {
  return new UnavailableError('the database has no room left', {
    reason: 'database-full',
    remedy: 'Free disk space, or give the database more; nothing that was acknowledged is lost.',
    cause,
  });
}

function tooSlow(cause: Error): UnavailableError {
  return new UnavailableError('the database gave up a statement that took too long', {
    reason: 'database-too-slow',
    remedy: 'Try again later; if it repeats, look at the load of the database, and at its statement_timeout.',
    cause,
  });
}

/** Whether a statement, or a commit, was refused by this constraint. */
export function violates(error: unknown, constraint: string): boolean {
  return error instanceof Error && 'constraint' in error && error.constraint === constraint;
}

/** Deadlock or serialisation failure: the transaction was undone, and may be tried again. */
export function isRetryable(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '40P01' || error.code === '40001');
}

/**
 * Undone, and tried again like a transaction that could not be serialised: what it would write belongs behind what a later
 * transaction has written already, and the journal is in the order of transactions.
 */
export class TooEarlyError extends Error {
  readonly code = '40001';
  constructor() {
    super('a later transaction than this one has written the resource');
  }
}
