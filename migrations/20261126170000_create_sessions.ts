// Sessions of people in the console: a cookie's hash, who it is, and when it ends.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table sessions (
      id           uuid primary key,
      hash         bytea not null constraint sessions_hash_key unique,
      token_id     uuid references tokens on delete cascade,
      subject      text,
      name         text not null,
      role         text collate "C" not null check (role in ('viewer', 'operator', 'admin')),
      method       text collate "C" not null check (method in ('token', 'oidc')),
      signed_in_at timestamptz(3) not null default now(),
      seen_at      timestamptz(3) not null default now(),
      expires_at   timestamptz(3) not null
    );
    comment on column sessions.hash is 'SHA-256 of the cookie; the cookie itself is never stored.';
    comment on column sessions.token_id is 'The token it was opened with: a session ends with it.';
    comment on column sessions.subject is 'Issuer and subject of an OpenID Connect sign-in.';
    create index sessions_expires_idx on sessions (expires_at);
    create index sessions_token_idx on sessions (token_id) where token_id is not null;
    create index sessions_subject_idx on sessions (subject) where subject is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table sessions;');
}
