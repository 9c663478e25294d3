// What the database needs at least to hold what a first run has written: each table is written once more beside itself, with
// its indexes, from rows that are there already, in one statement and without a gateway.
import { openDatabase, sql } from '../src/store/database.ts';
import type { Storage } from './storage.ts';

/** Milliseconds. Leaves the database as it is. */
export async function measureWriting(storage: Storage): Promise<number> {
  const database = await openDatabase(storage.options);
  try {
    const { rows: tables } = await sql<{ name: string; options: string | null; columns: string }>(
      database.knex,
      `select c.relname as name, array_to_string(c.reloptions, ', ') as options,
         (select string_agg(quote_ident(a.attname), ', ' order by a.attnum) from pg_attribute a
          where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
       from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' order by c.relname`,
    );
    let time = 0;
    for (const { name, options, columns } of tables) {
      await sql(database.knex, `create table bare_copy (like ${name} including all)`);
      if (options !== null) await sql(database.knex, `alter table bare_copy set (${options})`);
      const started = performance.now();
      await sql(
        database.knex,
        `insert into bare_copy (${columns}) overriding system value select ${columns} from ${name}`,
      );
      time += performance.now() - started;
      await sql(database.knex, 'drop table bare_copy');
    }
    return time;
  } finally {
    await database.close();
  }
}
