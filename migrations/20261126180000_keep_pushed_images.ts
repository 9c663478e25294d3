// A write of the identity provider belongs to no plan. What it changed is kept beside its line in the change log, so
// that it can be undone like an item of a plan.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table pushed_images (
      resource_id    uuid not null,
      version        bigint not null,
      at             timestamptz(3) not null default now(),
      resource_type  text collate "C" not null,
      operation      text collate "C" not null check (operation in ('create', 'update', 'deactivate', 'delete', 'membership')),
      external_id    text collate "C",
      label          text,
      before         text,
      before_left_at timestamptz(3),
      after          text,
      actor          text not null,
      run_id         uuid,
      primary key (resource_id, version)
    );
    comment on table pushed_images is 'What a pushed write changed, by the resource and the version that the change log has of it.';
    comment on column pushed_images.run_id is 'The run that stands for the write since somebody asked to undo it.';
    create index pushed_images_at_idx on pushed_images (at);

    create table pushed_members (
      resource_id uuid not null,
      version     bigint not null,
      group_id    uuid not null,
      member_id   uuid not null,
      member_type text collate "C" not null,
      removed     boolean not null,
      primary key (resource_id, version, group_id, member_id),
      foreign key (resource_id, version) references pushed_images on delete cascade deferrable initially deferred
    );
    comment on table pushed_members is 'Memberships that came or went with a pushed write.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table pushed_members; drop table pushed_images;');
}
