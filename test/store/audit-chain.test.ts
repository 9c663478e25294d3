import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { writeAudit } from '#store/access/audit.ts';
import { deleteOldestAudit, sealAudit, verifyAudit } from '#store/access/audit-chain.ts';
import { type Database, sql } from '#store/database.ts';
import { FOLDER, readMigration } from '#store/schema/migrations.ts';
import { eachDatabase } from '../support/database.ts';

class RolledBack extends Error {}

eachDatabase('the chain of the audit log', (open) => {
  let database: Database;

  beforeEach(async () => {
    database = await open();
    for (let index = 0; index < 5; index += 1)
      await writeAudit(database.knex, { actor: 'ada', action: 'guard.change', detail: { index, text: 'Ünïcode "q"' } });
    await sealAudit(database.knex);
  });
  afterEach(() => database.close());

  const change = (text: string): Promise<unknown> => sql(database.knex, text);

  it('holds what was written, goes on from its end, and knows its earlier ends', async () => {
    const first = await verifyAudit(database.knex);
    assert.deepEqual([first.ok, first.entries, first.unsealed, first.brokenAt], [true, 5, 0, null]);
    await writeAudit(database.knex, { actor: 'bob', action: 'plan.approve', object: 'p' });
    assert.equal((await verifyAudit(database.knex)).unsealed, 1);
    const head = await sealAudit(database.knex);
    assert.equal(head?.link, '6');
    assert.equal(await sealAudit(database.knex), undefined);
    const then = await verifyAudit(database.knex, first.head?.hash);
    assert.deepEqual([then.ok, then.entries, then.contains], [true, 6, true]);
  });

  it('is not gone through any further for whoever has left', async () => {
    const left = AbortSignal.abort();
    await assert.rejects(verifyAudit(database.knex, undefined, left), { name: 'AbortError' });
  });

  it('names the entry that was changed, in any column', async () => {
    for (const set of [`actor = 'eve'`, `detail = '{}'`, `at = at + interval '1 second'`, `object = ''`]) {
      await database.knex
        .transaction(async (tx) => {
          await sql(tx, `update audit set ${set} where link = 3`);
          const { ok, brokenAt } = await verifyAudit(tx);
          assert.deepEqual([ok, brokenAt?.problem], [false, 'changed'], set);
          throw new RolledBack();
        })
        .catch((error: unknown) => assert.ok(error instanceof RolledBack, String(error)));
    }
  });

  it('notices what was taken out, and what was cut off when an end is known', async () => {
    const { head } = await verifyAudit(database.knex);
    await change('delete from audit where link = 5');
    assert.equal((await verifyAudit(database.knex)).ok, true);
    const cut = await verifyAudit(database.knex, head?.hash);
    assert.deepEqual([cut.ok, cut.contains], [false, false]);
    await change('delete from audit where link = 2');
    assert.equal((await verifyAudit(database.knex)).brokenAt?.problem, 'missing');
  });

  it('takes no offence at what retention removed from the beginning', async () => {
    const soon = new Date(Date.now() + 60_000);
    assert.equal(await deleteOldestAudit(database.knex, new Date(0), 10), 0);
    assert.equal(await deleteOldestAudit(database.knex, soon, 2), 2);
    const { ok, entries, head: noted } = await verifyAudit(database.knex);
    assert.deepEqual([ok, entries], [true, 3]);
    await writeAudit(database.knex, { actor: 'ada', action: 'not.sealed' });
    assert.equal(await deleteOldestAudit(database.knex, soon, 10), 3);
    assert.deepEqual(await verifyAudit(database.knex).then(({ ok, head, unsealed }) => [ok, head, unsealed]), [
      true,
      null,
      1,
    ]);
    const head = await sealAudit(database.knex);
    assert.equal(head?.link, '6', 'it goes on where it was');
    const known = await verifyAudit(database.knex, noted?.hash);
    assert.deepEqual([known.ok, known.contains], [true, true], 'and follows from the end that was noted before');
  });

  it('removes no entry whose turn in the chain comes after one that is kept', async () => {
    // A long transaction is sealed after a shorter one that began later.
    await change(`update audit set at = at - interval '1 day' where link in (1, 3)`);
    assert.equal(await deleteOldestAudit(database.knex, new Date(Date.now() - 3_600_000), 10), 1);
    assert.deepEqual(
      (await sql(database.knex, 'select link from audit order by link')).rows.map(({ link }) => link),
      ['2', '3', '4', '5'],
    );
  });

  it('begins, of a log that an earlier release kept, where that release left it', async () => {
    const { down, up } = await readMigration(FOLDER, '20261127130000_anchor_audit.ts');
    await down(database.knex);
    await change('delete from audit where link < 3');
    await up(database.knex);
    assert.equal((await verifyAudit(database.knex)).ok, true);
    await change('delete from audit where link = 3');
    assert.equal((await verifyAudit(database.knex)).brokenAt?.problem, 'missing');
  });

  it('notices what anybody else removed from the beginning, before retention and after', async () => {
    for (const retained of [0, 2])
      await database.knex
        .transaction(async (tx) => {
          if (retained > 0) await deleteOldestAudit(tx, new Date(Date.now() + 60_000), retained);
          await sql(tx, 'delete from audit where link = ?', [retained + 1]);
          const { ok, brokenAt } = await verifyAudit(tx);
          assert.deepEqual([ok, brokenAt?.problem], [false, 'missing'], `after ${retained}`);
          throw new RolledBack();
        })
        .catch((error: unknown) => assert.ok(error instanceof RolledBack, String(error)));
  });

  it('seals an entry once when several seal at the same time', async () => {
    for (let index = 0; index < 50; index += 1) await writeAudit(database.knex, { actor: 'ada', action: `a${index}` });
    await Promise.all([sealAudit(database.knex), sealAudit(database.knex), sealAudit(database.knex)]);
    await sealAudit(database.knex);
    const { ok, entries, unsealed } = await verifyAudit(database.knex);
    assert.deepEqual([ok, entries, unsealed], [true, 55, 0]);
  });
});
