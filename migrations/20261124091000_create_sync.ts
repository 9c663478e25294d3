// What a sync needs: provider settings, the mirror of the provider, runs, plans with their items, schedule and lease.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table provider_settings (
      kind                text collate "C" primary key check (kind in ('microsoft365', 'scim', 'ldap', 'csv')),
      settings            jsonb not null,
      secrets             text,
      config_version      bigint not null default 1,
      active              boolean not null default false,
      activated_at        timestamptz(3),
      initial_done_at     timestamptz(3),
      last_success_at     timestamptz(3),
      connection          jsonb,
      updated_at          timestamptz(3) not null default now()
    );
    comment on column provider_settings.secrets is 'Write-only values by path, sealed as one JSON text.';
    comment on column provider_settings.initial_done_at is 'When the first run was applied whole; null while the provider is new.';
    create unique index provider_settings_active_key on provider_settings ((true)) where active;

    create table mirror_records (
      provider            text collate "C" not null,
      resource_type       text collate "C" not null,
      external_id         text collate "C" not null,
      record              text not null,
      record_digest       bytea not null,
      body                text,
      digest              bytea,
      name_key            text collate "C",
      manager_external_id text collate "C",
      members_digest      bytea,
      reason              text,
      detail              text,
      gone_at             timestamptz(3),
      seen_at             timestamptz(3) not null default now(),
      primary key (provider, resource_type, external_id)
    ) with (fillfactor = 90);
    comment on table mirror_records is 'Our copy of what the provider says. reason says why a record is out of scope; gone_at that a complete read did not show it.';
    comment on column mirror_records.record_digest is 'Of the record as the provider sent it and the settings version: the same means nothing to normalise.';

    create table mirror_members (
      provider           text collate "C" not null,
      group_external_id  text collate "C" not null,
      member_external_id text collate "C" not null,
      member_type        text collate "C" not null,
      primary key (provider, group_external_id, member_external_id)
    );
    create index mirror_members_member_idx on mirror_members (provider, member_external_id);

    create table mirror_seen (
      generation    bigint not null,
      resource_type text collate "C" not null,
      external_id   text collate "C" not null,
      primary key (generation, resource_type, external_id)
    );
    comment on table mirror_seen is 'Who was seen in a full read that is under way; emptied by its sweep.';

    create table mirror_skipped (
      provider          text collate "C" not null,
      group_external_id text collate "C" not null,
      external_id       text collate "C" not null,
      object_type       text not null,
      display_name      text,
      reason            text not null,
      primary key (provider, group_external_id, external_id)
    );
    comment on table mirror_skipped is 'Members that are neither users nor groups.';

    create table mirror_state (
      provider   text collate "C" primary key,
      generation bigint not null default 0,
      checkpoint text,
      read_at    timestamptz(3)
    );

    create table runs (
      id               uuid primary key,
      seq              bigint generated always as identity unique,
      provider         text collate "C" not null,
      mode             text not null check (mode in ('incremental', 'full')),
      preview          boolean not null default false,
      trigger          text not null,
      options          jsonb not null default '{}',
      status           text not null check (status in ('queued', 'running', 'held', 'succeeded', 'failed', 'cancelled', 'abandoned', 'incomplete')),
      phase            text,
      done             bigint not null default 0,
      total            bigint,
      counts           jsonb not null default '{}',
      guard            jsonb,
      plan_id          uuid,
      error            jsonb,
      cost             jsonb,
      config_version   bigint,
      requested_by     text not null,
      cancel_requested boolean not null default false,
      created_at       timestamptz(3) not null default now(),
      started_at       timestamptz(3),
      finished_at      timestamptz(3)
    );
    create unique index runs_running_key on runs ((true)) where status in ('queued', 'running');
    comment on index runs_running_key is 'One run at a time, whatever a lease believes.';
    create index runs_provider_seq_idx on runs (provider, seq);

    create table plans (
      id             uuid primary key,
      run_id         uuid not null references runs on delete cascade,
      provider       text collate "C" not null,
      config_version bigint not null,
      status         text not null check (status in ('building', 'ready', 'held', 'approved', 'applying', 'applied', 'rejected', 'superseded', 'expired')),
      complete       boolean not null,
      hash           text,
      counts         jsonb not null default '{}',
      guard          jsonb,
      base           jsonb not null default '{}',
      created_at     timestamptz(3) not null default now(),
      expires_at     timestamptz(3),
      decided_at     timestamptz(3),
      decided_by     text,
      superseded_by  uuid
    );
    create index plans_run_id_idx on plans (run_id);
    create index plans_status_idx on plans (status) where status in ('building', 'held', 'approved', 'applying');

    create table plan_items (
      plan_id       uuid not null references plans on delete cascade,
      seq           bigint not null,
      action        text collate "C" not null check (action in ('create', 'update', 'deactivate', 'delete', 'membership', 'skip')),
      resource_type text collate "C" not null,
      resource_id   uuid,
      external_id   text collate "C",
      label         text,
      reason        text not null,
      detail        text,
      base_version  bigint,
      before        text,
      after         text,
      after_digest  bytea,
      added         integer not null default 0,
      removed       integer not null default 0,
      held          boolean not null default false,
      outcome       text collate "C" not null default 'pending',
      outcome_at    timestamptz(3),
      error         text,
      primary key (plan_id, seq)
    );
    comment on table plan_items is 'A plan and, with its outcomes, the provisioning log of its run.';
    comment on column plan_items.resource_id is 'For a create, the id that the resource will have.';
    create index plan_items_pending_idx on plan_items (plan_id, seq) where outcome = 'pending';
    create index plan_items_external_id_idx on plan_items (plan_id, external_id);
    create index plan_items_resource_id_idx on plan_items (resource_id);

    create table plan_members (
      plan_id            uuid not null references plans on delete cascade,
      seq                bigint not null,
      member_external_id text collate "C" not null,
      member_id          uuid,
      member_type        text collate "C" not null,
      removed            boolean not null,
      primary key (plan_id, seq, member_external_id, removed)
    );
    comment on table plan_members is 'The memberships of a membership item, one row each. member_id is set when the member has one already.';

    create table schedule_slots (
      name       text not null,
      slot       timestamptz(3) not null,
      claimed_at timestamptz(3) not null default now(),
      run_id     uuid,
      primary key (name, slot)
    );
    comment on table schedule_slots is 'One row per due time: whoever inserts it runs it, so every slot runs once.';

    create table leases (
      name       text collate "C" primary key,
      owner      text not null,
      fence      bigint not null,
      expires_at timestamptz not null
    );

    create table settings (
      name       text collate "C" primary key,
      value      jsonb not null,
      updated_at timestamptz(3) not null default now()
    );
    comment on table settings is 'What an administrator edits that belongs to no provider: schedule, guard.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop table settings; drop table leases; drop table schedule_slots; drop table plan_members; drop table plan_items;
    drop table plans; drop table runs; drop table mirror_state; drop table mirror_skipped; drop table mirror_seen;
    drop table mirror_members; drop table mirror_records; drop table provider_settings;
  `);
}
