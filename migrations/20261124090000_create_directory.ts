// The directory that consumers read: resources, memberships and the change log.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table resources (
      id                  uuid primary key,
      resource_type       text collate "C" not null check (resource_type in ('User', 'Group')),
      pos                 bigint generated always as identity,
      origin              text collate "C" not null,
      external_id         text collate "C",
      name_key            text collate "C" not null,
      display             text not null,
      unique_key          text collate "C" constraint resources_unique_key_key unique deferrable initially deferred,
      active              boolean not null default true,
      body                text not null,
      search              jsonb not null,
      digest              bytea,
      manager_external_id text collate "C",
      manager_id          uuid,
      members_digest      bytea,
      member_count        integer not null default 0,
      version             bigint not null default 1,
      created_at          timestamptz(3) not null default now(),
      updated_at          timestamptz(3) not null default now(),
      left_at             timestamptz(3),
      deleted_at          timestamptz(3)
    ) with (fillfactor = 90);
    comment on table resources is 'Users and groups that we serve. A deleted row stays as a tombstone: its id is never given away again.';
    comment on column resources.pos is 'Order of lists and cursors; never changes.';
    comment on column resources.name_key is 'Case-folded userName or displayName, folded by the application.';
    comment on column resources.display is 'displayName, else userName: what others show of it.';
    comment on column resources.unique_key is 'name_key of a live user, null otherwise; deferred so that two users may swap names in one transaction.';
    comment on column resources.body is 'The resource as JSON without id, meta, groups and members: what is served.';
    comment on column resources.search is 'The same with every case-insensitive string folded: what filters read.';
    comment on column resources.digest is 'Digest of the provider''s form last applied; null when the row no longer equals it.';
    comment on column resources.left_at is 'When a sync deactivated it because it left the scope.';
    create unique index resources_external_id_key on resources (resource_type, origin, external_id)
      include (digest) where deleted_at is null and external_id is not null;
    create index resources_tombstones_idx on resources (resource_type, origin, external_id)
      where deleted_at is not null and external_id is not null;
    create unique index resources_list_key on resources (resource_type, pos) where deleted_at is null;
    create index resources_name_idx on resources (resource_type, name_key) where deleted_at is null;
    create index resources_modified_idx on resources (resource_type, updated_at, id) where deleted_at is null;
    create index resources_left_idx on resources (left_at) where left_at is not null and deleted_at is null;
    create index resources_manager_idx on resources (manager_external_id) where manager_external_id is not null;
    create index resources_search_idx on resources using gin (search jsonb_path_ops) where deleted_at is null;

    create table group_members (
      group_id    uuid not null,
      member_id   uuid not null,
      member_type text collate "C" not null check (member_type in ('User', 'Group')),
      primary key (group_id, member_id)
    );
    comment on table group_members is 'Direct memberships. No foreign keys: they cost 2.7 to 6 times the load; apply deletes explicitly.';
    create index group_members_member_id_group_id_idx on group_members (member_id, group_id);
    create index group_members_nested_idx on group_members (group_id) where member_type = 'Group';

    create table changes (
      seq           bigint generated always as identity primary key,
      xid           xid8 not null default pg_current_xact_id(),
      at            timestamptz(3) not null default now(),
      resource_type text collate "C" not null,
      resource_id   uuid not null,
      version       bigint not null,
      operation     text collate "C" not null check (operation in ('create', 'update', 'deactivate', 'delete', 'membership')),
      run_id        uuid,
      actor         text not null,
      detail        jsonb
    );
    comment on table changes is 'The change log: append only, read without gaps in the order of (xid, seq).';
    create index changes_xid_seq_idx on changes (xid, seq);
    create index changes_resource_id_seq_idx on changes (resource_id, seq);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table changes; drop table group_members; drop table resources;');
}
