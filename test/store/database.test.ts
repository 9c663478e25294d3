import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import type { Database } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('database', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
  });
  it('answers', async () => {
    const { rows } = await database.query({ text: 'select 1::int8 as n' });
    assert.deepEqual(rows, [{ n: '1' }]);
  });
});
