// Whose a resource was and by which anchor, beside what a plan makes of it, so that a revert gives a link back; and a pin
// against making it again.
import type { Knex } from 'knex';

const CLASSES = ['create', 'update', 'remove', 'membership'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plan_items
      add column before_origin text collate "C",
      add column before_external_id text collate "C",
      add column after_origin text collate "C",
      add column after_external_id text collate "C";
    comment on column plan_items.before_origin is 'Of an item that changes a link: whose the resource was, and by which external id.';
    comment on column plan_items.after_origin is 'Whose it will be, and by which external id; null for every item that leaves the link as it is.';
    ${allow([...CLASSES, 'link'])}
    comment on column pins.external_id is 'Of the resource; of a link, the record that it is not linked to again.';
    create index pins_links_idx on pins (provider, resource_type, external_id) where class = 'link';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index pins_links_idx;
    delete from pins where class = 'link';
    ${allow(CLASSES)}
    comment on column pins.external_id is null;
    alter table plan_items drop column before_origin, drop column before_external_id, drop column after_origin,
      drop column after_external_id;
  `);
}

function allow(classes: readonly string[]): string {
  const list = classes.map((name) => `'${name}'`).join(', ');
  return `alter table pins drop constraint pins_class_check, add constraint pins_class_check check (class in (${list}));`;
}
