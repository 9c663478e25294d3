// The simulated tenant of the benchmarks, and how a gateway is connected to it.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TOKEN } from './processes.ts';

export interface TenantFacts {
  readonly tenantId: string;
  readonly origin: string;
  readonly ca: string;
  readonly clientId: string;
  /** File with its authority. */
  readonly caFile: string;
  /** So many people get another title. */
  change(count: number): Promise<void>;
}

export interface TenantSize {
  readonly users: number;
  readonly groups: number;
  readonly members: number;
}

/** The next message of a child. */
export async function message<Facts>(child: ChildProcess): Promise<Facts> {
  const [facts] = await once(child, 'message');
  return facts as Facts;
}

export async function startTenant(
  { users, groups, members }: TenantSize,
  folder: string,
  closing: (() => Promise<unknown> | unknown)[],
): Promise<TenantFacts> {
  const tenant = fork('bench/tenant-process.ts', [String(users), String(groups), String(members)]);
  closing.push(() => tenant.disconnect());
  const facts = await message<Omit<TenantFacts, 'caFile' | 'change'>>(tenant);
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, facts.ca);
  const change = async (count: number): Promise<void> => {
    const changed = once(tenant, 'message');
    tenant.send(count);
    await changed;
  };
  return { ...facts, caFile, change };
}

export async function call<Body>(base: string, method: string, path: string, body?: unknown): Promise<Body> {
  const answer = await fetch(`${base}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as Body;
}

interface Run {
  readonly id: string;
  readonly status: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** Saves and activates the tenant; answers the run that begins by itself. */
export async function connectTenant(base: string, facts: TenantFacts): Promise<string> {
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
  return items[0]?.id ?? '';
}

/** Answers its id. */
export async function startRun(base: string, mode: 'full' | 'incremental'): Promise<string> {
  return (await call<{ id: string }>(base, 'POST', '/sync-runs', { mode })).id;
}

/** Waits for the end of a run by its own event stream; answers how long it took, in ms. */
export async function untilOver(base: string, id: string): Promise<number> {
  const events = await fetch(`${base}/api/v1/sync-runs/${id}/events`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  await events.body?.pipeTo(new WritableStream());
  const run = await call<Run>(base, 'GET', `/sync-runs/${id}`);
  if (run.status !== 'succeeded') throw new Error(`the run ended ${run.status}: ${JSON.stringify(run)}`);
  return Date.parse(run.finishedAt) - Date.parse(run.startedAt);
}
