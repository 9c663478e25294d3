// Who came back stays known until their links were asked for, also when the read that saw them stopped early.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_records add column came_back boolean not null default false;
    comment on column mirror_records.came_back is 'It was gone and is there again, and its links were not asked for since: a restore is silent about them.';
    create index mirror_records_came_back_idx on mirror_records (provider, resource_type) where came_back;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_records drop column came_back');
}
