// What runs that are no longer kept have cost, so that the sum of a month stays right when its runs go.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table run_costs (
      month          text collate "C" not null check (month ~ '^[0-9]{4}-[0-9]{2}$'),
      provider       text collate "C" not null,
      runs           bigint not null,
      wall_ms        bigint not null,
      requests       bigint not null,
      resource_units bigint not null,
      bytes          bigint not null,
      throttled_ms   bigint not null,
      primary key (month, provider)
    );
    comment on table run_costs is 'Sums of deleted runs by month (UTC). What a month has cost is this and the runs that are kept.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table run_costs;');
}
