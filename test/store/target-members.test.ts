// What a batch of members costs must not grow with the group, also on tables that nobody has taken statistics of: a target
// that has just been connected has such.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { insertApp } from '#store/access/apps.ts';
import { type Db, sql } from '#store/database.ts';
import { lackingMembers, noteMembers, surplusMembers } from '#store/target/target-members.ts';
import { saveTarget } from '#store/target/targets.ts';
import { eachDatabase } from '../support/database.ts';

const MEMBERS = 2_000;
const BATCH = 100;
const GROUP = '00000000-0000-4000-8000-0000000000aa';

eachDatabase('the members of a large group at a target', (open) => {
  /** Everybody is at the target by another id; the first half are members here, all but the first quarter there. */
  async function fill(db: Db): Promise<{ appId: string; groupId: string }> {
    const { id: appId } = await insertApp(db, { name: 'app', scope: null });
    await saveTarget(db, { appId, push: { baseUrl: 'https://app.example' }, secrets: null });
    const id = `('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid`;
    await sql(
      db,
      `insert into deliveries (app_id, resource_id, resource_type, state, rank, wanted, ready_at, changed_at, remote_id)
       select ?, ${id}, 'User', 'idle', 2, 1, now(), now(), 'r' || n from generate_series(1, ?::int) n`,
      [appId, MEMBERS],
    );
    await sql(
      db,
      `insert into group_members (group_id, member_id, member_type) select ?, ${id}, 'User' from generate_series(1, ?::int) n`,
      [GROUP, MEMBERS / 2],
    );
    await sql(
      db,
      `insert into target_members (app_id, group_id, remote_id) select ?, ?, 'r' || n from generate_series(?::int + 1, ?::int) n`,
      [appId, GROUP, MEMBERS / 4, MEMBERS],
    );
    return { appId, groupId: GROUP };
  }

  async function walkThrough(
    db: Db,
    place: { appId: string; groupId: string },
  ): Promise<{ come: number; gone: number }> {
    const counts = { come: 0, gone: 0 };
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await surplusMembers(db, place, { limit: BATCH, after, except: [] });
      await noteMembers(db, place, { add: [], remove: page.members });
      counts.gone += page.members.length;
      after = page.next;
    }
    for (let after: string | undefined, first = true; first || after !== undefined; first = false) {
      const page = await lackingMembers(db, place, { limit: BATCH, after, except: [] });
      await noteMembers(db, place, { add: page.members.map(({ remoteId }) => remoteId), remove: [] });
      counts.come += page.members.length;
      after = page.next;
    }
    return counts;
  }

  it('are found in batches that read each delivery a few times at most', async () => {
    const { knex } = await open();
    const place = await fill(knex);
    const read = await knex.transaction(async (tx) => {
      const counts = await walkThrough(tx, place);
      assert.deepEqual(counts, { come: MEMBERS / 4, gone: MEMBERS / 2 });
      const { rows } = await sql<{ read: number }>(
        tx,
        `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables
         where relname in ('deliveries', 'group_members', 'target_members')`,
      );
      return rows[0]?.read ?? 0;
    });
    assert.ok(read > 0 && read < MEMBERS * 10, `${read} rows were read`);
    assert.deepEqual(await walkThrough(knex, place), { come: 0, gone: 0 });
  });

  it('are found but for those who are named', async () => {
    const { knex } = await open();
    const place = await fill(knex);
    const except = ['r1', `r${MEMBERS}`];
    const lacking = await lackingMembers(knex, place, { limit: MEMBERS, after: undefined, except });
    const surplus = await surplusMembers(knex, place, { limit: MEMBERS, after: undefined, except });
    assert.equal(lacking.members.length, MEMBERS / 4 - 1);
    assert.equal(surplus.members.length, MEMBERS / 2 - 1);
    assert.deepEqual([lacking.next, surplus.next], [undefined, undefined]);
  });
});
