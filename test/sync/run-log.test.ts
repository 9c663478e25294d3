import assert from 'node:assert/strict';
import { beforeEach, it } from 'node:test';
import { makeLog } from '#platform/log.ts';
import { type Database, sql } from '#store/database.ts';
import { readRunLog } from '#store/run/run-logs.ts';
import { insertRun } from '#store/run/runs.ts';
import { keepRunLog } from '#sync/run-log.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('the log of a run', (open) => {
  let database: Database;
  let id: string;

  beforeEach(async () => {
    database = await open();
    const options = { allowLargeSync: false, resetAccountMapping: false };
    const run = { provider: 'microsoft365', mode: 'full', preview: false, trigger: 'manual', options } as const;
    id = (await insertRun(database.knex, { ...run, requestedBy: 'test', configVersion: '1' })) ?? '';
  });

  const lines = async (): Promise<{ msg: string; n?: number; run?: string; count?: number }[]> =>
    (await readRunLog(database.knex, id)).flatMap((piece) =>
      piece
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    );

  const keep = (level = 'debug') => keepRunLog(database.knex, makeLog('silent').child({ run: id }), { id, level });

  it('is kept from its level on, with the fields of the run, though the process logs less', async () => {
    const kept = await keep('info');
    kept.log.debug('too fine');
    kept.log.info({ n: 1 }, 'page read');
    await kept.close();
    assert.deepEqual(
      (await lines()).map(({ msg, n, run }) => [msg, n, run]),
      [['page read', 1, id]],
    );
  });

  it('masks what it was told to hide, and what looks like a secret', async () => {
    const kept = await keep();
    kept.hide(['canary-of-the-settings']);
    kept.log.debug({ url: 'https://x/?a=canary-of-the-settings' }, 'sent');
    kept.log.warn({ err: new Error('refused: Bearer canary.of.a-header') }, 'failed');
    kept.log.warn({ password: 'canary', deep: { clientSecret: 'canary' } }, 'fields');
    await kept.close();
    assert.ok(!(await readRunLog(database.knex, id)).join('').includes('canary'));
    assert.equal((await lines()).length, 3);
  });

  it('keeps its beginning and its end when it grows too large, and says what is missing', async () => {
    const kept = await keep();
    const text = 'x'.repeat(10_000);
    for (let n = 1; n <= 1_000; n += 1) kept.log.debug({ n, text }, 'much');
    kept.log.error({ text: 'y'.repeat(50_000) }, 'one enormous line');
    kept.log.error('the end');
    await kept.close();
    const all = await lines();
    assert.ok((await readRunLog(database.knex, id)).join('').length < 4 * 1024 * 1024);
    assert.equal(all[0]?.n, 1);
    assert.deepEqual(
      all.slice(-2).map(({ msg }) => msg),
      ['line too long', 'the end'],
    );
    const gap = all.find(({ msg }) => msg === 'lines left out');
    assert.equal(all.filter(({ msg }) => msg === 'much').length + (gap?.count ?? 0), 1_000);
  });

  it('goes on when the run goes on, and goes with the run', async () => {
    for (const n of [1, 2]) {
      const kept = await keep();
      kept.log.info({ n }, 'stint');
      await kept.close();
    }
    assert.deepEqual(
      (await lines()).map(({ n }) => n),
      [1, 2],
    );
    await sql(database.knex, 'delete from runs');
    assert.deepEqual(await readRunLog(database.knex, id), []);
    const late = await keep();
    late.log.info('nobody keeps this');
    await late.close();
  });
});
