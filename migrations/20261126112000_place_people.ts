// Routing: the groups, made by hand, into which people are placed by rules, and which memberships of theirs are ours.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_records add column routes text[];
    comment on column mirror_records.routes is 'For which groups each routing rule is true of it; null without rules.';

    create table mirror_routes (
      provider    text collate "C" not null,
      name_key    text collate "C" not null,
      name        text not null,
      external_id text collate "C" not null,
      primary key (provider, external_id, name_key)
    );
    comment on table mirror_routes is 'Who is to be placed where: people in scope, by the folded name of the group.';
    create index mirror_routes_name_idx on mirror_routes (provider, name_key);

    create table placements (
      provider  text collate "C" not null,
      group_id  uuid not null,
      member_id uuid not null,
      primary key (group_id, member_id)
    );
    comment on table placements is 'Memberships in groups made by hand that a sync has placed, and may take back.';
    create index placements_member_idx on placements (member_id);
    update mirror_records set record_digest = '' where resource_type = 'User';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table placements; drop table mirror_routes; alter table mirror_records drop column routes;');
}
