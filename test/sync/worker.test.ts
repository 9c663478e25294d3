// Runs among several workers: each is carried out by one, once, and what it came to stays.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from '#store/database.ts';
import { takeLease } from '#store/leases.ts';
import { finishRun, RunOverError, startRun } from '#store/run/runs.ts';
import { readRun } from '#store/views/runs.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync } from '../support/source.ts';

eachDatabase('a run', (open, kind) => {
  it('that is over is neither begun again nor given another end', async () => {
    const api = await openSync(await open(), makeSource());
    const db = api.database.knex;
    try {
      const run = await api.sync();
      await assert.rejects(startRun(db, run.id), RunOverError);
      await assert.rejects(finishRun(db, run.id, { status: 'abandoned' }), RunOverError);
      assert.deepEqual(await readRun(db, run.id), run);
    } finally {
      await api.close();
    }
  });

  if (kind === 'postgres')
    it('that another worker ended while this one waited for its turn is left alone', async () => {
      const api = await openSync(await open(), makeSource());
      const db = api.database.knex;
      try {
        const { id: first } = await api.sync();
        const queued = await db.transaction(async (tx) => {
          // As the last write of a worker whose lease has just ended.
          await sql(tx, `update leases set expires_at = '-infinity' where name = 'sync'`);
          const run = await api.service.start({ trigger: 'manual', requestedBy: 'test' });
          const waits = `select 1 from pg_locks w join pg_locks h on h.transactionid = w.transactionid and h.granted
            where not w.granted and h.pid = pg_backend_pid()`;
          while ((await sql(tx, waits)).rows.length === 0);
          await sql(tx, `update runs set status = 'succeeded', finished_at = now() where id = ?`, [run.id]);
          return run;
        });
        while ((await takeLease(db, 'sync', 'the test', 60_000)) === undefined);
        const { rows } = await sql(db, 'select status, plan_id, started_at from runs where id = ?', [queued.id]);
        assert.deepEqual(rows, [{ status: 'succeeded', plan_id: null, started_at: null }]);
        assert.equal((await readRun(db, first))?.status, 'succeeded');
      } finally {
        await api.close();
      }
    });
});
