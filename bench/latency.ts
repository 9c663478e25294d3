// How long SCIM reads take while everything else goes on: idle, while a tenant is read and planned and applied for the first
// time, and while all of it is pushed to a target.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type Row, startGateway, TOKEN } from './processes.ts';
import type { NewStorage } from './storage.ts';
import { call, connectTenant, message, startTenant, untilOver } from './tenant.ts';

const USERS = Number(process.env['BENCH_LATENCY_USERS'] ?? 100_000);
const PUSHED = Number(process.env['BENCH_LATENCY_PUSHED'] ?? 10_000);
const IDLE_MS = 5_000;

interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export async function benchLatency(
  newStorage: NewStorage,
  folder: string,
  closing: (() => Promise<unknown> | unknown)[],
): Promise<readonly Row[]> {
  const facts = await startTenant({ users: USERS, groups: Math.ceil(USERS / 50), members: 40 }, folder, closing);
  const storage = await newStorage('sluice_bench_latency');
  const environment = { NODE_EXTRA_CA_CERTS: facts.caFile, ALLOW_LOOPBACK_WEBHOOKS: 'true' };
  const { base } = await startGateway(storage, closing, environment);
  const path = await makeReader(base);
  const probe = fork('bench/latency-process.ts');
  closing.push(() => probe.disconnect());
  const rows: Row[] = [];
  let idle: Latency | undefined;
  const during = async (what: string, work: Promise<unknown>): Promise<void> => {
    probe.send({ url: `${base}${path}`, token: TOKEN });
    await work;
    probe.send('stop');
    const latency = await message<Latency>(probe);
    idle ??= latency;
    const { count, p50, p99, most } = latency;
    rows.push({
      what: `SCIM read: p99 ${what}`,
      value: `${p99.toFixed(1)} ms`,
      ratio: latency === idle ? undefined : p99 / idle.p99,
      note: `p50 ${p50.toFixed(1)} ms, slowest ${most.toFixed(0)} ms of ${count}, fifty a second`,
    });
  };
  await during('while nothing else happens', new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  await during(`while ${USERS} users are synced`, untilOver(base, await connectTenant(base, facts)));
  await during(`while ${PUSHED} of them are pushed`, push(base, closing));
  return rows;
}

/** A user of its own, that no run touches. */
async function makeReader(base: string): Promise<string> {
  const answer = await fetch(`${base}/scim/v2/Users`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' },
    body: JSON.stringify({ schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'reader' }),
  });
  const { id } = (await answer.json()) as { id: string };
  return `/scim/v2/Users/${id}`;
}

async function push(base: string, closing: (() => Promise<unknown> | unknown)[]): Promise<void> {
  const target = fork('bench/target-process.ts');
  closing.push(() => target.disconnect());
  const [{ port }] = (await once(target, 'message')) as [{ port: number }];
  const auth = { kind: 'bearer', token: 'bench' };
  const { id } = await call<{ id: string }>(base, 'POST', '/apps', {
    name: 'bench',
    scope: { resourceTypes: ['User'] },
    push: { baseUrl: `http://127.0.0.1:${port}`, auth, types: ['User'], guard: null },
  });
  for (;;) {
    const { deliveries } = await call<{ deliveries: Record<string, number> }>(base, 'GET', `/apps/${id}/push`);
    if ((deliveries['delivered'] ?? 0) >= Math.min(PUSHED, USERS * 0.9)) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
