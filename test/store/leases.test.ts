import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { type Database, sql } from '#store/database.ts';
import { withLease } from '#store/leased.ts';
import { checkFence, LeaseLostError, takeLease } from '#store/leases.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('a lease', (open, kind) => {
  let database: Database;
  before(async () => {
    database = await open();
  });

  const end = (name: string, at: string): Promise<unknown> =>
    sql(database.knex, `update leases set expires_at = ${at} where name = ?`, [name]);

  it('is held by one, and by the next with a higher fence when it has ended', async () => {
    const db = database.knex;
    const first = await takeLease(db, 'one', 'a', 10_000);
    assert.equal(await takeLease(db, 'one', 'b', 10_000), undefined);
    await end('one', `clock_timestamp() - interval '1 second'`);
    const second = await takeLease(db, 'one', 'b', 10_000);
    assert.ok(BigInt(second?.fence ?? 0) > BigInt(first?.fence ?? 0));
    if (first === undefined) throw new Error('no lease');
    await assert.rejects(
      db.transaction((tx) => checkFence(tx, first)),
      LeaseLostError,
    );
  });

  if (kind === 'postgres')
    it('is not stood in line for while it lasts, in front of its own renewal', async () => {
      const db = database.knex;
      const lease = await takeLease(db, 'slow', 'a', 10_000);
      assert.ok(lease);
      await db.transaction(async (slow) => {
        await checkFence(slow, lease);
        const taken = await db.transaction(async (tx) => {
          await sql(tx, `set local lock_timeout = '2s'`);
          return takeLease(tx, 'slow', 'b', 10_000);
        });
        assert.equal(taken, undefined);
      });
    });

  it('does not last for hours because the clock of the database was set back', async () => {
    await takeLease(database.knex, 'back', 'a', 10_000);
    await end('back', `clock_timestamp() + interval '3 hours'`);
    assert.equal((await takeLease(database.knex, 'back', 'b', 10_000))?.owner, 'b');
  });

  it('that was lost is found out before the next request, by a process that slept', async () => {
    const leased = { name: 'sleeper', owner: 'a', ttlMs: 40 };
    const work = withLease(database.knex, leased, async (lease, lost) => {
      await lease.confirm();
      await sql(database.knex, `update leases set owner = 'b', fence = fence + 1 where name = 'sleeper'`);
      // As long as it lasts, without a turn of the event loop: what a stopped process sees.
      for (const until = performance.now() + 50; performance.now() < until; );
      await assert.rejects(lease.confirm(), LeaseLostError);
      assert.equal(lost.aborted, true);
      return 'done';
    });
    assert.equal(await work, 'done');
    const { rows } = await sql(
      database.knex,
      `select owner, expires_at > now() - interval '1 day' as held from leases where name = 'sleeper'`,
    );
    assert.deepEqual(rows, [{ owner: 'b', held: true }]);
  });
});
