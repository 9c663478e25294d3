// `npm run bench`: how long things take, as ratios to a limit measured on the same machine in the same run. Prints a
// table and writes bench/results.json. `npm run bench -- sync` or `-- scim` or `-- push` runs a part, `-- latency` how
// long reads take while a tenant is synced and pushed (BENCH_LATENCY_USERS, default 100000). Sizes: BENCH_USERS (of the sync,
// default 20000), BENCH_GROUPS (a fiftieth of it), BENCH_SCIM_USERS (default 200000), BENCH_PUSH_USERS (default 3000). BENCH_DATABASE_URL names a server to
// make databases on instead of a PostgreSQL brought along.
import { fork } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createDatabase, dropDatabase } from '../test/support/postgres-databases.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { benchLatency } from './latency.ts';
import { measurePlanning } from './planning.ts';
import { type Row, startGateway } from './processes.ts';
import { benchPush } from './push.ts';
import { benchScim } from './scim.ts';
import { call, connectTenant, message, startTenant, untilOver } from './tenant.ts';

const USERS = Number(process.env['BENCH_USERS'] ?? 20_000);
const GROUPS = Number(process.env['BENCH_GROUPS'] ?? Math.ceil(USERS / 50));
const MEMBERS = Number(process.env['BENCH_MEMBERS'] ?? 40);

const folder = mkdtempSync('/tmp/sluice-bench-');
chmodSync(folder, 0o711);
const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const rows: Row[] = [];

/** Makes databases, on the server given or on one brought along; they go with it, or at the end. */
async function databases(): Promise<(name: string) => Promise<string>> {
  const given = process.env['BENCH_DATABASE_URL'];
  if (given === undefined || given === '') {
    const server = await startPostgres(folder);
    closing.push(() => server.stop());
    return (name) => createDatabase(server.url, name);
  }
  return async (name) => {
    await dropDatabase(given, name);
    closing.push(() => dropDatabase(given, name));
    return createDatabase(given, name);
  };
}

function peakMegabytes(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

async function benchSync(newDatabase: (name: string) => Promise<string>): Promise<void> {
  const facts = await startTenant({ users: USERS, groups: GROUPS, members: MEMBERS }, folder, closing);
  const bareRead = async (): Promise<number> => {
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: facts.caFile,
      ORIGIN: facts.origin,
      TENANT: facts.tenantId,
      CLIENT: facts.clientId,
    };
    return (await message<{ ms: number }>(fork('bench/bare-read.ts', { env }))).ms;
  };
  const bare = Math.min(await bareRead(), await bareRead());
  rows.push({ what: 'bare Graph client reads the same pages', value: ms(bare), ratio: undefined, note: 'the limit' });
  const url = await newDatabase('sluice_bench');
  const { base, pid } = await startGateway(url, closing, { NODE_EXTRA_CA_CERTS: facts.caFile });
  const first = await untilOver(base, await connectTenant(base, facts));
  rows.push({
    what: 'first full sync',
    value: ms(first),
    ratio: first / bare,
    note: `peak memory ${peakMegabytes(pid)} MB`,
  });
  const { id } = await call<{ id: string }>(base, 'POST', '/sync-runs', {});
  const steady = await untilOver(base, id);
  rows.push({
    what: 'full sync in which nothing changed',
    value: ms(steady),
    ratio: steady / bare,
    note: `peak memory ${peakMegabytes(pid)} MB`,
  });
  const { readMs, planMs } = await measurePlanning(url);
  rows.push({
    what: 'the mirror read once, ids and digests',
    value: ms(readMs),
    ratio: undefined,
    note: 'the limit of planning',
  });
  rows.push({
    what: 'planning when nothing changed',
    value: ms(planMs),
    ratio: planMs / readMs,
    note: 'beside reading the mirror once',
  });
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}

function print(): void {
  console.log(`\n${USERS} users, ${GROUPS} groups, about ${GROUPS * MEMBERS} memberships in the sync, PostgreSQL\n`);
  for (const { what, value, ratio, note } of rows)
    console.log(
      `${what.padEnd(52)}${value.padStart(12)}${(ratio === undefined ? '' : `${ratio.toFixed(2)} x`).padStart(10)}   ${note}`,
    );
  writeFileSync('bench/results.json', JSON.stringify({ users: USERS, groups: GROUPS, rows }, undefined, 2));
}

const parts = process.argv.slice(2);
try {
  const newDatabase = await databases();
  if (parts.length === 0 || parts.includes('sync')) await benchSync(newDatabase);
  if (parts.length === 0 || parts.includes('scim')) rows.push(...(await benchScim(newDatabase, closing)));
  if (parts.length === 0 || parts.includes('push')) rows.push(...(await benchPush(newDatabase, closing)));
  // Long, and so on request only.
  if (parts.includes('latency')) rows.push(...(await benchLatency(newDatabase, folder, closing)));
  print();
} finally {
  for (const close of closing.reverse()) await close();
}
