// What was sent, by the hour; every try of a message; and deliveries in the order in which something became of them.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table attempt_hours (
      app_id       uuid not null references apps on delete cascade,
      channel      text collate "C" not null check (channel in ('push', 'webhook', 'events')),
      hour         timestamptz(0) not null,
      delivered    bigint not null default 0,
      failed       bigint not null default 0,
      settled      bigint not null default 0,
      delivered_at timestamptz(3),
      primary key (app_id, channel, hour)
    ) with (fillfactor = 50);
    comment on table attempt_hours is 'How sending to each app went in each hour: what people see as a strip, and how the live stream knows that something moved.';
    comment on column attempt_hours.settled is 'Everything that was looked at, also what needed nothing to be sent.';

    alter table event_deliveries add column tries jsonb not null default '[]';
    comment on column event_deliveries.tries is 'The last tries: when, how long, status, beginning of the answer, and what was wrong.';

    create index deliveries_touched_idx on deliveries (greatest(settled_at, changed_at) desc, id desc);
    create index event_deliveries_touched_idx on event_deliveries (greatest(attempted_at, changed_at) desc, id desc);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index event_deliveries_touched_idx; drop index deliveries_touched_idx;
    alter table event_deliveries drop column tries;
    drop table attempt_hours;
  `);
}
