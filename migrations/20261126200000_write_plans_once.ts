// Loading a directory and settling its plan: statistics of columns that nobody compares by, a look at the plan for each
// item of it, and an index entry for each outcome cost a third of a first run.
import type { Knex } from 'knex';

const UNCOMPARED = {
  mirror_records: ['record', 'record_digest', 'body', 'digest', 'label', 'detail', 'memberships', 'routes'],
  resources: ['body', 'head', 'digest', 'display'],
  plan_items: ['before', 'after', 'after_digest', 'label', 'detail'],
};
const PARTS = ['plan_items', 'plan_members', 'plan_links', 'plan_lost_members'];

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    ${statistics(0)}
    drop index plan_items_pending_idx;
    drop index plan_items_lane_idx;
    create index plan_items_lane_idx on plan_items (plan_id) where lane;
    alter table plan_items set (fillfactor = 50);
    comment on column plan_items.outcome is 'In no index, so that settling an item writes its row beside the one before and no index.';

    ${PARTS.map((table) => `alter table ${table} drop constraint ${table}_plan_id_fkey;`).join('\n')}
    create function delete_plan_parts() returns trigger language plpgsql as $$
    begin
      ${PARTS.map((table) => `delete from ${table} p using gone where p.plan_id = gone.id;`).join('\n')}
      return null;
    end $$;
    create trigger plans_parts after delete on plans referencing old table as gone for each statement
      execute function delete_plan_parts();
    comment on function delete_plan_parts is 'In place of foreign keys, which look at the plan for each of a million rows that are written.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop trigger plans_parts on plans;
    drop function delete_plan_parts;
    ${PARTS.map((table) => `alter table ${table} add foreign key (plan_id) references plans on delete cascade;`).join('\n')}
    alter table plan_items reset (fillfactor);
    drop index plan_items_lane_idx;
    create index plan_items_lane_idx on plan_items (outcome_at) where lane;
    create index plan_items_pending_idx on plan_items (plan_id, seq) where outcome = 'pending';
    ${statistics(-1)}
  `);
}

function statistics(target: number): string {
  return Object.entries(UNCOMPARED)
    .map(([table, columns]) => {
      const settings = columns.map((column) => `alter column ${column} set statistics ${target}`);
      return `alter table ${table} ${settings.join(', ')};`;
    })
    .join('\n');
}
