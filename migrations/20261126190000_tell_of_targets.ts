// Messages to people about a push target: that nothing is sent to it any more, and that it is in service again.
import type { Knex } from 'knex';

const EVENTS = `'run.finished', 'plan.held', 'plan.reminder', 'credential.expiring', 'stream.disabled'`;
const OF_TARGETS = `'target.quarantined', 'target.disabled', 'target.recovered'`;

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table targets add column told text collate "C";
    comment on column targets.told is 'What people were told last of its being out of service; null when it was in service.';
    alter table notifications add column app_id uuid references apps on delete cascade,
      drop constraint notifications_event_check,
      add constraint notifications_event_check check (event in (${EVENTS}, ${OF_TARGETS}));
    create index notifications_app_id_idx on notifications (app_id) where app_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from notifications where app_id is not null;
    alter table notifications drop column app_id, drop constraint notifications_event_check,
      add constraint notifications_event_check check (event in (${EVENTS}));
    alter table targets drop column told;
  `);
}
