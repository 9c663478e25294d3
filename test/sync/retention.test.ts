import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { beforeEach, it } from 'node:test';
import { makeLog, tapLog } from '#platform/log.ts';
import { insertApp } from '#store/access/apps.ts';
import { type Database, sql } from '#store/database.ts';
import { takeLease } from '#store/leases.ts';
import { writeSetting } from '#store/source/settings.ts';
import { saveTarget } from '#store/target/targets.ts';
import { listMonthCosts } from '#store/views/costs.ts';
import { makeRetention, type Retention } from '#sync/retention.ts';
import { makeClock, type TestClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { makeEditor } from '../support/push.ts';

const DAY_MS = 86_400_000;

eachDatabase('retention', (open) => {
  let database: Database;
  let clock: TestClock;
  let retention: Retention;

  beforeEach(async () => {
    database = await open();
    // The clock of the database counts, and nobody can set that: time passes by what is stored getting older.
    clock = makeClock(new Date().toISOString());
    retention = replica();
  });

  const replica = (batch = 5_000): Retention => makeRetention({ database, clock, log: makeLog('silent'), batch });
  const ago = (days: number): Date => new Date(clock.now().getTime() - days * DAY_MS);

  async function tomorrow(days = 1): Promise<void> {
    for (const [table, columns] of Object.entries({
      schedule_slots: ['slot'],
      runs: ['created_at', 'started_at', 'finished_at'],
      plans: ['created_at', 'expires_at'],
    }))
      await sql(
        database.knex,
        `update ${table} set ${columns.map((column) => `${column} = ${column} - make_interval(days => ${days})`).join(', ')}`,
      );
  }

  /** A run that ended so many days ago, and its plan with two items and two memberships. */
  async function run(
    days: number,
    changed: { provider?: string; status?: string; plan?: string; expiresIn?: number } = {},
  ) {
    const { provider = 'microsoft365', status = 'succeeded', plan = 'applied', expiresIn = -1 } = changed;
    const { rows } = await sql(
      database.knex,
      `with made as (insert into runs (id, provider, mode, trigger, requested_by, status, plan_id, work_ms, cost, created_at,
         started_at, finished_at)
         values (gen_random_uuid(), ?, 'full', 'manual', 'test', ?, gen_random_uuid(), 1000, '{"requests":10,"bytes":5}', ?, ?, ?)
         returning id, plan_id),
       plan as (insert into plans (id, run_id, provider, config_version, status, complete, created_at, expires_at)
         select plan_id, id, ?, 1, ?, true, ?, ? from made),
       items as (insert into plan_items (plan_id, seq, action, resource_type, reason)
         select plan_id, n, 'membership', 'Group', 'MembersChanged' from made, generate_series(1, 2) n),
       members as (insert into plan_members (plan_id, seq, member_external_id, member_type, removed)
         select plan_id, 1, 'm' || n, 'User', false from made, generate_series(1, 2) n)
       select id, plan_id from made`,
      [provider, status, ago(days), ago(days), ago(days), provider, plan, ago(days), ago(-expiresIn)],
    );
    return rows[0] as { id: string; plan_id: string };
  }

  async function ids(table: 'runs' | 'plans'): Promise<string[]> {
    return (await sql(database.knex, `select id from ${table}`)).rows.map(({ id }) => id);
  }

  async function count(from: string): Promise<number> {
    return (await sql(database.knex, `select count(*)::int as count from ${from}`)).rows[0].count;
  }

  it('forgets deliveries of whom nothing is left, here and at the target', async () => {
    const { knex } = database;
    const { id: app } = await insertApp(knex, { name: 'app', scope: null });
    await saveTarget(knex, { appId: app, push: { baseUrl: 'https://app.example' }, secrets: null });
    const edit = makeEditor(database);
    const [ada, bob] = [await edit.user('ada'), await edit.user('bob')];
    await edit.remove('User', bob);
    const delivered = async (resource: string, state: string, remoteId: string | null): Promise<void> => {
      await sql(
        knex,
        `insert into deliveries (app_id, resource_id, resource_type, state, rank, wanted, ready_at, changed_at, remote_id)
         values (?, ?, 'User', ?, 1, 1, now(), now(), ?)`,
        [app, resource, state, remoteId],
      );
    };
    for (const here of [ada, bob]) await delivered(here, 'idle', null);
    for (let n = 0; n < 3; n += 1) await delivered(randomUUID(), 'idle', null);
    await delivered(randomUUID(), 'idle', 'deactivated there');
    for (const state of ['pending', 'dead']) await delivered(randomUUID(), state, null);
    await replica(2).tick();
    const { rows } = await sql(knex, 'select state, remote_id from deliveries order by state, remote_id');
    assert.deepEqual(
      rows.map(({ state, remote_id }) => remote_id ?? state),
      ['dead', 'deactivated there', 'idle', 'idle', 'pending'],
    );
  });

  it('keeps what is young enough, and of the old the newest run and the newest success of each provider', async () => {
    const old = await run(100);
    const success = await run(95);
    const newest = await run(91, { status: 'failed' });
    const other = await run(200, { provider: 'ldap' });
    await retention.tick();
    assert.deepEqual((await ids('runs')).sort(), [success.id, newest.id, other.id].sort());
    assert.ok(!(await ids('plans')).includes(old.plan_id));
  });

  it('removes plans before their runs, whole, and unlinks them', async () => {
    const old = await run(40);
    const young = await run(20);
    await run(1);
    await retention.tick();
    assert.equal((await ids('runs')).length, 3);
    assert.ok(!(await ids('plans')).includes(old.plan_id) && (await ids('plans')).includes(young.plan_id));
    const { rows } = await sql(database.knex, 'select plan_id from runs where id = ?', [old.id]);
    assert.equal(rows[0].plan_id, null);
    assert.deepEqual([await count('plan_items'), await count('plan_members')], [4, 4]);
  });

  it('keeps a plan that waits for a decision or is being applied, whatever its age', async () => {
    const waiting = await run(60, { status: 'held', plan: 'held', expiresIn: 2 });
    const applying = await run(120, { status: 'failed', plan: 'applying' });
    const expired = await run(60, { status: 'held', plan: 'held' });
    await run(0);
    await retention.tick();
    const plans = await ids('plans');
    assert.ok(plans.includes(waiting.plan_id) && plans.includes(applying.plan_id));
    assert.ok(!plans.includes(expired.plan_id), 'nobody can approve it any more');
    const { rows } = await sql(database.knex, 'select status from runs where id = ?', [expired.id]);
    assert.equal(rows[0].status, 'cancelled');
    assert.equal((await ids('runs')).length, 4);
  });

  it('keeps the sum of a month when its runs go', async () => {
    for (const days of [100, 101, 102, 1]) await run(days);
    const before = await listMonthCosts(database.knex, 12);
    await retention.tick();
    assert.equal((await ids('runs')).length, 1);
    assert.deepEqual(await listMonthCosts(database.knex, 12), before);
    await tomorrow(100);
    await run(0);
    await retention.tick();
    assert.equal(
      (await listMonthCosts(database.knex, 12)).reduce((sum, { runs }) => sum + runs, 0),
      5,
    );
  });

  it('removes tombstones and what the mirror remembers of them, and neither the living nor the change log', async () => {
    await sql(
      database.knex,
      `insert into resources (id, resource_type, origin, external_id, name_key, display, body, search, deleted_at, left_at)
       values (gen_random_uuid(), 'User', 'microsoft365', 'long gone', 'a', 'a', '{}', '{}', ?, null),
         (gen_random_uuid(), 'User', 'microsoft365', 'just gone', 'b', 'b', '{}', '{}', ?, null),
         (gen_random_uuid(), 'User', 'microsoft365', 'deactivated', 'c', 'c', '{}', '{}', null, ?)`,
      [ago(31), ago(29), ago(300)],
    );
    await sql(
      database.knex,
      `insert into mirror_records (provider, resource_type, external_id, record, record_digest, gone_at)
       select 'microsoft365', 'User', id, '{}', '', at from (values ('long gone', ?::timestamptz), ('just gone', ?), ('deactivated', ?)) v(id, at)`,
      [ago(40), ago(29), ago(300)],
    );
    await sql(
      database.knex,
      `insert into changes (at, resource_type, resource_id, version, operation, actor) values (?, 'User', gen_random_uuid(), 1, 'delete', 'sync')`,
      [ago(31)],
    );
    await sql(database.knex, `insert into served_groups (user_id, text) select id, '[]' from resources`);
    await retention.tick();
    assert.equal(await count('served_groups'), 2);
    for (const table of ['resources', 'mirror_records']) {
      const { rows } = await sql(database.knex, `select external_id from ${table} order by external_id`);
      assert.deepEqual(
        rows.map((row: { external_id: string }) => row.external_id),
        ['deactivated', 'just gone'],
        table,
      );
    }
    assert.equal(await count('changes'), 1);
  });

  it('removes the oldest of the logs in batches, and old slots', async () => {
    await sql(
      database.knex,
      `insert into changes (at, resource_type, resource_id, version, operation, actor)
       select case when n <= 25 then ?::timestamptz else ?::timestamptz end, 'User', gen_random_uuid(), n, 'update', 'sync' from generate_series(1, 30) n`,
      [ago(400), ago(300)],
    );
    await sql(
      database.knex,
      `insert into audit (at, actor, action) select ?, 'test', 'x.y' from generate_series(1, 12)`,
      [ago(366)],
    );
    await sql(
      database.knex,
      `insert into schedule_slots (name, slot) select 'sync', ?::timestamptz + make_interval(hours => n) from generate_series(1, 22) n`,
      [ago(40)],
    );
    await replica(10).tick();
    assert.equal(await count('changes'), 5);
    assert.equal(await count(`audit where action = 'x.y'`), 0);
    assert.equal(await count(`schedule_slots where name = 'sync'`), 0);
    const { rows } = await sql(database.knex, `select actor, detail from audit`);
    assert.deepEqual([rows[0].actor, rows[0].detail.changes, rows[0].detail.audit], ['retention', 25, 12]);
  });

  it('follows the settings; null keeps for ever', async () => {
    await writeSetting(database.knex, 'retention', {
      runs: 7,
      plans: null,
      tombstones: null,
      changes: 30,
      audit: null,
    });
    await sql(
      database.knex,
      `insert into resources (id, resource_type, origin, name_key, display, body, search, deleted_at)
       values (gen_random_uuid(), 'User', 'x', 'a', 'a', '{}', '{}', ?)`,
      [ago(3_000)],
    );
    await run(10);
    await run(8);
    const kept = await run(6);
    await retention.tick();
    assert.deepEqual(await ids('runs'), [kept.id]);
    assert.deepEqual([await count('plans'), await count('resources')], [1, 1]);
  });

  it('spells names anew that replicas of an earlier release still write, for some days', async () => {
    const names = ['ame\u0301lie', '\uff41da', 'ada'];
    const write = async (): Promise<void> => {
      await sql(database.knex, 'delete from resources');
      await sql(
        database.knex,
        `insert into resources (id, resource_type, origin, name_key, unique_key, display, body, search)
         select gen_random_uuid(), 'User', 'manual', name, name, name, '{}', '{}' from unnest(?::text[]) with ordinality as n(name, place) order by place`,
        [names],
      );
    };
    const keys = async (): Promise<string[]> => {
      const { rows } = await sql(database.knex, 'select name_key, unique_key from resources order by pos');
      return rows.map(({ name_key, unique_key }) => `${name_key} ${unique_key}`);
    };
    await write();
    await sql(
      database.knex,
      `insert into mirror_routes (provider, name_key, name, external_id) values ('csv', ?, 'x', 'e')`,
      ['\uff41da'],
    );
    await retention.tick();
    assert.deepEqual(await keys(), ['am\u00e9lie am\u00e9lie', 'ada \uff41da', 'ada ada']);
    assert.equal(await count(`mirror_routes where name_key = 'ada'`), 1);
    await write();
    await sql(database.knex, `update knex_migrations set migration_time = now() - interval '30 days'`);
    await tomorrow();
    await retention.tick();
    assert.deepEqual(
      await keys(),
      names.map((name) => `${name} ${name}`),
    );
  });

  it('is done once a day, by one replica, and not while another holds the lease', async () => {
    await run(100);
    await run(1);
    await Promise.all([replica(), replica(), replica()].map((one) => one.tick()));
    assert.equal((await ids('runs')).length, 1);
    assert.equal(await count('audit'), 1);
    await run(100, { status: 'failed' });
    await run(1);
    await replica().tick();
    assert.equal((await ids('runs')).length, 3, 'today is done');
    await tomorrow();
    await takeLease(database.knex, 'retention', 'somebody else', 15_000);
    await replica().tick();
    assert.equal((await ids('runs')).length, 3);
    await sql(database.knex, `update leases set expires_at = '-infinity'`);
    await replica().tick();
    assert.equal((await ids('runs')).length, 2, 'a day that was not done is not lost');
  });

  it('puts everything off while its clock and that of the database are apart, and does it once they are not', async () => {
    const lines: string[] = [];
    const log = tapLog(makeLog('silent'), { level: 'warn', mask: (line) => line, take: (line) => lines.push(line) });
    const adrift = makeRetention({ database, clock, log });
    await sql(
      database.knex,
      `insert into changes (at, resource_type, resource_id, version, operation, actor) values (?, 'User', gen_random_uuid(), 1, 'update', 'sync'),
         (?, 'User', gen_random_uuid(), 1, 'update', 'sync')`,
      [ago(400), ago(10)],
    );
    await sql(database.knex, `insert into audit (at, actor, action) values (?, 'test', 'x.y')`, [ago(10)]);
    const right = clock.now().getTime();
    for (const days of [366, -366]) {
      clock.set(new Date(right + days * DAY_MS).toISOString());
      await adrift.tick();
      assert.deepEqual([await count('changes'), await count('audit')], [2, 1], `${days} days`);
      const { reason, msg, skewMs } = JSON.parse(lines.at(-1) ?? '{}');
      assert.deepEqual([reason, msg, Math.round(skewMs / DAY_MS)], ['clocks-apart', 'retention put off', days]);
    }
    clock.set(new Date(right).toISOString());
    await adrift.tick();
    assert.deepEqual([await count('changes'), await count(`audit where action = 'x.y'`)], [1, 1]);
  });
});
