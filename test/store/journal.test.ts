import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, it } from 'node:test';
import { comparePlaces, decodeCursor, encodeCursor, type JournalPlace } from '#core/journal.ts';
import { systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { appendChanges, type Change, journalEnd, readChanges } from '#store/directory/changes.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { changeMembers, lockResource } from '#store/directory/resource-writes.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { migrate } from '#store/schema/migrate.ts';
import { createResource, deleteResource, patchResource } from '#sync/edits.ts';
import { makeRetention } from '#sync/retention.ts';
import { eachDatabase } from '../support/database.ts';
import { journalIsWhole } from '../support/push.ts';

const ACTOR = 'token:test';

eachDatabase('the journal', (open, kind) => {
  let database: Database;
  beforeEach(async () => {
    database = await open();
  });

  const append = (db: Db, id: string, version: number): Promise<void> =>
    appendChanges(db, [{ resource_type: 'User', resource_id: id, version: String(version), operation: 'update' }], {
      actor: ACTOR,
      runId: null,
    });

  async function readAll(after?: JournalPlace, limit = 3): Promise<Change[]> {
    const all: Change[] = [];
    await journalIsWhole(database);
    for (let place = after; ; ) {
      const page = await readChanges(database.knex, place, limit);
      all.push(...page.changes);
      place = page.next;
      if (!page.more) return all;
    }
  }

  const editing = () => ({
    database,
    reader: makeResourceReader(database, makeServedGroups(database, makeLog('silent'))),
    schemas: RESOURCE_SCHEMAS,
  });
  const user = (name: string) => ({
    document: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: name },
    members: [],
  });
  const group = (name: string, members: readonly string[]) => ({
    document: { schemas: ['urn:ietf:params:scim:schemas:core:2.0:Group'], displayName: name },
    members,
  });

  it('answers every change once, in one order, from any place again', async () => {
    for (let n = 1; n <= 10; n += 1) await append(database.knex, randomUUID(), n);
    const all = await readAll();
    assert.deepEqual(
      all.map(({ version }) => version),
      ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'],
    );
    for (const [index, change] of all.entries()) {
      const place = decodeCursor(encodeCursor(change));
      assert.deepEqual(await readAll(place), all.slice(index + 1));
    }
  });

  if (kind === 'postgres')
    it('holds back what is later than a transaction that still runs, and then answers both', async () => {
      const slow = await database.knex.transaction();
      await append(slow, randomUUID(), 1);
      await append(database.knex, randomUUID(), 2);
      assert.deepEqual((await readChanges(database.knex, undefined, 10)).changes, []);
      await slow.commit();
      const versions = (await readAll()).map(({ version }) => version);
      assert.deepEqual(versions, ['1', '2']);
    });

  if (kind === 'postgres')
    it('misses nothing of many writers who commit in any order', async () => {
      let writing = 4;
      let seen = 0;
      const ids = new Set<string>();
      const write = async (): Promise<void> => {
        for (let n = 0; n < 25; n += 1)
          await database.knex.transaction(async (tx) => {
            await append(tx, randomUUID(), 1);
            if (n % 3 === 0) await sql(tx, 'select pg_sleep(0.005)');
            await append(tx, randomUUID(), 1);
          });
        writing -= 1;
      };
      const read = async (): Promise<void> => {
        let place: JournalPlace | undefined;
        for (let last = false; ; ) {
          const { changes, next, more } = await readChanges(database.knex, place, 7);
          for (const change of changes) {
            assert.ok(place === undefined || comparePlaces(place, change) < 0);
            ids.add(change.resource_id);
            seen += 1;
          }
          place = next;
          if (last && !more) return;
          last = writing === 0 && !more;
          if (last) await journalIsWhole(database);
        }
      };
      await Promise.all([write(), write(), write(), write(), read()]);
      assert.deepEqual([seen, ids.size], [200, 200]);
    });

  it('tells of edits, of members, and of what a deletion takes from groups, users first', async () => {
    const parts = editing();
    const ada = await createResource(parts, { type: 'User', actor: ACTOR }, user('ada'));
    const team = await createResource(parts, { type: 'Group', actor: ACTOR }, group('team', [ada.id]));
    await patchResource(parts, { type: 'User', actor: ACTOR, id: ada.id }, [
      { op: 'replace', path: 'active', value: false, tolerant: false },
    ]);
    await deleteResource(parts, { type: 'User', actor: ACTOR, id: ada.id });
    const told = (await readAll()).map(({ resource_id, operation }) => [
      resource_id === ada.id ? 'ada' : 'team',
      operation,
    ]);
    assert.deepEqual(told, [
      ['ada', 'create'],
      ['team', 'create'],
      ['ada', 'deactivate'],
      ['team', 'membership'],
      ['ada', 'delete'],
    ]);
    assert.notEqual(team.id, ada.id);
  });

  if (kind === 'postgres')
    it('never tells of a membership before its user, though the group was locked first', async () => {
      const parts = editing();
      const team = await createResource(parts, { type: 'Group', actor: ACTOR }, group('team', []));
      const tx = await database.knex.transaction();
      await lockResource(tx, team.id);
      const late = await createResource(parts, { type: 'User', actor: ACTOR }, user('late'));
      const adding = { kind: 'add' as const, ids: [late.id] };
      // The transaction is older than the user whom it can see by now.
      await assert.rejects(changeMembers(tx, team.id, [adding], ACTOR), { code: '40001' });
      await tx.rollback();
      await patchResource(parts, { type: 'Group', actor: ACTOR, id: team.id }, [
        { op: 'add', path: 'members', value: [{ value: late.id }], tolerant: false },
      ]);
      const told = (await readAll()).map(({ operation, resource_id }) => `${operation} ${resource_id}`);
      assert.deepEqual(told, [`create ${team.id}`, `create ${late.id}`, `membership ${team.id}`]);
    });

  it('says when a cursor is older than what is kept', async () => {
    for (let n = 1; n <= 4; n += 1) await append(database.knex, randomUUID(), n);
    const [first, second, third] = await readAll();
    await sql(database.knex, `update changes set at = '2020-01-01' where seq <= ?`, [second?.seq ?? '0']);
    await makeRetention({ database, clock: systemClock, log: makeLog('silent') }).tick();
    await assert.rejects(readChanges(database.knex, first, 10), { code: 'ERR_GONE', reason: 'cursor-expired' });
    assert.equal((await readAll(second))[0]?.version, third?.version);
    assert.equal((await readAll()).length, 2);
  });

  it('begins behind what was removed, where nothing is left', async () => {
    for (let n = 1; n <= 2; n += 1) await append(database.knex, randomUUID(), n);
    await readAll();
    await sql(database.knex, `update changes set at = '2020-01-01'`);
    await makeRetention({ database, clock: systemClock, log: makeLog('silent') }).tick();
    const { changes, next } = await readChanges(database.knex, undefined, 10);
    assert.deepEqual(changes, []);
    await append(database.knex, randomUUID(), 3);
    assert.deepEqual(
      (await readAll(next)).map(({ version }) => version),
      ['3'],
    );
  });

  it('says when a cursor is of a time that the database was put back from', async () => {
    await append(database.knex, randomUUID(), 1);
    const [last] = await readAll();
    assert.ok(last);
    assert.deepEqual(await readAll(await journalEnd(database.knex)), []);
    const later = { ...last, xid: String(BigInt(last.xid) + 100_000n) };
    await assert.rejects(readChanges(database.knex, later, 10), { code: 'ERR_GONE', reason: 'cursor-expired' });
  });

  it('goes on after a restore on a server that counts its transactions from lower', async () => {
    for (let n = 1; n <= 4; n += 1) await append(database.knex, randomUUID(), n);
    const before = await readAll();
    const ids = before.map(({ resource_id }) => resource_id);
    const app = randomUUID();
    // As a dump of a server that had come to its nine billionth transaction; the target has read the first two changes.
    const high = 9_000_000_000;
    await sql(database.knex, `update changes set xid = (${high} + seq)::text::xid8`);
    await sql(
      database.knex,
      `insert into apps (id, name, name_key, seq) overriding system value values (?, 'wiki', 'wiki', 1)`,
      [app],
    );
    await sql(
      database.knex,
      `insert into targets (app_id, place_xid, place_seq) select ?, xid, seq from changes where resource_id = ?`,
      [app, ids[1]],
    );
    const cursor = { xid: String(high + 1), seq: before[0]?.seq ?? '', epoch: 0 };
    await migrate(database);
    const adopted = await sql(database.knex, `select 1 from audit where action = 'journal.adopted'`);
    assert.equal(adopted.rows.length, 1);
    await append(database.knex, randomUUID(), 5);
    const versions = (await readAll()).map(({ version }) => version);
    assert.deepEqual(versions, ['1', '2', '3', '4', '5']);
    const { rows } = await sql<JournalPlace>(
      database.knex,
      'select place_xid::text as xid, place_seq as seq from targets',
    );
    assert.deepEqual(
      (await readAll(rows[0])).map(({ version }) => version),
      ['3', '4', '5'],
    );
    await assert.rejects(readChanges(database.knex, cursor, 10), { code: 'ERR_GONE', reason: 'cursor-expired' });
    const first = decodeCursor(encodeCursor((await readAll())[0] ?? cursor));
    assert.equal((await readAll(first)).length, 4);
    // Once: what was brought along is not foreign any more.
    await migrate(database);
    assert.equal((await readAll(first)).length, 4);
  });
});
