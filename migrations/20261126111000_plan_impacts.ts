// A plan may show what settings that are not saved yet would do. It is never applied; whoever saves those settings
// names it.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plans add column impact_of text;
    comment on column plans.impact_of is 'Digest of the settings whose impact it shows; null for a plan that can be applied.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table plans drop column impact_of;');
}
