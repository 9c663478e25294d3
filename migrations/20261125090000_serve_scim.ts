// What a complete SCIM service provider needs: orders that an index serves, nested groups, and tokens that stand for a user.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index resources_name_idx;
    create index resources_name_idx on resources (resource_type, name_key, pos) where deleted_at is null;
    drop index resources_external_id_key;
    create unique index resources_external_id_key on resources (resource_type, origin, external_id, (case when origin = 'manual' then id end))
      include (digest) nulls not distinct where deleted_at is null and external_id is not null;
    comment on index resources_external_id_key is 'One resource for each object of a provider. What is made by hand may share an externalId (RFC 7643 section 3.1 asks nothing of it).';
    drop index resources_modified_idx;
    create index resources_modified_idx on resources (resource_type, updated_at, pos) where deleted_at is null;
    create index resources_inactive_idx on resources (resource_type, pos) where deleted_at is null and not active;
    comment on index resources_inactive_idx is 'The few that are asked for most: who is inactive.';
    create index group_members_up_idx on group_members (member_id, group_id) where member_type = 'Group';
    comment on index group_members_up_idx is 'From a nested group to those it is in: small, and asked for each user served.';
    alter table tokens add column user_id uuid;
    comment on column tokens.user_id is 'The user that the token stands for: what /Me is.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table tokens drop column user_id;
    drop index group_members_up_idx;
    drop index resources_inactive_idx;
    drop index resources_external_id_key;
    create unique index resources_external_id_key on resources (resource_type, origin, external_id)
      include (digest) where deleted_at is null and external_id is not null;
    drop index resources_modified_idx;
    create index resources_modified_idx on resources (resource_type, updated_at, id) where deleted_at is null;
    drop index resources_name_idx;
    create index resources_name_idx on resources (resource_type, name_key) where deleted_at is null;
  `);
}
