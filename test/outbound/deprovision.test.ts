// What becomes, at a target, of those who are gone, off or out of scope here: as its policy says, for each of the three.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Database, sql } from '#store/database.ts';
import { makeCounts } from '#store/directory/counts.ts';
import { readFigures } from '#store/views/metrics.ts';
import { listTargets } from '#store/views/targets.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

type Fate = 'deactivate' | 'delete' | 'keep';
const FATES: readonly Fate[] = ['deactivate', 'delete', 'keep'];

eachDatabase('somebody who goes', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  const LEAVING: Readonly<Record<string, (id: string) => Promise<void>>> = {
    sourceDeleted: (id) => edit.remove('User', id),
    sourceDisabled: (id) => edit.change('User', id, 'active', false),
    outOfScope: (id) => edit.change('User', id, 'title', 'Other'),
  };

  for (const [occasion, leave] of Object.entries(LEAVING))
    for (const fate of FATES)
      it(`${occasion}: ${fate}`, async () => {
        const id = await edit.user('ada', { title: 'Chief' });
        const others = FATES.find((other) => other !== fate);
        const deprovision = { sourceDeleted: others, sourceDisabled: others, outOfScope: others, [occasion]: fate };
        await journalIsWhole(database);
        const push = await start({ guard: null, deprovision }, { scope: { userFilter: 'title eq "Chief"' } });
        await push.settle();
        assert.equal(app.users.size, 1);
        app.takeWrites();
        await leave(id);
        await journalIsWhole(database);
        await push.settle();
        const [there] = app.users.values();
        const wanted = { deactivate: [1, false], delete: [0, undefined], keep: [1, true] } as const;
        assert.deepEqual([app.users.size, there?.['active']], wanted[fate]);
        assert.equal(app.takeWrites().length, fate === 'keep' ? 0 : 1);
      });

  for (const [fate, wanted] of [
    ['deactivate', [false]],
    ['delete', []],
  ] as const)
    it(`is found where the target shows whom it has made only later: ${fate}`, async () => {
      const id = await edit.user('ada');
      app.personality = { shownAfterMs: 400 };
      await journalIsWhole(database);
      const push = await start({ guard: null, deprovision: { sourceDeleted: fate } });
      await push.settle();
      // Made just now, and not shown yet.
      await edit.remove('User', id);
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(
        [...app.users.values()].map(({ active }) => active),
        wanted,
      );
      const { rows } = await sql(database.knex, 'select state from deliveries where resource_id = ?', [id]);
      assert.deepEqual(rows, [{ state: 'idle' }]);
    });

  it('is deactivated where the target deletes nobody, and not asked for again', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    app.personality = { canDelete: false };
    await journalIsWhole(database);
    const push = await start({ guard: null, deprovision: { sourceDeleted: 'delete', deleteAfterDays: 30 } });
    await push.settle();
    app.takeWrites();
    await edit.remove('User', ada);
    await edit.change('User', bob, 'title', 'Chief');
    await journalIsWhole(database);
    await push.settle();
    const states = [...app.users.values()].map(({ active }) => active);
    assert.deepEqual(states.sort(), [false, true]);
    assert.equal(app.takeWrites().length, 3);
    const { rows } = await sql(
      database.knex,
      `select state, last_action as action, ready_at > settled_at as again from deliveries where resource_id = ?`,
      [ada],
    );
    assert.deepEqual(rows, [{ state: 'idle', action: 'deactivated', again: false }]);
  });

  for (const [what, failingSeconds, outcome] of [
    ['a rate limit: it waits', 60, { state: 'pending', code: 'target-throttled', target: 'active' }],
    ['a refusal: it is told of', undefined, { state: 'dead', code: 'deletion-refused', target: 'active' }],
  ] as const)
    it(`a deletion that is due is answered 403, by ${what}`, async () => {
      const ada = await edit.user('ada');
      await journalIsWhole(database);
      const push = await start({ guard: null, deprovision: { deleteAfterDays: 30 } });
      await push.settle();
      await edit.remove('User', ada);
      await journalIsWhole(database);
      await push.settle();
      app.takeWrites();
      app.personality = {
        failing: (method) => (method === 'DELETE' ? 403 : undefined),
        ...(failingSeconds === undefined ? {} : { failingSeconds }),
      };
      await sql(database.knex, `update deliveries set gone_since = gone_since - interval '31 days', ready_at = now()`);
      await push.pump.turn();
      const { rows } = await sql(
        database.knex,
        `select d.state, d.last_error ->> 'code' as code, t.state as target from deliveries d join targets t using (app_id)`,
      );
      assert.deepEqual(rows, [outcome]);
      assert.equal(app.takeWrites().length, 1);
    });

  for (const [news, happens, there] of [
    ['comes back', (id: string) => edit.change('User', id, 'title', 'Chief'), [true]],
    ['is deleted here, which deletes them there', (id: string) => edit.remove('User', id), []],
  ] as const)
    it(`waits for the day of their deletion, and ${news}: that is not waited with`, async () => {
      const ada = await edit.user('ada', { title: 'Chief' });
      await journalIsWhole(database);
      const deprovision = { outOfScope: 'deactivate', sourceDeleted: 'delete', deleteAfterDays: 30 };
      const push = await start({ guard: null, deprovision }, { scope: { userFilter: 'title eq "Chief"' } });
      const active = (): unknown[] => [...app.users.values()].map((user) => user['active']);
      await push.settle();
      await edit.change('User', ada, 'title', 'Other');
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(active(), [false]);
      await happens(ada);
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(active(), there);
    });

  it('waits for the day of their deletion, and has other news: nothing is sent, and they still wait', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    await journalIsWhole(database);
    const push = await start(
      { guard: null, deprovision: { deleteAfterDays: 30 } },
      { scope: { userFilter: 'title eq "Chief"' } },
    );
    await push.settle();
    await edit.change('User', ada, 'title', 'Other');
    await journalIsWhole(database);
    await push.settle();
    const due = async () => (await sql(database.knex, 'select state, ready_at, gone_since from deliveries')).rows;
    const before = await due();
    // Nothing lags behind for that.
    await sql(database.knex, `update deliveries set changed_at = now() - interval '10 days'`);
    const { items } = await listTargets(database.knex, { limit: 10, cursor: undefined });
    const { targets } = await readFigures(database, makeCounts(database));
    assert.deepEqual([targets.map(({ lagSeconds }) => lagSeconds), items[0]?.oldestWaitingAt], [[0], null]);
    app.takeWrites();
    await edit.change('User', ada, 'nickName', 'A');
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual([app.takeWrites(), await due()], [[], before]);
  });

  for (const status of [403, 405, 501])
    it(`are many groups that the target does not delete (${status}): each is told of, and it stays in service`, async () => {
      const groups: string[] = [];
      for (let n = 0; n < 25; n += 1) groups.push(await edit.group(`group${n}`));
      await journalIsWhole(database);
      const push = await start({ guard: null });
      await push.settle();
      app.takeWrites();
      app.personality = { failing: (method) => (method === 'DELETE' ? status : undefined) };
      for (const id of groups) await edit.remove('Group', id);
      await journalIsWhole(database);
      await push.settle();
      const { rows } = await sql(
        database.knex,
        `select d.state, d.last_error ->> 'code' as code, t.state as target, count(*)::int as count
         from deliveries d join targets t using (app_id) group by 1, 2, 3`,
      );
      assert.deepEqual(rows, [{ state: 'dead', code: 'deletion-refused', target: 'active', count: 25 }]);
      assert.equal(app.takeWrites().length, 25);
    });

  it('is disabled here, and the target refuses what else changed with that: they are deactivated, and the rest is told of', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    const refused = 'No such title.';
    app.personality = {
      failing: (method, body) => (method === 'PATCH' && body.includes('Gone') ? 400 : undefined),
      detail: refused,
    };
    await edit.change('User', ada, 'title', 'Gone');
    await edit.change('User', ada, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    const [there] = app.users.values();
    assert.deepEqual([there?.['active'], there?.['title']], [false, 'Chief']);
    const { rows } = await sql(database.knex, `select state, last_action as action from deliveries`);
    assert.deepEqual(rows, [{ state: 'dead', action: 'deactivated' }]);
  });

  it('is disabled here, and has lost what the mapping requires: they are deactivated all the same', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    await journalIsWhole(database);
    const push = await start({ mapping: { User: [{ to: 'title', from: 'title', required: true }] } });
    await push.settle();
    await edit.change('User', ada, 'title', null);
    await edit.change('User', ada, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    const [there] = app.users.values();
    assert.deepEqual([there?.['active'], there?.['title']], [false, 'Chief']);
    const { rows } = await sql(database.knex, `select state, last_action as action from deliveries`);
    assert.deepEqual(rows, [{ state: 'idle', action: 'deactivated' }]);
  });

  it('leaves after a new name whose answer was lost, and the target takes whole resources: what is there stays as it is', async () => {
    const ada = await edit.user('ada', { name: { givenName: 'Ada', familyName: 'Byron' } });
    app.personality = { patch: false };
    await journalIsWhole(database);
    const push = await start({ guard: null });
    await push.settle();
    app.personality = { patch: false, failing: (method) => (method === 'PUT' ? 500 : undefined) };
    await edit.change('User', ada, 'userName', 'lovelace');
    await edit.change('User', ada, 'name.familyName', 'Lovelace');
    await journalIsWhole(database);
    await push.pump.turn();
    app.personality = { patch: false };
    await edit.remove('User', ada);
    await journalIsWhole(database);
    await push.settle();
    const [there] = app.users.values();
    const { active, userName, name } = there ?? {};
    assert.deepEqual([active, userName, name], [false, 'ada', { givenName: 'Ada', familyName: 'Byron' }]);
  });

  it('is disabled here, and the first answer to that was lost: they are deactivated though the rest is refused', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    let status = 500;
    app.personality = { failing: (method, body) => (method === 'PATCH' && body.includes('Gone') ? status : undefined) };
    await edit.change('User', ada, 'title', 'Gone');
    await edit.change('User', ada, 'active', false);
    await journalIsWhole(database);
    await push.pump.turn();
    status = 400;
    await sql(database.knex, 'update deliveries set ready_at = now()');
    await push.settle();
    assert.deepEqual(
      [...app.users.values()].map(({ active }) => active),
      [false],
    );
    const { rows } = await sql(database.knex, `select state, last_action as action from deliveries`);
    assert.deepEqual(rows, [{ state: 'dead', action: 'deactivated' }]);
  });

  it('is deleted there while they are a manager here: nobody there has a manager who is gone', async () => {
    const ada = await edit.user('ada');
    await edit.user('bob', { [ENTERPRISE]: { department: 'Sales', manager: { value: ada } } });
    await journalIsWhole(database);
    const push = await start({ guard: null, deprovision: { sourceDisabled: 'delete' } });
    await push.settle();
    const managers = (): unknown[] => [...app.users.values()].map((one) => one[ENTERPRISE]).filter(Boolean);
    const [adaThere] = [...app.users.values()].filter(({ userName }) => userName === 'ada');
    assert.deepEqual(managers(), [{ department: 'Sales', manager: { value: adaThere?.['id'] } }]);
    await edit.change('User', ada, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual([app.users.size, managers()], [1, [{ department: 'Sales' }]]);
  });
});
