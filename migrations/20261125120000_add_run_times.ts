// What a run spent its time on: for the estimate of the next one, its steps, and its wall time without the waiting.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table runs
      add column phases        jsonb not null default '{}',
      add column progress_at   timestamptz(3),
      add column working_since timestamptz(3),
      add column work_ms       bigint not null default 0;
    comment on column runs.phases is 'By phase: ms spent, objects done, when it began. Kept across an interruption.';
    comment on column runs.progress_at is 'When the progress was last written.';
    comment on column runs.working_since is 'When the process that works on it began; null while nobody does.';
    comment on column runs.work_ms is 'Time worked before that: a held run does not grow older by waiting.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table runs drop column phases, drop column progress_at, drop column working_since, drop column work_ms;
  `);
}
