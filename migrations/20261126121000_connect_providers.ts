// How a provider is connected to its source: who granted what and when, what the source says of itself, when the
// credential ends, and how far people were told of that. And links of consent that were used, so that each works once.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table provider_connections (
      provider              text collate "C" primary key,
      source_id             text,
      connected_at          timestamptz(3),
      connected_by          text,
      facts                 jsonb,
      facts_at              timestamptz(3),
      facts_config          bigint,
      problem               jsonb,
      problem_at            timestamptz(3),
      credential_expires_at timestamptz(3),
      warned_days           integer,
      next_warning_at       timestamptz(3)
    );
    comment on column provider_connections.source_id is 'The source whose administrator has consented, by its own id.';
    comment on column provider_connections.facts_config is 'The version of the settings by which the source was asked.';
    comment on column provider_connections.warned_days is 'Of how many days before the end of the credential people were told last.';

    create table used_states (
      id         uuid primary key,
      expires_at timestamptz(3) not null
    );
    comment on table used_states is 'Ways to a source that were gone already; an expired one is refused by its own date.';

    alter table notifications alter column run_id drop not null, add column provider text collate "C",
      drop constraint notifications_event_check,
      add constraint notifications_event_check
        check (event in ('run.finished', 'plan.held', 'plan.reminder', 'credential.expiring')),
      add constraint notifications_subject_check check (run_id is not null or provider is not null);
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    delete from notifications where event = 'credential.expiring';
    alter table notifications drop constraint notifications_subject_check, drop constraint notifications_event_check,
      add constraint notifications_event_check check (event in ('run.finished', 'plan.held', 'plan.reminder')),
      drop column provider, alter column run_id set not null;
    drop table used_states;
    drop table provider_connections;
  `);
}
