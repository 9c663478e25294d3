// Where in which read a record was, as it is now: what an explanation and a look at the provider's own log begin with.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_records add column read_run uuid, add column read_page integer;
    comment on column mirror_records.read_run is 'The run that read the record as it is now; null when it was written to us, and before this was noted.';
    comment on column mirror_records.read_page is 'The page of that read, counted from 1.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_records drop column read_run, drop column read_page;');
}
