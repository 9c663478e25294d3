// How an object left the provider, where the provider can tell: the settings treat the recycle bin and the final
// deletion differently from leaving the scope.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_records add column left_how text collate "C" check (left_how in ('softDeleted', 'hardDeleted'));
    comment on column mirror_records.left_how is 'What the provider said of its going; null when it said nothing.';
    create index mirror_records_left_how_idx on mirror_records (provider) where left_how is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index mirror_records_left_how_idx; alter table mirror_records drop column left_how;');
}
