// `npm run bench`: how long things take, as ratios to a limit measured on the same machine in the same run. Prints a
// table and writes bench/results.json. `npm run bench -- sync` or `-- scim` or `-- push` runs a part, `-- latency` how
// long reads take while a tenant is synced and pushed (BENCH_LATENCY_USERS, default 100000). Sizes: BENCH_USERS (of the sync,
// default 20000), BENCH_GROUPS (a fiftieth of it), BENCH_SCIM_USERS (default 200000), BENCH_PUSH_USERS (default 3000).
// BENCH_ANSWER_MS is how long the simulated tenant thinks before each answer (default 0: as fast as this machine can).
// BENCH_DATABASE=embedded measures the embedded database, and BENCH_DATABASE_URL a server instead of the one brought along.
import { type ChildProcess, fork } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { benchLatency } from './latency.ts';
import { measurePlanning } from './planning.ts';
import { type Row, startGateway } from './processes.ts';
import { benchPush } from './push.ts';
import { benchScim } from './scim.ts';
import { chooseStorage, type NewStorage } from './storage.ts';
import { connectTenant, message, startRun, startTenant, type TenantFacts, untilOver } from './tenant.ts';
import { measureWriting } from './writing.ts';

const USERS = Number(process.env['BENCH_USERS'] ?? 20_000);
const GROUPS = Number(process.env['BENCH_GROUPS'] ?? Math.ceil(USERS / 50));
const MEMBERS = Number(process.env['BENCH_MEMBERS'] ?? 40);
const CHANGED = 10;

const folder = mkdtempSync('/tmp/sluice-bench-');
chmodSync(folder, 0o711);
const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const rows: Row[] = [];

function peakMegabytes(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

async function benchSync(newStorage: NewStorage): Promise<void> {
  const facts = await startTenant({ users: USERS, groups: GROUPS, members: MEMBERS }, folder, closing);
  const bareClient = (more: Readonly<Record<string, string>> = {}): ChildProcess => {
    const { caFile, origin, tenantId, clientId } = facts;
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: caFile, ORIGIN: origin, TENANT: tenantId, CLIENT: clientId };
    return fork('bench/bare-read.ts', { env: { ...env, ...more } });
  };
  const bareRead = async (): Promise<number> => (await message<{ ms: number }>(bareClient())).ms;
  const bare = Math.min(await bareRead(), await bareRead());
  rows.push({ what: 'bare Graph client reads the same pages', value: ms(bare), ratio: undefined, note: 'the limit' });
  const storage = await newStorage('sluice_bench');
  const { base, pid, stop } = await startGateway(storage, closing, { NODE_EXTRA_CA_CERTS: facts.caFile });
  const note = (what: string, time: number): void =>
    void rows.push({ what, value: ms(time), ratio: time / bare, note: `peak memory ${peakMegabytes(pid)} MB` });
  const first = await untilOver(base, await connectTenant(base, facts));
  note('first full sync', first);
  note('full sync in which nothing changed', await untilOver(base, await startRun(base, 'full')));
  await benchChanges(base, facts, bareClient);
  // The embedded database lets one process in.
  await stop();
  const atLeast = bare + (await measureWriting(storage));
  rows.push({
    what: 'first full sync beside the read, and its rows written',
    value: ms(atLeast),
    ratio: first / atLeast,
    note: 'in one statement for each table, with indexes',
  });
  const { readMs, planMs } = await measurePlanning(storage);
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

/** An incremental cycle beside the bare client, which asks for the same changes and drops them. */
async function benchChanges(
  base: string,
  { change }: TenantFacts,
  bareClient: (more: Readonly<Record<string, string>>) => ChildProcess,
): Promise<void> {
  const bare = bareClient({ CHANGES: 'true' });
  await message(bare);
  await change(CHANGED);
  const cycle = await untilOver(base, await startRun(base, 'incremental'));
  const limit = message<{ ms: number }>(bare);
  bare.send('go');
  const { ms: bareMs } = await limit;
  rows.push({
    what: `bare Graph client reads ${CHANGED} changes`,
    value: ms(bareMs),
    ratio: undefined,
    note: 'the limit of a cycle',
  });
  rows.push({
    what: `incremental cycle, ${CHANGED} changed`,
    value: ms(cycle),
    ratio: cycle / bareMs,
    note: 'aim < 1 s',
  });
}

function ms(time: number): string {
  return `${Math.round(time)} ms`;
}

function print(kind: string): void {
  console.log(`\n${USERS} users, ${GROUPS} groups, about ${GROUPS * MEMBERS} memberships in the sync, ${kind}\n`);
  for (const { what, value, ratio, note } of rows)
    console.log(
      `${what.padEnd(52)}${value.padStart(12)}${(ratio === undefined ? '' : `${ratio.toFixed(2)} x`).padStart(10)}   ${note}`,
    );
  writeFileSync('bench/results.json', JSON.stringify({ kind, users: USERS, groups: GROUPS, rows }, undefined, 2));
}

const parts = process.argv.slice(2);
try {
  const { kind, newStorage } = await chooseStorage(folder, closing);
  if (parts.length === 0 || parts.includes('sync')) await benchSync(newStorage);
  if (parts.length === 0 || parts.includes('scim')) rows.push(...(await benchScim(newStorage, closing)));
  if (parts.length === 0 || parts.includes('push')) rows.push(...(await benchPush(newStorage, closing)));
  // Long, and so on request only.
  if (parts.includes('latency')) rows.push(...(await benchLatency(newStorage, folder, closing)));
  print(kind);
} finally {
  for (const close of closing.reverse()) await close();
}
