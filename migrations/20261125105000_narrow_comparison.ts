// Finding out that nothing changed reads two indexes instead of two wide tables: who is in scope with what digest, and
// who is in the directory with what digest.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index mirror_records_scope_idx on mirror_records (provider, resource_type, external_id)
      include (digest, name_key, manager_external_id) where gone_at is null and reason is null;
    create index mirror_records_skipped_idx on mirror_records (provider, resource_type, external_id)
      where gone_at is null and reason is not null;
    create unique index resources_origin_key on resources (resource_type, origin, external_id)
      include (digest, id, manager_id, left_at) where deleted_at is null and external_id is not null;
    drop index resources_external_id_key;
    alter index resources_origin_key rename to resources_external_id_key;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    create unique index resources_digest_key on resources (resource_type, origin, external_id)
      include (digest) where deleted_at is null and external_id is not null;
    drop index resources_external_id_key;
    alter index resources_digest_key rename to resources_external_id_key;
    drop index mirror_records_skipped_idx;
    drop index mirror_records_scope_idx;
  `);
}
