// What a provider that writes to us needs: how much it took away lately, when it last wrote, and whether a wish of its
// waits for a plan. And the links that a resource had before it went on with another provider, so that a way back
// finds the same ids.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table push_removals (
      seq           bigint generated always as identity primary key,
      at            timestamptz(3) not null default clock_timestamp(),
      class         text collate "C" not null check (class in ('remove', 'membership')),
      resource_type text collate "C" not null,
      resource_id   uuid not null,
      count         integer not null
    );
    comment on table push_removals is 'What a pushed write took away by itself: the guard counts it within a window. Kept for as long as the widest window.';
    create index push_removals_at_idx on push_removals (at);
    create table push_wishes (
      seq bigint generated always as identity primary key,
      at  timestamptz(3) not null default clock_timestamp()
    );
    comment on table push_wishes is 'One row for each pushed write that was held since a run last planned: another run must show it.';
    alter table mirror_state add column written_at timestamptz(3);
    comment on column mirror_state.written_at is 'When a provider that writes to us last did, to the second.';

    create table former_links (
      provider      text collate "C" not null,
      resource_type text collate "C" not null,
      external_id   text collate "C" not null,
      resource_id   uuid not null,
      at            timestamptz(3) not null default now(),
      primary key (provider, resource_type, external_id)
    );
    comment on table former_links is 'Which resource a record was linked to before the resource went on with another provider.';
    create function keep_former_link() returns trigger language plpgsql as $$
    begin
      insert into former_links (provider, resource_type, external_id, resource_id)
      values (old.origin, old.resource_type, old.external_id, old.id)
      on conflict (provider, resource_type, external_id) do update set resource_id = excluded.resource_id, at = now();
      return null;
    end $$;
    create trigger resources_former_link after update on resources for each row
      when (old.origin is distinct from new.origin and old.origin <> 'manual' and old.external_id is not null)
      execute function keep_former_link();
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger resources_former_link on resources;
    drop function keep_former_link();
    drop table former_links;
    alter table mirror_state drop column written_at;
    drop table push_wishes;
    drop table push_removals;
  `);
}
