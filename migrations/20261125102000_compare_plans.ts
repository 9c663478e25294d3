// What a newer plan says about the one whose place it takes; and plans that undo a run beside those that follow the
// provider.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plans
      add column reverts uuid,
      add column supersedes uuid,
      add column comparison jsonb;
    comment on column plans.reverts is 'The run that this plan undoes; null for a plan that follows the provider.';
    comment on column plans.supersedes is 'The unanswered plan whose place it took.';
    create index plans_provider_idx on plans (provider, created_at);
    alter table plan_items add column compared text collate "C" check (compared in ('added', 'same', 'dropped'));
    comment on column plan_items.compared is 'Beside the plan that gave way or took its place; null when there is none.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plan_items drop column compared;
    drop index plans_provider_idx;
    alter table plans drop column reverts, drop column supersedes, drop column comparison;
  `);
}
