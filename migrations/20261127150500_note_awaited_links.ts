// Whose account at a target somebody waits for is noted, so that they are asked for once that one has left; and what is
// linked to nothing is found without reading all deliveries.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table deliveries add column awaits uuid;
    comment on column deliveries.awaits is 'The resource that is linked to what this one wants there: tried again once that one has left.';
    create index deliveries_awaits_idx on deliveries (app_id, awaits) where awaits is not null;
    create index deliveries_unlinked_idx on deliveries (resource_id) where state = 'idle' and remote_id is null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index deliveries_unlinked_idx; drop index deliveries_awaits_idx;
    alter table deliveries drop column awaits;
  `);
}
