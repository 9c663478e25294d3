// The database: what it is, how far away, whether its schema is ours, and whether its clock is.
import type { Config } from '#platform/config.ts';
import { type Database, sql } from '#store/database.ts';
import { readSchemaState } from '#store/schema/migrate.ts';
import type { Finding } from './report.ts';

const AREA = 'Database';
const SKEW_MS_MAX = 2_000;
const FAR_MS = 20;
/** Rows that are dead beside those that live, of a table that is worth looking at. */
const BLOAT_SHARE = 0.5;
const BLOAT_ROWS = 50_000;
const OLD_TRANSACTION_SECONDS = 300;

interface Server {
  readonly version: string;
  readonly encoding: string;
  readonly collation: string | null;
  readonly collation_actual: string | null;
  readonly bytes: string;
  readonly schema: string | null;
  readonly oldest: number | null;
  readonly at: Date;
}

interface Bloated {
  readonly relname: string;
  readonly n_dead_tup: string;
  readonly n_live_tup: string;
}

export async function lookAtDatabase(database: Database, config: Config): Promise<Finding[]> {
  const began = Date.now();
  const { rows } = await sql<Server>(database.knex, SERVER);
  const reachMs = Date.now() - began;
  const server = rows[0];
  if (server === undefined) return [];
  const findings: Finding[] = [
    {
      area: AREA,
      name: 'server',
      level: 'ok',
      detail: `${database.kind === 'embedded' ? 'Embedded PGlite' : 'PostgreSQL'} ${server.version}, schema "${server.schema}", ${(Number(server.bytes) / 1024 ** 2).toFixed(0)} MiB.`,
    },
    clockOf(server.at, began + reachMs / 2),
    await migrationsOf(database),
    encodingOf(server),
  ];
  if (config.DATABASE_URL === undefined) return findings;
  return [...findings, await reachOf(database), oldestOf(server), ...(await bloatOf(database))];
}

const SERVER = `
  select current_setting('server_version') as version, current_setting('server_encoding') as encoding, clock_timestamp() as at,
    d.datcollversion as collation, pg_database_collation_actual_version(d.oid) as collation_actual,
    pg_database_size(d.oid)::text as bytes,
    current_schema() as schema,
    (select extract(epoch from now() - min(xact_start))::int from pg_stat_activity
      where backend_xid is not null and pid <> pg_backend_pid()) as oldest
  from pg_database d where d.datname = current_database()`;

function clockOf(at: Date, here: number): Finding {
  const skew = at.getTime() - here;
  const detail = `${Math.abs(Math.round(skew))} ms ${skew < 0 ? 'behind' : 'ahead of'} this machine.`;
  if (Math.abs(skew) < SKEW_MS_MAX) return { area: AREA, name: 'clock', level: 'ok', detail };
  return {
    area: AREA,
    name: 'clock',
    level: 'warning',
    detail,
    remedy: 'Let both machines follow the same time server (NTP).',
  };
}

async function migrationsOf(database: Database): Promise<Finding> {
  const about = { area: AREA, name: 'migrations' };
  const { rows } = await sql(
    database.knex,
    `select to_regclass('knex_migrations') is not null as there, current_schema() as schema,
      has_schema_privilege(current_schema(), 'create') as may`,
  );
  const [{ there, schema, may }] = rows;
  if (there !== true && may !== true)
    return {
      ...about,
      level: 'problem',
      detail:
        schema === null
          ? 'The database is empty, and has no schema that the search_path of the role names.'
          : `The database is empty, and the role may not make tables in the schema "${schema}".`,
      remedy: 'Make the role the owner of its database, or of a schema that its search_path names.',
    };
  if (there !== true)
    return {
      ...about,
      level: 'warning',
      detail: 'The database is empty.',
      remedy: 'Start the gateway, or npm run migrate.',
    };
  const { pending, newer, breaking } = await readSchemaState(database);
  if (breaking.length > 0)
    return {
      ...about,
      level: 'problem',
      detail: `A later release has taken away what this one needs: ${breaking.join(', ')}.`,
      remedy: 'Start that release or a later one.',
    };
  if (newer.length > 0) return { ...about, level: 'ok', detail: `A later release has added: ${newer.join(', ')}.` };
  if (pending.length === 0) return { ...about, level: 'ok', detail: 'The schema is that of this release.' };
  return {
    ...about,
    level: 'warning',
    detail: `Pending: ${pending.join(', ')}.`,
    remedy: 'Start the gateway, or npm run migrate.',
  };
}

function encodingOf({ encoding, collation, collation_actual: actual }: Server): Finding {
  const about = { area: AREA, name: 'encoding' };
  if (encoding !== 'UTF8')
    return {
      ...about,
      level: 'problem',
      detail: `It is ${encoding}.`,
      remedy: 'Make the database with encoding UTF8, and move the data there.',
    };
  if (collation !== null && actual !== null && collation !== actual)
    return {
      ...about,
      level: 'warning',
      detail: `UTF8; the collation of the system was ${collation} and is ${actual} now.`,
      remedy:
        'REINDEX DATABASE, then ALTER DATABASE … REFRESH COLLATION VERSION. (Keys of Sluice use collation "C" and are not affected.)',
    };
  return { ...about, level: 'ok', detail: 'UTF8.' };
}

async function reachOf(database: Database): Promise<Finding> {
  const times: number[] = [];
  for (let n = 0; n < 5; n += 1) {
    const began = performance.now();
    await database.query({ text: 'select 1' });
    times.push(performance.now() - began);
  }
  const best = Math.min(...times);
  const detail = `A round trip takes ${best.toFixed(1)} ms.`;
  if (best < FAR_MS) return { area: AREA, name: 'distance', level: 'ok', detail };
  return {
    area: AREA,
    name: 'distance',
    level: 'warning',
    detail,
    remedy: 'Run the gateway near its database: a sync makes thousands of round trips.',
  };
}

function oldestOf({ oldest }: Server): Finding {
  const about = { area: AREA, name: 'transactions' };
  if (oldest === null || oldest < OLD_TRANSACTION_SECONDS)
    return { ...about, level: 'ok', detail: 'No writing transaction is old.' };
  return {
    ...about,
    level: 'warning',
    detail: `One has been writing for ${oldest} s.`,
    remedy:
      'Look at pg_stat_activity: while it is open, in whatever database of the server, apps are told of no change.',
  };
}

async function bloatOf(database: Database): Promise<Finding[]> {
  const { rows } = await sql<Bloated>(
    database.knex,
    `select relname, n_dead_tup, n_live_tup from pg_stat_user_tables
     where schemaname = current_schema() and n_dead_tup > ${BLOAT_ROWS} and n_dead_tup > ${BLOAT_SHARE} * n_live_tup order by n_dead_tup desc limit 5`,
  );
  if (rows.length === 0) return [{ area: AREA, name: 'bloat', level: 'ok', detail: 'No table has many dead rows.' }];
  const which = rows.map(({ relname, n_dead_tup: dead, n_live_tup: live }) => `${relname} (${dead} beside ${live})`);
  return [
    {
      area: AREA,
      name: 'bloat',
      level: 'warning',
      detail: `Many dead rows: ${which.join(', ')}.`,
      remedy: 'Check that autovacuum is on and keeps up.',
    },
  ];
}
