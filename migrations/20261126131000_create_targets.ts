// Targets: where each stands in the journal, what it has of which resource, and what is on its way.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table apps add column push_secrets text;
    comment on column apps.push_secrets is 'Credentials of the push target, sealed; by path.';

    create table targets (
      app_id           uuid primary key references apps on delete cascade,
      state            text collate "C" not null default 'active' check (state in ('active', 'paused', 'quarantined', 'disabled')),
      config_version   bigint not null default 1,
      place_xid        xid8,
      place_seq        bigint,
      backfill         jsonb,
      capabilities     jsonb,
      capabilities_at  timestamptz(3),
      learned          jsonb not null default '{}',
      rest_until       timestamptz(3),
      failures         integer not null default 0,
      quarantine       jsonb,
      guard            jsonb,
      guard_allowed_at timestamptz(3),
      reconcile_asked  boolean not null default false,
      reconciled_at    timestamptz(3),
      created_at       timestamptz(3) not null default now()
    );
    comment on column targets.backfill is 'What is looked through, and how far: {"mode", "type", "pos"}; null when nothing is.';
    comment on column targets.rest_until is 'Until then the target asked for rest, or is not worth asking.';

    create table deliveries (
      id           uuid not null default gen_random_uuid() constraint deliveries_id_key unique,
      app_id       uuid not null references targets on delete cascade,
      resource_id  uuid not null,
      resource_type text collate "C" not null check (resource_type in ('User', 'Group')),
      state        text collate "C" not null default 'pending' check (state in ('idle', 'pending', 'sending', 'dead', 'held')),
      rank         smallint not null,
      wanted       bigint not null,
      delivered    bigint,
      asks         bigint not null default 1,
      ready_at     timestamptz(3) not null,
      changed_at   timestamptz(3) not null,
      attempts     integer not null default 0,
      fence        bigint not null default 0,
      claimed_until timestamptz(3),
      in_scope     boolean not null default true,
      allowed      boolean not null default false,
      remote_id    text,
      remote_etag  text,
      link         text collate "C" check (link in ('created', 'adopted')),
      sent         jsonb,
      gone_since   timestamptz(3),
      last_action  text collate "C",
      last_error   jsonb,
      first_failed_at timestamptz(3),
      settled_at   timestamptz(3),
      log          jsonb not null default '[]',
      primary key (app_id, resource_id)
    ) with (fillfactor = 80);
    comment on table deliveries is 'One row per target and resource: what must be there, what is, and what is on its way. States, not messages.';
    comment on column deliveries.asks is 'Grows with every reason to look again: what grew while a delivery was on its way is delivered once more.';
    comment on column deliveries.sent is 'What we last sent of it; the next update is the difference.';
    create index deliveries_ready_idx on deliveries (app_id, rank, ready_at) where state = 'pending';
    create index deliveries_sending_idx on deliveries (app_id, claimed_until) where state = 'sending';
    create index deliveries_open_idx on deliveries (app_id, state) where state <> 'idle';
    create unique index deliveries_remote_key on deliveries (app_id, resource_type, remote_id) where remote_id is not null;

    create table target_members (
      app_id    uuid not null references targets on delete cascade,
      group_id  uuid not null,
      remote_id text collate "C" not null,
      primary key (app_id, group_id, remote_id)
    );
    comment on table target_members is 'The members that each group has at each target, by their ids there: what we wrote, or read there.';
    create index target_members_remote_idx on target_members (app_id, remote_id);

    create table departures (
      seq             bigint generated always as identity primary key,
      app_id          uuid not null references targets on delete cascade,
      resource_id     uuid not null,
      changed_at      timestamptz(3) not null,
      acknowledged_at timestamptz(3) not null
    );
    comment on table departures is 'When somebody left here, and when the target had acknowledged it.';
    create index departures_app_idx on departures (app_id, acknowledged_at);

    create table reconciliations (
      seq         bigint generated always as identity primary key,
      id          uuid not null constraint reconciliations_id_key unique,
      app_id      uuid not null references targets on delete cascade,
      started_at  timestamptz(3) not null,
      finished_at timestamptz(3),
      counts      jsonb not null default '{}',
      findings    jsonb not null default '[]',
      error       jsonb
    );
    create index reconciliations_app_idx on reconciliations (app_id, seq);
    create index if not exists resources_manager_id_idx on resources (manager_id) where manager_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index resources_manager_id_idx;
    drop table reconciliations; drop table departures; drop table target_members; drop table deliveries; drop table targets;
    alter table apps drop column push_secrets;
  `);
}
