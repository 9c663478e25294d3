// The active provider: whether it lets us in, what we may read, and whether its clock is ours.

import { describeError } from '#core/failure.ts';
import type { ProviderKind } from '#core/provider.ts';
import type { PermissionReview } from '#core/source.ts';
import type { Seal } from '#platform/seal.ts';
import type { Microsoft365Settings } from '#providers/microsoft365/settings.ts';
import { endpointsOf } from '#providers/microsoft365/sign-in/endpoints.ts';
import { type Db, sql } from '#store/database.ts';
import { type ProviderRow, readActiveProvider } from '#store/source/settings.ts';
import { openSettings } from '#sync/provider/settings.ts';
import type { Finding } from './report.ts';

const AREA = 'Source';
const WITHIN_MS = 60_000;
/** Microsoft refuses assertions that are further off than some minutes. */
const SKEW_MS_MAX = 60_000;

export interface SourceParts {
  readonly db: Db;
  readonly kinds: ReadonlyMap<string, ProviderKind>;
  readonly seal: Seal;
}

export async function lookAtSource({ db, kinds, seal }: SourceParts): Promise<Finding[]> {
  const row = await readActiveProvider(db);
  if (row === undefined)
    return [
      {
        area: AREA,
        name: 'provider',
        level: 'skipped',
        detail: 'None is active.',
        remedy: 'Set one up in the console.',
      },
    ];
  const kind = kinds.get(row.kind);
  if (kind === undefined) return [];
  const findings = [await lookAtRuns(db, row)];
  let settings: unknown;
  try {
    settings = openSettings(kind, row, seal);
  } catch (error) {
    const { message, remedy } = describeError(error);
    return [...findings, { area: AREA, name: 'settings', level: 'problem', detail: message, remedy }];
  }
  return [...findings, ...(await lookThrough(kind, settings))];
}

async function lookThrough(kind: ProviderKind, settings: unknown): Promise<Finding[]> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const findings: Finding[] = [];
  const attempt = async (name: string, work: () => Promise<readonly Finding[]>): Promise<void> => {
    try {
      findings.push(...(await work()));
    } catch (error) {
      const { message, remedy } = describeError(error);
      findings.push({ area: AREA, name, level: 'problem', detail: message, remedy });
    }
  };
  await attempt('connection', async () =>
    (await kind.test(settings, signal)).map(({ name, ok, detail, remedy }) => ({
      area: AREA,
      name,
      level: ok ? 'ok' : 'problem',
      detail,
      remedy,
    })),
  );
  const { permissions } = kind.source ?? {};
  if (permissions !== undefined)
    await attempt('permissions', async () => permissionsOf(await permissions(settings, signal)));
  if (kind.kind === 'microsoft365')
    await attempt('clock', async () => [await clockOf(endpointsOf(settings as Microsoft365Settings).login, signal)]);
  return findings;
}

function permissionsOf({ missing, superfluous, entraUrl }: PermissionReview): Finding[] {
  const about = { area: AREA, name: 'permissions' };
  if (missing.length > 0)
    return [
      {
        ...about,
        level: 'problem',
        detail: `Missing: ${missing.map(({ name }) => name).join(', ')}.`,
        remedy: `Grant them in Entra${entraUrl === undefined ? '' : `: ${entraUrl}`}.`,
      },
    ];
  if (superfluous.length > 0)
    return [
      {
        ...about,
        level: 'warning',
        detail: `More than is needed: ${superfluous.join(', ')}.`,
        remedy: 'Take back what nothing uses.',
      },
    ];
  return [{ ...about, level: 'ok', detail: 'All that is needed, and nothing more.' }];
}

async function clockOf(login: string, signal: AbortSignal): Promise<Finding> {
  const about = { area: AREA, name: 'clock' };
  const began = Date.now();
  const response = await fetch(login, { method: 'HEAD', redirect: 'manual', signal });
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Number.isNaN(date)) return { ...about, level: 'skipped', detail: 'The token endpoint does not tell its time.' };
  // It tells whole seconds.
  const skew = date + 500 - (began + Date.now()) / 2;
  const detail = `The token endpoint is ${Math.abs(Math.round(skew / 1000))} s ${skew < 0 ? 'behind' : 'ahead of'} this machine.`;
  if (Math.abs(skew) < SKEW_MS_MAX) return { ...about, level: 'ok', detail };
  return {
    ...about,
    level: 'problem',
    detail,
    remedy: 'Set the clock of this machine (NTP): tokens are refused otherwise.',
  };
}

async function lookAtRuns(db: Db, row: ProviderRow): Promise<Finding> {
  const about = { area: AREA, name: 'last run' };
  const { rows } = await sql(
    db,
    `select status, error->>'message' as message, error->>'remedy' as remedy, extract(epoch from now() - created_at)::int as age
     from runs where provider = ? order by seq desc limit 1`,
    [row.kind],
  );
  if (rows.length === 0) return { ...about, level: 'warning', detail: `${row.kind} has not run yet.` };
  const { status, message, remedy, age } = rows[0];
  const detail = `${row.kind} ${status}, ${Math.round(age / 60)} minutes ago.${message === null ? '' : ` ${message}`}`;
  const isBad = ['failed', 'incomplete', 'abandoned'].includes(status);
  if (isBad) return { ...about, level: 'problem', detail, remedy };
  if (status === 'held') return { ...about, level: 'warning', detail, remedy: 'Its plan waits for your decision.' };
  return { ...about, level: 'ok', detail };
}
