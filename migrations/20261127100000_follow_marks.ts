import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table source_marks add column follow_at timestamptz;
    comment on column source_marks.follow_at is 'A run has looked since and found nothing: when to look again, since what is told may come before what is shown.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table source_marks drop column follow_at');
}
