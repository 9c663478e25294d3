// Who is in scope by membership: the groups that count below the selected ones, the groups that the filter names, and
// memberships as they are planned where groups in groups are flattened or ignored.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_records add column memberships text, add column affiliation_path text, add column reshaped_digest bytea;
    comment on column mirror_records.memberships is 'For which groups it is in scope, one digit for each combination of the filter''s questions; null when groups do not matter.';
    comment on column mirror_records.affiliation_path is 'The path that its body shows.';
    comment on column mirror_records.reshaped_digest is 'Of its members in mirror_reshaped; null where those are not known.';
    comment on column mirror_records.body is 'What it maps to. With a reason beside it: in scope by itself, and out by its memberships.';
    create index mirror_records_unscoped_idx on mirror_records (provider, resource_type)
      where gone_at is null and reason is not null and body is not null;
    create index mirror_records_path_idx on mirror_records (provider) where affiliation_path is not null;
    create index mirror_members_nested_idx on mirror_members (provider, group_external_id) where member_type = 'Group';

    create table mirror_reach (
      provider    text collate "C" not null,
      external_id text collate "C" not null,
      depth       integer not null,
      path        text not null,
      primary key (provider, external_id)
    );
    comment on table mirror_reach is 'Groups that count at and below the selected ones, or the path-display group, each by its shortest way.';

    create table mirror_conditions (
      provider    text collate "C" not null,
      place       integer not null,
      external_id text collate "C" not null,
      primary key (provider, external_id, place)
    );
    comment on table mirror_conditions is 'Groups that fulfil a condition of the scope filter, by the place of the condition.';

    create table mirror_reshaped (
      provider           text collate "C" not null,
      group_external_id  text collate "C" not null,
      member_external_id text collate "C" not null,
      member_type        text collate "C" not null,
      primary key (provider, group_external_id, member_external_id)
    );
    comment on table mirror_reshaped is 'Memberships as they are planned, where they are not those that were read.';
    create index mirror_reshaped_member_idx on mirror_reshaped (provider, member_external_id);

    alter table mirror_state add column reshaped boolean not null default false;
    comment on column mirror_state.reshaped is 'Plans follow mirror_reshaped instead of mirror_members.';
    update mirror_records set record_digest = '';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state drop column reshaped;
    drop table mirror_reshaped; drop table mirror_conditions; drop table mirror_reach;
    drop index mirror_members_nested_idx; drop index mirror_records_path_idx; drop index mirror_records_unscoped_idx;
    alter table mirror_records drop column memberships, drop column affiliation_path, drop column reshaped_digest;
  `);
}
