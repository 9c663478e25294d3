// Messages to people about a stream of events that was switched off: they belong to no run.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table notifications add column stream_id uuid references event_streams on delete cascade,
      alter column run_id drop not null, drop constraint if exists notifications_subject_check,
      drop constraint notifications_event_check,
      add constraint notifications_event_check
        check (event in ('run.finished', 'plan.held', 'plan.reminder', 'credential.expiring', 'stream.disabled'));
    create index notifications_stream_id_idx on notifications (stream_id) where stream_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from notifications where stream_id is not null;
    alter table notifications drop column stream_id, drop constraint notifications_event_check,
      add constraint notifications_event_check
        check (event in ('run.finished', 'plan.held', 'plan.reminder', 'credential.expiring'));
  `);
}
