// What a target does not keep as it was sent is noted, so that it is written once and not after each comparison.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table deliveries add column drift jsonb;
    comment on column deliveries.drift is 'What a comparison has asked to be mended, and what was the same again right after it was written.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table deliveries drop column drift');
}
