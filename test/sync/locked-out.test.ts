// A run, and what goes out to a target, beside somebody who writes to the same rows in another order: PostgreSQL undoes one of
// the two, and nothing comes of that.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Database, type Db, sql } from '#store/database.ts';
import { writeSetting } from '#store/source/settings.ts';
import { openTestDatabase, postgresMissing } from '../support/database.ts';
import { journalIsWhole, makeEditor, startPush } from '../support/push.ts';
import { startScimApp } from '../support/scim-app-server.ts';
import { makeSource, openSync, POLICY } from '../support/source.ts';

describe('who is locked out by another writer', { skip: postgresMissing }, () => {
  let database: Database;

  beforeEach(async () => {
    database = await openTestDatabase('postgres');
  });
  afterEach(() => database.close());

  /** Has `first`, waits until the other waits for that, and wants `second`, which the other has. Whichever of the two is undone. */
  async function standInTheWay(
    first: (tx: Db) => Promise<unknown>,
    second: (tx: Db) => Promise<unknown>,
    begin: () => void,
  ): Promise<void> {
    const tx = await database.knex.transaction();
    await first(tx);
    begin();
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await sql(database.knex, waiting)).rows.length === 0);
    await second(tx).catch((error: { code?: string }) => assert.equal(error.code, '40P01'));
    await tx.rollback();
  }

  it('applies its plan to the end', async (t) => {
    const source = makeSource();
    const api = await openSync(database, source, () => ({
      ...POLICY,
      onLeaveScope: 'delete',
      onSourceSoftDelete: 'delete',
    }));
    t.after(() => api.close());
    await writeSetting(database.knex, 'guard', { enabled: false });
    for (const id of ['a', 'b']) source.users.set(id, { userName: id });
    await api.sync();
    const { rows } = await sql(database.knex, `select id from resources where external_id = 'a'`);
    const group = await makeEditor(database).group('by hand', [rows[0].id]);
    source.users.delete('a');
    let run: ReturnType<typeof api.sync> | undefined;
    // As whoever writes to a group does: the group first, and then its members.
    await standInTheWay(
      (tx) => sql(tx, 'select 1 from resources where id = ? for update', [group]),
      (tx) => sql(tx, 'select 1 from resources where id = ? for share', [rows[0].id]),
      () => {
        run = api.sync({ mode: 'incremental' });
      },
    );
    const { status, counts, error } = (await run) ?? assert.fail();
    assert.deepEqual([status, counts, error], ['succeeded', { deleted: 1 }, null]);
  });

  it('brings a target what it has to', async (t) => {
    const app = await startScimApp();
    t.after(() => app.close());
    const edit = makeEditor(database);
    const people = [await edit.user('ada'), await edit.user('bob')].sort();
    const push = await startPush(database, { baseUrl: app.url, auth: { kind: 'none' } });
    t.after(() => push.close());
    await push.settle();
    for (const id of people) await edit.change('User', id, 'title', 'news');
    await journalIsWhole(database);
    const lock = (tx: Db, id: string | undefined): Promise<unknown> =>
      sql(tx, 'select 1 from deliveries where resource_id = ? for update', [id ?? '']);
    let turn: Promise<number> | undefined;
    await standInTheWay(
      (tx) => lock(tx, people[1]),
      (tx) => lock(tx, people[0]),
      () => {
        turn = push.pump.turn();
      },
    );
    await turn;
    await push.settle();
    assert.deepEqual(
      [...app.users.values()].map((user) => user['title']),
      ['news', 'news'],
    );
  });

  it('gives no group a member who is deleted by somebody in that moment', async (t) => {
    const source = makeSource();
    const api = await openSync(database, source, () => POLICY);
    t.after(() => api.close());
    await writeSetting(database.knex, 'directory', { localEdits: 'overwrite' });
    source.users.set('a', { userName: 'a' });
    await api.sync();
    const { rows } = await sql<{ id: string }>(database.knex, `select id from resources where external_id = 'a'`);
    const id = rows[0]?.id ?? assert.fail();
    source.groups.set('g', { displayName: 'g', members: ['a'] });
    // Every membership waits here, once it is known who is there.
    const gate = await database.knex.transaction();
    await sql(gate, 'select pg_advisory_xact_lock(1)');
    await sql(
      database.knex,
      `create function wait_at_gate() returns trigger language plpgsql as
       $$ begin perform pg_advisory_xact_lock_shared(1); return new; end $$`,
    );
    await sql(
      database.knex,
      'create trigger gate before insert on group_members for each row execute function wait_at_gate()',
    );
    const waits = async (): Promise<number> => {
      const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return (await sql(database.knex, waiting)).rows.length;
    };
    const run = api.sync();
    while ((await waits()) === 0);
    let isOver = false;
    const deletion = makeEditor(database)
      .remove('User', id)
      .finally(() => {
        isOver = true;
      });
    while (!isOver && (await waits()) < 2);
    await gate.rollback();
    await Promise.all([run, deletion]);
    const { rows: dangling } = await sql(
      database.knex,
      'select 1 from group_members m join resources r on r.id = m.member_id where r.deleted_at is not null',
    );
    assert.equal(dangling.length, 0);
    const { rows: counts } = await sql(
      database.knex,
      `select member_count from resources where external_id = 'g' and member_count <> (select count(*) from group_members)`,
    );
    assert.equal(counts.length, 0);
  });
});
