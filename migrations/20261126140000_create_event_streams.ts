// Webhooks and security event tokens: one stream for each app and kind, a window of its messages, and what it knows of the
// directory. A stream that nobody takes from keeps a place in the change log and a full window, and grows no further.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table event_streams (
      id              uuid primary key,
      app_id          uuid not null references apps on delete cascade,
      kind            text collate "C" not null check (kind in ('webhook', 'set')),
      enabled         boolean not null default true,
      pushed          boolean not null,
      settings        jsonb not null,
      sealed          text not null,
      place_xid       xid8 not null,
      place_seq       bigint not null,
      scanned_xid     xid8 not null,
      scanned_seq     bigint not null,
      rescan          boolean not null default false,
      ledger          boolean not null default false,
      scope           jsonb,
      failures        integer not null default 0,
      failing_since   timestamptz(3),
      retry_at        timestamptz(3),
      last_error      jsonb,
      last_success_at timestamptz(3),
      polled_at       timestamptz(3),
      disabled_at     timestamptz(3),
      disabled_reason text collate "C",
      told_at         timestamptz(3),
      created_at      timestamptz(3) not null default now(),
      updated_at      timestamptz(3) not null default now(),
      constraint event_streams_app_key unique (app_id, kind)
    );
    comment on column event_streams.enabled is 'What the administrator wants; disabled_at is what the gateway made of it.';
    comment on column event_streams.pushed is 'Whether we send; of a stream that is polled the receiver asks.';
    comment on column event_streams.place_seq is 'With place_xid: up to where the change log was turned into messages.';
    comment on column event_streams.scanned_seq is 'With scanned_xid: no change before it can bring in or out of scope whom the ledger does not know of.';
    comment on column event_streams.rescan is 'Whether the ledger may differ from what is in scope.';
    comment on column event_streams.ledger is 'Whether event_known says whom the receiver knows; without it, it knows everybody.';
    comment on column event_streams.scope is 'The scope of the app for which the ledger was made.';

    comment on column event_streams.told_at is 'When people were told that it was disabled.';

    create table event_known (
      stream_id     uuid not null references event_streams on delete cascade,
      resource_id   uuid not null,
      resource_type text collate "C" not null,
      version       bigint not null,
      primary key (stream_id, resource_id)
    );
    comment on table event_known is 'Whom a receiver knows that does not see everybody. The version is the one it was told of first.';

    create table event_deliveries (
      id            uuid primary key,
      seq           bigint generated always as identity unique,
      stream_id     uuid not null references event_streams on delete cascade,
      message_id    uuid not null,
      type          text collate "C" not null,
      resource_type text collate "C",
      resource_id   uuid,
      urgent        boolean not null default false,
      payload       text not null,
      changed_at    timestamptz(3) not null,
      state         text collate "C" not null default 'pending' check (state in ('pending', 'delivered', 'dead')),
      attempts      integer not null default 0,
      next_at       timestamptz(3) not null,
      claimed_until timestamptz(3),
      status        integer,
      answer        text,
      error         jsonb,
      created_at    timestamptz(3) not null default now(),
      attempted_at  timestamptz(3),
      settled_at    timestamptz(3),
      constraint event_deliveries_message_key unique (stream_id, message_id)
    ) with (fillfactor = 80);
    comment on column event_deliveries.message_id is 'webhook-id, and jti of a token: the same at every try.';
    comment on column event_deliveries.urgent is 'A leaver: goes before others, but not before an earlier message of the same resource.';
    create index event_deliveries_due_idx on event_deliveries (stream_id, urgent desc, seq) where state = 'pending';
    create index event_deliveries_lane_idx on event_deliveries (stream_id, resource_id, seq) where state = 'pending';
    create index event_deliveries_dead_idx on event_deliveries (stream_id) where state = 'dead';
    create index event_deliveries_leavers_idx on event_deliveries (stream_id) where state = 'delivered' and urgent;
    create index event_deliveries_claimed_idx on event_deliveries (claimed_until) where state = 'pending' and claimed_until is not null;
    create index event_deliveries_list_idx on event_deliveries (stream_id, seq);

    create table signing_keys (
      kid        text collate "C" primary key,
      seq        bigint generated always as identity,
      algorithm  text collate "C" not null,
      public_jwk jsonb not null,
      sealed     text not null,
      active_at  timestamptz(3) not null,
      expires_at timestamptz(3),
      created_at timestamptz(3) not null default now()
    );
    comment on column signing_keys.active_at is 'From when it signs; it is published before, so that receivers have it by then.';
    comment on column signing_keys.expires_at is 'Until when it is published; null while it is the newest.';

    alter table apps drop column webhook;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table apps add column webhook jsonb;
    drop table signing_keys; drop table event_deliveries; drop table event_known; drop table event_streams;
  `);
}
