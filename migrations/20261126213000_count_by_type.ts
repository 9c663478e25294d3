// Users, groups and memberships each by their own number, beside the sums: what is shown of a run or a plan never adds them up.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table runs add column counts_by_type jsonb;
    alter table plans add column counts_by_type jsonb;
    comment on column runs.counts_by_type is 'The counts of users, groups and memberships apart; null before this was noted.';
    comment on column plans.counts_by_type is 'What it would do to users, groups and memberships apart; null before this was noted.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table runs drop column counts_by_type; alter table plans drop column counts_by_type;');
}
