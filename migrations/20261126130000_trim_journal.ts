// Retention takes the oldest changes away; a consumer whose cursor lies before that place has to begin with a snapshot.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table journal (
      singleton   boolean primary key default true check (singleton),
      trimmed_xid xid8 not null,
      trimmed_seq bigint not null
    );
    comment on table journal is 'At most one row: the last place, in the order of reading, of which changes have been removed.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table journal');
}
