// What a whole read asked the source for each record: while other settings ask for the same, the records at hand do.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state add column asked text;
    comment on column mirror_state.asked is 'What the last whole read asked the source for each record; null when its kind does not say.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_state drop column asked');
}
