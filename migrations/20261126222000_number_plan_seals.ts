import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plans add column seal smallint not null default 1;
    comment on column plans.seal is 'By which rules its hash was made: a release leaves plans alone whose rules it does not know.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table plans drop column seal');
}
