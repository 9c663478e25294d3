// Whom a target has, and does not show: found or told of, and never made twice.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { makeRandom } from '#demo/tenant.ts';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import type { Manners } from '../support/downstream/manners.ts';
import { USER } from '../support/downstream/schema.ts';
import { type Service, startService } from '../support/downstream/service.ts';
import { type Editor, journalIsWhole, makeEditor, type PushTest, startPush } from '../support/push.ts';

eachDatabase('somebody whom a target has already', (open) => {
  let database: Database;
  let edit: Editor;
  let service: Service | undefined;
  let push: PushTest | undefined;

  beforeEach(async () => {
    database = await open();
    edit = makeEditor(database);
  });
  afterEach(async () => {
    await push?.close();
    push = undefined;
    await service?.close();
    assert.deepEqual(service?.books.violations, []);
  });

  async function start(manners: Manners, seeded: readonly Record<string, unknown>[]): Promise<Service> {
    service = await startService(manners, makeRandom('match'));
    for (const doc of seeded) service.seed('User', { schemas: [USER], active: true, ...doc });
    return service;
  }

  async function pushTo({ base, auth }: Service): Promise<readonly unknown[]> {
    push ??= await startPush(database, { baseUrl: base, auth, guard: null });
    await journalIsWhole(database);
    await push.settle();
    const { rows } = await sql(
      database.knex,
      `select d.state, d.link, d.last_error ->> 'code' as code from deliveries d where app_id = ? order by d.id`,
      [push.appId],
    );
    return rows;
  }

  const named = (names: readonly string[]) => names.map((userName) => ({ userName }));

  it('is found among all where filters compare by case and names do not; all are read once for many', async () => {
    const there = await start({ filters: 'caseExact', pageMax: 2 }, named(['ADA', 'Bob', 'EvE', 'other']));
    const before = there.resources('User').map(({ id }) => id);
    let reads = 0;
    const { lookedFor } = there.books;
    const counting = (value: string | undefined): void => {
      if (value === undefined) reads += 1;
      lookedFor(value);
    };
    Object.assign(there.books, { lookedFor: counting });
    const ours = [await edit.user('ada'), await edit.user('bob'), await edit.user('eve')];
    const adopted = { state: 'idle', link: 'adopted', code: null };
    assert.deepEqual(await pushTo(there), [adopted, adopted, adopted]);
    assert.deepEqual(
      there.resources('User').map(({ id }) => id),
      before,
    );
    const links = there.resources('User').map(({ externalId }) => externalId);
    assert.deepEqual(links.slice(0, 3).sort(), ours.sort());
    // Two pages of two, and one look behind the end.
    assert.ok(reads <= 3, `${reads} pages were read`);
  });

  it('is told of where nobody is shown them: a dead letter, nothing twice, and all well once the name is free', async () => {
    const there = await start({}, [{ userName: 'gone', hidden: true }]);
    const id = await edit.user('gone');
    assert.deepEqual(await pushTo(there), [{ state: 'dead', link: null, code: 'target-conflict' }]);
    assert.equal(there.books.takeWrites().length, 1);
    assert.equal(there.resources('User').length, 1);
    await edit.change('User', id, 'userName', 'back');
    assert.deepEqual(await pushTo(there), [{ state: 'idle', link: 'created', code: null }]);
  });

  it('is found where the only attribute that it can be found by is not filtered by', async () => {
    const there = await start({ filters: 'refused', noConfiguration: true }, named(['ada']));
    await edit.user('ada');
    push = await startPush(database, { baseUrl: there.base, auth: there.auth, guard: null, exclude: ['externalId'] });
    assert.deepEqual(await pushTo(there), [{ state: 'idle', link: 'adopted', code: null }]);
    // It was seen before anything was made.
    assert.ok(!there.books.takeWrites().some((write) => write.startsWith('POST')));
  });

  it('is found though nobody heard of their creation, filters are refused, and reads show it only later', async () => {
    let cuts = 1;
    const there = await start(
      {
        filters: 'refused',
        lagMs: 400,
        get cutAfter() {
          return cuts-- > 0 ? 1 : 0;
        },
      },
      named(['other']),
    );
    await edit.user('ada');
    assert.deepEqual(await pushTo(there), [{ state: 'idle', link: 'created', code: null }]);
    assert.equal(there.books.takeWrites().length, 1);
  });

  it('is found by another spelling after a create that was cut off: what they have is not taken for what was to be made', async () => {
    const manners: { -readonly [Key in keyof Manners]: Manners[Key] } = { filters: 'caseExact' };
    const there = await start(manners, [{ userName: 'ada', title: 'Before', active: false }]);
    const { arrived } = there.books;
    let cuts = 1;
    const cuttingOneCreate = (method: string, path: string): void => {
      manners.cutBefore = method === 'POST' && cuts-- > 0 ? 1 : 0;
      arrived(method, path);
    };
    Object.assign(there.books, { arrived: cuttingOneCreate });
    await edit.user('Ada', { title: 'Now' });
    assert.deepEqual(await pushTo(there), [{ state: 'idle', link: 'adopted', code: null }]);
    const found = there.resources('User').map(({ title, active }) => [title, active]);
    assert.deepEqual(found, [['Now', true]]);
  });

  it('is seen active before whoever had the account has left it: they are active there afterwards', async () => {
    const manners: { -readonly [Key in keyof Manners]: Manners[Key] } = {};
    const there = await start(manners, []);
    const before = await edit.user('ada');
    await pushTo(there);
    const { arrived } = there.books;
    const slowAtChanges = (method: string, path: string): void => {
      if (method === 'PATCH') manners.slowMs = 500;
      else delete manners.slowMs;
      arrived(method, path);
    };
    Object.assign(there.books, { arrived: slowAtChanges });
    await edit.remove('User', before);
    const after = await edit.user('ada');
    await pushTo(there);
    const accounts = there.resources('User').map(({ externalId, active }) => [externalId, active]);
    assert.deepEqual(accounts, [[after, true]]);
  });
});
