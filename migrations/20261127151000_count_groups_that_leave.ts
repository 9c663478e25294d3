// Groups that leave a target count for its guard as well, however few at a time.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table departures add column resource_type text collate "C" not null default 'User';
    comment on column departures.resource_type is 'Figures are of people; the guard counts both.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from departures where resource_type <> 'User';
    alter table departures drop column resource_type;
  `);
}
