// Being told of changes: what we have asked the source to tell, and since when it has told us something.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table source_subscriptions (
      id               uuid primary key,
      provider         text collate "C" not null,
      resource         text collate "C" not null,
      notification_url text not null,
      remote_id        text collate "C",
      secret_hash      bytea,
      expires_at       timestamptz(3),
      renew_now        boolean not null default false,
      attempts         integer not null default 0,
      attempt_at       timestamptz(3) not null default now(),
      error            jsonb,
      created_at       timestamptz(3) not null default now(),
      settled_at       timestamptz(3),
      failed_at        timestamptz(3),
      unique (provider, resource)
    );
    comment on column source_subscriptions.remote_id is 'Its id in the source; null while it is to be made.';
    comment on column source_subscriptions.secret_hash is 'SHA-256 of the random clientState that every notification must carry.';
    comment on column source_subscriptions.attempt_at is 'When it is looked at next after a failure.';
    create index source_subscriptions_remote_id_idx on source_subscriptions (remote_id) where remote_id is not null;

    create table source_marks (
      provider text collate "C" primary key,
      first_at timestamptz(3) not null,
      last_at  timestamptz(3) not null,
      tried_at timestamptz(3)
    );
    comment on table source_marks is 'Something changed in the source at these times, and no run has begun since that came to a good end.';
    comment on column source_marks.tried_at is 'When a run was last started because of it.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table source_marks; drop table source_subscriptions;');
}
