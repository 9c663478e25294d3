import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resendPush } from '#outbound/on-demand/resend.ts';
import { giveBack } from '#outbound/push/carry-out.ts';
import { startProgress } from '#outbound/push/delivering.ts';
import { decideDepartures } from '#outbound/push/departures.ts';
import { settledOf } from '#outbound/push/outcome.ts';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { settleDeliveries } from '#store/target/deliveries.ts';
import { claimDeliveries } from '#store/target/delivery-claims.ts';
import { freeLink } from '#store/target/gone-links.ts';
import { forgetDrift } from '#store/target/reconciliations.ts';
import { readTarget } from '#store/target/targets.ts';
import { readPushFigures, replayDead } from '#store/views/deliveries.ts';
import { listSendings } from '#store/views/sendings.ts';
import { makeClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest, scopeOf } from '../support/push.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
/** Of a week in which a target is dead; WEEK_CHANGES=20000 WEEK_USERS=20000 is the long way. */
const WEEK_CHANGES = Number(process.env['WEEK_CHANGES'] ?? 30);
const WEEK_USERS = Number(process.env['WEEK_USERS'] ?? Math.ceil(WEEK_CHANGES / 10));
/** What a process may hold more at the end of the week than in its middle. */
const GROWTH_MAX = 24 * 1024 * 1024;

/** Bytes in use, without what nobody holds any more. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

eachDatabase('what a push target does when', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function deliveries(push: PushTest): Promise<Record<string, unknown>[]> {
    const { rows } = await sql(
      database.knex,
      `select d.state, d.last_action as action, d.last_error ->> 'code' as code, r.display from deliveries d join resources r on r.id = d.resource_id
       where app_id = ? order by r.display`,
      [push.appId],
    );
    return rows;
  }

  const active = (): string[] =>
    [...app.users.values()]
      .filter((user) => user['active'] !== false)
      .map((user) => String(user['userName']))
      .sort();

  it('its settings cannot be opened: it is tried again when a probe is due, and counted then only', async () => {
    const clock = makeClock('2026-11-25T10:00:00Z');
    const push = await start({}, { clock });
    const row = await readTarget(database.knex, push.appId);
    const seal = async (secrets: string | null): Promise<void> => {
      await sql(database.knex, 'update apps set push_secrets = ? where id = ?', [secrets, push.appId]);
      await sql(database.knex, 'update targets set config_version = config_version + 1 where app_id = ?', [push.appId]);
    };
    const probes = async () => (await readTarget(database.knex, push.appId))?.quarantine?.probes;
    await seal('sealed by another key');
    for (let turn = 0; turn < 4; turn += 1) await push.pump.turn();
    const first = await probes();
    assert.ok(first !== undefined);
    clock.set('2026-11-25T10:30:00Z');
    for (let turn = 0; turn < 4; turn += 1) await push.pump.turn();
    assert.equal(await probes(), first + 1);
    await seal(row?.push_secrets ?? null);
    clock.set('2026-11-25T12:30:00Z');
    await push.pump.turn();
    assert.equal(await probes(), undefined);
  });

  it('somebody leaves while others wait: the leaver goes first', async () => {
    const leaver = await edit.user('leaver');
    const push = await start();
    await push.settle();
    for (let n = 0; n < 30; n += 1) await edit.user(`new${n}`);
    await edit.change('User', leaver, 'active', false);
    app.takeWrites();
    await journalIsWhole(database);
    await push.settle();
    const writes = app.takeWrites();
    assert.equal(writes.length, 31);
    assert.equal(
      writes.findIndex(({ method }) => method === 'PATCH'),
      0,
    );
  });

  it('more leave than is usual: nobody is taken away until somebody has looked', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 10; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({ guard: { max: 2, percent: 10 } });
    await push.settle();
    for (const id of ids.slice(0, 5)) await edit.change('User', id, 'active', false);
    await journalIsWhole(database);
    await push.settle();
    assert.equal(active().length, 10);
    assert.equal((await deliveries(push)).filter(({ state }) => state === 'held').length, 5);
    await edit.change('User', ids[0] ?? '', 'active', true);
    await push.settle();
    assert.equal((await deliveries(push)).filter(({ state }) => state === 'held').length, 4);
    await decideDepartures(database.knex, push.appId, 'allow', new Date());
    await push.settle();
    assert.equal(active().length, 6);
  });

  it('it is paused while requests are under way: nothing is begun after them, and all goes on when it is resumed', async () => {
    for (let n = 0; n < 60; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    const push = await start({ pace: { concurrency: 1 } });
    const set = (state: string) => sql(database.knex, 'update targets set state = ?', [state]);
    let pausing: Promise<unknown> | undefined;
    // The answer to the first request after so many were made comes long after the pause.
    app.personality = {
      get delayMs() {
        if (app.users.size >= 20) pausing ??= set('paused');
        return pausing === undefined ? 0 : 3_000;
      },
      get until() {
        return pausing;
      },
    };
    await push.pump.turn();
    await pausing;
    assert.equal(app.users.size, 21);
    app.personality = {};
    await set('active');
    await push.settle();
    assert.equal(app.users.size, 60);
  });

  for (const filter of ['yes', 'no'] as const)
    it(`it asks for a day of rest and is resumed before that: it is sent to again${filter === 'no' ? ', also while everybody is read' : ''}`, async () => {
      await edit.user('ada');
      const push = await start();
      // Of a target that does not filter, the first page of everybody.
      const isAsked = (path = ''): boolean => filter === 'yes' || path.includes('count=100');
      const failing = (_method: string, _body: string, path?: string) => (isAsked(path) ? 429 : undefined);
      app.personality = { failing, failingSeconds: 86_400, filter };
      await push.pump.turn();
      const { rows } = await sql(database.knex, 'select rest_until > now() as rests from targets');
      assert.deepEqual(rows, [{ rests: true }]);
      app.personality = { filter };
      app.endRest();
      await sql(database.knex, 'update targets set rest_until = null, failures = 0');
      await push.settle();
      assert.equal(app.users.size, 1);
    });

  it('it lets us in no more and asks for a day of rest, and is resumed before that: it is sent to again', async () => {
    await edit.user('ada');
    const push = await start();
    app.personality = { failing: () => 401, failingSeconds: 86_400 };
    await push.pump.turn();
    const { rows } = await sql(database.knex, 'select state from targets');
    assert.deepEqual(rows, [{ state: 'quarantined' }]);
    app.personality = {};
    app.endRest();
    await sql(database.knex, `update targets set state = 'active', quarantine = null, rest_until = null, failures = 0`);
    await push.pump.turn();
    await push.pump.turn();
    assert.equal(app.users.size, 1);
  });

  it('an object is refused: it becomes a dead letter, and a replay sends what it is then', async () => {
    app.personality = { failing: () => undefined };
    app.put('User', { schemas: [USER], userName: 'taken', externalId: 'theirs' });
    app.put('User', { schemas: [USER], userName: 'Taken', externalId: 'theirs too' });
    const id = await edit.user('taken');
    const push = await start();
    await push.settle();
    assert.deepEqual(await deliveries(push), [
      { state: 'dead', action: 'none', code: 'ambiguous-match', display: 'taken' },
    ]);
    await sql(database.knex, `update deliveries set ready_at = now()`);
    await replayDead(database.knex, { appId: push.appId, code: 'other', now: new Date() });
    assert.equal((await deliveries(push))[0]?.['state'], 'dead');
    await edit.change('User', id, 'userName', 'free');
    await push.settle();
    assert.deepEqual((await deliveries(push))[0], { state: 'idle', action: 'created', code: null, display: 'free' });
  });

  it('two of ours mean one of theirs: only one is linked', async () => {
    app.put('User', { schemas: [USER], userName: 'shared', emails: [{ value: 'x@example.com', primary: true }] });
    for (const name of ['one', 'two']) await edit.user(name, { emails: [{ value: 'x@example.com', primary: true }] });
    const push = await start({ matching: { User: ['emails.value'] } });
    await push.settle();
    const states = (await deliveries(push)).map(({ state }) => state).sort();
    assert.deepEqual(states, ['dead', 'idle']);
    assert.equal(app.users.size, 1);
  });

  for (const [fate, isThere] of [
    ['deactivate', true],
    ['keep', true],
    ['delete', false],
  ] as const)
    it(`somebody is deleted and made anew under the same name (${fate}): they have their account again, once`, async () => {
      const before = await edit.user('ada', { title: 'Chief' });
      const push = await start({ deprovision: { sourceDeleted: fate, deleteAfterDays: 30 } });
      await push.settle();
      const [there] = app.users.keys();
      await edit.remove('User', before);
      const after = await edit.user('ada');
      await edit.group('team', [after]);
      await journalIsWhole(database);
      await push.settle(60_000);
      assert.deepEqual(active(), ['ada']);
      const [account, ...others] = app.users.values();
      assert.deepEqual(others, []);
      assert.deepEqual([account?.['externalId'], account?.['title']], [after, undefined]);
      assert.equal(account?.['id'] === there, isThere);
      assert.deepEqual([...app.groups.values()][0]?.['members'], [{ value: account?.['id'] }]);
      // Nothing is left to do for whoever had it.
      await sql(database.knex, `update deliveries set ready_at = now(), gone_since = gone_since - interval '31 days'`);
      await push.settle();
      assert.deepEqual(active(), ['ada']);
    });

  it('somebody is made anew under the name of a manager who was deleted: nobody gets them for a manager by that', async () => {
    const before = await edit.user('ada');
    await edit.user('bob', { [ENTERPRISE]: { department: 'Sales', manager: { value: before } } });
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    await edit.remove('User', before);
    await journalIsWhole(database);
    await push.settle();
    await edit.user('ada');
    await journalIsWhole(database);
    await push.settle(60_000);
    assert.deepEqual(active().sort(), ['ada', 'bob']);
    const [bob] = [...app.users.values()].filter(({ userName }) => userName === 'bob');
    assert.deepEqual(bob?.[ENTERPRISE], { department: 'Sales' });
  });

  /** Somebody with a title that whoever comes after them does not have. */
  async function chief(): Promise<{ readonly push: PushTest; readonly before: string; readonly there: string }> {
    const before = await edit.user('ada', { title: 'Chief' });
    await journalIsWhole(database);
    const push = await start({}, { random: () => 0 });
    await push.settle();
    return { push, before, there: [...app.users.keys()].join() };
  }

  it('somebody is made anew under the same name, and their account cannot be read at first: nothing of before stays with it', async () => {
    const { push, before, there } = await chief();
    let fails = 1;
    const isRead = (method: string, path: string) => method === 'GET' && path.endsWith(`/Users/${there}`);
    app.personality = { failing: (method, _body, path) => (isRead(method, path) && fails-- > 0 ? 500 : undefined) };
    await edit.remove('User', before);
    await edit.user('ada');
    await journalIsWhole(database);
    await push.settle(60_000);
    assert.ok(fails <= 0);
    const titles = [...app.users.values()].map(({ id, active, title }) => [id, active, title]);
    assert.deepEqual(titles, [[there, true, undefined]]);
  });

  it('somebody is made anew under the same name, and the process is killed when it has their account: nothing of before stays with it', async () => {
    const { push, before, there } = await chief();
    await edit.remove('User', before);
    await journalIsWhole(database);
    await push.settle();
    const by = await edit.user('ada');
    await journalIsWhole(database);
    app.personality = { failing: () => 500 };
    for (let tried = false; !tried; ) {
      await push.pump.turn();
      const waiting = `select 1 from deliveries where resource_id = ? and state = 'pending' and attempts > 0`;
      tried = (await sql(database.knex, waiting, [by])).rows.length > 0;
    }
    app.personality = {};
    const freed = await freeLink(database.knex, {
      appId: push.appId,
      type: 'User',
      remoteId: there,
      by,
    });
    assert.equal(freed?.id, before);
    await push.settle(60_000);
    const titles = [...app.users.values()].map(({ id, active, title }) => [id, active, title]);
    assert.deepEqual(titles, [[there, true, undefined]]);
  });

  it('a resource has vanished there: it is made again, with its memberships', async () => {
    const ada = await edit.user('ada');
    const team = await edit.group('team', [ada]);
    const push = await start();
    await push.settle();
    app.users.clear();
    for (const group of app.groups.values()) group['members'] = [];
    await edit.change('User', ada, 'title', 'new');
    await push.settle();
    assert.deepEqual(active(), ['ada']);
    const [group] = [...app.groups.values()];
    assert.deepEqual(group?.['members'], [{ value: [...app.users.keys()][0] }]);
    app.groups.clear();
    await edit.change('Group', team, 'displayName', 'crew');
    await push.settle();
    assert.equal([...app.groups.values()][0]?.['displayName'], 'crew');
    assert.equal(([...app.groups.values()][0]?.['members'] as unknown[] | undefined)?.length, 1);
  });

  it('it is scoped by group and filter: members come and go with their groups', async () => {
    const [ada, bob, eve] = [
      await edit.user('ada'),
      await edit.user('bob'),
      await edit.user('eve', { title: 'Guest' }),
    ];
    const team = await edit.group('team', [ada, eve]);
    const inner = await edit.group('inner', []);
    await edit.addMember(team, inner);
    await edit.group('others', [bob]);
    const push = await start({ guard: null }, { scope: { groups: [team], userFilter: 'not (title eq "Guest")' } });
    await push.settle();
    assert.deepEqual(active(), ['ada']);
    await edit.addMember(inner, bob);
    await push.settle();
    assert.deepEqual(active(), ['ada', 'bob']);
    const innerThere = [...app.groups.values()].find((group) => group['displayName'] === 'inner');
    assert.equal((innerThere?.['members'] as unknown[] | undefined)?.length, 1);
    await edit.removeMember(inner, bob);
    await edit.change('User', eve, 'title', 'Employee');
    await push.settle();
    assert.deepEqual(active(), ['ada', 'eve']);
  });

  it('its scope moves while it is looked through: that goes on to its end, and then once more, with the same connection', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const team = await edit.group('team', [bob]);
    await journalIsWhole(database);
    const push = await start({ types: ['User'] }, { scope: { groups: [team] } });
    await push.settle();
    assert.deepEqual(active(), ['bob']);
    const stateOf = async () =>
      (await sql(database.knex, 'select backfill, scope_moved as moved, config_version as version from targets'))
        .rows[0];
    const { version } = await stateOf();
    // Everybody of the directory is behind already.
    const late = { mode: 'scope', type: 'User', pos: '1000000' };
    await sql(database.knex, 'update targets set backfill = ?::jsonb', [JSON.stringify(late)]);
    await edit.addMember(team, ada);
    await journalIsWhole(database);
    await push.pump.turn();
    assert.deepEqual(await stateOf(), { backfill: { ...late, type: 'Group', pos: '0' }, moved: true, version });
    await push.settle();
    assert.deepEqual(active(), ['ada', 'bob']);
    assert.deepEqual(await stateOf(), { backfill: null, moved: false, version });
  });

  it('attributes are mapped, required and cut', async () => {
    await edit.user('ada', {
      name: { givenName: 'Ada', familyName: 'Lovelace' },
      emails: [
        { value: 'a@example.com', type: 'home' },
        { value: 'b@example.com', type: 'work', primary: true },
      ],
      title: 'Countess',
    });
    await edit.user('bob');
    const push = await start({
      exclude: ['title'],
      singleValued: ['emails'],
      mapping: {
        User: [
          { to: 'displayName', template: '{name.familyName|upper}, {name.givenName}', required: true },
          { to: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:costCenter', value: '42', when: 'create' },
        ],
      },
    });
    await push.settle();
    const [user] = [...app.users.values()];
    assert.deepEqual(
      [user?.['displayName'], user?.['title'], user?.['emails']],
      ['LOVELACE, Ada', undefined, [{ value: 'b@example.com', type: 'work', primary: true }]],
    );
    assert.deepEqual([user?.[ENTERPRISE], user?.['schemas']], [{ costCenter: '42' }, [USER, ENTERPRISE]]);
    assert.deepEqual(
      (await deliveries(push)).map(({ state, code }) => [state, code]),
      [
        ['idle', null],
        ['dead', 'required-attribute-missing'],
      ],
    );
  });

  it('a manager is referred to: by their id there, as soon as they have one', async () => {
    const report = await edit.user('report');
    const boss = await edit.user('boss');
    await edit.change('User', report, `${ENTERPRISE}:manager`, { value: boss });
    const push = await start();
    await push.settle();
    const bossThere = [...app.users.values()].find((user) => user['userName'] === 'boss');
    const reportThere = [...app.users.values()].find((user) => user['userName'] === 'report');
    assert.deepEqual(reportThere?.[ENTERPRISE], { manager: { value: bossThere?.['id'] } });
  });

  it('another target is dead: this one goes on, and the dead one is left alone', async () => {
    const dead = await startScimApp({ dropBefore: () => true });
    try {
      const first = await start({ baseUrl: dead.url }, { name: 'dead' });
      const second = await start();
      await edit.user('ada');
      for (let n = 0; n < 3; n += 1) await first.pump.turn();
      await second.settle();
      assert.deepEqual(active(), ['ada']);
      const { rows } = await sql(
        database.knex,
        'select failures, rest_until is not null as rests from targets where app_id = ?',
        [first.appId],
      );
      assert.equal(rows[0].rests, true);
      assert.ok(rows[0].failures >= 1);
    } finally {
      await dead.close();
    }
  });

  it('somebody deactivated long ago is deleted when the policy says so', async () => {
    const id = await edit.user('ada');
    const push = await start({ deprovision: { deleteAfterDays: 30 }, guard: null });
    await push.settle();
    await edit.remove('User', id);
    await push.settle();
    assert.deepEqual([app.users.size, active()], [1, []]);
    await sql(database.knex, `update deliveries set gone_since = gone_since - interval '31 days', ready_at = now()`);
    await push.settle();
    assert.equal(app.users.size, 0);
  });

  it('a credential is replaced by the next one without a pause', async () => {
    app.personality = { token: 'new-token' };
    await edit.user('ada');
    const push = await start({
      auth: { kind: 'bearer', token: 'old-token' },
      nextAuth: { kind: 'bearer', token: 'new-token' },
    });
    await push.settle();
    assert.deepEqual(active(), ['ada']);
  });

  it('a credential is replaced by the next one in the middle of several requests: it stays in service', async () => {
    app.personality = { token: 'old-token', delayMs: 20 };
    const ids: string[] = [];
    for (let n = 0; n < 8; n += 1) ids.push(await edit.user(`user${n}`));
    const push = await start({
      auth: { kind: 'bearer', token: 'old-token' },
      nextAuth: { kind: 'basic', username: 'new', password: 'new-password' },
      pace: { concurrency: 8 },
    });
    await push.settle();
    app.personality = { basic: { user: 'new', password: 'new-password' }, delayMs: 20 };
    for (const id of ids) await edit.change('User', id, 'title', 'Chief');
    await journalIsWhole(database);
    await push.settle();
    assert.ok([...app.users.values()].every(({ title }) => title === 'Chief'));
    const { rows } = await sql(database.knex, `select action from audit where actor = 'push'`);
    assert.deepEqual(rows, []);
  });

  it('the client secret of before is no good any more: the next one is taken up without a pause', async () => {
    app.personality = { oauth: { lifeSeconds: 60 } };
    await edit.user('ada');
    const client = { kind: 'oauth', tokenUrl: app.tokenUrl, clientId: 'client' };
    const push = await start({
      auth: { ...client, clientSecret: 'old' },
      nextAuth: { ...client, clientSecret: 's3cret' },
      pace: { concurrency: 8 },
    });
    await push.settle();
    assert.deepEqual(active(), ['ada']);
  });

  it('it is reconciled: what changed there is mended, strangers are only told of', async () => {
    const ada = await edit.user('ada', { title: 'ours' });
    const team = await edit.group('team', [ada]);
    const push = await start();
    await push.settle();
    const stranger = app.put('User', { schemas: [USER], userName: 'stranger' });
    for (const user of app.users.values()) if (user['userName'] === 'ada') user['title'] = 'theirs';
    for (const group of app.groups.values()) group['members'] = [{ value: stranger }];
    await sql(database.knex, 'update targets set reconcile_asked = true');
    await push.settle();
    const { rows } = await sql(database.knex, 'select counts from reconciliations');
    assert.deepEqual(rows[0].counts, {
      users: 2,
      groups: 1,
      changed: 1,
      unmanaged: 1,
      'member-added': 1,
      'member-missing': 1,
    });
    const adaThere = [...app.users.values()].find((user) => user['userName'] === 'ada');
    assert.equal(adaThere?.['title'], 'ours');
    assert.deepEqual([...app.groups.values()][0]?.['members'], [{ value: adaThere?.['id'] }]);
    assert.equal(app.users.size, 2);
    app.groups.clear();
    app.put('User', { schemas: [USER], userName: 'ADA' });
    app.put('User', { schemas: [USER], userName: 'other', externalId: ada });
    app.put('User', { schemas: [USER], userName: 'lost', externalId: randomUUID() });
    await sql(database.knex, 'update targets set reconcile_asked = true');
    await push.settle();
    assert.equal(app.groups.size, 1);
    const { rows: last } = await sql(database.knex, 'select counts from reconciliations order by seq desc limit 1');
    assert.deepEqual(last[0].counts, { users: 5, missing: 1, duplicate: 2, orphan: 1, unmanaged: 1 });
    assert.notEqual(team, '');
  });

  for (const omitsMembers of ['none', 'listed'] as const)
    it(`it shows ${omitsMembers === 'none' ? 'no members where nobody is in a group' : 'groups without members in its lists'}, and a group was emptied there: it is filled again`, async () => {
      const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
      await edit.group('team', [ada, bob]);
      await edit.group('crew', [ada]);
      await journalIsWhole(database);
      const push = await start();
      await push.settle();
      let refusals = 0;
      const isGroup = (method: string, path: string): boolean => method === 'GET' && path.startsWith('/Groups/');
      const failing = (method: string, _body: string, path: string): number | undefined => {
        if (!isGroup(method, path) || refusals > 0) return undefined;
        refusals += 1;
        return 429;
      };
      app.personality = { omitsMembers, failing, failingSeconds: 1 };
      const team = [...app.groups.values()].find(({ displayName }) => displayName === 'team');
      assert.ok(team !== undefined);
      team['members'] = [];
      app.takeWrites();
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await push.settle();
      const { rows } = await sql(database.knex, 'select counts from reconciliations');
      assert.deepEqual(rows[0].counts, { users: 2, groups: 2, 'member-missing': 2 });
      assert.equal((app.groups.get(String(team['id']))?.['members'] as unknown[] | undefined)?.length, 2);
      assert.equal(app.takeWrites().length, 1);
    });

  it('it does not keep what it is sent: a comparison writes that once, and from then on only tells of it', async () => {
    const [ada, bob] = [await edit.user('ada', { title: 'Chief', nickName: 'Ada' }), await edit.user('bob')];
    await edit.group('team', [ada, bob]);
    const bobThere = (): string => [...app.users].find(([, user]) => user['userName'] === 'bob')?.[0] ?? '';
    app.personality = {
      rewrites(doc) {
        delete doc['title'];
        if (typeof doc['nickName'] === 'string') doc['nickName'] = doc['nickName'].toUpperCase();
        if (Array.isArray(doc['members'])) doc['members'] = doc['members'].filter(({ value }) => value !== bobThere());
      },
    };
    const push = await start();
    await journalIsWhole(database);
    await push.settle();
    const compared = async (): Promise<readonly [readonly string[], number]> => {
      app.takeWrites();
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await push.settle();
      const { rows } = await sql(database.knex, 'select findings from reconciliations order by seq desc limit 1');
      const told = rows[0].findings.map(
        ({ class: kind, detail, repair }: Record<string, string>) =>
          `${kind} ${kind === 'changed' ? detail : 'bob'} ${repair}`,
      );
      return [told.sort(), app.takeWrites().length];
    };
    const unkept = ['changed nickName, title not-kept', 'member-missing bob not-kept'];
    assert.deepEqual(await compared(), [['changed nickName, title queued', 'member-missing bob queued'], 2]);
    for (let n = 0; n < 2; n += 1) assert.deepEqual(await compared(), [unkept, 0]);
    // What else differs is mended as ever, each time anew, and nothing with it.
    for (let n = 0; n < 2; n += 1) {
      for (const user of app.users.values()) if (user['userName'] === 'ada') user['active'] = false;
      assert.deepEqual(await compared(), [['changed active queued', ...unkept], 1]);
      assert.deepEqual(active(), ['ada', 'bob']);
    }
    // With another value here it is tried once more; and so is whoever was changed there since.
    await edit.change('User', ada, 'nickName', 'Countess');
    await edit.change('User', bob, 'userType', 'Guest');
    await journalIsWhole(database);
    await push.settle();
    app.personality = {};
    assert.deepEqual(await compared(), [
      ['changed nickName queued', 'changed title not-kept', 'member-missing bob queued'],
      2,
    ]);
    assert.deepEqual(membersThere(), ['ada', 'bob']);
    assert.deepEqual((await compared())[0], ['changed title not-kept']);
    await forgetDrift(database.knex, push.appId);
    await compared();
    assert.deepEqual(await compared(), [[], 0]);
  });

  it('it does not keep several members, and one of them was changed: that one is tried once more, and not each time', async () => {
    const [ada, bob, eve] = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    await edit.group('team', [ada, bob, eve]);
    const nameOf = (id: string): string => String(app.users.get(id)?.['userName']);
    app.personality = {
      rewrites(doc) {
        if (Array.isArray(doc['members']))
          doc['members'] = doc['members'].filter(({ value }) => nameOf(value) === 'ada');
      },
    };
    const push = await start();
    await journalIsWhole(database);
    await push.settle();
    const writesOfComparison = async (): Promise<number> => {
      app.takeWrites();
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await push.settle();
      return app.takeWrites().length;
    };
    assert.deepEqual([await writesOfComparison(), await writesOfComparison()], [1, 0]);
    await edit.change('User', bob, 'userType', 'Guest');
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual([await writesOfComparison(), await writesOfComparison()], [1, 0]);
  });

  /** Somebody is removed, and the target answers again. */
  async function leaveOnceItAnswers(push: Awaited<ReturnType<typeof start>>, id: string): Promise<void> {
    await edit.remove('User', id);
    await journalIsWhole(database);
    app.personality = {};
    await sql(database.knex, 'update targets set rest_until = null');
    await push.settle();
  }

  it('it made somebody and nobody heard of it, and they leave before the next try: they leave there as well', async () => {
    let drops = 1;
    app.personality = { dropAfter: () => drops-- > 0, failing: () => (drops < 1 ? 503 : undefined) };
    const ada = await edit.user('ada');
    const push = await start();
    await push.pump.turn();
    assert.deepEqual(
      [...app.users.values()].map(({ active }) => active),
      [true],
    );
    await leaveOnceItAnswers(push, ada);
    assert.deepEqual(
      [...app.users.values()].map(({ active }) => active),
      [false],
    );
  });

  it('it fails at somebody who was there before us, and they leave: they are left alone', async () => {
    app.put('User', { schemas: [USER], userName: 'ada', externalId: 'of somebody else', active: true });
    const push = await start();
    await push.settle();
    app.personality = { failing: () => 503 };
    const ada = await edit.user('ada');
    await journalIsWhole(database);
    await push.pump.turn();
    const { rows } = await sql(database.knex, 'select last_error is not null as tried from deliveries');
    assert.deepEqual(rows, [{ tried: true }]);
    await leaveOnceItAnswers(push, ada);
    assert.deepEqual(
      [...app.users.values()].map(({ active }) => active),
      [true],
    );
  });

  it('it shows empty groups whoever is in them: what is known here stays, and who leaves is taken out', async () => {
    app.personality = { hidesMembers: 'empty' };
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const team = await edit.group('team', [ada, bob]);
    const push = await start({ members: { hidden: true } });
    await push.settle();
    await sql(database.knex, 'update targets set reconcile_asked = true');
    await push.settle();
    const { rows } = await sql(database.knex, 'select counts from reconciliations');
    assert.deepEqual(rows[0].counts, { users: 2, groups: 1 });
    await edit.removeMember(team, bob);
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual(membersThere(), ['ada']);
  });

  it('somebody leaves its scope and comes back: the groups there follow, though no group changed here', async () => {
    const [ada, bob] = [await edit.user('ada', { title: 'Chief' }), await edit.user('bob', { title: 'Chief' })];
    await edit.group('Board', [ada, bob]);
    const push = await start({}, { scope: { userFilter: 'title eq "Chief"' } });
    const settled = async (): Promise<string[]> => {
      await journalIsWhole(database);
      await push.settle();
      return membersThere();
    };
    assert.deepEqual(await settled(), ['ada', 'bob']);
    await edit.change('User', ada, 'title', 'Clerk');
    assert.deepEqual(await settled(), ['bob']);
    await edit.change('User', ada, 'title', 'Chief');
    assert.deepEqual(await settled(), ['ada', 'bob']);
  });

  it('the answer to a member is lost, and the member goes meanwhile: it is not left there', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const board = await edit.group('Board', [ada]);
    const push = await start();
    await push.settle();
    let drops = 1;
    app.personality = { dropAfter: () => drops-- > 0 };
    await edit.addMember(board, bob);
    await journalIsWhole(database);
    await push.pump.turn();
    assert.deepEqual(membersThere(), ['ada', 'bob'], 'it was done all the same');
    await edit.removeMember(board, bob);
    await sql(database.knex, 'update targets set rest_until = null');
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual(membersThere(), ['ada']);
  });

  for (const whole of [false, true])
    it(`it shows nobody in groups${whole ? ', takes whole lists' : ''}, and answers are lost: who came goes again, and who went comes back`, async () => {
      const [ada, bob, eve] = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
      const team = await edit.group('team', [ada, eve]);
      app.personality = { hidesMembers: true, wholeMembers: whole };
      await journalIsWhole(database);
      const dialect = whole ? { changeMembers: 'whole' } : {};
      const push = await start({ members: { hidden: true }, dialect });
      await push.settle();
      app.personality = { hidesMembers: true, wholeMembers: whole, dropAfter: () => true };
      await edit.addMember(team, bob);
      await edit.removeMember(team, ada);
      await journalIsWhole(database);
      await push.pump.turn();
      app.personality = { hidesMembers: true, wholeMembers: whole };
      await edit.removeMember(team, bob);
      await edit.addMember(team, ada);
      await journalIsWhole(database);
      await push.settle();
      const names = new Map([...app.users.values()].map(({ id, userName }) => [id, userName]));
      const members = ([...app.groups.values()][0]?.['members'] ?? []) as { value: string }[];
      assert.deepEqual(members.map(({ value }) => names.get(value)).sort(), ['ada', 'eve']);
      assert.notEqual(eve, '');
    });

  it('the answer to a change is lost, and it is changed back meanwhile: it does not stay there', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    const push = await start();
    await push.settle();
    let drops = 1;
    app.personality = { dropAfter: () => drops-- > 0 };
    await edit.change('User', ada, 'title', null);
    await edit.change('User', ada, 'userType', 'Guest');
    await journalIsWhole(database);
    await push.pump.turn();
    assert.deepEqual(titles(), [[undefined, 'Guest']], 'it was done all the same');
    await edit.change('User', ada, 'title', 'Chief');
    await edit.change('User', ada, 'userType', null);
    await sql(database.knex, 'update targets set rest_until = null');
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual(titles(), [['Chief', undefined]]);
  });

  it('the process is killed after a change was sent, and it is changed back meanwhile: it does not stay there', async () => {
    const ada = await edit.user('ada', { title: 'Chief' });
    const push = await start();
    await push.settle();
    await edit.change('User', ada, 'userType', 'Guest');
    await edit.change('User', ada, 'userType', null);
    await journalIsWhole(database);
    // As the killed process left it, before anything was written of it here.
    for (const user of app.users.values()) Object.assign(user, { title: 'Clerk', userType: 'Guest' });
    const asked = `with asked as (update deliveries set state = 'pending', asks = asks + 1 returning app_id, resource_id)
      insert into delivery_claims (app_id, resource_id, claimed_until) select app_id, resource_id, now() - interval '1 hour' from asked`;
    await sql(database.knex, asked);
    await push.settle();
    assert.deepEqual(titles(), [['Chief', undefined]]);
  });

  const titles = (): unknown[] => [...app.users.values()].map(({ title, userType }) => [title, userType]);

  it('the process stops in the middle: nothing stays claimed, and only of what was on its way it is not sure', async () => {
    for (let n = 0; n < 30; n += 1) await edit.user(`user${n}`);
    const push = await start({ pace: { concurrency: 2 } });
    let posts = 0;
    const failing = (method: string): undefined => {
      if (method === 'POST') posts += 1;
      if (posts === 5) void push.close();
    };
    app.personality = { failing };
    await journalIsWhole(database);
    while (posts < 5) await push.pump.turn();
    const { rows } = await sql<{ state: string; code: string | null; count: number }>(
      database.knex,
      `select state, last_error ->> 'code' as code, count(*)::int as count from deliveries group by 1, 2 order by 1, 2`,
    );
    const [idle, cut, waiting] = rows;
    assert.deepEqual(
      rows.map(({ state, code }) => [state, code]),
      [
        ['idle', null],
        ['pending', 'delivery-cut-short'],
        ['pending', null],
      ],
    );
    assert.ok((cut?.count ?? 9) <= 2 && (idle?.count ?? 9) <= 5 && (waiting?.count ?? 0) >= 23, JSON.stringify(rows));
    assert.deepEqual((await sql(database.knex, 'select 1 from delivery_claims')).rows, []);
  });

  it('a delivery is given back without a try: what is not sure stays so', async () => {
    const ada = await edit.user('ada');
    const push = await start();
    app.personality = { failing: (method) => (method === 'POST' ? 500 : undefined) };
    await push.pump.turn();
    const claim = { limit: 1, now: new Date(), until: new Date(Date.now() + 60_000), ids: [ada] };
    const [first] = await claimDeliveries(database.knex, push.appId, claim, scopeOf(null));
    assert.ok(first);
    await settleDeliveries(database.knex, push.appId, [giveBack(first, systemClock)], new Date());
    const [again] = await claimDeliveries(database.knex, push.appId, claim, scopeOf(null));
    assert.deepEqual([first.unsure, again?.unsure], [true, true]);
    await sql(database.knex, 'delete from targets');
    assert.deepEqual((await sql(database.knex, 'select 1 from delivery_claims')).rows, [], 'a claim of no target');
  });

  it('somebody asks again for what is on its way: it is read back all the same, once', async () => {
    const ada = await edit.user('ada');
    const push = await start();
    await push.settle();
    const ask = (): Promise<number> =>
      database.knex.transaction((tx) => resendPush(tx, push.appId, scopeOf(null), { ids: [ada], now: new Date() }));
    const doubted = async (): Promise<unknown> => (await sql(database.knex, 'select doubted from deliveries')).rows[0];
    await ask();
    const claim = { limit: 1, now: new Date(), until: new Date(Date.now() + 60_000), ids: [ada] };
    const [first] = await claimDeliveries(database.knex, push.appId, claim, scopeOf(null));
    assert.ok(first);
    await ask();
    const done = settledOf(first, startProgress(first), { now: new Date(), exchanges: [], isDone: true });
    await settleDeliveries(database.knex, push.appId, [done], new Date());
    assert.deepEqual(await doubted(), { doubted: true });
    app.users.clear();
    await push.settle();
    assert.deepEqual([app.users.size, await doubted()], [1, { doubted: false }]);
  });

  it('a replica of the release before claims beside this one: neither takes what the other is at', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const push = await start();
    app.personality = { failing: (method) => (method === 'POST' ? 500 : undefined) };
    await push.pump.turn();
    const query = async (text: string): Promise<Record<string, unknown>[]> => (await sql(database.knex, text)).rows;
    const claimBefore = async (): Promise<unknown[]> =>
      (
        await query(`update deliveries set state = 'sending', fence = fence + 1, claimed_until = now() + interval '1 minute'
          where state <> 'sending' returning resource_id as id`)
      ).map(({ id }) => id);
    const claim = { limit: 9, now: new Date(), until: new Date(Date.now() + 60_000) };
    const ours = await claimDeliveries(database.knex, push.appId, { ...claim, ids: [ada] }, scopeOf(null));
    const { deliveries: told } = await readPushFigures(database.knex, push.appId);
    assert.deepEqual([told.sending, told.pending], [1, 1]);
    for (const [state, id] of [['sending', ada] as const, ['pending', bob] as const]) {
      const sendings = await listSendings(database.knex, { appId: push.appId, state }, { limit: 9 });
      assert.deepEqual(
        sendings.items.map((one) => [one.resourceId, one.state, one.nextAttemptAt === null]),
        [[id, state, state === 'sending']],
      );
    }
    assert.deepEqual(await claimBefore(), [bob]);
    assert.deepEqual(
      await claimDeliveries(database.knex, push.appId, { ...claim, ids: [ada, bob] }, scopeOf(null)),
      [],
    );
    // Ours has died: what became of it is not known.
    await query(`update delivery_claims set claimed_until = now() - interval '1 hour' where resource_id = '${ada}'`);
    assert.deepEqual(await claimBefore(), [ada]);
    await settleDeliveries(
      database.knex,
      push.appId,
      ours.map((one) => giveBack(one, systemClock)),
      new Date(),
    );
    const left = await query(
      `select state, last_error ->> 'code' as code from deliveries where resource_id = '${ada}'`,
    );
    assert.deepEqual(left, [{ state: 'sending', code: 'delivery-cut-short' }]);
    await query(`update deliveries set state = 'pending', claimed_until = null`);
    assert.deepEqual(await query('select resource_id from delivery_claims'), []);
    app.personality = {};
    await sql(database.knex, 'update deliveries set ready_at = now()');
    await push.settle();
    assert.equal(app.users.size, 2);
  });

  function membersThere(): string[] {
    const [group] = app.groups.values();
    const ids = ((group?.['members'] ?? []) as { value: string }[]).map(({ value }) => value);
    return ids.map((id) => String(app.users.get(id)?.['userName'])).sort();
  }

  it('it is dead for a week: little is asked of it, nothing piles up, and then each resource is sent once; another one is served all along', async (context) => {
    const clock = makeClock(new Date(Date.now() - 8 * 86_400_000).toISOString());
    const ids: string[] = [];
    for (let n = 0; n < WEEK_USERS; n += 1) ids.push(await edit.user(`user${n}`));
    const other = await startScimApp();
    app.personality = { dropBefore: () => true };
    const push = await start({}, { clock });
    const healthy = await start({ baseUrl: other.url }, { clock, name: 'other' });
    const titles = (users: ScimAppServer['users']): unknown[] => [...users.values()].map(({ title }) => title).sort();
    let changes = 0;
    let before = 0;
    for (let hour = 3; hour <= 7 * 24; hour += 3) {
      for (; changes < (hour * WEEK_CHANGES) / (7 * 24); changes += 1)
        await edit.change('User', ids[changes % ids.length] ?? '', 'title', `Change ${changes}`);
      clock.set(new Date(clock.now().getTime() + 3 * 3_600_000).toISOString());
      await push.pump.turn();
      await healthy.pump.turn();
      // The books of the healthy one are the test's, not the gateway's.
      other.asked.splice(0);
      other.takeWrites();
      if (hour === 84) before = heapUsed();
    }
    const growth = heapUsed() - before;
    assert.ok(growth < GROWTH_MAX, `${growth} bytes more`);
    const { rows } = await sql(
      database.knex,
      `select t.state, (select count(*)::int from deliveries d where d.app_id = t.app_id) as count,
         (select max(jsonb_array_length(log)) from deliveries d where d.app_id = t.app_id) <= 4 as short,
         (select count(*)::int from deliveries where state = 'dead') as dead from targets t where app_id = ?`,
      [push.appId],
    );
    assert.deepEqual(rows[0], { state: 'quarantined', count: ids.length, dead: 0, short: true });
    const size = await sql(database.knex, `select pg_total_relation_size('deliveries')::int / 1024 as kb from targets`);
    context.diagnostic(
      `${changes} changes of ${ids.length} users: ${Math.round(growth / 1024)} kB of heap more, deliveries of both ${size.rows[0]?.kb} kB`,
    );
    assert.ok(app.asked.length < 60, `${app.asked.length} requests`);
    await journalIsWhole(database);
    await healthy.settle();
    const wanted = ids.map((_, n) => `Change ${n + Math.floor((changes - 1 - n) / ids.length) * ids.length}`).sort();
    assert.deepEqual(titles(other.users), wanted);
    app.personality = {};
    clock.set(new Date(clock.now().getTime() + 86_400_000).toISOString());
    await push.settle();
    assert.equal(app.takeWrites().length, ids.length);
    assert.deepEqual(titles(app.users), wanted);
    await other.close();
    assert.deepEqual(other.violations, []);
  });
});
