import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import { findToken, makeFirstToken } from '#store/access/tokens.ts';
import type { Database } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('the first administrator token', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
  });

  it('is made by one of those that start at once, and works', async () => {
    const hashes = Array.from({ length: 6 }, (_, index) => Buffer.alloc(32, index + 1));
    const made = await Promise.all(hashes.map((hash) => makeFirstToken(database.knex, hash, 'hint')));
    const found = await Promise.all(hashes.map((hash) => findToken(database.knex, hash)));
    assert.equal(made.filter(Boolean).length, 1);
    assert.deepEqual(
      found.map((token) => token !== undefined),
      made,
    );
  });
});
