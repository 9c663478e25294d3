// The audit log as a chain: each entry carries a hash of itself and of the one before, so that a change shows.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table audit add column link bigint, add column previous bytea,
      add column hash bytea;
    comment on column audit.link is 'Place in the chain, from 1 without gaps; null until it is sealed, shortly after its transaction.';
    comment on column audit.hash is 'SHA-256 of the previous hash and of the entry.';
    create unique index audit_link_key on audit (link) where link is not null;
    create index audit_unsealed_idx on audit (seq) where link is null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table audit drop column hash, drop column previous, drop column link');
}
