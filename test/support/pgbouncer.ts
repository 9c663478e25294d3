// PgBouncer in transaction pooling in front of a PostgreSQL, from Debian's package, on a free port and as nobody special.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, chmodSync, constants, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './ports.ts';
import { answers, unprivilegedAccount } from './postgres-server.ts';

const BINARY = '/usr/sbin/pgbouncer';

/** Why it cannot run here, or false: for `describe(…, { skip: bouncerMissing })`. */
export const bouncerMissing: string | false = missing();

export interface Bouncer {
  /** The database it was started for, by way of the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

function missing(): string | false {
  try {
    accessSync(BINARY, constants.X_OK);
    return false;
  } catch {
    return 'PgBouncer is not installed here';
  }
}

/**
 * Starts it in `folder`, which other users must be able to pass through, with as few server connections as given, so that
 * two transactions of one client hardly ever meet the same one.
 */
export async function startBouncer(databaseUrl: string, folder: string, poolSize = 4): Promise<Bouncer> {
  const to = new URL(databaseUrl);
  const place = join(folder, 'pgbouncer');
  mkdirSync(place, { recursive: true, mode: 0o755 });
  const port = await freePort();
  const name = to.pathname.slice(1);
  const user = decodeURIComponent(to.username);
  const password = decodeURIComponent(to.password);
  const ini = `[databases]
${name} = host=${to.hostname} port=${to.port || 5432} dbname=${name} user=${user}${password === '' ? '' : ` password='${password}'`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${join(place, 'users.txt')}
pool_mode = transaction
default_pool_size = ${poolSize}
max_client_conn = 200
server_lifetime = 20
server_login_retry = 1
`;
  writeFileSync(join(place, 'users.txt'), `"${user}" "${password}"\n`);
  writeFileSync(join(place, 'pgbouncer.ini'), ini);
  for (const file of ['users.txt', 'pgbouncer.ini']) chmodSync(join(place, file), 0o644);
  const account = process.getuid?.() === 0 ? unprivilegedAccount() : {};
  const child = spawn(BINARY, ['-q', join(place, 'pgbouncer.ini')], { stdio: 'ignore', cwd: '/', ...account });
  const gone = once(child, 'exit');
  const url = `postgres://${to.username}@127.0.0.1:${port}/${name}`;
  await Promise.race([answers(url), gone.then(() => Promise.reject(new Error('PgBouncer does not start')))]);
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await gone;
      rmSync(place, { recursive: true, force: true });
    },
  };
}
