import assert from 'node:assert/strict';
import { it } from 'node:test';
import { reasonOfTarget } from '#core/reasons.ts';
import { systemClock } from '#platform/clock.ts';
import type { Database } from '#store/database.ts';
import { readTargetOutcomes, type TargetOutcome } from '#store/views/target-outcomes.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

eachDatabase('what became of somebody in each app', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function settled(...pushes: PushTest[]): Promise<void> {
    await journalIsWhole(database);
    for (const push of pushes) await push.settle();
  }

  /** Turns until somebody was tried and did not get there. */
  async function untilRefused({ appId, pump }: PushTest, id: string): Promise<TargetOutcome> {
    for (;;) {
      const idle = await pump.turn();
      const found = (await readTargetOutcomes(database.knex, id)).find((one) => one.appId === appId);
      if (found?.error != null) return found;
      if (idle > 0) await systemClock.sleep(Math.min(idle, 20));
    }
  }

  async function outcomesOf(id: string): Promise<string[]> {
    const found = await readTargetOutcomes(database.knex, id);
    return found.map(({ name, outcome }) => `${name}: ${outcome}`);
  }

  it('is told apart: there, on its way, out of scope, given up, taken away', async () => {
    app.put('User', { schemas: [USER], userName: 'twice', externalId: 'one' });
    app.put('User', { schemas: [USER], userName: 'Twice', externalId: 'two' });
    const [ada, twice] = [await edit.user('ada', { title: 'Chief' }), await edit.user('twice')];
    const all = await start({}, { name: 'all' });
    assert.deepEqual(await outcomesOf(ada), ['all: waiting']);
    const chiefs = await start({}, { name: 'chiefs', scope: { userFilter: 'title eq "Chief"' } });
    await settled(all, chiefs);
    assert.deepEqual(await outcomesOf(ada), ['all: delivered', 'chiefs: delivered']);
    assert.deepEqual(await outcomesOf(twice), ['all: dead', 'chiefs: outOfScope']);
    const [dead] = await readTargetOutcomes(database.knex, twice);
    assert.match(JSON.stringify(dead?.error), /"ambiguous-match"/);
    await edit.change('User', ada, 'title', 'Clerk');
    assert.deepEqual(await outcomesOf(ada), ['all: pending', 'chiefs: pending']);
    await settled(all, chiefs);
    assert.deepEqual(await outcomesOf(ada), ['all: delivered', 'chiefs: deprovisioned']);
  });

  it('has one reason each for what an app can have against it', async () => {
    const ada = await edit.user('ada');
    for (const [status, reason] of [
      [503, 'TargetUnavailable'],
      [409, 'TargetConflict'],
      [404, 'TargetNotFound'],
      [501, 'TargetUnsupported'],
      [400, 'TargetUnsupported'],
    ] as const) {
      app.personality = { failing: (method) => (method === 'POST' ? status : undefined) };
      const push = await start({ maxAttempts: 1 }, { name: `answers ${status}` });
      await journalIsWhole(database);
      const found = await untilRefused(push, ada);
      await push.close();
      assert.equal(reasonOfTarget(found)?.code, reason, JSON.stringify(found));
    }
    assert.equal(reasonOfTarget({ outcome: 'delivered', targetState: 'active', error: null }), null);
    assert.equal(reasonOfTarget({ outcome: 'held', targetState: 'active', error: null })?.code, 'GuardHeld');
    const silent = { outcome: 'pending', targetState: 'quarantined', error: null };
    assert.equal(reasonOfTarget(silent)?.code, 'TargetUnavailable');
  });
});
