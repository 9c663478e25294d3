// Memberships end with the account or group that leaves. What went that way is kept beside the item that took it, so
// that a plan says what it did and a revert can give it back.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    create table plan_lost_members (
      plan_id     uuid not null references plans on delete cascade,
      seq         bigint not null,
      group_id    uuid not null,
      member_id   uuid not null,
      member_type text collate "C" not null,
      primary key (plan_id, seq, group_id, member_id)
    );
    comment on table plan_lost_members is 'Memberships that went with a deactivated or deleted resource when its item was applied.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table plan_lost_members;');
}
