// The process and its machine: settings, disk, time zones, and the gateway that may be running here.
import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isTimeZone } from '#core/schedule.ts';
import { type Config, publicUrl } from '#platform/config.ts';
import type { Finding } from './report.ts';

const AREA = 'Process';
const LOW_SHARE = 0.1;
const LOW_BYTES = 1024 ** 3;

export async function lookAtProcess(config: Config): Promise<Finding[]> {
  return [await lookAtGateway(config), ...lookAtMachine(config)];
}

/** What can be said of a process from inside. */
export function lookAtMachine(config: Config): Finding[] {
  return [lookAtUrl(config), lookAtDisk(config), lookAtZones(), lookAtRuntime()];
}

/** Asks the gateway that listens where this configuration says. */
async function lookAtGateway({ HOST, PORT }: Config): Promise<Finding> {
  const base = publicUrl({ PUBLIC_URL: undefined, HOST }, PORT);
  const about = { area: AREA, name: 'gateway' };
  try {
    const response = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const { checks = [] } = (await response.json()) as { checks?: { ok: boolean; detail?: string; name: string }[] };
    const wrong = checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
    if (response.ok) return { ...about, level: 'ok', detail: `It answers at ${base} and is ready.` };
    return {
      ...about,
      level: 'problem',
      detail: `It is not ready. ${wrong.join(' ')}`,
      remedy: 'Look at the log of the gateway.',
    };
  } catch {
    return { ...about, level: 'skipped', detail: `Nothing answers at ${base}.` };
  }
}

function lookAtUrl({ PUBLIC_URL, HOST, ROLE }: Config): Finding {
  const about = { area: AREA, name: 'PUBLIC_URL' };
  if (PUBLIC_URL?.startsWith('https://'))
    return { ...about, level: 'ok', detail: `Others reach the gateway at ${PUBLIC_URL}.` };
  if (ROLE === 'worker' && PUBLIC_URL !== undefined) return { ...about, level: 'ok', detail: PUBLIC_URL };
  const what = PUBLIC_URL === undefined ? 'It is not set' : 'It is not https';
  return {
    ...about,
    level: 'warning',
    detail: `${what}, and HOST is ${HOST}: links in messages lead to this machine, and Microsoft 365 cannot notify of changes.`,
    remedy: 'Set PUBLIC_URL to the https address of the proxy in front of the gateway.',
  };
}

function lookAtDisk({ DATA_DIR, DATABASE_URL }: Config): Finding {
  const about = { area: AREA, name: 'disk' };
  if (DATABASE_URL !== undefined) return { ...about, level: 'skipped', detail: 'The data is in PostgreSQL.' };
  let folder = resolve(DATA_DIR);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, blocks, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const detail = `${inGigabytes(free)} of ${inGigabytes(blocks * bsize)} are free where DATA_DIR is.`;
  if (free > LOW_BYTES && bavail > LOW_SHARE * blocks) return { ...about, level: 'ok', detail };
  return { ...about, level: 'warning', detail, remedy: 'Make room: the database stops writing when there is none.' };
}

function inGigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

/** The rules of zones that changed lately, of which an image without its data knows nothing. */
function lookAtZones(): Finding {
  const about = { area: AREA, name: 'time zones' };
  const missing = ['Europe/Berlin', 'Asia/Seoul', 'America/Sao_Paulo', 'Pacific/Auckland'].filter(
    (zone) => !isTimeZone(zone),
  );
  const { tz = 'unknown' } = process.versions as { tz?: string };
  if (missing.length === 0)
    return {
      ...about,
      level: 'ok',
      detail: `Data of ${tz}; this process runs in ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`,
    };
  return {
    ...about,
    level: 'problem',
    detail: `No data of ${missing.join(', ')}.`,
    remedy: 'Use a Node.js with full ICU data, as the official ones have.',
  };
}

function lookAtRuntime(): Finding {
  const about = { area: AREA, name: 'Node.js' };
  const isNew = Number(process.versions.node.split('.')[0]) >= 24;
  return isNew
    ? { ...about, level: 'ok', detail: process.versions.node }
    : { ...about, level: 'problem', detail: process.versions.node, remedy: 'Use Node.js 24 or later.' };
}
