// The journal is ordered by transaction, and another database server counts its own. After a restore or a move the places
// that are stored here are brought along; a cursor that a consumer keeps cannot be, so it names the journal it is of.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table journal add column epoch integer not null default 0;
    comment on table journal is 'At most one row: the last place, in the order of reading, of which changes have been removed; and how often the order was made anew.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table journal drop column epoch');
}
