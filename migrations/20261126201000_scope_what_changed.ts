// Scope by memberships is decided anew for whom something changed, as long as it is the same scope.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state add column scoped_by text;
    comment on column mirror_state.scoped_by is 'Digest of the scope by which everybody''s memberships were last looked at; null: nobody''s were.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table mirror_state drop column scoped_by');
}
