import assert from 'node:assert/strict';
import { before, it } from 'node:test';
import type { Database } from '#store/database.ts';
import { checkFence, giveBackLease, LeaseLostError, renewLease, takeLease } from '#store/leases.ts';
import { insertRun } from '#store/run/runs.ts';
import { readActiveProvider, saveProvider, setActive } from '#store/source/settings.ts';
import { eachDatabase } from '../support/database.ts';

const RUN = {
  provider: 'microsoft365',
  mode: 'full',
  preview: false,
  trigger: 'manual',
  options: { allowLargeSync: false, resetAccountMapping: false },
  requestedBy: 'test',
  configVersion: '1',
} as const;

eachDatabase('what the database itself forbids', (open) => {
  let database: Database;
  before(async () => {
    database = await open();
    for (const kind of ['microsoft365', 'ldap'] as const)
      await saveProvider(database.knex, { kind, settings: {}, secrets: '', changed: true });
  });

  it('a second active provider', async () => {
    await setActive(database.knex, 'microsoft365', true);
    await assert.rejects(setActive(database.knex, 'ldap', true), /provider_settings_active_key/);
    assert.equal((await readActiveProvider(database.knex))?.kind, 'microsoft365');
  });

  it('a second run while one is queued or running', async () => {
    assert.ok(await insertRun(database.knex, RUN));
    assert.equal(await insertRun(database.knex, RUN), undefined);
    await assert.rejects(
      database.knex.raw(
        `insert into runs (id, provider, mode, trigger, status, requested_by) values (gen_random_uuid(), 'ldap', 'full', 'manual', 'running', 'x')`,
      ),
      /runs_running_key/,
    );
  });

  it('a write of somebody who lost the lease', async () => {
    const mine = await takeLease(database.knex, 'test', 'me', 60_000);
    assert.ok(mine);
    assert.equal(await takeLease(database.knex, 'test', 'other', 60_000), undefined);
    await checkFence(database.knex, mine);
    const renewed = await takeLease(database.knex, 'test', 'me', 60_000);
    assert.equal(renewed?.fence, mine.fence);
    // A transaction that took longer than the lease: nobody came in between.
    await database.knex.raw(`update leases set expires_at = now() - interval '1 second'`);
    assert.equal(await renewLease(database.knex, mine, 60_000), true);
    await checkFence(database.knex, mine);
    await giveBackLease(database.knex, mine);
    const theirs = await takeLease(database.knex, 'test', 'other', 60_000);
    assert.ok(theirs && BigInt(theirs.fence) > BigInt(mine.fence));
    await assert.rejects(checkFence(database.knex, mine), LeaseLostError);
    assert.equal(await renewLease(database.knex, mine, 60_000), false);
  });
});
