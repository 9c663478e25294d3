// A list of all tokens is paged, the newest first: by a number of their own, since two may be made in one instant.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table tokens add column seq bigint generated always as identity;
    create unique index tokens_seq_key on tokens (seq);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table tokens drop column seq;');
}
