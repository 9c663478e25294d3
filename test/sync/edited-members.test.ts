// Members of a provider's group that somebody changed here: where local edits are overwritten, they come and go by the
// source again, whatever else a run has to do, and whenever the edit came.
import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { makeLog } from '#platform/log.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import type { Database } from '#store/database.ts';
import { makeResourceReader } from '#store/directory/resource-reader.ts';
import { makeServedGroups } from '#store/directory/served-groups.ts';
import { writeSetting } from '#store/source/settings.ts';
import { patchResource } from '#sync/edits.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync } from '../support/source.ts';

eachDatabase('members that were changed here', (open) => {
  /** A group `g` of `a` and `b`, and `c` beside it, not read yet. */
  async function begin(t: TestContext) {
    const database = await open();
    const source = makeSource();
    const api = await openSync(database, source);
    t.after(() => api.close());
    await overwriting(database);
    for (const id of ['a', 'b', 'c']) source.users.set(id, { userName: id });
    source.groups.set('g', { displayName: 'g', members: ['a', 'b'] });
    return { database, source, api };
  }

  it('come back with the next run of changes, with or without other news', async (t) => {
    const { database, source, api } = await begin(t);
    source.groups.set('h', { displayName: 'h', members: ['c'] });
    await api.sync();
    await empty(database, 'g');
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { membershipsChanged: 1 });
    assert.deepEqual(await membersOf(database, 'g'), ['a', 'b']);
    await empty(database, 'g');
    source.users.set('c', { userName: 'c', title: 'news' });
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { updated: 1, membershipsChanged: 1 });
    assert.deepEqual(await membersOf(database, 'g'), ['a', 'b']);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, {});
  });

  it('come back also where they were changed while a run went on', async (t) => {
    const { database, source, api } = await begin(t);
    await api.sync();
    source.users.set('c', { userName: 'c', title: 'news' });
    await database.knex.raw(`create function edit_g() returns trigger language plpgsql as $$ begin
      delete from group_members where group_id = (select id from resources where external_id = 'g');
      update resources set member_count = 0, members_digest = null, version = version + 1 where external_id = 'g';
      insert into changes (resource_type, resource_id, version, operation, actor)
        select 'Group', id, version, 'membership', 'token:test' from resources where external_id = 'g';
      return null; end $$`);
    await database.knex.raw(`create trigger edits after update on resources for each row
      when (new.external_id = 'c' and new.digest is not null) execute function edit_g()`);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { updated: 1 });
    await database.knex.raw('drop trigger edits on resources');
    assert.deepEqual(await membersOf(database, 'g'), []);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, { membershipsChanged: 1 });
    assert.deepEqual(await membersOf(database, 'g'), ['a', 'b']);
    assert.deepEqual((await api.sync({ mode: 'incremental' })).counts, {});
  });
});

async function overwriting(database: Database): Promise<void> {
  await writeSetting(database.knex, 'guard', { enabled: false });
  await writeSetting(database.knex, 'directory', { localEdits: 'overwrite' });
}

async function empty(database: Database, name: string): Promise<void> {
  const groups = makeServedGroups(database, makeLog('fatal'));
  const parts = { database, reader: makeResourceReader(database, groups), schemas: RESOURCE_SCHEMAS };
  const text = 'select id from resources where external_id = $1';
  const { rows } = await database.query<{ id: string }>({ text, values: [name] });
  const operation = { op: 'remove', path: 'members', value: undefined, tolerant: true } as const;
  await patchResource(parts, { type: 'Group', id: rows[0]?.id ?? '', actor: 'token:test' }, [operation]);
  await groups.stop();
  assert.deepEqual(await membersOf(database, name), []);
}

async function membersOf(database: Database, name: string): Promise<string[]> {
  const text = `select m.external_id from group_members gm join resources g on g.id = gm.group_id
    join resources m on m.id = gm.member_id where g.external_id = $1 order by 1`;
  const { rows } = await database.query<{ external_id: string }>({ text, values: [name] });
  return rows.map(({ external_id }) => external_id);
}
