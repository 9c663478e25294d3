// Who may come in: downstream apps, their tokens and administrators' tokens, and the audit log of what was done.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table apps (
      id         uuid primary key,
      seq        bigint generated always as identity unique,
      name       text not null,
      name_key   text collate "C" not null constraint apps_name_key unique,
      scope      jsonb,
      push       jsonb,
      webhook    jsonb,
      created_at timestamptz(3) not null default now(),
      updated_at timestamptz(3) not null default now()
    );

    create table tokens (
      id           uuid primary key,
      app_id       uuid references apps on delete cascade,
      name         text not null,
      hash         bytea not null constraint tokens_hash_key unique,
      hint         text not null,
      scopes       text[] not null,
      created_at   timestamptz(3) not null default now(),
      expires_at   timestamptz(3),
      revoked_at   timestamptz(3),
      last_used_at timestamptz(3)
    );
    comment on column tokens.hash is 'SHA-256 of the token; the token itself is shown once and never stored.';
    create index tokens_app_id_idx on tokens (app_id);

    create table audit (
      seq    bigint generated always as identity primary key,
      at     timestamptz(3) not null default now(),
      actor  text not null,
      action text not null,
      object text,
      detail jsonb
    );
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table audit; drop table tokens; drop table apps;');
}
