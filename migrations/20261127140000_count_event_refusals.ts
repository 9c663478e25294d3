// What a receiver says no to is given up after some tries. Those of an outage are none of them, so they are counted apart.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table event_deliveries add column refusals integer not null default 0;
    comment on column event_deliveries.refusals is 'Tries that failed because of the message: it was refused, or it failed while others were taken.';
    alter table event_streams add column revision bigint not null default 0;
    comment on column event_streams.revision is 'Goes up with each change by an administrator: what came of a try before it says nothing of the stream after it.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table event_streams drop column revision;
    alter table event_deliveries drop column refusals;
  `);
}
