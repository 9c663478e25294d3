// What a person who helps needs to see, as a tar file: the report, which variables are set, the sizes of tables, the last
// runs, and the kept log of the last that failed. Columns are named one by one, none of which holds a credential, a name
// or an address; and every line goes through a mask that knows each secret.
import { createWriteStream } from 'node:fs';
import { arch, platform, release, totalmem } from 'node:os';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { describeEnvironment } from '#platform/config.ts';
import { makeMask } from '#platform/mask.ts';
import { type Database, sql } from '#store/database.ts';
import { type Report, textOf } from './report.ts';

export interface BundleParts {
  readonly report: Report;
  readonly environment: NodeJS.ProcessEnv;
  /** Undefined where it could not be opened. */
  readonly database: Database | undefined;
  readonly secrets: readonly string[];
}

/** Variables whose values are shown; of others only that they are set. */
const SHOWN = new Set([
  'PORT',
  'HOST',
  'PUBLIC_URL',
  'DATA_DIR',
  'INBOUND_DIR',
  'ROLE',
  'LOG_LEVEL',
  'ALLOW_LOOPBACK_WEBHOOKS',
]);
const SECRET_VARIABLES = [
  'ADMIN_TOKEN',
  'SECRET_KEY',
  'SECRET_KEYS_ACCEPTED',
  'CONSOLE_OIDC_CLIENT_SECRET',
  'DATABASE_URL',
];

const TABLES: Readonly<Record<string, string>> = {
  'tables.json': `select relname as name, n_live_tup::text as rows, n_dead_tup::text as dead, pg_total_relation_size(relid)::text as bytes,
      last_autovacuum, last_autoanalyze from pg_stat_user_tables where schemaname = current_schema() order by relname`,
  'migrations.json': 'select name, migration_time from knex_migrations order by name',
  'providers.json': `select kind, active, config_version, activated_at, initial_done_at, last_success_at,
      array(select jsonb_object_keys(settings)) as settings from provider_settings order by kind`,
  'runs.json': `select id, seq, provider, mode, mode_reason, preview, trigger, status, phase, done, total, counts, cost, phases, work_ms, created_at,
      started_at, finished_at, error->>'code' as code, error->>'failure' as failure from runs order by seq desc limit 100`,
  'plans.json':
    'select id, run_id, status, counts, created_at, expires_at from plans order by created_at desc limit 100',
  'targets.json': `select t.app_id, t.state, t.failures, t.rest_until, t.reconciled_at, t.capabilities_at, t.quarantine->>'reason' as quarantine,
      (select jsonb_object_agg(d.state, d.count) from (select state, count(*) from deliveries where app_id = t.app_id group by 1) d) as deliveries,
      (select count(*) from delivery_claims c where c.app_id = t.app_id) as claimed
      from targets t order by t.created_at`,
  'streams.json':
    'select id, app_id, kind, enabled, pushed, failures, failing_since, retry_at, disabled_at, disabled_reason from event_streams',
  'leases.json': 'select name, fence, expires_at, expires_at > now() as held from leases order by name',
};

export interface Bundle {
  /** The names of what is in it. */
  readonly names: readonly string[];
  /** A tar file, compressed. */
  readonly archive: Readable;
}

/** Writes the file, readable by its owner only; answers the names of what is in it. */
export async function writeBundle(file: string, parts: BundleParts): Promise<readonly string[]> {
  const { names, archive } = await packBundle(parts);
  await pipeline(archive, createWriteStream(file, { mode: 0o600 }));
  return names;
}

/** Everything is read and masked before it answers. */
export async function packBundle(parts: BundleParts): Promise<Bundle> {
  const mask = makeMask([...parts.secrets, ...secretsOf(parts.environment)]);
  const files = new Map<string, string>([
    ['report.txt', textOf(parts.report)],
    ['report.json', json(parts.report)],
    ['environment.json', json(environmentOf(parts.environment))],
    [
      'machine.json',
      json({ node: process.versions, platform: platform(), release: release(), arch: arch(), memory: totalmem() }),
    ],
    ...(parts.database === undefined ? [] : await readTables(parts.database)),
  ]);
  const archive = pack();
  for (const [name, text] of files) archive.entry({ name: `sluice-support/${name}`, mode: 0o600 }, mask(text));
  archive.finalize();
  return { names: [...files.keys()], archive: archive.pipe(createGzip()) };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function environmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const all = describeEnvironment().map(({ name }) => {
    const value = environment[name] ?? '';
    return [name, value === '' ? '[not set]' : SHOWN.has(name) ? value : '[set]'] as const;
  });
  return Object.fromEntries(all);
}

/** Of a URL the password; of a list each. */
function secretsOf(environment: NodeJS.ProcessEnv): string[] {
  const values = SECRET_VARIABLES.flatMap((name) => environment[name] ?? []);
  const password = URL.parse(environment['DATABASE_URL'] ?? '')?.password ?? '';
  return [...values, password, decodeURIComponent(password), ...values.flatMap((value) => value.split(/[\s,]+/))];
}

async function readTables({ knex }: Database): Promise<[string, string][]> {
  const files: [string, string][] = [];
  for (const [name, text] of Object.entries(TABLES)) {
    const rows = await sql(knex, text).then(
      (found) => found.rows,
      (error: Error) => ({ error: error.message }),
    );
    files.push([name, json(rows)]);
  }
  const { rows } = await sql<{ lines: string }>(
    knex,
    `select lines from run_logs where run_id = (select r.id from runs r where r.status in ('failed', 'incomplete', 'abandoned')
       and exists (select 1 from run_logs l where l.run_id = r.id) order by r.seq desc limit 1) order by seq`,
  ).catch(() => ({ rows: [] }));
  if (rows.length > 0) files.push(['last-failed-run.log', rows.map(({ lines }) => lines).join('')]);
  return files;
}
