// A comparison of a target takes long: what cannot wait is done in between, and what ends it is no end for good.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { markMissing } from '#store/target/reconciliations.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole, type PushTest } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const PEOPLE = 8;

eachDatabase('a target that is compared page by page', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  let ids: string[];
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  async function startWith(more: Record<string, unknown> = {}): Promise<PushTest> {
    ids = [];
    for (let n = 0; n < PEOPLE; n += 1) ids.push(await edit.user(`user${n}`, { title: 'ours' }));
    await journalIsWhole(database);
    const push = await start({ types: ['User'], dialect: { pageSize: 1 }, ...more });
    await push.settle();
    app.asked.splice(0);
    await sql(database.knex, 'update targets set reconcile_asked = true');
    return push;
  }

  const isPage = ({ path }: { path: string }): boolean => path.includes('count=1') && !path.includes('filter');
  const pages = (): number => app.asked.filter(isPage).length;

  /** When so many pages were answered; the next one is answered after that, and those after it take their time. */
  function atPage(count: number, act: () => Promise<unknown>): void {
    let acted: Promise<unknown> | undefined;
    app.personality = {
      delayMs: 300,
      get until() {
        if (pages() >= count) acted ??= act();
        return acted;
      },
    };
  }

  async function reports(): Promise<readonly { counts: Record<string, number>; error: unknown; done: boolean }[]> {
    const text = 'select counts, error, finished_at is not null as done from reconciliations order by seq';
    return (await sql(database.knex, text)).rows;
  }
  const WHOLE = { counts: { users: PEOPLE }, error: null, done: true };

  it('lets a leaver go before it has come to its end', async () => {
    const push = await startWith();
    atPage(2, async () => {
      await edit.change('User', ids[0] ?? '', 'active', false);
      await journalIsWhole(database);
    });
    await push.pump.turn();
    const [patchAt, lastAt] = [
      app.asked.findIndex(({ method }) => method === 'PATCH'),
      app.asked.findLastIndex(isPage),
    ];
    assert.ok(patchAt >= 0 && patchAt < lastAt, `the leaver went at ${patchAt}, the last page at ${lastAt}`);
    app.personality = {};
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
  });

  it('lets go before that who leaves its scope with a group', async () => {
    const push = await startWith({ guard: null });
    const team = await edit.group('team', ids);
    await sql(database.knex, 'update apps set scope = ?::jsonb', [JSON.stringify({ groups: [team] })]);
    await journalIsWhole(database);
    await sql(database.knex, 'update targets set reconcile_asked = false');
    await push.settle();
    app.asked.splice(0);
    await sql(database.knex, 'update targets set reconcile_asked = true');
    atPage(2, async () => {
      await edit.removeMember(team, ids[0] ?? '');
      await journalIsWhole(database);
    });
    await push.pump.turn();
    const [patchAt, lastAt] = [
      app.asked.findIndex(({ method }) => method === 'PATCH'),
      app.asked.findLastIndex(isPage),
    ];
    assert.ok(patchAt >= 0 && patchAt < lastAt, `the leaver went at ${patchAt}, the last page at ${lastAt}`);
    app.personality = {};
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
  });

  it('and rests for a day goes on as soon as it is resumed, leavers first; what changes meanwhile is asked for', async () => {
    const push = await startWith();
    app.personality = { failing: () => (pages() >= 2 ? 429 : undefined), failingSeconds: 86_400 };
    const turn = push.pump.turn();
    const seen = async (text: string): Promise<void> => {
      while ((await sql(database.knex, text)).rows.length === 0) await systemClock.sleep(20);
    };
    await seen('select 1 from targets where rest_until is not null');
    await edit.change('User', ids[0] ?? '', 'active', false);
    await seen(`select 1 from deliveries where state = 'pending'`);
    app.personality = {};
    app.endRest();
    app.asked.splice(0);
    await sql(database.knex, 'update targets set rest_until = null, failures = 0');
    await turn;
    assert.equal(app.asked[0]?.method, 'PATCH');
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
  });

  for (const made of [true, false])
    it(`shows somebody new in a group of whom it had refused a member: they ${made ? 'are the member, made by hand, and stay' : 'are somebody else, and go'}`, async () => {
      const ada = await edit.user('ada');
      const team = await edit.group('team', [ada]);
      await journalIsWhole(database);
      app.personality = { failing: (method, body) => (method === 'POST' && body.includes('ada') ? 400 : undefined) };
      const push = await start();
      await push.settle();
      const compare = async (): Promise<void> => {
        await sql(database.knex, 'update targets set reconcile_asked = true');
        await push.settle();
      };
      const [there] = app.groups.values();
      assert.ok(there);
      const name = made ? 'ada' : 'stranger';
      there['members'] = [{ value: app.put('User', { schemas: [], userName: name, active: true }) }];
      app.takeWrites();
      await compare();
      const removals = () =>
        app.takeWrites().filter(({ method, body }) => method === 'PATCH' && JSON.stringify(body).includes('"remove"'));
      assert.deepEqual(removals(), []);
      await compare();
      assert.equal(removals().length, made ? 0 : 1);
      const { rows } = await sql(
        database.knex,
        `select state, link from deliveries where resource_id in (?, ?) order by resource_type = 'Group'`,
        [ada, team],
      );
      const alone = { state: 'dead', link: null };
      assert.deepEqual(rows, [made ? { state: 'idle', link: 'adopted' } : alone, { state: 'idle', link: 'created' }]);
      await compare();
      assert.deepEqual(removals(), []);
    });

  it('and asks for rest is compared to its end, and no page is asked for twice', async () => {
    const push = await startWith();
    app.personality = { rate: 3 };
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
    const taken = app.asked.filter((asked) => isPage(asked) && asked.status === 200).map(({ path }) => path);
    assert.equal(new Set(taken).size, taken.length);
  });

  it('and paused meanwhile is asked for no further page, and compared when it is resumed', async () => {
    const push = await startWith();
    atPage(2, () => sql(database.knex, `update targets set state = 'paused'`));
    await push.pump.turn();
    assert.ok(pages() < PEOPLE, `${pages()} pages`);
    assert.deepEqual(await reports(), []);
    app.personality = {};
    await sql(database.knex, `update targets set state = 'active'`);
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
  });

  it('by a process that was killed is compared again', async () => {
    for (let n = 0; n < PEOPLE; n += 1) await edit.user(`user${n}`);
    await journalIsWhole(database);
    const push = await start({ types: ['User'] });
    const values = [randomUUID(), push.appId];
    await sql(database.knex, 'insert into reconciliations (id, app_id, started_at) values (?, ?, now())', values);
    await push.settle();
    assert.deepEqual(await reports(), [WHOLE]);
  });

  it('finds a link gone that is another by now: that one stays', async () => {
    const push = await startWith();
    const text = 'select resource_id, remote_id from deliveries where app_id = ? order by resource_id limit 2';
    const [kept, lost] = (await sql(database.knex, text, [push.appId])).rows;
    const missing = [{ ...kept, remote_id: 'former' }, lost];
    await markMissing(database.knex, push.appId, missing, new Date());
    assert.deepEqual((await sql(database.knex, text, [push.appId])).rows, [kept, { ...lost, remote_id: null }]);
  });
});
