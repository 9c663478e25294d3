// What changed in the mirror since the last plan, so that a plan need not compare everything with everything; where an
// incremental read goes on; and why a run read more than it was asked to.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table mirror_touched (
      provider      text collate "C" not null,
      resource_type text collate "C" not null,
      external_id   text collate "C" not null,
      fresh         boolean not null default true,
      plan_id       uuid,
      primary key (provider, resource_type, external_id)
    );
    comment on table mirror_touched is 'Records whose resource may differ from what the mirror says. A plan of changes compares these only.';
    comment on column mirror_touched.fresh is 'False for what the last plan left undone on purpose (held, in dispute, pinned): no reason for a plan by itself.';
    comment on column mirror_touched.plan_id is 'The plan that has compared it; null since it was touched again.';

    alter table mirror_state add column compare_all boolean not null default true, add column compare_plan uuid,
      add column checkpoint_config bigint;
    comment on column mirror_state.compare_all is 'Anything may differ: the next plan compares everything, whatever is in mirror_touched.';
    comment on column mirror_state.compare_plan is 'The plan that has compared everything; null since anything may differ again.';
    comment on column mirror_state.checkpoint_config is 'The version of the settings by which the checkpoint was read.';

    alter table runs add column mode_reason text;
    comment on column runs.mode_reason is 'Why the run read everything although it was asked for changes.';

    create index mirror_records_manager_idx on mirror_records (provider, manager_external_id)
      where manager_external_id is not null and gone_at is null;
    create index mirror_records_name_idx on mirror_records (provider, name_key)
      where resource_type = 'User' and gone_at is null and reason is null;
    create index resources_edited_idx on resources (origin, resource_type)
      where digest is null and left_at is null and deleted_at is null and external_id is not null;
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index resources_edited_idx; drop index mirror_records_name_idx; drop index mirror_records_manager_idx;
    alter table runs drop column mode_reason;
    alter table mirror_state drop column checkpoint_config, drop column compare_plan, drop column compare_all;
    drop table mirror_touched;
  `);
}
