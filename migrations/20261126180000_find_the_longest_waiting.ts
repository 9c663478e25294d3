// How far a target lags is the age of the oldest change that has not arrived: asked for at every scrape of the metrics.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index deliveries_waiting_idx on deliveries (app_id, changed_at) where state in ('pending', 'sending');
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index deliveries_waiting_idx');
}
