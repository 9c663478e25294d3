// The log of a run that was started with a log level: kept with the run, in pieces in the order in which they came.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table run_logs (
      run_id uuid not null references runs on delete cascade,
      seq    integer not null,
      lines  text not null,
      primary key (run_id, seq)
    );
    comment on table run_logs is 'Whole lines of JSON, secrets masked. The writer bounds the size of all pieces of a run.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table run_logs;');
}
