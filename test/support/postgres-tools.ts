// The client programs of PostgreSQL that are installed here, and a server that they can read: pg_dump refuses one that
// is newer than itself, as the one of the tests may be.
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres } from './postgres-server.ts';

export interface DumpableServer {
  readonly url: string;
  /** Why its databases cannot be dumped after all, or false. */
  readonly missing: string | false;
  stop(): Promise<void>;
}

/** The server at `url` where this pg_dump reads it, else a new one from the binaries that were installed with pg_dump. */
export async function dumpableServer(url: string): Promise<DumpableServer> {
  const major = majorOfTool();
  const stop = async (): Promise<void> => undefined;
  if (major === undefined) return { url, missing: 'no pg_dump is installed here', stop };
  if (major >= (await majorOfServer(url))) return { url, missing: false, stop };
  // As root the server runs as another user, who must get through to its folder.
  const bin = `/usr/lib/postgresql/${major}/bin`;
  if (!existsSync(join(bin, 'initdb'))) return { url, missing: `pg_dump is of ${major}, with no server of it`, stop };
  const folder = mkdtempSync(join(process.getuid?.() === 0 ? '/tmp' : tmpdir(), 'sluice-dump-'));
  chmodSync(folder, 0o711);
  return { ...(await startPostgres(folder, { bin })), missing: false };
}

function majorOfTool(): number | undefined {
  try {
    const version = execFileSync('pg_dump', ['--version'], { encoding: 'utf8' });
    return Number(/(\d+)\./.exec(version)?.[1]);
  } catch {
    return undefined;
  }
}

async function majorOfServer(url: string): Promise<number> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query(`select current_setting('server_version_num')::int / 10000 as major`);
    return rows[0].major;
  } finally {
    await client.end();
  }
}
