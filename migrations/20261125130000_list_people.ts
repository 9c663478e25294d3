// The console's lists of users and groups: by name within an origin, and by the beginning of a display name.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create index resources_origin_idx on resources (resource_type, origin, name_key, pos) where deleted_at is null;
    comment on index resources_origin_idx is 'The few made by hand among many that the provider owns; and whoever belongs to another provider.';
    create index resources_display_idx on resources (resource_type, ((search ->> 'displayName') collate "C")) where deleted_at is null;
    comment on index resources_display_idx is 'Display names, folded by the application, for a search by how they begin.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index resources_display_idx; drop index resources_origin_idx;');
}
