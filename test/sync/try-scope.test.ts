import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PullProvider } from '#core/provider.ts';
import { tryScope } from '#sync/scope/try-scope.ts';
import { eachDatabase } from '../support/database.ts';

eachDatabase('a scope that is tried', (open) => {
  it('is not gone through any further for whoever has left', async () => {
    const database = await open();
    const provider = { kind: 'csv' } as PullProvider;
    await assert.rejects(tryScope(database.knex, provider, AbortSignal.abort()), { name: 'AbortError' });
    assert.equal((await tryScope(database.knex, provider)).total, 0);
  });
});
