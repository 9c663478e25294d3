// That the scope of a target has moved is noted beside what is looked through already, which goes on to its end: it began
// anew with every change of a group, and under steady changes never came to those at the end of the directory.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table targets add column scope_moved boolean not null default false;
    comment on column targets.scope_moved is 'A group has changed since what is looked through began: it is looked through once more after it.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table targets drop column scope_moved');
}
