// What is made by hand may share an externalId again: an index that replaced another left that out.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create unique index resources_own_external_id_key on resources
      (resource_type, origin, external_id, (case when origin = 'manual' then id end))
      include (digest, id, manager_id, left_at) nulls not distinct where deleted_at is null and external_id is not null;
    comment on index resources_own_external_id_key is 'One resource for each object of a provider. What is made by hand may share an externalId (RFC 7643 section 3.1 asks nothing of it).';
    drop index resources_external_id_key;
    alter index resources_own_external_id_key rename to resources_external_id_key;
  `);
}

/** Only where no two share one: what was made by hand meanwhile keeps it from going back. */
export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    create unique index resources_origin_key on resources (resource_type, origin, external_id)
      include (digest, id, manager_id, left_at) where deleted_at is null and external_id is not null;
    drop index resources_external_id_key;
    alter index resources_origin_key rename to resources_external_id_key;
  `);
}
