// Explain answers for people who are gone, too: their names are looked up among the tombstones.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index resources_gone_name_idx on resources (resource_type, name_key) where deleted_at is not null;
    create index mirror_skipped_external_id_idx on mirror_skipped (external_id);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index mirror_skipped_external_id_idx; drop index resources_gone_name_idx;');
}
