// A target that fails at everything is taken out of service, asked now and then, and given up after four weeks.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Target, TargetError } from '#core/target.ts';
import { type Health, makeHealth } from '#outbound/push/health.ts';
import { systemClock } from '#platform/clock.ts';
import { makeLog } from '#platform/log.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { readTarget } from '#store/target/targets.ts';
import { makeClock, type TestClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const HOUR_MS = 3_600_000;
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';

eachDatabase('a target that fails', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  let clock: TestClock;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
    clock = makeClock(new Date(Date.now() - 60 * 24 * HOUR_MS).toISOString());
  });

  async function startWith(users: number): Promise<PushTest> {
    for (let n = 0; n < users; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    return start({}, { clock, random: () => 0.5 });
  }

  async function stateOf({
    appId,
  }: PushTest): Promise<{ state: string; reason: string | null; probes: number | null }> {
    const { rows } = await sql(
      database.knex,
      `select state, quarantine ->> 'reason' as reason, (quarantine ->> 'probes')::int as probes from targets where app_id = ?`,
      [appId],
    );
    return rows[0];
  }

  async function told(): Promise<readonly string[]> {
    const { rows } = await sql(database.knex, `select action from audit where actor = 'push' order by seq`);
    return rows.map(({ action }: { action: string }) => action);
  }

  const pass = (ms: number): void => clock.set(new Date(clock.now().getTime() + ms).toISOString());

  it('asks for rest is given half as much at once each time, and one more for every fifty good answers', async () => {
    const { appId } = await startWith(0);
    const write = <T>(work: (tx: Db) => Promise<T>): Promise<T> => database.knex.transaction(work);
    const health = makeHealth({ appId, clock, log: makeLog('silent'), random: () => 0.5, write });
    const row = await readTarget(database.knex, appId);
    assert.ok(row);
    health.begin(row);
    health.reset(8);
    const asked = new TargetError('Later.', { kind: 'throttled', reason: 'target-throttled', status: 429 });
    const widths = [health.width()];
    for (let n = 0; n < 4; n += 1) {
      await health.noteBad(asked, { attempts: 1, maxAttempts: 8 });
      widths.push(health.width());
    }
    assert.deepEqual(widths, [8, 4, 2, 1, 1]);
    assert.ok(health.isResting());
    for (let n = 0; n < 49; n += 1) await health.noteGood();
    assert.equal(health.width(), 1);
    for (let n = 0; n < 51; n += 1) await health.noteGood();
    assert.equal(health.width(), 3);
  });

  it('at most of what it is given is taken out of service before it was given everything', async () => {
    app.personality = { failing: (method) => (method === 'POST' ? 400 : undefined) };
    const one = await startWith(30);
    for (let n = 0; n < 12; n += 1) await one.pump.turn();
    assert.deepEqual(await stateOf(one), { state: 'quarantined', reason: 'too-many-failures', probes: 0 });
    assert.ok(app.takeWrites().length < 30, 'it was given everything');
  });

  it('nowhere but in what our own rules say of objects stays in service', async () => {
    for (let n = 0; n < 30; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    const push = await start({ mapping: { User: [{ to: 'title', from: 'title', required: true }] } }, { clock });
    for (let n = 0; n < 3; n += 1) await push.pump.turn();
    const { rows } = await sql(database.knex, `select state, count(*)::int as count from deliveries group by 1`);
    assert.deepEqual(rows, [{ state: 'dead', count: 30 }]);
    assert.equal((await stateOf(push)).state, 'active');
  });

  it('is asked at growing gaps, told of once, comes back by itself, and after four weeks is given up', async () => {
    app.personality = { failing: () => 401 };
    const target = await startWith(1);
    const askedAt: number[] = [];
    const begin = clock.now().getTime();
    let before = -1;
    for (let minutes = 0; minutes < 29 * 24 * 60; minutes += minutes < 120 ? 1 : 60) {
      clock.set(new Date(begin + minutes * 60_000).toISOString());
      await target.pump.turn();
      if (app.asked.length > before) askedAt.push(minutes);
      before = app.asked.length;
    }
    const gaps = askedAt.slice(1).map((at, n) => at - (askedAt[n] ?? 0));
    // From the second hour on the target is looked at once an hour.
    const wanted = [1, 2, 5, 15, 30, 60, 120, 360, 720, 1440, 1440];
    assert.ok(
      wanted.every((least, n) => (gaps[n] ?? 0) >= least && (gaps[n] ?? 0) <= least + 60),
      `${gaps}`,
    );
    assert.ok(app.asked.length < 40, `${app.asked.length} requests in four weeks`);
    assert.equal((await stateOf(target)).state, 'disabled');
    assert.deepEqual(await told(), ['target.quarantined', 'target.disabled']);
  });

  it('and asks to be left alone is not probed before that', async () => {
    app.personality = { failing: () => 401 };
    const target = await startWith(1);
    await target.pump.turn();
    app.personality = { failing: () => 503, failingSeconds: 3_600 };
    pass(61_000);
    await target.pump.turn();
    const { rows } = await sql(database.knex, `select (quarantine ->> 'probeAt')::timestamptz as at from targets`);
    assert.ok(rows[0].at.getTime() - clock.now().getTime() >= 3_599_000, rows[0].at.toISOString());
  });

  it('and mends is back after the next probe, with everything that waited', async () => {
    app.personality = { failing: () => 401 };
    const target = await startWith(3);
    await target.pump.turn();
    assert.equal((await stateOf(target)).state, 'quarantined');
    app.personality = {};
    pass(61_000);
    await target.settle();
    assert.equal((await stateOf(target)).state, 'active');
    assert.equal(app.users.size, 3);
    assert.deepEqual(await told(), ['target.quarantined', 'target.recovered']);
  });

  async function healthOf(push: PushTest): Promise<Health> {
    const write = <T>(work: (tx: Db) => Promise<T>): Promise<T> => database.knex.transaction(work);
    const health = makeHealth({ appId: push.appId, clock, log: makeLog('silent'), random: () => 0.5, write });
    const row = await readTarget(database.knex, push.appId);
    assert.ok(row);
    health.begin(row);
    return health;
  }

  for (const [what, change, state] of [
    ['paused', `state = 'paused'`, 'paused'],
    ['given other settings', `config_version = config_version + 1, state = 'active', quarantine = null`, 'active'],
  ] as const)
    it(`and is ${what} meanwhile stays so`, async () => {
      const push = await startWith(0);
      const refused = new TargetError('No.', { kind: 'credentials', reason: 'target-refused-us', status: 401 });
      const health = await healthOf(push);
      await sql(database.knex, `update targets set ${change}`);
      await health.noteBad(refused, { attempts: 1, maxAttempts: 8 });
      assert.deepEqual([(await stateOf(push)).state, await told()], [state, []]);
      await sql(database.knex, `update targets set state = 'active'`);
      const again = await healthOf(push);
      await again.noteBad(refused, { attempts: 1, maxAttempts: 8 });
      pass(61_000);
      const probing = await healthOf(push);
      await sql(database.knex, `update targets set ${change}`);
      const target = { probe: async () => undefined } as unknown as Target;
      await probing.probe(target, new AbortController().signal);
      assert.deepEqual([(await stateOf(push)).state, await told()], [state, ['target.quarantined']]);
    });

  it('to filter, and is paused while everybody is read, is read no further; resumed it is read anew', async () => {
    for (let n = 0; n < 80; n += 1) app.put('User', { schemas: [USER], userName: `there${n}` });
    await edit.user('ada');
    await journalIsWhole(database);
    const push = await start({ timeoutSeconds: 3, dialect: { filter: 'never', pageSize: 2 } });
    const pagesFrom = (startIndex: string): number =>
      app.asked.filter(({ path }) => path.includes(`startIndex=${startIndex}&count=2`)).length;
    app.personality = {
      get delayMs() {
        return pagesFrom('1') === 0 ? 0 : 400;
      },
    };
    const turning = push.pump.turn();
    while (pagesFrom('1') === 0) await systemClock.sleep(5);
    await sql(database.knex, `update targets set state = 'paused'`);
    await turning;
    await push.pump.turn();
    app.personality = {};
    await sql(database.knex, `update targets set state = 'active'`);
    await push.settle();
    assert.deepEqual([pagesFrom('1'), pagesFrom('79')], [2, 1]);
  });
});
