// Of some objects a source tells changes and shows them neither in a list nor by their id: who they are is kept, so that not
// each change of theirs asks for everything to be read.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state add column unread jsonb;
    comment on column mirror_state.unread is 'Of whom changes told a part, who was not found by id, and whom no full read has shown since: {"User": [ids], "Group": [ids]}; null where there is nobody.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_state drop column unread');
}
