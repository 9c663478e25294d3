// Runs one server for the tests and ends it, with its folder, when the process that asked for it is gone: standard
// input is a pipe from there, and the kernel closes it even after kill -9. In a session of its own, so that Ctrl-C
// reaches it through that pipe only. A line on standard input, `down` or `up`, crashes the server or starts it again.
// Called by postgres-server.ts as: folder, uid, gid, command, ...arguments.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [folder, uid, gid, command = '', ...args] = process.argv.slice(2);
if (folder === undefined || command === '') throw new Error('postgres-guard: folder, uid, gid, command');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const log = openSync(join(folder, 'server.log'), 'a');
/** Its end is nobody's wish. */
let wanted = true;
let server = start();

function start(): ChildProcess {
  const child = spawn(command, args, {
    stdio: ['ignore', log, log],
    cwd: folder,
    ...(uid === '' ? {} : { uid: Number(uid), gid: Number(gid) }),
  });
  child.on('error', () => process.exit(1));
  child.on('exit', () => {
    if (wanted) process.exit(1);
  });
  return child;
}

/** At once, without the farewells: clients see a cut connection, and the next start recovers from the log. */
async function crash(): Promise<void> {
  wanted = false;
  if (server.exitCode !== null || server.signalCode !== null) return;
  const gone = once(server, 'exit');
  server.kill('SIGQUIT');
  await gone;
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'down') await crash();
  if (line === 'up') {
    await crash();
    wanted = true;
    server = start();
  }
}
await crash();
rmSync(folder, { recursive: true, force: true });
process.exit(0);
