// Runs one server for the tests and ends it, with its folder, when the process that asked for it is gone: standard
// input is a pipe from there, and the kernel closes it even after kill -9. In a session of its own, so that Ctrl-C
// reaches it through that pipe only. Called by postgres-server.ts as: folder, uid, gid, command, ...arguments.
import { spawn } from 'node:child_process';
import { openSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [folder, uid, gid, command, ...args] = process.argv.slice(2);
if (folder === undefined || command === undefined) throw new Error('postgres-guard: folder, uid, gid, command');

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const log = openSync(join(folder, 'server.log'), 'a');
const server = spawn(command, args, {
  stdio: ['ignore', log, log],
  cwd: folder,
  ...(uid === '' ? {} : { uid: Number(uid), gid: Number(gid) }),
});
process.stdin.on('data', () => undefined);
process.stdin.on('close', () => {
  server.kill('SIGQUIT'); // at once, without the farewells: nothing in it is wanted
  server.once('exit', () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(0);
  });
});
server.on('error', () => process.exit(1));
server.on('exit', () => {
  if (!process.stdin.destroyed) process.exit(1);
});
