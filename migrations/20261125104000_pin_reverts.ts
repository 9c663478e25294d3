// Undoing a run: what it needs to know of how things were and how the run left them, and the pins that keep the next
// run from repeating what was undone.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table runs add column reverts uuid;
    comment on column runs.reverts is 'The run that this one undoes.';
    alter table plan_items
      add column before_left_at timestamptz(3),
      add column after_left_at timestamptz(3),
      add column applied_version bigint;
    comment on column plan_items.before_left_at is 'resources.left_at as before shows it.';
    comment on column plan_items.after_left_at is 'Of a revert: resources.left_at as it will be.';
    comment on column plan_items.applied_version is 'The version in which the item left the resource.';

    create table pins (
      id                 bigint generated always as identity primary key,
      provider           text collate "C" not null,
      resource_type      text collate "C" not null,
      resource_id        uuid not null,
      external_id        text collate "C",
      label              text,
      class              text collate "C" not null check (class in ('create', 'update', 'remove', 'membership')),
      member_id          uuid,
      member_external_id text collate "C",
      member_type        text collate "C",
      present            boolean,
      run_id             uuid not null,
      revert_run_id      uuid not null,
      created_at         timestamptz(3) not null default now(),
      created_by         text,
      constraint pins_what_key unique nulls not distinct (resource_id, class, member_id)
    );
    comment on table pins is 'What a revert restored: no run repeats that class of change on it until it is released.';
    comment on column pins.present is 'Of a membership: whether it stays, or stays away.';
    comment on column pins.run_id is 'The run that was undone.';
    create index pins_run_id_idx on pins (run_id);
    create index pins_external_id_idx on pins (provider, external_id) where class = 'create';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table pins;
    alter table plan_items drop column before_left_at, drop column after_left_at, drop column applied_version;
    alter table runs drop column reverts;
  `);
}
