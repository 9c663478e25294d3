// A person asks for something to be sent again: what the target has of it is then read back, and no longer believed.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table deliveries add column doubted boolean not null default false;
    comment on column deliveries.doubted is 'Asked for again by a person: what is there is read back before it is changed.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table deliveries drop column doubted');
}
