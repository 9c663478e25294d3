// A source may tell of a group before it shows it: whoever is told of belongs to it, whatever its list of members shows yet.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, readDirectory, type Source, type Sync } from '../support/source.ts';

/** Names of those in a group, in order. */
async function membersOf({ database }: Sync, group: string): Promise<readonly unknown[]> {
  const directory = await readDirectory(database);
  const found = Object.values(directory).find(({ body }) => body['externalId'] === group);
  return (found?.related ?? []).map((id) => directory[id]?.body['externalId']).sort();
}

function makeTwo(): Source {
  const source = makeSource();
  for (const id of ['ada', 'bob']) source.users.set(id, { userName: id });
  return source;
}

eachDatabase('a group that lags behind what is told of it', (open) => {
  it('has whom changes have brought, and not whom they have taken, whatever its list shows', async () => {
    const source = makeTwo();
    source.tellsOnce = true;
    source.groups.set('g1', { displayName: 'Payroll', members: ['bob'], out: 'GroupTypeExcluded' });
    const api = await openSync(await open(), source);
    try {
      await api.sync();
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada'] });
      source.lagging = new Map([['g1', ['bob']]]);
      await api.sync({ mode: 'incremental' });
      delete source.lagging;
      await api.sync({ mode: 'incremental' });
      assert.deepEqual(await membersOf(api, 'g1'), ['ada']);
    } finally {
      await api.close();
    }
  });

  it('is read with everything by the next run, where it is not found', async () => {
    const source = makeTwo();
    const api = await openSync(await open(), source);
    try {
      await api.sync();
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada'] });
      source.lagging = new Map([['g1', undefined]]);
      await api.sync({ mode: 'incremental' });
      delete source.lagging;
      assert.deepEqual((await api.sync({ mode: 'incremental' })).modeReason, 'no-checkpoint');
      assert.deepEqual(await membersOf(api, 'g1'), ['ada']);
    } finally {
      await api.close();
    }
  });

  it('is read whole when it changes, where nobody knows who its members are', async () => {
    const source = makeTwo();
    source.groups.set('g1', { displayName: 'Payroll', members: ['ada'] });
    const api = await openSync(await open(), source);
    try {
      source.hidden = new Set(['g1']);
      await api.sync();
      assert.deepEqual(await membersOf(api, 'g1'), []);
      source.hidden = new Set();
      source.groups.set('g1', { displayName: 'Payroll', members: ['ada', 'bob'] });
      assert.equal((await api.sync({ mode: 'incremental' })).mode, 'incremental');
      assert.deepEqual(await membersOf(api, 'g1'), ['ada', 'bob']);
    } finally {
      await api.close();
    }
  });
});
