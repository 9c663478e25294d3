// Statements that wait for a row which somebody else is changing: they go by what it has become, and not by what it was.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { insertApp } from '#store/access/apps.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { upsertRecords } from '#store/mirror/mirror.ts';
import { deleteGoneRecords } from '#store/run/retention.ts';
import { findOpenRun, insertRun, requeueRun } from '#store/run/runs.ts';
import { dropPicked, replayPicked } from '#store/target/dead-letters.ts';
import { askForChanges } from '#store/target/deliveries.ts';
import { saveTarget } from '#store/target/targets.ts';
import { openTestDatabase, postgresMissing } from '../support/database.ts';
import { makeEditor } from '../support/push.ts';

describe('a statement that waited for a row', { skip: postgresMissing }, () => {
  let database: Database;
  const now = new Date();

  beforeEach(async () => {
    database = await openTestDatabase('postgres');
  });
  afterEach(() => database.close());

  /** Begins `late` while the transaction of `first` is open, and ends that once `late` waits for it. */
  async function whileWaiting<Answer>(
    first: (tx: Db) => Promise<unknown>,
    late: () => Promise<Answer>,
  ): Promise<Answer> {
    const tx = await database.knex.transaction();
    await first(tx);
    const answer = late();
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    while ((await sql(database.knex, waiting)).rows.length === 0);
    await tx.commit();
    return answer;
  }

  async function givenUp(): Promise<{ readonly appId: string; readonly ada: string }> {
    const { id: appId } = await insertApp(database.knex, { name: 'app', scope: null });
    await saveTarget(database.knex, { appId, push: { baseUrl: 'https://app.example' }, secrets: null });
    const ada = await makeEditor(database).user('ada');
    await sql(
      database.knex,
      `insert into deliveries (app_id, resource_id, resource_type, state, rank, wanted, ready_at, changed_at)
       values (?, ?, 'User', 'dead', 1, 1, now(), now())`,
      [appId, ada],
    );
    return { appId, ada };
  }

  it('drops nothing that a change has asked for again meanwhile', async () => {
    const { appId, ada } = await givenUp();
    const dropped = await whileWaiting(
      (tx) => askForChanges(tx, appId, () => undefined, { ids: [ada], at: [now], now }),
      () => dropPicked(database.knex, { appId }, now),
    );
    const { rows } = await sql(database.knex, 'select state from deliveries');
    assert.deepEqual([dropped, rows[0].state], [0, 'pending']);
  });

  it('sends nothing again that was dropped meanwhile', async () => {
    const { appId } = await givenUp();
    const again = await whileWaiting(
      (tx) => dropPicked(tx, { appId }, now),
      () => replayPicked(database.knex, { appId }, now),
    );
    const { rows } = await sql(database.knex, 'select state from deliveries');
    assert.deepEqual([again, rows[0].state], [0, 'idle']);
  });

  it('forgets no record of somebody who has come back meanwhile', async () => {
    const record = {
      ...{
        external_id: 'ada',
        record: '{}',
        record_digest: Buffer.alloc(32),
        body: null,
        digest: null,
        name_key: null,
      },
      ...{ manager_external_id: null, reason: 'GuestExcluded', detail: null, label: null, handles: [] },
    };
    const write = (db: Db): Promise<void> => upsertRecords(db, 'microsoft365', 'User', [record]);
    await write(database.knex);
    await sql(database.knex, `update mirror_records set gone_at = now() - interval '1 year'`);
    const forgotten = await whileWaiting(write, () => deleteGoneRecords(database.knex, now, 100));
    const { rows } = await sql(database.knex, 'select gone_at from mirror_records');
    assert.deepEqual([forgotten, rows], [0, [{ gone_at: null }]]);
  });

  it('queues no run beside one that was queued meanwhile, and can still say which', async () => {
    const queue = (db: Db): Promise<string | undefined> =>
      insertRun(db, {
        ...{ provider: 'microsoft365', mode: 'full', preview: false, trigger: 'manual', requestedBy: 'test' },
        ...{ options: { allowLargeSync: false, resetAccountMapping: false }, configVersion: '1' },
      });
    const held = (await queue(database.knex)) ?? assert.fail();
    await sql(database.knex, `update runs set status = 'held'`);
    let queued: string | undefined;
    const answer = await whileWaiting(
      async (tx) => {
        queued = await queue(tx);
      },
      () =>
        database.knex.transaction(async (tx) => ({
          requeued: await requeueRun(tx, held),
          open: (await findOpenRun(tx))?.id,
        })),
    );
    assert.deepEqual(answer, { requeued: false, open: queued });
  });
});
