// All of one database into another that is empty, in one transaction: it is there whole, or not at all. Rows travel as
// text of PostgreSQL's own making, so nothing is read as a number on the way; ids, hashes and sealed secrets stay as they
// are. Both sides are counted and summed up before it is kept.
import { ConfigError } from '#core/errors.ts';
import { writeAudit } from '../access/audit.ts';
import { type Database, type Db, sql } from '../database.ts';
import { freeAllLeases } from '../leases.ts';
import { adoptJournal } from './adopt-journal.ts';
import { readSchemaState } from './migrate.ts';

export interface MovedTable {
  readonly name: string;
  readonly rows: number;
}

interface Table {
  readonly name: string;
  /** Quoted, in order, without those that the database makes itself. */
  readonly columns: readonly string[];
  readonly sequences: readonly { readonly sequence: string }[];
}

interface Sum {
  readonly rows: number;
  readonly sum: string | null;
}

/** Text of one insert; what comes back from the source is held once in memory, and once as a parameter. */
const BATCH_BYTES = 4 * 1024 * 1024;
const BATCH_ROWS_MAX = 2_000;

/**
 * Copies everything; both schemas must be those of this release. `onTable` is told of each table when it is done.
 * @throws {ConfigError} `target-not-empty`, `schema-pending`; `move-differs`: what arrived is not what was sent
 */
export async function moveDatabase(
  from: Database,
  to: Database,
  onTable: (table: MovedTable) => void = () => undefined,
): Promise<readonly MovedTable[]> {
  for (const database of [from, to]) await refusePending(database);
  return from.knex.transaction(async (source) => {
    await source.raw('set transaction isolation level repeatable read');
    await likeOneAnother(source);
    const moved = await to.knex.transaction(async (target) => {
      await likeOneAnother(target);
      await target.raw('set local statement_timeout = 0');
      const tables = await readTables(target);
      await refuseFull(target, tables);
      const done: MovedTable[] = [];
      for (const table of tables) {
        const rows = await moveTable(source, target, table);
        done.push({ name: table.name, rows });
        onTable({ name: table.name, rows });
      }
      await freeAllLeases(target);
      await adoptJournal(target);
      await writeAudit(target, { actor: 'move', action: 'database.moved' });
      return done;
    });
    return moved;
  });
}

/** The same text for the same value on both sides. */
async function likeOneAnother(tx: Db): Promise<void> {
  await tx.raw(`set local timezone = 'UTC'; set local datestyle = 'ISO, YMD'; set local intervalstyle = 'iso_8601';
    set local bytea_output = 'hex'; set local extra_float_digits = 1`);
}

async function refusePending(database: Database): Promise<void> {
  const { pending, newer } = await readSchemaState(database);
  if (pending.length + newer.length === 0) return;
  throw new ConfigError('a schema is not that of this release', {
    reason: 'schema-pending',
    remedy: 'Move with the release that both databases are of; npm run migrate brings an older one up to date.',
  });
}

/** The tables of the schema, those first that others refer to. */
async function readTables(db: Db): Promise<readonly Table[]> {
  const { rows } = await sql<Table & { readonly refers: readonly string[] }>(
    db,
    `select c.relname as name,
       (select array_agg(quote_ident(a.attname) order by a.attnum) from pg_attribute a
         where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
       (select coalesce(jsonb_agg(jsonb_build_object('sequence', pg_get_serial_sequence(quote_ident(c.relname), a.attname))), '[]')
         from pg_attribute a where a.attrelid = c.oid and a.attidentity <> '') as sequences,
       array(select f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
         where k.conrelid = c.oid and k.contype = 'f' and f.oid <> c.oid) as refers
     from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
       and c.relname not like 'knex%' order by c.relname`,
  );
  const ordered: Table[] = [];
  const left = new Map(rows.map((row) => [row.name, row]));
  while (left.size > 0) {
    const free = [...left.values()].filter(({ refers }) => refers.every((name) => !left.has(name)));
    if (free.length === 0) throw new Error('tables refer to each other in a circle');
    for (const table of free) {
      left.delete(table.name);
      ordered.push(table);
    }
  }
  return ordered;
}

async function refuseFull(target: Db, tables: readonly Table[]): Promise<void> {
  const full: string[] = [];
  for (const { name } of tables) {
    const { rows } = await sql(target, `select exists (select 1 from "${name}") as full`);
    if (rows[0].full) full.push(name);
  }
  if (full.length === 0) return;
  throw new ConfigError(`the database that DATABASE_URL names is not empty (${full.slice(0, 5).join(', ')})`, {
    reason: 'target-not-empty',
    remedy: 'Name a new database; a gateway that was started on this one has written to it already.',
  });
}

async function moveTable(source: Db, target: Db, table: Table): Promise<number> {
  const { name, columns, sequences } = table;
  const before = await sumUp(source, table);
  await target.raw(`alter table "${name}" disable trigger user`);
  await copyRows(source, target, table, before.rows);
  await target.raw(`alter table "${name}" enable trigger user`);
  for (const { sequence } of sequences) await copySequence(source, target, sequence);
  const after = await sumUp(target, table);
  if (before.rows !== after.rows || before.sum !== after.sum)
    throw new ConfigError(`the table ${name} arrived otherwise than it was sent`, {
      reason: 'move-differs',
      remedy: 'Nothing was kept. Move again; if it repeats, report it.',
      details: { before, after, columns },
    });
  return after.rows;
}

async function copyRows(source: Db, target: Db, { name, columns }: Table, count: number): Promise<void> {
  if (count === 0) return;
  const list = columns.join(', ');
  const { rows: sizes } = await sql<{ bytes: string }>(
    source,
    `select sum(pg_column_size(t.*)) as bytes from (select * from "${name}" limit 1000) t`,
  );
  // Text of a row is about three times what the row takes, compressed as it may be.
  const bytesEach = (3 * Number(sizes[0]?.bytes ?? 0)) / Math.min(count, 1_000);
  const batch = Math.max(1, Math.min(BATCH_ROWS_MAX, Math.floor(BATCH_BYTES / Math.max(1, bytesEach))));
  await source.raw(
    `declare moving no scroll cursor for select row_to_json(t)::text as row from (select ${list} from "${name}") t`,
  );
  for (;;) {
    const { rows } = await sql<{ row: string }>(source, `fetch ${batch} from moving`);
    if (rows.length === 0) break;
    await sql(
      target,
      `insert into "${name}" (${list}) overriding system value select ${list} from json_populate_recordset(null::"${name}", ?::json)`,
      [`[${rows.map(({ row }) => row).join(',')}]`],
    );
  }
  await source.raw('close moving');
}

/** Where the source is, which may be beyond its highest row: what was given away once is never given again. */
async function copySequence(source: Db, target: Db, qualified: string): Promise<void> {
  const sequence = qualified.split('.').at(-1) ?? qualified;
  const { rows } = await sql<{ last_value: string; is_called: boolean }>(
    source,
    `select last_value, is_called from ${sequence}`,
  );
  const { last_value: last, is_called: isCalled } = rows[0] ?? { last_value: '1', is_called: false };
  await sql(target, 'select setval(?::regclass, ?::bigint, ?)', [sequence, last, isCalled]);
}

/** Rows, and a sum of their hashes, in whatever order. */
async function sumUp(db: Db, { name, columns }: Table): Promise<Sum> {
  const { rows } = await sql<{ rows: string; sum: string | null }>(
    db,
    `select count(*) as rows, sum(('x' || substr(md5(r), 1, 15))::bit(60)::bigint)::text as sum
     from (select row(${columns.join(', ')})::text as r from "${name}") t`,
  );
  return { rows: Number(rows[0]?.rows), sum: rows[0]?.sum ?? null };
}
