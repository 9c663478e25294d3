import { accessSync, closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '#core/errors.ts';

const SQLITE_BUSY = 5;

/**
 * Makes the folder when it is absent and holds it against every other process until the returned function is called
 * or this process dies, however it dies: SQLite locks its file through the kernel. (A pid file would not do: in
 * containers every gateway is pid 1.) Two processes on one PGlite folder lose rows without an error.
 * @throws {ConfigError} `data-dir-not-writable`, `data-dir-in-use`
 */
export function lockFolder(folder: string): () => void {
  const file = join(folder, 'lock');
  try {
    makeFolder(folder);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    makeFile(file);
    return hold(file);
  } catch (cause) {
    if (cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY) throw inUse(folder, cause);
    throw notWritable(folder, cause);
  }
}

/** Not by `recursive`, which never returns where a parent takes no folders and says ENOENT, as below /proc. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(folder) === folder) throw error;
    makeFolder(dirname(folder));
    mkdirSync(folder, { mode: 0o700 });
  }
}

/** Never opens a file that is there: closing it again would give up this process's own lock (POSIX fcntl). */
function makeFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

function hold(file: string): () => void {
  const lock = new DatabaseSync(file, { timeout: 0 });
  try {
    lock.exec('begin exclusive');
  } catch (error) {
    lock.close();
    throw error;
  }
  return () => {
    if (lock.isOpen) lock.close();
  };
}

function inUse(folder: string, cause: unknown): ConfigError {
  return new ConfigError(`DATA_DIR "${folder}" is in use by another process`, {
    reason: 'data-dir-in-use',
    remedy: 'Stop the other gateway, give this one a DATA_DIR of its own, or set DATABASE_URL to share one PostgreSQL.',
    cause,
  });
}

function notWritable(folder: string, cause: unknown): ConfigError {
  return new ConfigError(`DATA_DIR "${folder}" cannot be written`, {
    reason: 'data-dir-not-writable',
    remedy: 'Give the user that runs the gateway write access to it, or point DATA_DIR elsewhere.',
    cause,
  });
}
