// Whom a target is about to lose: when they are more than is usual, nobody goes before a person has looked, whichever way they go.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { describeError } from '#core/failure.ts';
import { giveBack } from '#outbound/push/carry-out.ts';
import { startProgress } from '#outbound/push/delivering.ts';
import { decideDepartures, guardDepartures } from '#outbound/push/departures.ts';
import { settledOf } from '#outbound/push/outcome.ts';
import { writeSettled } from '#outbound/push/write-settled.ts';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { journalEnd } from '#store/directory/changes.ts';
import { askForChanges, type SettledDelivery } from '#store/target/deliveries.ts';
import { type Claimed, claimDeliveries } from '#store/target/delivery-claims.ts';
import { changeTarget, saveTarget } from '#store/target/targets.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest, scopeOf } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

eachDatabase('the guard of a target, when', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function deliveries(push: PushTest): Promise<{ state: string; action: string }[]> {
    const text = 'select state, last_action as action from deliveries where app_id = ?';
    return (await sql(database.knex, text, [push.appId])).rows;
  }

  const active = (): string[] =>
    [...app.users.values()].filter((user) => user['active'] !== false).map((user) => String(user['userName']));

  async function remove(push: PushTest, some: readonly string[]): Promise<void> {
    for (const id of some) await edit.remove('User', id);
    await journalIsWhole(database);
    await push.settle();
  }

  it('more leave while others are on their way out: they count together', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 2, percent: 0 } });
    await push.settle();
    for (const id of ids) await edit.change('User', id, 'active', false);
    const now = new Date();
    const { knex } = database;
    const scope = scopeOf(null);
    const leave = (some: readonly string[]) =>
      askForChanges(knex, push.appId, scope, { ids: some, at: some.map(() => now), now });
    const guard = () => guardDepartures(knex, push.appId, { max: 2, percent: 0 }, now);
    await leave(ids.slice(0, 2));
    await guard();
    const until = new Date(now.getTime() + 60_000);
    const claimed = await claimDeliveries(knex, push.appId, { limit: 10, now, until }, scope);
    assert.equal(claimed.length, 2);
    await leave(ids.slice(2));
    await guard();
    assert.equal((await deliveries(push)).filter(({ state }) => state === 'held').length, 2);
  });

  /** What may become of a try. */
  const OUTCOMES: Readonly<Record<string, (claimed: Claimed, now: Date) => SettledDelivery>> = {
    fails: (claimed, now) => ({
      ...giveBack(claimed, systemClock),
      ready_at: new Date(now.getTime() + 3_600_000),
      attempts: 1,
      error: { ...describeError(new Error('It failed.')), status: 500 },
    }),
    'is given back': (claimed) => giveBack(claimed, systemClock),
    'is done': (claimed, now) => settledOf(claimed, startProgress(claimed), { now, exchanges: [], isDone: true }),
    'has just made them': (claimed, now) => {
      const made = { ...startProgress(claimed), remoteId: `r${claimed.resource_id}`, action: 'created' } as const;
      return settledOf(claimed, made, { now, exchanges: [], isDone: true });
    },
  };

  for (const [outcome, settledAs] of Object.entries(OUTCOMES))
    it(`they leave during a try that ${outcome}: they come first, and the guard watches`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
      const guard = { max: 2, percent: 0 };
      const push = await start({ guard });
      if (outcome !== 'has just made them') await push.settle();
      const { knex } = database;
      const scope = scopeOf(null);
      const now = new Date();
      const ask = () => askForChanges(knex, push.appId, scope, { ids, at: ids.map(() => now), now });
      await ask();
      const until = new Date(now.getTime() + 60_000);
      const claimed = await claimDeliveries(knex, push.appId, { limit: 10, now, until }, scope);
      assert.deepEqual(
        claimed.map(({ rank }) => rank),
        [1, 1, 1, 1],
      );
      for (const id of ids) await edit.change('User', id, 'active', false);
      await ask();
      const settled = claimed.map((one) => settledAs(one, now));
      await writeSettled((work) => knex.transaction(work), { appId: push.appId, guard }, settled, now);
      const { rows } = await sql(knex, 'select distinct state, rank, ready_at from deliveries');
      assert.deepEqual(rows, [{ state: 'held', rank: 0, ready_at: now }]);
    });

  for (const when of ['before they go', 'while they go'] as const)
    it(`people are enabled again ${when}: nobody of them leaves, and the guard does not watch over them`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
      const guard = { max: 2, percent: 0 };
      const push = await start({ guard });
      await push.settle();
      const { knex } = database;
      const scope = scopeOf(null);
      const now = new Date();
      const ask = () => askForChanges(knex, push.appId, scope, { ids, at: ids.map(() => now), now });
      for (const id of ids) await edit.change('User', id, 'active', false);
      await ask();
      const until = new Date(now.getTime() + 60_000);
      const take = () => claimDeliveries(knex, push.appId, { limit: 10, now, until }, scope);
      const claimed = when === 'while they go' ? await take() : [];
      for (const id of ids) await edit.change('User', id, 'active', true);
      await ask();
      const settled = claimed.map((one) => {
        const progress = { ...startProgress(one), sent: { active: false }, action: 'deactivated' } as const;
        return settledOf(one, progress, { now, exchanges: [], isDone: true });
      });
      await writeSettled((work) => knex.transaction(work), { appId: push.appId, guard }, settled, now);
      await guardDepartures(knex, push.appId, guard, now);
      const { rows } = await sql(knex, 'select distinct state, rank from deliveries');
      assert.deepEqual(rows, [{ state: 'pending', rank: 1 }]);
    });

  it('people left after it was read what has changed, and are sent for another reason: the guard watches', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
    await journalIsWhole(database);
    const push = await start({ guard: { max: 2, percent: 0 } });
    await push.settle();
    const { knex } = database;
    const now = new Date();
    await askForChanges(knex, push.appId, scopeOf(null), { ids, at: ids.map(() => now), now });
    for (const id of ids) await edit.change('User', id, 'active', false);
    await journalIsWhole(database);
    await changeTarget(knex, push.appId, { place: await journalEnd(knex) });
    await push.settle();
    assert.equal(active().length, 4);
    assert.ok((await deliveries(push)).every(({ state }) => state === 'held'));
    await decideDepartures(knex, push.appId, 'allow', new Date());
    await push.settle();
    assert.deepEqual(active(), []);
  });

  for (const policy of ['deactivated', 'deleted'] as const)
    it(`everybody is looked at again, and whoever is inactive is ${policy} there by its policy: the guard ${policy === 'deleted' ? 'watches' : 'has nothing to watch'}`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
      const push = await start({ guard: { max: 2, percent: 0 } });
      await push.settle();
      for (const id of ids) await edit.change('User', id, 'active', false);
      await journalIsWhole(database);
      await push.settle();
      await decideDepartures(database.knex, push.appId, 'allow', new Date());
      await push.settle();
      assert.deepEqual(active(), []);
      await sql(database.knex, 'update targets set guard_allowed_at = clock_timestamp()');
      const { rows } = await sql(database.knex, 'select push, push_secrets from apps where id = ?', [push.appId]);
      const [{ push: settings, push_secrets: secrets }] = rows;
      const deprovision = { ...settings.deprovision, sourceDisabled: policy === 'deleted' ? 'delete' : 'deactivate' };
      await saveTarget(database.knex, { appId: push.appId, push: { ...settings, deprovision }, secrets });
      await push.settle();
      for (const id of ids) await edit.change('User', id, 'title', 'Retired');
      await journalIsWhole(database);
      await push.settle();
      const held = policy === 'deleted' ? 'held' : 'idle';
      assert.deepEqual(
        [new Set((await deliveries(push)).map(({ state }) => state)), app.users.size],
        [new Set([held]), 4],
      );
    });

  it('groups go a few at a time: they count together, and whoever goes in two steps counts once', async () => {
    const groups: string[] = [];
    for (let n = 0; n < 6; n += 1) groups.push(await edit.group(`group${n}`));
    const user = await edit.user('user');
    const push = await start({ guard: { max: 3, percent: 0 } });
    await push.settle();
    await edit.change('User', user, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    await edit.remove('User', user);
    for (const group of groups) {
      await edit.remove('Group', group);
      await journalIsWhole(database);
      await push.settle();
    }
    assert.equal(app.groups.size, 4);
    assert.equal((await deliveries(push)).filter(({ state }) => state === 'held').length, 4);
  });

  it('some have left and wait to be deleted while others leave: only the others are held, and the first are deleted in time', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await edit.user(`user${n}`));
    await journalIsWhole(database);
    const push = await start({ guard: { max: 2, percent: 0 }, deprovision: { deleteAfterDays: 30 } });
    await push.settle();
    await remove(push, ids.slice(0, 2));
    assert.deepEqual(active().sort(), ['user2', 'user3', 'user4']);
    await remove(push, ids.slice(2));
    assert.equal(await decideDepartures(database.knex, push.appId, 'reject', new Date()), 3);
    const later = `update deliveries set gone_since = gone_since - interval '31 days', ready_at = now() where gone_since is not null`;
    await sql(database.knex, later);
    await push.settle();
    assert.deepEqual([app.users.size, active().sort()], [3, ['user2', 'user3', 'user4']]);
  });

  for (const fate of ['deactivate', 'delete'] as const)
    it(`people were kept there by its policy, and are to go now (${fate}): they leave like everybody else, and the guard watches`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
      const guard = { max: 2, percent: 0 };
      const push = await start({ guard, deprovision: { sourceDisabled: 'keep', sourceDeleted: fate } });
      await push.settle();
      for (const id of ids) await edit.change('User', id, 'active', false);
      await journalIsWhole(database);
      await push.settle();
      await decideDepartures(database.knex, push.appId, 'allow', new Date());
      await push.settle();
      const told = async (): Promise<unknown> =>
        new Set((await deliveries(push)).map(({ state, action }) => `${state} ${action}`));
      assert.deepEqual([await told(), active().length], [new Set(['idle kept']), 4]);
      app.takeWrites();
      // Looked at again, they are still kept, and nobody is asked.
      await sql(database.knex, `update targets set backfill = '{"mode":"all","type":"User","pos":"0"}'`);
      await push.settle();
      assert.deepEqual([await told(), app.takeWrites()], [new Set(['idle kept']), []]);
      for (const id of ids) await edit.remove('User', id);
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(
        [active().length, (await deliveries(push)).map(({ state }) => state)],
        [4, Array(4).fill('held')],
      );
      await decideDepartures(database.knex, push.appId, 'allow', new Date());
      await push.settle();
      assert.deepEqual(active(), []);
      const { rows } = await sql(database.knex, 'select count(*)::int as count from departures');
      assert.deepEqual(rows, [{ count: 4 }]);
    });

  it('whoever it held is enabled again: nobody is asked about any more, and whoever leaves next goes', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 2, percent: 0 } });
    await push.settle();
    const turn = async (some: readonly string[], isActive: boolean): Promise<void> => {
      for (const id of some) await edit.change('User', id, 'active', isActive);
      await journalIsWhole(database);
      await push.settle();
    };
    const asked = async (): Promise<number | null> =>
      (await sql(database.knex, `select (guard ->> 'count')::int as count from targets`)).rows[0].count;
    await turn(ids, false);
    assert.deepEqual([await asked(), active().length], [4, 4]);
    await turn(ids.slice(1), true);
    assert.equal(active().length, 4);
    await turn(ids.slice(0, 1), true);
    assert.equal(await asked(), null);
    await turn(ids.slice(0, 1), false);
    assert.deepEqual([await asked(), active().sort()], [null, ['user1', 'user2', 'user3']]);
  });

  it('many have left before: its share is of those who are there', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 12; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 1, percent: 25 } });
    await push.settle();
    await remove(push, ids.slice(0, 3));
    assert.equal(active().length, 9);
    await sql(database.knex, `update departures set acknowledged_at = acknowledged_at - interval '2 hours'`);
    // A quarter of nine, and not of twelve.
    await remove(push, ids.slice(3, 6));
    assert.equal(active().length, 9);
    assert.deepEqual((await sql(database.knex, `select guard ->> 'limit' as limit from targets`)).rows, [
      { limit: '2' },
    ]);
  });

  it('a type is left out of what it gets: those of it who are there leave, and the guard watches', async () => {
    for (let n = 0; n < 5; n += 1) await edit.user(`user${n}`);
    for (let n = 0; n < 5; n += 1) await edit.group(`group${n}`);
    const push = await start({ guard: { max: 2, percent: 10 } });
    await push.settle();
    const only = async (...types: string[]): Promise<void> => {
      const { rows } = await sql(database.knex, 'select push, push_secrets from apps where id = ?', [push.appId]);
      const [{ push: settings, push_secrets: secrets }] = rows;
      await saveTarget(database.knex, { appId: push.appId, push: { ...settings, types }, secrets });
      await push.settle();
    };
    await only('User');
    assert.deepEqual([app.groups.size, active().length], [5, 5]);
    await only('Group');
    assert.deepEqual([app.groups.size, active().length], [5, 5]);
    await decideDepartures(database.knex, push.appId, 'allow', new Date());
    await push.settle();
    assert.deepEqual([app.groups.size, active().length], [5, 0]);
    await only('User', 'Group');
    assert.deepEqual([app.groups.size, active().length], [5, 5]);
  });

  it('it is compared after departures were rejected, and after somebody there took people up again: the guard watches', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 2, percent: 10 } });
    await push.settle();
    const compared = async (): Promise<number> => {
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await journalIsWhole(database);
      await push.settle();
      return (await deliveries(push)).filter(({ state }) => state === 'held').length;
    };
    for (const id of ids.slice(0, 3)) await edit.change('User', id, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    await decideDepartures(database.knex, push.appId, 'reject', new Date());
    app.takeWrites();
    assert.equal(await compared(), 0);
    assert.deepEqual(app.takeWrites(), []);
    assert.equal(active().length, 6);
    for (const id of ids.slice(3)) await edit.change('User', id, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    await decideDepartures(database.knex, push.appId, 'allow', new Date());
    await push.settle();
    assert.equal(active().length, 3);
    for (const user of app.users.values()) user['active'] = true;
    await sql(database.knex, `update targets set guard_allowed_at = null`);
    assert.equal(await compared(), 3);
    assert.equal(active().length, 6);
  });

  it('it has many who are inactive here before it was ever pushed to: they are adopted, and the guard watches', async () => {
    for (let n = 0; n < 5; n += 1) {
      app.put('User', { schemas: [USER], userName: `user${n}`, active: true });
      await edit.user(`user${n}`, { active: false });
    }
    const push = await start({ guard: { max: 0, percent: 0 } });
    await push.settle();
    assert.equal(active().length, 5);
    assert.ok((await deliveries(push)).every(({ state }) => state === 'held'));
    await decideDepartures(database.knex, push.appId, 'allow', new Date());
    await push.settle();
    assert.deepEqual(active(), []);
    assert.ok((await deliveries(push)).every(({ state, action }) => state === 'idle' && action === 'deactivated'));
  });

  it('departures were rejected, and everybody is looked at again: they stay until something about them changes', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 2, percent: 0 } });
    await push.settle();
    const [ada = '', bob = '', ...others] = ids;
    for (const id of others) await edit.remove('User', id);
    await edit.change('User', bob, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    await decideDepartures(database.knex, push.appId, 'reject', new Date());
    await push.settle();
    // Fewer than would be held.
    for (const id of others.slice(1)) await sql(database.knex, 'delete from deliveries where resource_id = ?', [id]);
    app.takeWrites();
    await sql(database.knex, `update targets set backfill = '{"mode":"all","type":"User","pos":"0"}'`);
    await push.settle();
    assert.deepEqual([app.takeWrites(), active().length], [[], 6]);
    await edit.change('User', bob, 'title', 'Chief');
    await edit.change('User', ada, 'title', 'Chief');
    await journalIsWhole(database);
    await push.settle();
    assert.equal(active().length, 5);
  });

  for (const news of ['has vanished there and is made anew', 'leaves'] as const)
    it(`departures were rejected, and the manager of those people ${news}: they stay`, async () => {
      const boss = await edit.user('boss');
      const manager = { 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { manager: { value: boss } } };
      const ids: string[] = [];
      for (let n = 0; n < 6; n += 1) ids.push(await edit.user(`user${n}`, manager));
      const push = await start({ guard: { max: 2, percent: 0 } });
      await push.settle();
      for (const id of ids) await edit.change('User', id, 'active', false);
      await journalIsWhole(database);
      await push.settle();
      assert.equal(await decideDepartures(database.knex, push.appId, 'reject', new Date()), 6);
      const [there] = [...app.users].find(([, user]) => user['userName'] === 'boss') ?? [];
      if (news === 'leaves') await edit.remove('User', boss);
      else app.users.delete(there ?? '');
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await journalIsWhole(database);
      await push.settle();
      const expected = ids.map((_, n) => `user${n}`);
      assert.deepEqual(active().sort(), news === 'leaves' ? expected : ['boss', ...expected]);
    });

  for (const decision of ['allow', 'reject'] as const)
    it(`all were deleted and made anew, and wait for their accounts while it holds them: after ${decision} ${decision === 'allow' ? 'they have them' : 'they are told of'}`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 4; n += 1) ids.push(await edit.user(`user${n}`));
      await journalIsWhole(database);
      const push = await start({ guard: { max: 0, percent: 0 }, maxAttempts: 2 });
      await push.settle();
      for (const id of ids) await edit.remove('User', id);
      await journalIsWhole(database);
      await push.settle();
      for (let n = 0; n < 4; n += 1) await edit.user(`user${n}`);
      await journalIsWhole(database);
      await push.settle(0);
      const { rows } = await sql(
        database.knex,
        `select count(*)::int as count from deliveries where state = 'pending' and ready_at > now() + interval '5 hours'`,
      );
      assert.deepEqual(rows, [{ count: 4 }]);
      await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending'`);
      const tryAll = async (): Promise<void> => {
        await push.settle(0);
        await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending'`);
      };
      for (let n = 0; n < 3; n += 1) await tryAll();
      const states = async () => (await deliveries(push)).map(({ state }) => state).sort();
      const waiting = Array(4).fill('pending');
      assert.deepEqual(await states(), [...Array(4).fill('held'), ...waiting]);
      await decideDepartures(database.knex, push.appId, decision, new Date());
      await push.settle();
      const last = decision === 'allow' ? 'idle' : 'dead';
      if (decision === 'reject') await tryAll();
      if (decision === 'reject') await push.settle(0);
      assert.deepEqual(await states(), [...Array(4).fill(last), ...Array(4).fill('idle')].sort());
      assert.deepEqual([app.users.size, active().length], [4, 4]);
      if (decision === 'allow') return;
      const [first = ''] = ids;
      const { knex } = database;
      await sql(
        knex,
        `update deliveries set state = 'pending', rank = 0, asks = asks + 1, allowed = true, ready_at = now() where resource_id = ?`,
        [first],
      );
      const others = `select sum(asks)::int as asks from deliveries where state = 'dead' and awaits <> ?`;
      const before = (await sql(knex, others, [first])).rows;
      await push.settle();
      const { rows: heirs } = await sql(
        knex,
        `select d.state, r.display from deliveries d join resources r on r.id = d.resource_id where r.deleted_at is null and d.state = 'idle'`,
      );
      assert.deepEqual(heirs, [{ state: 'idle', display: 'user0' }]);
      assert.deepEqual((await sql(knex, others, [first])).rows, before);
      assert.equal(active().length, 4);
    });

  for (const isDeleted of [false, true])
    it(`few leave, and few again, and the target ${isDeleted ? 'fails at the first try' : 'refuses what else changed with that'}: they count together`, async () => {
      const ids: string[] = [];
      for (let n = 0; n < 6; n += 1) ids.push(await edit.user(`user${n}`));
      await journalIsWhole(database);
      const push = await start({ guard: { max: 2, percent: 0 } });
      await push.settle();
      const tried = new Set<string>();
      app.personality = {
        failing(method, body, path) {
          if (method !== 'PATCH') return undefined;
          if (!isDeleted) return body.includes('Gone') ? 400 : undefined;
          const isFirst = !tried.has(path);
          tried.add(path);
          return isFirst ? 500 : undefined;
        },
      };
      for (let n = 0; n < 6; n += 2) {
        for (const id of ids.slice(n, n + 2)) {
          if (isDeleted) await edit.remove('User', id);
          else {
            await edit.change('User', id, 'title', 'Gone');
            await edit.change('User', id, 'active', false);
          }
        }
        await journalIsWhole(database);
        for (let turn = 0; turn < 3; turn += 1) {
          await push.settle(0);
          await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending'`);
        }
      }
      assert.equal(active().length, 4);
      assert.equal((await deliveries(push)).filter(({ state }) => state === 'held').length, 4);
    });
});
