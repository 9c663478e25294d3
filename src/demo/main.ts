// `npm run demo`: a simulated Microsoft 365 tenant, the gateway in front of it as a process of its own, and a sample
// app behind it. Everything lives in a temporary folder; Ctrl-C stops and removes all of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type GraphServer, startGraphServer } from './graph-server.ts';
import { startPushedApp } from './pushed-app.ts';
import { startSampleApp } from './sample-app.ts';
import { makeTenant } from './tenant.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
const adminToken = `demo-${randomBytes(24).toString('base64url')}`;
const closing: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
let stopping = false;

async function stop(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  for (const close of closing.reverse()) await close();
  process.exit(code);
}

/** A free port, the one asked for when it is free. */
async function freePort(wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const probe = createServer();
    const found = await new Promise<number | undefined>((resolve) => {
      probe.once('error', () => resolve(undefined));
      probe.listen(port, '127.0.0.1', () => resolve((probe.address() as { port: number }).port));
    });
    if (found === undefined) continue;
    await new Promise((resolve) => probe.close(resolve));
    return found;
  }
  throw new Error('no port is free');
}

async function startGateway(port: number, ca: string): Promise<ChildProcess> {
  const caFile = join(folder, 'authority.pem');
  writeFileSync(caFile, ca);
  const child = spawn(
    process.execPath,
    [
      '--disable-proto=delete',
      '--max-semi-space-size=8',
      '--heap-growing-percent=100',
      fileURLToPath(new URL('../main.ts', import.meta.url)),
    ],
    {
      env: {
        ...process.env,
        PORT: String(port),
        HOST: '127.0.0.1',
        PUBLIC_URL: '',
        DATABASE_URL: '',
        DATA_DIR: join(folder, 'data'),
        ADMIN_TOKEN: adminToken,
        SECRET_KEY: '',
        ROLE: 'all',
        LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'warn',
        NODE_EXTRA_CA_CERTS: caFile,
        ALLOW_LOOPBACK_WEBHOOKS: 'true',
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    },
  );
  child.once('exit', () => void stop(1));
  closing.push(async () => {
    child.removeAllListeners('exit');
    if (child.exitCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  });
  return child;
}

async function call<Answer>(base: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Answer;
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

async function untilReady(base: string): Promise<void> {
  for (;;) {
    const ready = await fetch(`${base}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    await wait(200);
  }
}

interface Run {
  readonly id: string;
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
}

async function untilOver(base: string, id: string): Promise<Run> {
  for (;;) {
    const run = await call<Run>(base, 'GET', `/api/v1/sync-runs/${id}`);
    if (run.status !== 'queued' && run.status !== 'running') return run;
    await wait(300);
  }
}

async function demo(): Promise<void> {
  console.log('Starting a simulated Microsoft 365 tenant, the gateway and a sample app ...');
  const tenant = makeTenant();
  const graph = await startGraphServer(tenant);
  closing.push(() => graph.close());
  const port = await freePort(8080);
  const base = `http://127.0.0.1:${port}`;
  await startGateway(port, graph.ca);
  await untilReady(base);
  await call(base, 'PUT', '/api/v1/providers/microsoft365', {
    tenantId: tenant.id,
    clientId: graph.application.clientId,
    credential: { kind: 'clientSecret', secret: graph.application.secret },
    endpoints: { graph: graph.origin, login: graph.origin },
    scope: { groupTypes: ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'] },
    initialRun: 'auto',
  });
  await call(base, 'POST', '/api/v1/providers/microsoft365/activate', {});
  const runs = await call<{ items: Run[] }>(base, 'GET', '/api/v1/sync-runs');
  const run = await untilOver(base, runs.items[0]?.id ?? '');
  const app = await call<{ id: string }>(base, 'POST', '/api/v1/apps', { name: 'Sample app' });
  const { token } = await call<{ token: string }>(base, 'POST', `/api/v1/apps/${app.id}/tokens`, {});
  const sample = await startSampleApp({ scim: `${base}/scim/v2`, token, port: await freePort(8081) });
  closing.push(() => sample.close());
  const read = await sample.refresh();
  const pushed = await startPushed(base);
  print({ base, sample: sample.url, graph, tenantId: tenant.id, token, run, read, pushed });
}

/** An app that the gateway writes to, and its push target. */
async function startPushed(base: string): Promise<string> {
  const token = randomBytes(24).toString('base64url');
  const app = await startPushedApp({ token, port: await freePort(8082) });
  closing.push(() => app.close());
  const push = { baseUrl: `${app.url}/scim`, auth: { kind: 'bearer', token } };
  await call(base, 'POST', '/api/v1/apps', { name: 'Pushed app', push });
  return app.url;
}

function print(facts: {
  base: string;
  sample: string;
  graph: Pick<GraphServer, 'origin' | 'application'>;
  tenantId: string;
  token: string;
  run: Run;
  read: { users: number; groups: number };
  pushed: string;
}): void {
  const { base, sample, graph, tenantId, token, run, read, pushed } = facts;
  console.log(`
The first sync ${run.status}: ${JSON.stringify(run.counts)}
The sample app read ${read.users} users and ${read.groups} groups over SCIM.

  Console      ${base}         (sign in with the admin token; API reference: ${base}/api/docs)
  Sample app   ${sample}         (reads over SCIM)
  Pushed app   ${pushed}         (the gateway writes to it; it fills while you look)
  Tenant       ${graph.origin}         (to connect it yourself: tenant ${tenantId},
               application ${graph.application.clientId}, client secret ${graph.application.secret}, under
               "Addresses of its own" the address on the left for both)
  Admin token  ${adminToken}

Paste these:

curl -s -H 'Authorization: Bearer ${token}' '${base}/scim/v2/Users?count=2'
curl -s -H 'Authorization: Bearer ${token}' -G '${base}/scim/v2/Users' --data-urlencode 'filter=name.familyName eq "Lovelace" and active eq true' --data-urlencode 'attributes=userName,displayName'
curl -s -H 'Authorization: Bearer ${adminToken}' -X POST '${base}/api/v1/sync-runs'

Ctrl-C stops everything.`);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0));
try {
  await demo();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  await stop(1);
}
