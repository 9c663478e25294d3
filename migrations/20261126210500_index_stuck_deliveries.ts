// What is pending or on its way has its own indexes: only what waits for a person needs another. A delivery is written
// three times for each change, and each time every index it belongs to.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index deliveries_open_idx;
    create index deliveries_stuck_idx on deliveries (app_id, state) where state in ('dead', 'held');
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index deliveries_stuck_idx;
    create index deliveries_open_idx on deliveries (app_id, state) where state <> 'idle';
  `);
}
