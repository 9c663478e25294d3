// "Why is this person here?" also asks which memberships of theirs are pinned.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('create index pins_member_id_idx on pins (member_id) where member_id is not null');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index pins_member_id_idx');
}
