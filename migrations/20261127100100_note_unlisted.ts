// Some objects are in no list of the source although they are there: who they are is kept from one full read to the next.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state add column unlisted jsonb;
    comment on column mirror_state.unlisted is 'Who was there, by id, and in no list of the last full read that came so far: {"User": [ids], "Group": [ids]}; null where all were.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_state drop column unlisted');
}
