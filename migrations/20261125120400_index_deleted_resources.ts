// Tombstones by age, for the daily task that removes the old ones.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index resources_deleted_idx on resources (deleted_at) where deleted_at is not null;');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index resources_deleted_idx;');
}
