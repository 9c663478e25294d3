import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseFilter } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { type Counts, makeCounts } from '#store/directory/counts.ts';
import { type PageRequest, readPage } from '#store/directory/resource-pages.ts';
import { changeMembers, deleteManual, insertManual, updateResource } from '#store/directory/resource-writes.ts';
import { compileFilter } from '#store/filter/filter.ts';
import type { Condition } from '#store/statement.ts';
import { eachDatabase } from '../support/database.ts';

const SERVE = { base: 'https://sluice.example/scim/v2', related: [] };
const ACTIVE: Condition = (from) => compileFilter(parseFilter('active eq true'), RESOURCE_SCHEMAS.User, { from });
const WITH_MEMBERS: Condition = (from) => compileFilter(parseFilter('members pr'), RESOURCE_SCHEMAS.Group, { from });

type Listed = PageRequest['types'];
const LISTS: Readonly<Record<string, Listed>> = {
  users: [{ type: 'User', filter: undefined }],
  groups: [{ type: 'Group', filter: undefined }],
  everything: [
    { type: 'User', filter: undefined },
    { type: 'Group', filter: undefined },
  ],
  'active users': [{ type: 'User', filter: ACTIVE }],
  'groups with members': [{ type: 'Group', filter: WITH_MEMBERS }],
};

const columns = (name: string, active: boolean) => ({
  externalId: null,
  nameKey: name,
  display: name,
  uniqueKey: null,
  active,
  body: JSON.stringify({ displayName: name, active }),
  search: JSON.stringify({ displayName: name, active }),
  managerId: null,
});

/** What writers do, each with its line in the change log. */
async function write(tx: Db, coin: number): Promise<void> {
  const { rows } = await sql<{ id: string; resource_type: ResourceType; version: string }>(
    tx,
    'select id, resource_type, version from resources where deleted_at is null order by pos offset ? limit 1',
    [coin % 20],
  );
  const [some] = rows;
  const { rows: group } = await sql<{ id: string }>(
    tx,
    `select id from resources where resource_type = 'Group' and deleted_at is null limit 1`,
  );
  const step = coin % 5;
  if (some === undefined || group[0] === undefined || step < 2) {
    const type = coin % 2 === 0 || group[0] === undefined ? 'Group' : 'User';
    await insertManual(tx, { id: randomUUID(), type, actor: 'test' }, columns(`${coin}`, coin % 3 > 0));
  } else if (step === 2) await deleteManual(tx, some.id, some.resource_type, 'test');
  else if (step === 3) {
    const { id, resource_type: type, version } = some;
    const change = { id, type, version, actor: 'test', operation: 'update' as const, attributes: ['active'] };
    await updateResource(tx, change, columns(`${coin}`, coin % 2 === 0));
  } else if (some.id !== group[0].id) {
    const kind = coin % 2 === 0 ? 'add' : 'remove';
    await changeMembers(tx, group[0].id, [{ kind, ids: [some.id] }], 'test');
  }
}

eachDatabase('counts', (open, kind) => {
  async function counted(database: Database, counts: Counts, types: Listed, limit = 1): Promise<number> {
    const page = await readPage(database, counts, { ...SERVE, types, prepare: false, limit });
    return page.count.total;
  }

  async function reallyThere(database: Database, types: Listed): Promise<number> {
    let total = 0;
    for (const { type, filter } of types) {
      const where = filter?.(0);
      const { text, values } = typeof where === 'object' ? where : { text: 'true', values: [] };
      const { rows } = await database.query<{ count: string }>({
        text: `select count(*) from resources r where r.resource_type = '${type}' and r.deleted_at is null and ${text}`,
        values,
      });
      total += Number(rows[0]?.count);
    }
    return total;
  }

  it('are exact, whatever is written between two pages', async () => {
    const database = await open();
    const counts = makeCounts(database);
    const anySteps = fc.array(
      fc.record({
        writes: fc.array(fc.nat(1_000_000), { maxLength: 3 }),
        list: fc.constantFrom(...Object.keys(LISTS)),
      }),
    );
    await fc.assert(
      fc.asyncProperty(anySteps, async (steps) => {
        for (const { writes, list } of steps) {
          await database.knex.transaction(async (tx) => {
            for (const coin of writes) await write(tx, coin);
          });
          const types = LISTS[list] ?? [];
          assert.equal(await counted(database, counts, types), await reallyThere(database, types), list);
        }
      }),
      { numRuns: 40, seed: 5, endOnFailure: true },
    );
  });

  it('are exact for readers who come together', async () => {
    const database = await open();
    const counts = makeCounts(database);
    const types = LISTS['everything'] ?? [];
    for (let turn = 0; turn < 6; turn += 1) {
      await database.knex.transaction(async (tx) => write(tx, turn * 10));
      const together = await Promise.all(Array.from({ length: 6 }, () => counted(database, counts, types)));
      assert.deepEqual(together, Array(6).fill(turn + 1));
    }
  });

  it('follow thousands of changes at once', async () => {
    const database = await open();
    const counts = makeCounts(database);
    const users = LISTS['users'] ?? [];
    const insert = async (count: number): Promise<void> => {
      await sql(
        database.knex,
        `with w as (insert into resources (id, resource_type, origin, name_key, display, body, search)
           select gen_random_uuid(), 'User', 'manual', 'x', 'x', '{}', '{}' from generate_series(1, ?::int) returning id)
         insert into changes (resource_type, resource_id, version, operation, actor) select 'User', id, 1, 'create', 'test' from w`,
        [count],
      );
    };
    let total = 0;
    for (const more of [3, 4_999, 5_001, 7_000, 1]) {
      await insert(more);
      total += more;
      assert.equal(await counted(database, counts, users), total);
    }
  });

  it('are taken anew when they are old, so that the change log may be pruned', async () => {
    const database = await open();
    let now = 0;
    const counts = makeCounts(database, () => now);
    const types = LISTS['everything'] ?? [];
    const writeOne = (): Promise<void> => database.knex.transaction(async (tx) => write(tx, 0));
    await writeOne();
    await writeOne();
    assert.equal(await counted(database, counts, types), 2);
    await writeOne();
    await sql(database.knex, 'delete from changes');
    now = 600_000;
    assert.equal(await counted(database, counts, types), 3);
  });

  if (kind === 'postgres')
    it('leave out what is not committed yet', async () => {
      const database = await open({ poolMax: 4 });
      const counts = makeCounts(database);
      const types = LISTS['groups'] ?? [];
      const both = async (): Promise<void> =>
        assert.equal(await counted(database, counts, types), await reallyThere(database, types));
      for (const coin of [0, 10, 20]) await database.knex.transaction(async (tx) => write(tx, coin));
      await both();
      const [early, late] = [await database.knex.transaction(), await database.knex.transaction()];
      await write(early, 30);
      await both();
      await write(late, 40);
      await late.commit();
      await both();
      await early.commit();
      await both();
      const undone = await database.knex.transaction();
      await write(undone, 50);
      await both();
      await undone.rollback();
      await both();
      assert.equal(await counted(database, counts, types), 5);
    });
});
