// Answers that mean something else than they say, and an administrator who knows better than a target.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type Database, sql } from '#store/database.ts';
import { saveTarget } from '#store/target/targets.ts';
import { replayDead } from '#store/views/deliveries.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

eachDatabase('a target that', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function rowOf(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { rows } = await sql(
      database.knex,
      `select state, last_action as action, link, last_error ->> 'code' as code from deliveries where resource_id = ?`,
      [id],
    );
    return rows[0];
  }

  async function turnOnce({ pump }: PushTest): Promise<void> {
    await journalIsWhole(database);
    await pump.turn();
  }

  for (const status of [400, 404, 410, 500])
    it(`answers ${status} to the deletion of somebody who is gone there: that is done`, async () => {
      const ada = await edit.user('ada');
      await journalIsWhole(database);
      const push = await start({ guard: null, deprovision: { sourceDeleted: 'delete' } });
      await push.settle();
      app.users.clear();
      app.personality = { deleteMissing: status };
      await edit.remove('User', ada);
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(await rowOf(ada), { state: 'idle', action: 'deleted', link: null, code: null });
    });

  for (const fate of ['deactivate', 'delete'])
    it(`answers 404 to everything for a while, and somebody leaves (${fate}): nobody counts as gone there`, async () => {
      const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
      await edit.group('team', [ada, bob]);
      await journalIsWhole(database);
      const push = await start({ guard: null, deprovision: { sourceDeleted: fate } });
      await push.settle();
      app.personality = { failing: () => 404 };
      await edit.remove('User', ada);
      await edit.change('User', bob, 'title', 'Chief');
      await turnOnce(push);
      const { rows } = await sql(
        database.knex,
        `select state, quarantine ->> 'reason' as reason, learned from targets`,
      );
      assert.deepEqual(rows, [{ state: 'quarantined', reason: 'not-scim', learned: {} }]);
      app.personality = {};
      app.takeWrites();
      await sql(database.knex, `update targets set state = 'active', quarantine = null`);
      await push.settle();
      const left = [...app.users.values()].map(({ userName, active, title }) => [userName, active, title]);
      const gone = fate === 'delete' ? [] : [['ada', false, undefined]];
      assert.deepEqual(left.sort(), [...gone, ['bob', true, 'Chief']]);
      assert.ok(!app.takeWrites().some(({ method }) => method === 'POST'), 'somebody was made again');
    });

  it('fails at the deletion of somebody who is there: that is not done, and is tried again', async () => {
    const ada = await edit.user('ada');
    await journalIsWhole(database);
    const push = await start({ guard: null, deprovision: { sourceDeleted: 'delete' } });
    await push.settle();
    app.personality = { failing: (method) => (method === 'DELETE' ? 500 : undefined) };
    await edit.remove('User', ada);
    await turnOnce(push);
    assert.deepEqual(await rowOf(ada), { state: 'pending', action: 'none', link: 'created', code: 'target-failed' });
    app.personality = {};
    await sql(database.knex, 'update deliveries set ready_at = now()');
    await push.settle();
    assert.equal(app.users.size, 0);
  });

  it('answers a create with somebody whom it has already, and who is another one here: that is told, and nothing is stuck', async () => {
    app.personality = { upsertsBy: 'title' };
    const ids = [await edit.user('ada', { title: 'Chief' }), await edit.user('bob', { title: 'Chief' })];
    for (const name of ['eve', 'mallory']) ids.push(await edit.user(name, { title: name }));
    await journalIsWhole(database);
    await (await start()).settle();
    const { rows } = await sql(
      database.knex,
      `select state, last_error ->> 'code' as code from deliveries order by 1, 2`,
    );
    const idle = { state: 'idle', code: null };
    assert.deepEqual(rows, [{ state: 'dead', code: 'already-linked' }, idle, idle, idle]);
    assert.equal(app.users.size, 3);
    assert.equal(app.takeWrites().length, ids.length);
  });

  it('answers a create with a page for people: who was made is looked up, and not made again', async () => {
    const ada = await edit.user('ada');
    app.personality = { garbled: (method) => method === 'POST' };
    await journalIsWhole(database);
    await (await start()).settle();
    assert.deepEqual(await rowOf(ada), { state: 'idle', action: 'created', link: 'created', code: null });
    assert.deepEqual([app.users.size, app.takeWrites().length], [1, 1]);
  });

  it('says something that no text of PostgreSQL holds, or is told of with half a character: nothing is stuck', async () => {
    // Of one of these the middle of a pair is where an exchange is cut short.
    await edit.user('ada', { displayName: '😀'.repeat(200) });
    await edit.user('bob', { displayName: `b${'😀'.repeat(200)}` });
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    const states = async () => (await sql(database.knex, 'select state from deliveries order by state')).rows;
    assert.deepEqual(await states(), [{ state: 'idle' }, { state: 'idle' }]);
    app.personality = { failing: (method) => (method === 'POST' ? 400 : undefined), detail: 'a\0b \ud83d' };
    const eve = await edit.user('eve');
    await turnOnce(push);
    assert.deepEqual(await rowOf(eve), { state: 'dead', action: 'none', link: null, code: 'target-refused' });
    app.personality = { failing: () => 401, detail: 'a\0b' };
    await edit.user('mallory');
    await turnOnce(push);
    const { rows } = await sql(database.knex, 'select state from targets');
    assert.deepEqual(rows, [{ state: 'quarantined' }]);
  });

  it('answers everything with a page for people is asked no more', async () => {
    for (let n = 0; n < 9; n += 1) await edit.user(`user${n}`);
    app.personality = { garbled: () => true };
    const push = await start();
    for (let n = 0; n < 3; n += 1) await turnOnce(push);
    const { rows } = await sql(database.knex, `select state, quarantine ->> 'reason' as reason from targets`);
    assert.deepEqual(rows, [{ state: 'quarantined', reason: 'not-scim' }]);
    assert.deepEqual([app.takeWrites().length, app.asked.length < 9], [0, true]);
  });

  it('answers 403 to what it does not have, such as its configuration, is used all the same', async () => {
    const ada = await edit.user('ada');
    app.personality = { config: false, nowhere: 403 };
    await journalIsWhole(database);
    await (await start()).settle();
    assert.deepEqual(await rowOf(ada), { state: 'idle', action: 'created', link: 'created', code: null });
  });

  for (const isAlways of [false, true])
    it(`fails at look-ups, ${isAlways ? 'always: it does not filter, and everybody is read' : 'and then not any more: nothing is learned of that'}`, async () => {
      const push = await start({ pace: { concurrency: 1 } });
      await push.settle();
      const ids = [await edit.user('ada'), await edit.user('bob')];
      let fails = 2;
      app.personality = isAlways
        ? { filter: 'no', filterRefusal: 500 }
        : { failing: (method) => (method === 'GET' && fails-- > 0 ? 500 : undefined) };
      for (let n = 0; n < 8; n += 1) {
        await turnOnce(push);
        await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending'`);
      }
      for (const id of ids)
        assert.deepEqual(await rowOf(id), { state: 'idle', action: 'created', link: 'created', code: null });
      const { rows } = await sql(database.knex, 'select learned from targets');
      assert.deepEqual(rows, [{ learned: isAlways ? { filter: false } : {} }]);
    });

  it('fails for a moment at many look-ups at once: nothing is learned of that', async () => {
    const push = await start({ pace: { concurrency: 8 } });
    await push.settle();
    for (let n = 0; n < 16; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    let fails = 16;
    app.personality = {
      delayMs: 5,
      failing: (method) => (method === 'GET' && fails-- > 0 ? 500 : undefined),
    };
    for (let n = 0; n < 4; n += 1) {
      await push.pump.turn();
      await sql(database.knex, `update deliveries set ready_at = now() where state = 'pending'`);
    }
    const { rows } = await sql(database.knex, 'select learned from targets');
    assert.deepEqual([rows, app.users.size], [[{ learned: {} }], 16]);
  });

  it('says that it can PATCH is believed no more than the administrator, who says otherwise', async () => {
    const ada = await edit.user('ada');
    await journalIsWhole(database);
    const push = await start({ dialect: { users: 'put' } });
    await push.settle();
    app.takeWrites();
    await edit.change('User', ada, 'title', 'Chief');
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual(
      app.takeWrites().map(({ method }) => method),
      ['PUT'],
    );
  });

  it('drops the connection of a Bulk request that it has carried out: each of its creates is looked up, none is repeated', async () => {
    let drops = 1;
    app.personality = { bulk: true, dropAfter: () => drops-- > 0 };
    const ids = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    await journalIsWhole(database);
    await (await start({ bulk: true })).settle();
    for (const id of ids)
      assert.deepEqual(await rowOf(id), { state: 'idle', action: 'created', link: 'created', code: null });
    // Whoever came a moment late went alone, which is no repetition either.
    const requests = app.takeWrites().map(({ path, body }) => {
      const { Operations = [] } = body as { Operations?: { data: { userName: string } }[] };
      return path === '/Bulk' ? Operations.map(({ data }) => data) : [body as { userName: string }];
    });
    const created = requests.flat().map(({ userName }) => userName);
    assert.deepEqual(created.sort(), ['ada', 'bob', 'eve']);
    const told = `select count(*)::int as count from deliveries where log @> '[{"method": "POST", "status": null}]'`;
    const [lost] = requests;
    assert.deepEqual((await sql(database.knex, told)).rows, [{ count: lost?.length }], 'each tells of the request');
  });

  for (const patch of [true, false])
    it(`wants a condition, or refuses its own, to ${patch ? 'PATCH' : 'PUT'}: that is learned by one more try`, async () => {
      const ada = await edit.user('ada', { title: 'Chief' });
      // It says nothing of ETags, and changes without one are stale to it.
      app.personality = { etag: 'required', config: false, patch };
      const push = await start({ dialect: { users: patch ? 'patch' : 'put' } });
      const changed = async (title: string): Promise<number> => {
        await edit.change('User', ada, 'title', title);
        await journalIsWhole(database);
        app.takeWrites();
        await push.settle();
        assert.deepEqual([...app.users.values()].map((user) => user['title']).slice(0, 1), [title]);
        return app.takeWrites().length;
      };
      await push.settle();
      assert.deepEqual([await changed('Clerk'), await changed('Cook')], [2, 1]);
      const learned = async () => (await sql(database.knex, 'select learned from targets')).rows[0].learned.match;
      assert.equal(await learned(), true);
      app.personality = { etag: 'refused', patch };
      assert.deepEqual([await changed('Guard'), await changed('Guide')], [3, 1]);
      assert.equal(await learned(), false);
    });

  it('has ETags, and a group is renamed whose members we changed: our own change is not taken for that of somebody else', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const team = await edit.group('team', [ada]);
    app.personality = { etag: 'weak' };
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    for (const [change, name] of [
      [() => edit.addMember(team, bob), 'Crew'],
      [() => edit.removeMember(team, ada), 'Staff'],
    ] as const) {
      await change();
      await journalIsWhole(database);
      await push.settle();
      app.takeWrites();
      await edit.change('Group', team, 'displayName', name);
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual(
        app.takeWrites().map(({ method, status }) => [method, status]),
        [['PATCH', 200]],
      );
      assert.deepEqual(
        [...app.groups.values()].map((group) => group['displayName']),
        [name],
      );
    }
  });

  it('says in Bulk that it made several at a place of no id: each is looked for, and nobody is linked to that', async () => {
    const people = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    await edit.group('team', people);
    app.personality = { bulk: true, noIdOnCreate: true };
    await journalIsWhole(database);
    const push = await start({ bulk: true });
    await push.settle();
    const { rows } = await sql(
      database.knex,
      `select remote_id from deliveries where resource_type = 'User' and state = 'idle' order by 1`,
    );
    const there = [...app.users.keys()].sort();
    assert.deepEqual(
      rows.map((row) => row.remote_id),
      there,
    );
    const asked = app.asked.filter(({ path }) => path.endsWith('/undefined')).length;
    const [team] = [...app.groups.values()];
    const members = (team?.['members'] ?? []) as readonly { readonly value: string }[];
    assert.deepEqual([there.length, asked, members.map(({ value }) => value).sort()], [3, 0, there]);
  });

  for (const status of [500, 502, 504])
    it(`answers ${status} with Retry-After: nothing is asked of it before, and the try counts`, async () => {
      for (const name of ['ada', 'bob']) await edit.user(name);
      let fails = 1;
      app.personality = {
        failing: (method) => (method === 'POST' && fails-- > 0 ? status : undefined),
        failingSeconds: 3_600,
      };
      await journalIsWhole(database);
      const push = await start({ pace: { concurrency: 1 } });
      await push.pump.turn();
      const { rows } = await sql(
        database.knex,
        `select d.attempts, t.rest_until > now() as rests from deliveries d, targets t
        where last_error is not null`,
      );
      assert.deepEqual(rows, [{ attempts: 1, rests: true }]);
      await sql(database.knex, 'update deliveries set ready_at = now()');
      const before = app.asked.length;
      for (let n = 0; n < 3; n += 1) await push.pump.turn();
      assert.equal(app.asked.length, before);
      app.endRest();
      await sql(database.knex, 'update targets set rest_until = null, failures = 0');
      await push.settle();
      assert.equal(app.users.size, 2);
    });

  it('is written whole: without what it writes itself, and with the members that it does not show', async () => {
    const urn = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const [ada, bob, eve] = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    const team = await edit.group('team', [ada, bob]);
    await edit.change('User', ada, `${urn}:manager`, { value: bob });
    const own = [
      { name: 'userName', mutability: 'readWrite' },
      { name: 'lastLogin', mutability: 'readOnly' },
      { name: 'emails', subAttributes: [{ name: 'verified', mutability: 'readOnly' }] },
    ];
    app.personality = {
      patch: false,
      hidesMembers: true,
      schemas: [{ id: 'urn:ietf:params:scim:schemas:core:2.0:User', attributes: own }],
    };
    const push = await start({ dialect: { attributes: 'all' } });
    await journalIsWhole(database);
    await push.settle();
    const there = (name: string) => [...app.users.values()].find((user) => user['userName'] === name) ?? {};
    const manager = { ...(there('ada')[urn] as { manager: object }).manager, displayName: 'Bob', $ref: '../Users/x' };
    Object.assign(there('ada'), {
      lastLogin: 'today',
      nickName: 'Theirs',
      locale: null,
      groups: [{ value: 'x' }],
      emails: [{ value: 'a@example.com', verified: true }],
      [urn]: { manager, costCenter: '42' },
    });
    await edit.change('User', ada, `${urn}:manager`, { value: eve });
    await edit.change('Group', team, 'displayName', 'crew');
    await journalIsWhole(database);
    app.takeWrites();
    await push.settle();
    const [user] = app.takeWrites().filter(({ path }) => path.startsWith('/Users'));
    const {
      schemas: _schemas,
      id: _id,
      externalId: _externalId,
      ...body
    } = (user?.body ?? {}) as Record<string, unknown>;
    assert.deepEqual(body, {
      userName: 'ada',
      active: true,
      nickName: 'Theirs',
      emails: [{ value: 'a@example.com' }],
      [urn]: { manager: { value: there('eve')['id'] }, costCenter: '42' },
    });
    const [group] = [...app.groups.values()];
    const members = ((group?.['members'] ?? []) as { value: string }[]).map(({ value }) => value).sort();
    assert.deepEqual([group?.['displayName'], members], ['crew', [there('ada')['id'], there('bob')['id']].sort()]);
  });

  it('takes members as a whole list only, and not so many: that is told after one request', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 12; n += 1) ids.push(await edit.user(`user${n}`));
    app.personality = { patch: false, membersMax: 5 };
    await journalIsWhole(database);
    const push = await start({ members: { perRequest: 5 } });
    await push.settle();
    const team = await edit.group('team', ids);
    await journalIsWhole(database);
    app.takeWrites();
    await push.settle();
    assert.deepEqual(await rowOf(team), {
      state: 'dead',
      action: 'created',
      link: 'created',
      code: 'too-many-members',
    });
    assert.equal(app.takeWrites().filter(({ path }) => path.startsWith('/Groups/')).length, 1);
  });

  it('answers 404 to members of whom it lacks one: that is about the member, and not about the way', async () => {
    const ids = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    app.personality = { unknownMember: 404 };
    const push = await start({ members: { perRequest: 2 } });
    await push.settle();
    for (const [id, user] of app.users) if (user['userName'] === 'bob') app.users.delete(id);
    app.takeWrites();
    const team = await edit.group('team', ids);
    await journalIsWhole(database);
    await push.settle();
    assert.deepEqual(await rowOf(team), { state: 'dead', action: 'created', link: 'created', code: 'member-refused' });
    const [group] = [...app.groups.values()];
    assert.equal((group?.['members'] as unknown[] | undefined)?.length, 2);
    assert.ok(app.takeWrites().every(({ method }) => method !== 'PUT'));
    assert.deepEqual((await sql(database.knex, 'select learned from targets')).rows, [{ learned: {} }]);
  });

  for (const [way, whole] of [
    ['PATCH', { wholeMembers: true }],
    ['PUT', { patch: false }],
  ] as const)
    for (const unknownMember of [404, 409])
      it(`takes whole lists by ${way}, and answers ${unknownMember} to one: that is told once, and nobody counts as removed`, async () => {
        const [ada, bob, eve] = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
        const [joe, team] = [await edit.user('joe'), await edit.group('team', [ada, bob, eve])];
        app.personality = { ...whole, unknownMember };
        await journalIsWhole(database);
        const push = await start({ dialect: way === 'PATCH' ? { changeMembers: 'whole' } : {} });
        await push.settle();
        const [gone = '', doc = {}] = [...app.users].find(([, user]) => user['userName'] === 'bob') ?? [];
        app.users.delete(gone);
        app.takeWrites();
        const crew = await edit.group('crew', [bob, ada]);
        await edit.removeMember(team, eve);
        await edit.addMember(team, joe);
        await journalIsWhole(database);
        await push.settle();
        for (const [id, action] of [
          [team, 'none'],
          [crew, 'created'],
        ] as const)
          assert.deepEqual(await rowOf(id), { state: 'dead', action, link: 'created', code: 'member-list-refused' });
        const lists = app.takeWrites().filter(({ method, path }) => method === way && path.startsWith('/Groups/'));
        assert.equal(lists.length, 2);
        app.users.set(gone, doc);
        await replayDead(database.knex, { appId: push.appId, code: undefined, now: new Date() });
        await push.settle();
        const sizes = [...app.groups.values()].map(({ members }) => (members as unknown[]).length);
        assert.deepEqual(sizes, [3, 2]);
      });

  for (const [answer, code, personality] of [
    [
      'that the name is taken',
      'target-conflict',
      { failing: (method: string) => (method === 'POST' ? 409 : undefined) },
    ],
    ['nothing', 'no-id-answered', { noIdOnCreate: true }],
  ] as const)
    it(`answers a create with ${answer}, in the last request of a window: it is looked for at the next try`, async () => {
      const ada = await edit.user('ada');
      app.personality = { ...personality, endsWindow: (method) => method === 'POST' };
      const push = await start();
      await turnOnce(push);
      assert.deepEqual(await rowOf(ada), { state: 'pending', action: 'none', link: null, code });
      const { rows } = await sql(
        database.knex,
        'select t.state, d.attempts, t.rest_until > now() as rests from targets t join deliveries d using (app_id)',
      );
      assert.deepEqual(rows, [{ state: 'active', attempts: 1, rests: true }]);
    });

  it('has the name and hides who has it, and its window ends while everybody is read: that is a try that counts', async () => {
    for (const userName of ['eve', 'joe']) app.put('User', { userName });
    const ada = await edit.user('ada');
    app.personality = {
      pageMax: 1,
      failing: (method) => (method === 'POST' ? 409 : undefined),
      endsWindow: (_method, path) => path.includes('/Users?') && path.includes('count=100'),
    };
    const push = await start();
    await turnOnce(push);
    assert.deepEqual(await rowOf(ada), { state: 'pending', action: 'none', link: null, code: 'target-conflict' });
    const { rows } = await sql(
      database.knex,
      'select d.attempts, t.rest_until > now() as rests from targets t join deliveries d using (app_id)',
    );
    assert.deepEqual(rows, [{ attempts: 1, rests: true }]);
  });

  for (const patch of [true, false])
    it(`has a group already, and fails at a member of it, ${patch ? 'by PATCH' : 'by PUT'}: they stay in the group until they are known`, async () => {
      const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
      const there = ['ada', 'stranger'].map((userName) => app.put('User', { schemas: [USER], userName, active: true }));
      const twin = app.put('User', { schemas: [USER], userName: 'Ada' });
      const team = app.put('Group', { schemas: [], displayName: 'team', members: there.map((value) => ({ value })) });
      const membersThere = () =>
        ((app.groups.get(team)?.['members'] ?? []) as { value: string }[]).map(({ value }) => value);
      const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
      await edit.group('team', [ada, bob]);
      app.personality = { patch };
      await journalIsWhole(database);
      const push = await start();
      await push.settle();
      assert.deepEqual(await rowOf(ada), { state: 'dead', action: 'none', link: null, code: 'ambiguous-match' });
      const bobThere = [...app.users.values()].find(({ userName }) => userName === 'bob')?.['id'];
      assert.deepEqual(membersThere().sort(), [...there, bobThere].sort());
      app.users.delete(twin);
      await replayDead(database.knex, { appId: push.appId, code: undefined, now: new Date() });
      await push.settle();
      assert.deepEqual(membersThere().sort(), [there[0], bobThere].sort());
    });

  it('refuses the new name of a group: its members come and go all the same, and the name is told of', async () => {
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    const team = await edit.group('team', [ada]);
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    app.personality = {
      failing: (method, body) => (method === 'PATCH' && body.includes('displayName') ? 409 : undefined),
    };
    await edit.change('Group', team, 'displayName', 'crew');
    await edit.removeMember(team, ada);
    await edit.addMember(team, bob);
    await journalIsWhole(database);
    await push.settle();
    const [there] = app.groups.values();
    const bobThere = [...app.users.values()].find(({ userName }) => userName === 'bob')?.['id'];
    assert.deepEqual([there?.['displayName'], there?.['members']], ['team', [{ value: bobThere }]]);
    assert.deepEqual(await rowOf(team), { state: 'dead', action: 'updated', link: 'created', code: 'target-conflict' });
  });

  for (const patch of [true, false])
    it(`does not let an attribute be cleared, ${patch ? 'by PATCH' : 'by PUT'}, which is left out from then on: what it has of it stays, and everything else arrives`, async () => {
      const more = { title: 'Chief', name: { givenName: 'Ada', familyName: 'King' } };
      const ada = await edit.user('ada', more);
      app.personality = {
        patch,
        failing: (method, body) =>
          method === 'PATCH' && body.includes('"remove"') && body.includes('"title"')
            ? 400
            : method === 'PUT' && !body.includes('"title"')
              ? 400
              : undefined,
      };
      await journalIsWhole(database);
      const push = await start();
      await push.settle();
      await edit.change('User', ada, 'title', null);
      await edit.change('User', ada, 'nickName', 'A');
      await journalIsWhole(database);
      await push.settle();
      assert.deepEqual((await sql(database.knex, 'select state from deliveries')).rows, [{ state: 'dead' }]);
      const { rows } = await sql(database.knex, 'select push, push_secrets from apps where id = ?', [push.appId]);
      const [{ push: settings, push_secrets: secrets }] = rows;
      const exclude = ['title', 'name.givenName'];
      await saveTarget(database.knex, { appId: push.appId, push: { ...settings, exclude }, secrets });
      await push.settle();
      const [there] = app.users.values();
      assert.deepEqual([there?.['title'], there?.['name'], there?.['nickName']], ['Chief', more.name, 'A']);
      assert.deepEqual((await sql(database.knex, 'select state from deliveries')).rows, [{ state: 'idle' }]);
      app.takeWrites();
      await sql(database.knex, 'update targets set reconcile_asked = true');
      await push.settle();
      assert.deepEqual(app.takeWrites(), []);
    });

  it('shows values that are none in its lists: they are passed over', async () => {
    const user = app.put('User', { schemas: [], userName: 'eve', emails: [null, 'x', { type: 'work' }], active: true });
    const members = [{ display: 'nobody' }, { value: user }];
    app.put('Group', { schemas: [], displayName: 'team', members });
    const ada = await edit.user('ada', { emails: [{ value: 'ada@example.com', type: 'work' }] });
    const team = await edit.group('team', [ada]);
    app.personality = { filter: 'no' };
    await journalIsWhole(database);
    await (await start({ matching: { User: ['emails.value'] } })).settle();
    assert.deepEqual(await rowOf(ada), { state: 'idle', action: 'created', link: 'created', code: null });
    // Asked for once more when the member is settled after it, there is nothing left to do.
    const { action, ...row } = (await rowOf(team)) ?? {};
    assert.ok(['adopted', 'none'].includes(String(action)), String(action));
    assert.deepEqual(row, { state: 'idle', link: 'adopted', code: null });
    const [there] = app.groups.values();
    const made = [...app.users.values()].find(({ userName }) => userName === 'ada')?.['id'];
    assert.deepEqual(there?.['members'], [{ display: 'nobody' }, { value: made }]);
  });

  for (const patch of [true, false])
    it(`takes a member of a group never, ${patch ? 'by PATCH' : 'by PUT'}: whoever is in the group there and not here goes all the same`, async () => {
      const stranger = app.put('User', { schemas: [], userName: 'stranger', active: true });
      const team = app.put('Group', { schemas: [], displayName: 'team', members: [{ value: stranger }] });
      const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
      await edit.group('team', [ada, bob]);
      app.personality = {
        patch,
        failing: (method, text) => (method === 'POST' && text.includes('ada') ? 400 : undefined),
      };
      await journalIsWhole(database);
      const push = await start();
      await push.settle();
      assert.deepEqual(await rowOf(ada), { state: 'dead', action: 'none', link: null, code: 'target-refused' });
      const bobThere = [...app.users.values()].find(({ userName }) => userName === 'bob')?.['id'];
      assert.deepEqual(app.groups.get(team)?.['members'], [{ value: bobThere }]);
    });

  it('has a member of a group who lacks what the mapping requires, and so is not looked for: they stay in it', async () => {
    const there = app.put('User', { schemas: [], userName: 'ada', active: true });
    const team = app.put('Group', { schemas: [], displayName: 'team', members: [{ value: there }] });
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    await edit.change('User', bob, 'title', 'Clerk');
    await edit.group('team', [ada, bob]);
    await journalIsWhole(database);
    const push = await start({ mapping: { User: [{ to: 'title', from: 'title', required: true }] } });
    await push.settle();
    assert.deepEqual(await rowOf(ada), {
      state: 'dead',
      action: 'none',
      link: null,
      code: 'required-attribute-missing',
    });
    const members = app.groups.get(team)?.['members'] as { value: string }[];
    assert.deepEqual([members.length, members.some(({ value }) => value === there)], [2, true]);
  });

  for (const [how, settings, personality] of [
    ['by PATCH', {}, { unknownMember: 404 }],
    ['by PATCH', {}, {}],
    ['as a whole list', {}, { wholeMembers: true }],
    ['by PUT', {}, { patch: false }],
  ] as const)
    it(`knows whom it has made only after a while, and takes members ${how} (${JSON.stringify(personality)}): all of them arrive`, async () => {
      const ids = [await edit.user('ada'), await edit.user('bob')];
      const team = await edit.group('team', ids);
      app.personality = { ...personality, shownAfterMs: 800 };
      await journalIsWhole(database);
      const push = await start(settings);
      await push.settle();
      await edit.addMember(team, await edit.user('eve'));
      await journalIsWhole(database);
      await push.settle();
      const row = await rowOf(team);
      assert.deepEqual([row?.['state'], row?.['code']], ['idle', null]);
      assert.deepEqual(
        [...app.groups.values()].map(({ members }) => (members as unknown[]).length),
        [3],
      );
    });

  it('answers 404 to a list with nobody in it: groups are made there all the same', async () => {
    app.put('User', { userName: 'admin' });
    const team = await edit.group('team', [await edit.user('ada')]);
    app.personality = { emptyIsMissing: true };
    await journalIsWhole(database);
    const push = await start();
    await push.settle();
    assert.deepEqual(await rowOf(team), { state: 'idle', action: 'created', link: 'created', code: null });
    assert.deepEqual(
      [...app.groups.values()].map(({ members }) => (members as unknown[]).length),
      [1],
    );
  });

  it('answers creates with their address alone, and does not filter: everybody is read once', async () => {
    app.personality = { noIdOnCreate: 'located', filter: 'no' };
    for (let n = 0; n < 5; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    await (await start()).settle();
    assert.equal(app.users.size, 5);
    const pages = app.asked.filter(({ path }) => path.startsWith('/Users?') && path.includes('count=100'));
    assert.equal(pages.length, 1);
  });
});
