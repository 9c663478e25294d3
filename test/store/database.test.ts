import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { type Database, queryBounded, translateDatabaseError } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('database', (open, kind) => {
  let database: Database;
  before(async () => {
    database = await open();
  });
  it('answers', async () => {
    const { rows } = await database.query({ text: 'select 1::int8 as n' });
    assert.deepEqual(rows, [{ n: '1' }]);
  });

  if (kind === 'postgres')
    it('interrupts a read that takes too long', async () => {
      await assert.rejects(queryBounded(database, { text: 'select pg_sleep(600)' }, true, 50), {
        reason: 'too-costly',
        scimType: 'tooMany',
      });
      assert.equal((await queryBounded(database, { text: 'select 1' }, true, 5_000)).rowCount, 1);
    });

  it('names a text that it cannot store', async () => {
    for (const [text, value] of [
      ['select $1::text', '\u0000'],
      ['select $1::jsonb', '"\\u0000"'],
      ['select $1::jsonb', '"\\ud800"'],
      ['select $1::jsonb', '"\\udc00"'],
    ] as const) {
      const error = await database.query({ text, values: [value] }).catch(translateDatabaseError);
      assert.equal((error as { reason?: string }).reason, 'character-refused', `${text} ${value}`);
    }
  });
});
