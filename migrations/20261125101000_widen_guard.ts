// What the guard judges by beyond the action of an item: its class, which attributes it changes and which it empties;
// and what came of it: the rules that hold it, and whether it passed in the leaver lane.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table plan_items
      add column class text collate "C" check (class in ('create', 'update', 'remove', 'membership')),
      add column attributes text[] collate "C" not null default '{}',
      add column emptied text[] collate "C" not null default '{}',
      add column held_by text[] collate "C" not null default '{}',
      add column lane boolean not null default false;
    comment on column plan_items.class is 'What the guard counts it as; null for a skip. An update that takes somebody''s access is a removal.';
    comment on column plan_items.attributes is 'Paths of the attributes that an update changes.';
    comment on column plan_items.emptied is 'Those of them that have no value afterwards.';
    comment on column plan_items.held_by is 'Codes of the guard''s rules that hold it.';
    comment on column plan_items.lane is 'It passes although its class is held: one of a few who left since a mass of leavers waits.';
    update plan_items set class = case when action in ('deactivate', 'delete') then 'remove' else action end
      where outcome in ('held', 'pending') and action <> 'skip';
    create index plan_items_lane_idx on plan_items (outcome_at) where lane;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index plan_items_lane_idx;
    alter table plan_items drop column class, drop column attributes, drop column emptied, drop column held_by, drop column lane;
  `);
}
