// A source may tell of a group before it shows it: whoever is told of belongs to it, whatever its list of members shows yet.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SecondLook } from '#core/pages.ts';
import { writeSetting } from '#store/source/settings.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, readDirectory, type Source, type Sync } from '../support/source.ts';

/** Names of those in a group, in order. */
async function membersOf({ database }: Sync, group: string): Promise<readonly unknown[]> {
  const directory = await readDirectory(database);
  const found = Object.values(directory).find(({ body }) => body['externalId'] === group);
  return (found?.related ?? []).map((id) => directory[id]?.body['externalId']).sort();
}

/** Asked again, this source says what it knows; of a group what its list shows. */
function lookAt(source: Source): SecondLook {
  return {
    showsAll: true,
    isThere: async (type, ids) =>
      new Map(ids.map((id) => [id, (type === 'User' ? source.users : source.groups).has(id)])),
    isRestorable: async () => new Map(),
    count: async () => undefined,
    async *members(groups) {
      for (const group of groups) {
        const named = source.groups.get(group)?.members ?? [];
        const members = named.map((externalId) => ({ externalId, type: 'User' as const }));
        yield { type: 'members', group, members, skipped: [], complete: true };
      }
    },
  };
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

  it('keeps whoever is in no list of a read, and is there by id, when that read is not whole', async () => {
    const source = makeTwo();
    const names = Array.from({ length: 120 }, (_, index) => `g${index}`);
    const fill = (members: readonly string[]): void => {
      for (const id of names) source.groups.set(id, { displayName: id, members });
    };
    fill(['ada', 'bob']);
    const look = lookAt(source);
    source.look = look;
    const api = await openSync(await open(), source);
    const groupsOf = async (): Promise<number> => {
      const found = await Promise.all(['g0', 'g50', 'g119'].map((id) => membersOf(api, id)));
      return found.filter((members) => members.includes('ada')).length;
    };
    try {
      await writeSetting(api.database.knex, 'guard', { enabled: false });
      await api.sync();
      assert.equal(await groupsOf(), 3);
      // A server that does not know of her yet answers.
      source.unlisted = new Set(['ada']);
      source.meanwhile = () => fill(['bob']);
      assert.equal((await api.sync({ mode: 'full' })).error?.code, 'list-short');
      delete source.unlisted;
      delete source.meanwhile;
      fill(['ada', 'bob']);
      assert.equal((await api.sync({ mode: 'incremental' })).status, 'succeeded');
      assert.equal(await groupsOf(), 3);
      fill(['bob']);
      assert.equal((await api.sync({ mode: 'full' })).status, 'succeeded');
      assert.equal(await groupsOf(), 0);
    } finally {
      await api.close();
    }
  });

  it('has whoever was restored, though its list does not show them yet, and not for ever', async () => {
    const source = makeTwo();
    const payroll = (members: readonly string[]): void =>
      void source.groups.set('g1', { displayName: 'Payroll', members });
    payroll(['ada', 'bob']);
    source.look = lookAt(source);
    const api = await openSync(await open(), source);
    try {
      await writeSetting(api.database.knex, 'guard', { enabled: false });
      await api.sync();
      source.users.delete('ada');
      source.gone.set('ada', 'softDeleted');
      await api.sync({ mode: 'incremental' });
      assert.deepEqual(await membersOf(api, 'g1'), ['bob']);
      source.users.set('ada', { userName: 'ada' });
      source.gone.delete('ada');
      source.meanwhile = () => payroll(['bob']);
      await api.sync({ mode: 'full' });
      delete source.meanwhile;
      payroll(['ada', 'bob']);
      await api.sync({ mode: 'incremental' });
      assert.deepEqual(await membersOf(api, 'g1'), ['ada', 'bob']);
      payroll(['bob']);
      await api.sync({ mode: 'full' });
      assert.deepEqual(await membersOf(api, 'g1'), ['bob']);
    } finally {
      await api.close();
    }
  });
});
