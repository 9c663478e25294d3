// Who was seen in a full read is kept in memory by the process that reads, and no longer in mirror_seen: a hundred
// thousand rows with an index were written and deleted by every read. What is left to know is that one
// has stopped halfway.
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table mirror_state add column unfinished_since timestamptz(3);
    comment on column mirror_state.unfinished_since is 'Since when the mirror may hold something of a full read that did not come to its end, and not everything; null otherwise.';
    comment on table mirror_seen is 'Written by the release before only; goes with the next.';
    update mirror_state s set unfinished_since = now()
      where exists (select 1 from mirror_seen n where n.generation = s.generation);
    create index mirror_records_gone_idx on mirror_records (provider, resource_type) where gone_at is not null;
    comment on index mirror_records_gone_idx is 'The few who may have left the recycle bin, looked at by every full read.';
  `);
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop index mirror_records_gone_idx; alter table mirror_state drop column unfinished_since;');
}
