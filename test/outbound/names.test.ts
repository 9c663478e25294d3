// A name at a target goes from one person to another: whoever wants it gets it once it is free.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { describeError } from '#core/failure.ts';
import { TargetError } from '#core/target.ts';
import { giveBack } from '#outbound/push/carry-out.ts';
import { startProgress } from '#outbound/push/delivering.ts';
import { settledOf } from '#outbound/push/outcome.ts';
import { writeSettled } from '#outbound/push/write-settled.ts';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { askForChanges } from '#store/target/deliveries.ts';
import { claimDeliveries } from '#store/target/delivery-claims.ts';
import { freeLink } from '#store/target/gone-links.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest, scopeOf } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

eachDatabase('a name that somebody had', (open, kind) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function settled(push: PushTest): Promise<void> {
    await journalIsWhole(database);
    await push.settle();
  }
  const stateOf = async (id: string): Promise<string> =>
    (await sql(database.knex, 'select state from deliveries where resource_id = ?', [id])).rows[0].state;
  const names = (): unknown[] => [...app.users.values()].map(({ userName }) => userName).sort();

  for (const [who, status, before] of [
    ['is new', 500, 'pending'],
    ['is there under another name', 400, 'dead'],
  ] as const)
    it(`is wanted by somebody who ${who}, before it is free: they get it when it is`, async () => {
      const ada = await edit.user('ada');
      const other = who === 'is new' ? undefined : await edit.user('other');
      await journalIsWhole(database);
      const push = await start({}, { random: () => 1 });
      await push.settle();
      const answerTo = (body: string): number | undefined =>
        body.includes('"ada.king"') ? status : body.includes('"ada"') ? 409 : undefined;
      app.personality = { failing: (method, body) => (method === 'PATCH' ? answerTo(body) : undefined) };
      await edit.change('User', ada, 'userName', 'ada.king');
      await settled(push);
      const heir = other ?? (await edit.user('ada'));
      if (other !== undefined) await edit.change('User', other, 'userName', 'ada');
      await settled(push);
      assert.deepEqual([await stateOf(ada), await stateOf(heir)], [before, 'dead']);
      app.personality = {};
      await sql(database.knex, `update deliveries set state = 'pending', ready_at = now() where resource_id = ?`, [
        ada,
      ]);
      await settled(push);
      assert.deepEqual(names(), ['ada', 'ada.king']);
      assert.equal(await stateOf(heir), 'idle');
      app.takeWrites();
      await edit.change('User', ada, 'title', 'Countess');
      await settled(push);
      assert.equal(app.takeWrites().length, 1);
    });

  it('becomes free while somebody is refused for it: they look again', async () => {
    const ada = await edit.user('ada');
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    await edit.change('User', ada, 'userName', 'ada.king');
    const heir = await edit.user('ada');
    const { knex } = database;
    const now = new Date();
    const ids = [ada, heir];
    await askForChanges(knex, push.appId, scopeOf(null), { ids, at: [now, now], now });
    const until = new Date(now.getTime() + 60_000);
    const claimed = await claimDeliveries(knex, push.appId, { limit: 10, now, until }, scopeOf(null));
    const [giver, taker] = ids.map((id) => claimed.find(({ resource_id }) => resource_id === id));
    assert.ok(giver !== undefined && taker !== undefined);
    const write = (some: Parameters<typeof writeSettled>[2]) =>
      writeSettled((work) => knex.transaction(work), { appId: push.appId, guard: null }, some, now);
    const renamed = { ...startProgress(giver), sent: { userName: 'ada.king' }, action: 'updated' } as const;
    await write([settledOf(giver, renamed, { now, exchanges: [], isDone: true })]);
    const refused = new TargetError('It is taken.', { kind: 'conflict', reason: 'target-conflict', status: 409 });
    const error = { ...describeError(refused), status: 409, kind: refused.kind };
    await write([{ ...giveBack(taker, systemClock), state: 'dead', error }]);
    assert.equal(await stateOf(heir), 'pending');
  });

  if (kind === 'postgres')
    it("is that of somebody gone, who is claimed at this very moment: their account is nobody else's before that is done", async () => {
      const ada = await edit.user('ada');
      await journalIsWhole(database);
      const push = await start({ guard: null, deprovision: { deleteAfterDays: 30 } });
      await push.settle();
      await edit.remove('User', ada);
      await settled(push);
      const { knex } = database;
      const now = new Date();
      const [remoteId = ''] = app.users.keys();
      const wanted = { appId: push.appId, type: 'User', remoteId, by: randomUUID() } as const;
      const tx = await knex.transaction();
      const until = new Date(now.getTime() + 60_000);
      assert.equal(
        (await claimDeliveries(tx, push.appId, { limit: 1, now, until, ids: [ada] }, scopeOf(null))).length,
        1,
      );
      let isAnswered = false;
      const freed = freeLink(knex, wanted).finally(() => {
        isAnswered = true;
      });
      const waits = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      for (let waiting = 0; waiting === 0 && !isAnswered; ) waiting = (await sql(tx, waits)).rows.length;
      await tx.commit();
      assert.equal(await freed, undefined);
      await sql(knex, 'delete from delivery_claims');
      assert.equal((await freeLink(knex, wanted))?.id, ada);
      assert.deepEqual((await sql(knex, 'select * from delivery_claims')).rows, []);
    });
});
