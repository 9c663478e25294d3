// A whole gateway in this process, on a fresh database, in front of a simulated tenant; and the same as a process of
// its own, for tests that kill it.
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { compose } from '#compose';
import { type GraphServer, type GraphServerOptions, startGraphServer } from '#demo/graph-server.ts';
import type { Tenant } from '#demo/tenant.ts';
import { makeServer } from '#http/server.ts';
import { readConfig } from '#platform/config.ts';
import { makeLog } from '#platform/log.ts';
import { trust } from './certificate.ts';
import { createTestDatabase, type DatabaseKind, makeFolder } from './database.ts';

export const ADMIN_TOKEN = 'test-admin-token-0123456789';
export const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');

/** JSON in, JSON out, with the admin token unless another is given. */
export interface Api {
  readonly base: string;
  call<Answer = unknown>(
    method: string,
    path: string,
    body?: unknown,
    token?: string,
  ): Promise<{ status: number; body: Answer; headers: Headers }>;
}

export interface TestGateway extends Api {
  close(): Promise<void>;
}

/** Where a gateway of a test keeps its data, as environment variables. */
export async function freshStorage(kind: DatabaseKind): Promise<Record<string, string>> {
  if (kind === 'postgres') return { DATABASE_URL: await createTestDatabase(process.env['TEST_POSTGRES_TEMPLATE']) };
  const dataDir = makeFolder();
  const template = process.env['TEST_EMBEDDED_TEMPLATE'];
  if (template) cpSync(template, dataDir, { recursive: true });
  return { DATA_DIR: dataDir };
}

/**
 * @param storage where it keeps its data, and any other variable of its environment
 * @param publicUrl what others reach it by; its own address without it
 */
export async function startGateway(storage: Record<string, string>, publicUrl?: string): Promise<TestGateway> {
  const config = readConfig({ ADMIN_TOKEN, SECRET_KEY, PORT: '0', LOG_LEVEL: 'error', ...storage });
  let base = '';
  const gateway = await compose(config, makeLog(process.env['TEST_LOG'] ?? 'fatal'), () => publicUrl ?? base);
  const server = makeServer(gateway.app, () => publicUrl?.startsWith('https:') === true);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...makeApi(base),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await gateway.close();
      await closed;
    },
  };
}

export function makeApi(base: string): Api {
  return {
    base,
    async call(method, path, body, token = ADMIN_TOKEN) {
      const response = await fetch(`${base}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text), headers: response.headers };
    },
  };
}

/** A simulated tenant whose authority this process trusts. */
export async function startTenant(tenant: Tenant, options?: GraphServerOptions): Promise<GraphServer> {
  const server = await startGraphServer(tenant, options);
  trust(server.ca);
  return server;
}

export const EVERY_GROUP_TYPE = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'];

export function settingsFor(
  tenant: Tenant,
  graph: GraphServer,
  changes: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    tenantId: tenant.id,
    clientId: graph.application.clientId,
    credential: { kind: 'clientSecret', secret: graph.application.secret },
    endpoints: { graph: graph.origin, login: graph.origin },
    scope: { groupTypes: EVERY_GROUP_TYPE },
    initialRun: 'auto',
    ...changes,
  };
}

export interface RunBody {
  readonly id: string;
  readonly status: string;
  readonly planId: string | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly guard: { held: string[]; reasons: { code: string; class?: string; message: string }[] } | null;
  readonly error: { failure: string; code: string; message: string; remedy: string | null } | null;
  readonly trigger: string;
}

/** Saves and activates, and waits for the run that starts by itself. */
export async function connect(api: Api, settings: Record<string, unknown>): Promise<RunBody> {
  await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settings), 200);
  await expectStatus(api.call('POST', '/api/v1/providers/microsoft365/activate', {}), 200);
  const { body } = await api.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs');
  return untilOver(api, body.items[0]?.id ?? '');
}

/** Saves settings, by way of their impact plan where they would take somebody away. */
export async function saveSettings(api: Api, settings: Record<string, unknown>): Promise<void> {
  const path = '/api/v1/providers/microsoft365';
  const answer = await api.call<{ planId?: string }>('PUT', path, settings);
  const confirmed = answer.status === 409 ? `${path}?confirmImpact=${answer.body.planId}` : undefined;
  if (confirmed !== undefined) await expectStatus(api.call('PUT', confirmed, settings), 200);
  else await expectStatus(Promise.resolve(answer), 200);
}

/** Starts a run, after one that the gateway has begun by itself, and waits until it is over or held. */
export async function sync(api: Api, options: Record<string, unknown> = {}): Promise<RunBody> {
  for (;;) {
    const answer = await api.call<RunBody & { runId?: string }>('POST', '/api/v1/sync-runs', options);
    if (answer.status !== 409 || answer.body.runId === undefined)
      return untilOver(api, (await expectStatus(Promise.resolve(answer), 202)).body.id);
    await untilOver(api, answer.body.runId);
  }
}

export async function approve(api: Api, planId: string | null): Promise<RunBody> {
  const { body } = await expectStatus(api.call<{ runId: string }>('POST', `/api/v1/plans/${planId}/approve`), 202);
  return untilOver(api, body.runId);
}

/** Follows the run's own event stream to its end. */
export async function untilOver(api: Api, runId: string): Promise<RunBody> {
  const response = await fetch(`${api.base}/api/v1/sync-runs/${runId}/events`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  const events = (await response.text()).split('\n').filter((line) => line.startsWith('data: '));
  return JSON.parse(events.at(-1)?.slice(6) ?? '{}');
}

export async function expectStatus<Answer extends { status: number; body: unknown }>(
  answer: Promise<Answer>,
  status: number,
): Promise<Answer> {
  const got = await answer;
  if (got.status !== status) throw new Error(`expected ${status}, got ${got.status}: ${JSON.stringify(got.body)}`);
  return got;
}

export interface GatewayProcess extends Api {
  readonly child: ChildProcess;
  /** Everything that it wrote to its standard output and error. */
  output(): string;
  /** Kills it as a power cut would, and waits until it is gone. */
  kill(): Promise<void>;
  /** Stops it as a rollout does, and waits until it is gone. Answers its exit code. */
  stop(): Promise<number | null>;
}

/** The gateway as a process of its own, ready to answer. */
export async function spawnGateway(storage: Record<string, string>, ca: string): Promise<GatewayProcess> {
  const child = spawn(process.execPath, ['--disable-proto=delete', 'src/main.ts'], {
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ADMIN_TOKEN,
      SECRET_KEY,
      PORT: '0',
      LOG_LEVEL: 'info',
      NODE_EXTRA_CA_CERTS: ca,
      ...storage,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    process.stderr.write(chunk);
  });
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${output}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const found = /"port":(\d+)\D/.exec(output)?.[1];
      if (found !== undefined) resolve(Number(found));
    });
  });
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const gone = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    return gone;
  };
  return {
    ...makeApi(`http://127.0.0.1:${port}`),
    child,
    output: () => output,
    async kill() {
      await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
  };
}
