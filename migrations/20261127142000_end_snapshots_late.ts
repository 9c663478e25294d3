// A snapshot shows changes that the change log cannot be read up to yet: until then the stream remembers whom it told of.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table event_streams add column settles_xid xid8;
    comment on column event_streams.settles_xid is 'Of a receiver that sees everybody: the ledger goes once the log was read up to here.';
    update event_streams set settles_xid = pg_snapshot_xmax(pg_current_snapshot()) where ledger;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table event_streams drop column settles_xid');
}
