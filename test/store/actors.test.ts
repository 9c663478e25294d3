import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { listActors, namePerson } from '#store/access/actors.ts';
import { listAudit, writeAudit } from '#store/access/audit.ts';
import type { Database } from '#store/database.ts';
import { FOLDER, readMigration } from '#store/schema/migrations.ts';
import { eachDatabase } from '../support/database.ts';

const ISSUER = 'https://login.example.com';

eachDatabase('people in the audit log', (open) => {
  let database: Database;

  beforeEach(async () => {
    database = await open();
  });
  afterEach(() => database.close());

  const called = (name: string, sub: string) =>
    database.knex.transaction((tx) => namePerson(tx, name, `${ISSUER}#${sub}`));

  it('are called as they are, but for who is called as somebody else was before', async () => {
    assert.equal(await called('ann', '1'), 'ann');
    assert.equal(await called('ann', '2'), `ann (${ISSUER}#2)`);
    assert.equal(await called('ann', '1'), 'ann');
    assert.equal(await called('ann', '2'), `ann (${ISSUER}#2)`);
    assert.equal(await called('ann miller', '1'), 'ann miller');
    assert.equal(await called('ann', '1'), 'ann');
  });

  it('cannot take the name of another by how they are called', async () => {
    const pretended = `ann (${ISSUER}#2)`;
    const taken = await called(pretended, '3');
    assert.equal(await called('ann', '1'), 'ann');
    assert.notEqual(await called('ann', '2'), taken);
  });

  it('are told of by their subject beside each entry', async () => {
    for (const sub of ['1', '2'])
      await writeAudit(database.knex, { actor: `user:${await called('ann', sub)}`, action: 'guard.change' });
    await writeAudit(database.knex, { actor: 'retention', action: 'retention.change' });
    const { items } = await listAudit(database.knex, { limit: 10, cursor: undefined });
    assert.deepEqual(
      items.map(({ actor, subject }) => [actor, subject]),
      [
        ['retention', null],
        [`user:ann (${ISSUER}#2)`, `${ISSUER}#2`],
        ['user:ann', `${ISSUER}#1`],
      ],
    );
    const people = (await listActors(database.knex)).filter(({ subject }) => subject !== null);
    assert.deepEqual(people.map(({ actor, name }) => [actor, name]).toSorted(), [
      [`user:ann (${ISSUER}#2)`, `ann (${ISSUER}#2)`],
      ['user:ann', 'ann'],
    ]);
  });

  it('have their names from before, the first who had one', async () => {
    const { down, up } = await readMigration(FOLDER, '20261127150000_name_people.ts');
    await down(database.knex);
    for (const subject of [`${ISSUER}#1`, `${ISSUER}#2`])
      await writeAudit(database.knex, { actor: 'user:ann', action: 'session.open', detail: { subject } });
    await writeAudit(database.knex, { actor: 'token:x', action: 'session.open', detail: { role: 'admin' } });
    await up(database.knex);
    assert.equal(await called('ann', '1'), 'ann');
    assert.equal(await called('ann', '2'), `ann (${ISSUER}#2)`);
    assert.equal(await called('ben', '3'), 'ben');
  });
});
