// What was written for an earlier scope of an app may hold what the app sees no more.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table event_streams add column scope_seq bigint not null default 0;
    comment on column event_streams.scope_seq is 'Messages up to this one were written for an earlier scope: their resources are not sent any more.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table event_streams drop column scope_seq');
}
