// `npm run bench`: how long things take, as ratios to a limit measured on the same machine in the same run. Prints a
// table and writes bench/results.json. Sizes: BENCH_USERS (default 20000), BENCH_GROUPS (a fiftieth of it).
// BENCH_DATABASE_URL names an empty database to use instead of a PostgreSQL brought along.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDatabase } from '../test/support/postgres-databases.ts';
import { startPostgres } from '../test/support/postgres-server.ts';
import { measurePlanning } from './planning.ts';

const USERS = Number(process.env['BENCH_USERS'] ?? 20_000);
const GROUPS = Number(process.env['BENCH_GROUPS'] ?? Math.ceil(USERS / 50));
const MEMBERS = Number(process.env['BENCH_MEMBERS'] ?? 40);
const TOKEN = 'bench-admin-token-0123456789';

interface Row {
  readonly what: string;
  readonly ms: number;
  readonly ratio: number | undefined;
  readonly note: string;
}

const folder = mkdtempSync('/tmp/sluice-bench-');
chmodSync(folder, 0o711);
const closing: (() => Promise<unknown> | unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
const rows: Row[] = [];

async function database(): Promise<string> {
  const given = process.env['BENCH_DATABASE_URL'];
  if (given) return given;
  const server = await startPostgres(folder);
  closing.push(() => server.stop());
  return createDatabase(server.url, 'sluice_bench');
}

async function message<Facts>(child: ChildProcess): Promise<Facts> {
  const [facts] = await once(child, 'message');
  return facts as Facts;
}

async function startGateway(url: string, caFile: string): Promise<{ base: string; pid: number }> {
  const child = spawn(process.execPath, ['--disable-proto=delete', '--max-semi-space-size=8', 'src/main.ts'], {
    env: {
      ...process.env,
      PORT: '0',
      DATABASE_URL: url,
      ADMIN_TOKEN: TOKEN,
      SECRET_KEY: Buffer.alloc(32, 1).toString('base64'),
      NODE_EXTRA_CA_CERTS: caFile,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  closing.push(async () => {
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  for await (const chunk of child.stdout) {
    const port = /"port":(\d+)/.exec(String(chunk))?.[1];
    if (port === undefined) continue;
    child.stdout.resume();
    return { base: `http://127.0.0.1:${port}`, pid: child.pid ?? 0 };
  }
  throw new Error('the gateway did not start');
}

async function call<Body>(base: string, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await answer.json()) as Body;
}

interface Run {
  readonly id: string;
  readonly status: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

async function untilOver(base: string, id: string): Promise<number> {
  const events = await fetch(`${base}/api/v1/sync-runs/${id}/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await events.body?.pipeTo(new WritableStream());
  const run = await call<Run>(base, 'GET', `/sync-runs/${id}`);
  if (run.status !== 'succeeded') throw new Error(`the run ended ${run.status}: ${JSON.stringify(run)}`);
  return Date.parse(run.finishedAt) - Date.parse(run.startedAt);
}

function peakMegabytes(pid: number): number {
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024);
}

async function bench(): Promise<void> {
  const tenant = fork('bench/tenant-process.ts', [String(USERS), String(GROUPS), String(MEMBERS)]);
  closing.push(() => tenant.disconnect());
  const facts = await message<{ tenantId: string; origin: string; ca: string; clientId: string }>(tenant);
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, facts.ca);
  const bareRead = async (): Promise<number> => {
    const env = {
      ...process.env,
      NODE_EXTRA_CA_CERTS: caFile,
      ORIGIN: facts.origin,
      TENANT: facts.tenantId,
      CLIENT: facts.clientId,
    };
    return (await message<{ ms: number }>(fork('bench/bare-read.ts', { env }))).ms;
  };
  const bare = Math.min(await bareRead(), await bareRead());
  rows.push({ what: 'bare Graph client reads the same pages', ms: bare, ratio: undefined, note: 'the limit' });
  const url = await database();
  const { base, pid } = await startGateway(url, caFile);
  await call(base, 'PUT', '/providers/microsoft365', {
    tenantId: facts.tenantId,
    clientId: facts.clientId,
    credential: { kind: 'clientSecret', secret: 'demo-secret' },
    endpoints: { graph: facts.origin, login: facts.origin },
    scope: { groupTypes: ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] },
    initialRun: 'auto',
  });
  await call(base, 'POST', '/providers/microsoft365/activate', {});
  const { items } = await call<{ items: Run[] }>(base, 'GET', '/sync-runs');
  const first = await untilOver(base, items[0]?.id ?? '');
  rows.push({ what: 'first full sync', ms: first, ratio: first / bare, note: `peak memory ${peakMegabytes(pid)} MB` });
  const { id } = await call<Run>(base, 'POST', '/sync-runs', {});
  const steady = await untilOver(base, id);
  rows.push({
    what: 'full sync in which nothing changed',
    ms: steady,
    ratio: steady / bare,
    note: `peak memory ${peakMegabytes(pid)} MB`,
  });
  const { readMs, planMs } = await measurePlanning(url);
  rows.push({
    what: 'the mirror read once, ids and digests',
    ms: readMs,
    ratio: undefined,
    note: 'the limit of planning',
  });
  rows.push({
    what: 'planning when nothing changed',
    ms: planMs,
    ratio: planMs / readMs,
    note: 'beside reading the mirror once',
  });
}

function print(): void {
  console.log(`\n${USERS} users, ${GROUPS} groups, about ${GROUPS * MEMBERS} memberships, PostgreSQL\n`);
  for (const { what, ms, ratio, note } of rows)
    console.log(
      `${what.padEnd(44)}${String(Math.round(ms)).padStart(9)} ms${(ratio === undefined ? '' : `${ratio.toFixed(2)} x`).padStart(10)}   ${note}`,
    );
  writeFileSync('bench/results.json', JSON.stringify({ users: USERS, groups: GROUPS, rows }, undefined, 2));
}

try {
  await bench();
  print();
} finally {
  for (const close of closing.reverse()) await close();
}
