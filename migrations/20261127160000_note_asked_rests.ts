// A rest that a target asked for is told from our own back-off: a person may pass over the second, never over the first.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table targets add column rest_asked_until timestamptz(3);
    comment on column targets.rest_asked_until is 'Until then the target asked to be left alone (Retry-After); in force only beside rest_until.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table targets drop column rest_asked_until');
}
