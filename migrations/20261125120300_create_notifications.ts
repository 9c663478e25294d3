// Messages to people about runs and held plans: one row for each message and channel, which is also the claim to send it.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table notifications (
      id            uuid primary key,
      seq           bigint generated always as identity unique,
      key           text collate "C" not null constraint notifications_key_key unique,
      channel       text collate "C" not null check (channel in ('email', 'webhook')),
      event         text collate "C" not null check (event in ('run.finished', 'plan.held', 'plan.reminder')),
      run_id        uuid not null references runs on delete cascade,
      plan_id       uuid,
      number        integer not null default 0,
      state         text collate "C" not null default 'pending' check (state in ('pending', 'sent', 'failed', 'dropped')),
      attempts      integer not null default 0,
      next_at       timestamptz(3) not null,
      claimed_until timestamptz(3),
      error         jsonb,
      created_at    timestamptz(3) not null default now(),
      settled_at    timestamptz(3)
    );
    comment on column notifications.key is 'Channel and event: the same event makes one message, however many replicas see it.';
    comment on column notifications.number is 'Which reminder it is; 0 for what is no reminder.';
    create index notifications_due_idx on notifications (next_at) where state = 'pending';
    create index notifications_run_id_idx on notifications (run_id);

    alter table runs add column notified_at timestamptz(3);
    comment on column runs.notified_at is 'When its end was looked at for a message; null while nobody did.';
    update runs set notified_at = now() where finished_at is not null;
    create index runs_unnotified_idx on runs (seq) where notified_at is null;

    alter table plans add column notices integer not null default 0, add column next_notice_at timestamptz(3);
    comment on column plans.notices is 'How often people were told that it waits.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plans drop column notices, drop column next_notice_at;
    alter table runs drop column notified_at;
    drop table notifications;
  `);
}
