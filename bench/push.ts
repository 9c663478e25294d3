// How fast a push target is written to, as a ratio to a bare client that sends the same requests to the same server.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { openDatabase } from '../src/store/database.ts';
import { migrate } from '../src/store/schema/migrate.ts';
import { fillDirectory } from './directory.ts';
import { type Row, startGateway, TOKEN } from './processes.ts';
import type { NewStorage } from './storage.ts';
import type { Recorded } from './target-process.ts';

const USERS = Number(process.env['BENCH_PUSH_USERS'] ?? 3_000);
const CONNECTIONS = 4;
/** How late the target answers: at once, which no target across a network does, and as soon as a near one. */
const DELAYS_MS = [0, 1, 5];

async function ask<Facts>(child: ChildProcess, what: unknown): Promise<Facts> {
  child.send(what as string);
  const [facts] = await once(child, 'message');
  return facts as Facts;
}

export async function benchPush(
  newStorage: NewStorage,
  closing: (() => Promise<unknown> | unknown)[],
): Promise<readonly Row[]> {
  const storage = await newStorage('sluice_bench_push');
  const database = await openDatabase(storage.options);
  await migrate(database);
  await fillDirectory(database.knex, USERS);
  await database.close();
  const target = fork('bench/target-process.ts');
  closing.push(() => target.disconnect());
  const [{ port }] = (await once(target, 'message')) as [{ port: number }];
  const origin = `http://127.0.0.1:${port}`;
  const { base, pid } = await startGateway(storage, closing, { ALLOW_LOOPBACK_WEBHOOKS: 'true' });
  const call = async (
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ id: string; [more: string]: unknown }> => {
    const answer = await fetch(`${base}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { id: string };
  };
  const rows: Row[] = [];
  let cpuMs = cpuOf(pid);
  const measure = async (what: string, app: string): Promise<void> => {
    await untilDelivered(() => call('GET', `/apps/${app}/push`));
    const { recorded, ms } = await ask<{ recorded: Recorded[]; ms: number }>(target, 'take');
    const eachMs = (cpuOf(pid) - cpuMs) / recorded.length;
    await ask(target, 'times');
    const { ms: bareMs, cpuMs: bareCpuMs } = await bare(target, origin, recorded);
    const perSecond = (time: number): string => `${Math.round((recorded.length * 1_000) / time)}/s`;
    rows.push({
      what: `bare client: ${what}`,
      value: perSecond(bareMs),
      ratio: undefined,
      note: `the limit, ${recorded.length} requests, ${CONNECTIONS} at once; ${(bareCpuMs / recorded.length).toFixed(2)} ms of its processor each`,
    });
    rows.push({
      what: `push: ${what}`,
      value: perSecond(ms),
      ratio: bareMs / ms,
      note: `requests a second, beside the bare client; ${eachMs.toFixed(2)} ms of the gateway's processor each`,
    });
    cpuMs = cpuOf(pid);
  };
  for (const delayMs of DELAYS_MS) {
    target.send({ delayMs });
    const push = {
      baseUrl: origin,
      auth: { kind: 'bearer', token: 'bench' },
      types: ['User'],
      guard: null,
      pace: { concurrency: CONNECTIONS },
    };
    const scope = { resourceTypes: ['User'], userFilter: 'active eq true' };
    const { id } = await call('POST', '/apps', { name: `answers after ${delayMs} ms`, scope, push });
    const when = delayMs === 0 ? '' : `, answered after ${delayMs} ms`;
    await measure(`look up and create users${when}`, id);
    const mapping = { User: [{ to: 'title', template: '{title}, {displayName}' }] };
    await call('PATCH', `/apps/${id}`, { push: { ...push, mapping } });
    await measure(`change users${when}`, id);
  }
  return rows;
}

/** Of a process, since it began; clock ticks are hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function bare(
  target: ChildProcess,
  origin: string,
  requests: readonly Recorded[],
): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const client = fork('bench/bare-push.ts');
  const { cpuMs } = await ask<{ cpuMs: number }>(client, { origin, connections: CONNECTIONS, requests });
  client.disconnect();
  return { ms: (await ask<{ ms: number }>(target, 'times')).ms, cpuMs };
}

async function untilDelivered(status: () => Promise<Record<string, unknown>>): Promise<void> {
  for (;;) {
    const { backfill, deliveries } = (await status()) as { backfill: unknown; deliveries: Record<string, number> };
    const open = (deliveries['pending'] ?? 0) + (deliveries['sending'] ?? 0);
    if (backfill === null && open === 0 && (deliveries['delivered'] ?? 0) > 0) return;
    if ((deliveries['dead'] ?? 0) > 0) throw new Error('a delivery of the benchmark failed');
    // Counting costs the database something that is not the push's.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
