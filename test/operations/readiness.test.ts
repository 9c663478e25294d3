import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sql } from '#store/database.ts';
import { checkStorage } from '#store/readiness.ts';
import { eachDatabase, openTestDatabase } from '../support/database.ts';

eachDatabase('the storage is ready', (open) => {
  it('when its schema is ours, not while a migration is pending, and still when a later release has added one', async () => {
    const { knex, ...database } = await open();
    const schema = async () => (await checkStorage({ ...database, knex })).find(({ name }) => name === 'schema');
    assert.deepEqual(await schema(), { name: 'schema', ok: true });
    const [{ name: last }] = (await sql(knex, 'select name from knex_migrations order by name desc limit 1')).rows;
    await sql(knex, 'delete from knex_migrations where name = ?', [last]);
    assert.deepEqual(await schema(), { name: 'schema', ok: false, detail: `Migrations are pending: ${last}` });
    const later = '29990101000000_add_wings.ts';
    await sql(knex, 'insert into knex_migrations (name, batch, migration_time) values (?, 9, now()), (?, 9, now())', [
      last,
      later,
    ]);
    assert.deepEqual(await schema(), { name: 'schema', ok: true, detail: `A later release has added: ${later}` });
  });

  it('not while it takes reads only', async () => {
    const { knex, ...database } = await open();
    const query = (asked: Parameters<typeof database.query>[0]) =>
      knex.transaction(async (tx) => {
        await sql(tx, 'set transaction read only');
        return sql(tx, asked.text);
      });
    const writes = async (over: object) =>
      (await checkStorage({ ...database, ...over, knex })).find(({ name }) => name === 'writes');
    assert.deepEqual(await writes({}), { name: 'writes', ok: true });
    assert.deepEqual(await writes({ query }), { name: 'writes', ok: false, detail: 'The database takes reads only.' });
  });
});

describe('embedded storage', () => {
  it('is not ready while its upkeep fails, and is again when it works', async () => {
    const database = await openTestDatabase('embedded');
    const { knex } = database;
    const storage = async () => (await checkStorage(database)).find(({ name }) => name === 'storage');
    // Analysing an index asks its function, which stands for a disk that fails.
    await knex.raw(`create function brittle(text) returns text immutable language plpgsql as $$ begin return $1; end $$;
      create table brittle (name text); insert into brittle values ('x'); create index on brittle (brittle(name));
      create or replace function brittle(text) returns text immutable language plpgsql as $$ begin raise exception 'disk trouble'; end $$;`);
    database.maintain();
    await sql(knex, 'select 1');
    assert.match((await storage())?.detail ?? '', /Checkpoint or vacuum .*disk trouble/);
    await knex.raw('drop table brittle');
    database.maintain();
    await sql(knex, 'select 1');
    assert.deepEqual(await storage(), { name: 'storage', ok: true });
    await database.close();
  });
});
