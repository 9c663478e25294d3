import { type Database, sql } from '#store/database.ts';

/** Every row of every table, as text. */
export async function dumpDatabase({ knex }: Pick<Database, 'knex'>): Promise<string> {
  const { rows } = await sql<{ table: string }>(
    knex,
    `select tablename as "table" from pg_tables where schemaname = 'public' order by 1`,
  );
  let text = '';
  for (const { table } of rows) {
    const found = await sql<{ row: string }>(knex, `select row_to_json(t)::text as row from "${table}" t`);
    text += found.rows.map(({ row }) => `${table} ${row}\n`).join('');
  }
  return text;
}
