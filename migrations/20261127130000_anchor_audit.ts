// Where the chain of the audit log begins, once retention has removed its beginning: nothing else may be missing there.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table audit_anchor (
      singleton boolean primary key default true check (singleton),
      link      bigint not null,
      hash      bytea not null
    );
    comment on table audit_anchor is 'At most one row: the last entry of the audit log that retention has removed.';
    insert into audit_anchor (link, hash)
      select link - 1, previous from audit where link = (select min(link) from audit) and link > 1;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table audit_anchor');
}
