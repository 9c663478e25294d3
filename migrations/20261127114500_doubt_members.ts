// Members of whom the answer was lost are noted, for targets that do not show them: they may be there, or not.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table target_members add column doubted boolean not null default false;
    comment on column target_members.doubted is 'The answer to its last change was lost: it is added again when it is to be there, and taken away when not.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table target_members drop column doubted');
}
