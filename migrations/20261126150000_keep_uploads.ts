// Files that were uploaded to a provider, in pieces, so that every replica can read them.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table uploads (
      id           uuid primary key default gen_random_uuid(),
      provider     text not null,
      begun_at     timestamptz(3) not null default now(),
      completed_at timestamptz(3),
      uploaded_by  text not null,
      files        jsonb not null default '[]'
    );
    comment on table uploads is 'Files of one upload belong together. Without completed_at it is half there, and nobody reads it.';
    comment on column uploads.files is 'Role, name, bytes and digest of each file.';
    create index uploads_newest on uploads (provider, completed_at desc) where completed_at is not null;
    create table upload_pieces (
      upload_id uuid not null references uploads on delete cascade,
      role      text not null,
      seq       integer not null,
      bytes     bytea not null,
      primary key (upload_id, role, seq)
    );
    alter table upload_pieces alter column bytes set storage external;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table upload_pieces; drop table uploads;');
}
