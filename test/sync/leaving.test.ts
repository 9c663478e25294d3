import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import { UpstreamError } from '#core/errors.ts';
import type { SecondLook } from '#core/pages.ts';
import type { LeavePolicy, RunPolicy } from '#core/policy.ts';
import { readChanges } from '#store/directory/changes.ts';
import { listItems } from '#store/views/items.ts';
import { proveAbsence } from '#sync/read/prove-absence.ts';
import { eachDatabase } from '../support/database.ts';
import { journalIsWhole } from '../support/push.ts';
import { makeSource, openSync, POLICY, readDirectory, type Source, type Sync } from '../support/source.ts';

const ADA = { userName: 'ada' } as const;

eachDatabase('whoever leaves', (open) => {
  let source: Source;
  let api: Sync;
  let policy: RunPolicy;

  beforeEach(async () => {
    policy = POLICY;
    source = makeSource();
    source.users.set('ada', ADA);
    source.users.set('bob', { userName: 'bob' });
    source.users.set('cyd', { userName: 'cyd' });
    source.groups.set('g', { displayName: 'Group', members: ['ada', 'bob'] });
    api = await openSync(await open(), source, () => policy);
    await api.sync();
  });
  afterEach(() => api.close());

  async function find(externalId: string) {
    const found = Object.entries(await readDirectory(api.database)).find(
      ([, { body }]) => body['externalId'] === externalId,
    );
    return found === undefined ? undefined : { id: found[0], ...found[1] };
  }

  /** What there is of Ada: nothing, an inactive account, or an active one. */
  async function stateOf(externalId: string): Promise<string> {
    const found = await find(externalId);
    return found === undefined ? 'deleted' : found.body['active'] === true ? 'kept' : 'deactivated';
  }

  /** A run; answers the reason that it gives for the object. */
  async function reasonFor(externalId: string): Promise<string | undefined> {
    const { planId, status } = await api.sync();
    assert.equal(status, 'succeeded');
    const plan = { id: planId ?? '', provider: 'microsoft365', supersedes: null } as const;
    const { items } = await listItems(api.database.knex, plan, { limit: 10, search: externalId });
    return items.find(({ action }) => action !== 'skip')?.reason;
  }

  function waitDays(days: number): Promise<unknown> {
    const text = 'update resources set left_at = left_at - make_interval(days => $1)';
    return api.database.query({ text, values: [days] });
  }

  it('is not gone for good while the source says by id that a restore is possible, or does not say', async () => {
    let asked: string[] = [];
    let restorable: (id: string) => boolean = () => true;
    source.look = {
      showsAll: true,
      isThere: async (_type, ids) => new Map(ids.map((id) => [id, source.users.has(id) || source.groups.has(id)])),
      async isRestorable(ids) {
        asked = [...ids];
        return new Map(ids.map((id) => [id, restorable(id)]));
      },
      count: async () => undefined,
      async *members() {},
    };
    source.users.delete('ada');
    source.gone.set('ada', 'softDeleted');
    assert.equal(await reasonFor('ada'), 'SourceSoftDeleted');
    await api.database.query({ text: `update mirror_records set gone_at = gone_at - interval '2 hours'` });
    source.gone.delete('ada');
    await api.sync();
    assert.deepEqual(asked, ['ada']);
    assert.equal(await stateOf('ada'), 'deactivated', 'the list of what can be restored was short');
    restorable = () => {
      throw new UpstreamError('The source stopped.', { failure: 'server' });
    };
    await api.sync();
    assert.equal(await stateOf('ada'), 'deactivated');
    restorable = () => false;
    assert.equal(await reasonFor('ada'), 'SourceHardDeleted');
    assert.equal(await stateOf('ada'), 'deleted');
  });

  it('is read by id where lists take turns in whom they leave out, and lets the read be whole', async () => {
    const everybody = new Map(source.users);
    source.look = {
      showsAll: true,
      isThere: async (_type, ids) => new Map(ids.map((id) => [id, everybody.has(id)])),
      isRestorable: async () => new Map(),
      count: async () => undefined,
      async *read(resourceType, ids) {
        yield { type: 'records', resourceType, records: ids.map((id) => ({ id, user: everybody.get(id) })) };
      },
      async *members() {},
    };
    const readWithout = async (id?: string): Promise<string> => {
      source.users.clear();
      for (const [one, user] of everybody) if (one !== id) source.users.set(one, user);
      return (await api.sync()).status;
    };
    const statuses: string[] = [];
    for (const id of [undefined, 'ada', 'bob', 'ada', 'ada']) statuses.push(await readWithout(id));
    assert.deepEqual(statuses, ['succeeded', 'incomplete', 'incomplete', 'succeeded', 'succeeded']);
    assert.deepEqual([await stateOf('ada'), await stateOf('bob')], ['kept', 'kept']);
    assert.equal(await readWithout('bob'), 'incomplete', 'a read that is whole forgets whom others left out');
  });

  it('is asked for by id within bounds, and no further once somebody is found', async () => {
    const unseen = Array.from({ length: 60_000 }, (_, index) => `${index}`);
    const asked: string[][] = [];
    const look = (there: string): SecondLook => ({
      showsAll: true,
      async isThere(_type, ids) {
        asked.push([...ids]);
        return new Map(ids.map((id) => [id, id === there]));
      },
      isRestorable: async () => new Map(),
      count: async () => undefined,
      async *members() {},
    });
    const signal = new AbortController().signal;
    const absence = { type: 'User', unseen, shown: 0 } as const;
    assert.equal((await proveAbsence(look('nobody'), absence, signal)).gone.length, 10_000);
    assert.deepEqual(
      [asked[0]?.[0], asked.at(-1)?.at(-1), new Set(asked.flat()).size],
      ['0', '59994', 10_000],
      'spread over all of them',
    );
    asked.length = 0;
    await assert.rejects(proveAbsence(look('6'), absence, signal), { reason: 'list-short' });
    assert.equal(asked.length, 1);
  });

  const outcomes: readonly [LeavePolicy, string][] = [
    ['deactivate', 'deactivated'],
    ['delete', 'deleted'],
    ['keep', 'kept'],
  ];

  it('is told of as deactivated when the provider disables the account, and as updated when it enables it', async () => {
    for (const [active, operation] of [
      [false, 'deactivate'],
      [true, 'update'],
    ] as const) {
      source.users.set('ada', { ...ADA, active });
      await api.sync();
      await journalIsWhole(api.database);
      const { changes } = await readChanges(api.database.knex, undefined, 1_000);
      const told = changes.filter(({ resource_type }) => resource_type === 'User').at(-1);
      assert.deepEqual([told?.operation, told?.detail], [operation, { attributes: ['active'] }]);
    }
  });

  for (const [choice, state] of outcomes) {
    it(`is ${state} by "${choice}" when no longer shown, and when out of scope`, async () => {
      policy = { ...POLICY, onLeaveScope: choice };
      source.users.delete('ada');
      source.users.set('bob', { userName: 'bob', out: 'DomainNotAccepted' });
      assert.equal(await reasonFor('ada'), choice === 'keep' ? undefined : 'NotInSource');
      assert.deepEqual([await stateOf('ada'), await stateOf('bob')], [state, state]);
      assert.equal((await find('g'))?.related.length, choice === 'keep' ? 1 : 0);
      assert.deepEqual(await reasonFor('ada'), undefined, 'and nothing more happens');
    });

    it(`is ${state} by "${choice}" when in the recycle bin of the provider`, async () => {
      policy = { ...POLICY, onLeaveScope: 'keep', onSourceSoftDelete: choice };
      source.users.delete('ada');
      source.gone.set('ada', 'softDeleted');
      assert.equal(await reasonFor('ada'), choice === 'keep' ? undefined : 'SourceSoftDeleted');
      assert.equal(await stateOf('ada'), state);
    });

    it(`is ${state} by "${choice}" when deleted in the provider for good`, async () => {
      policy = { ...POLICY, onLeaveScope: 'keep', onSourceHardDelete: choice };
      source.users.delete('ada');
      source.gone.set('ada', 'hardDeleted');
      assert.equal(await reasonFor('ada'), choice === 'keep' ? undefined : 'SourceHardDeleted');
      assert.equal(await stateOf('ada'), state);
    });
  }

  it('is deleted some days after the deactivation, and not a day before', async () => {
    source.users.delete('ada');
    await api.sync();
    await waitDays(29);
    assert.equal(await reasonFor('ada'), undefined);
    await waitDays(2);
    assert.equal(await reasonFor('ada'), 'RetentionOver');
    assert.equal(await stateOf('ada'), 'deleted');
  });

  it('stays for ever when nothing is deleted by time', async () => {
    policy = { ...POLICY, deleteAfterDays: null };
    source.users.delete('ada');
    await api.sync();
    await waitDays(4_000);
    assert.equal(await reasonFor('ada'), undefined);
    assert.equal(await stateOf('ada'), 'deactivated');
  });

  it('is deleted at once when the recycle bin is emptied meanwhile', async () => {
    source.users.delete('ada');
    source.gone.set('ada', 'softDeleted');
    assert.equal(await reasonFor('ada'), 'SourceSoftDeleted');
    source.gone.set('ada', 'hardDeleted');
    assert.equal(await reasonFor('ada'), 'SourceHardDeleted');
    assert.equal(await stateOf('ada'), 'deleted');
  });

  it('comes back with the same id and groups, whether deactivated or deleted', async () => {
    const before = await readDirectory(api.database);
    for (const how of ['softDeleted', 'hardDeleted'] as const) {
      source.users.delete('ada');
      source.gone.set('ada', how);
      await api.sync();
      assert.equal(await stateOf('ada'), how === 'softDeleted' ? 'deactivated' : 'deleted');
      source.users.set('ada', ADA);
      source.gone.delete('ada');
      assert.equal(await reasonFor('ada'), 'ReturnedToScope');
      assert.deepEqual(await readDirectory(api.database), before);
    }
  });

  it('is judged by what is said when leaving, not by what was said of somebody who is still shown', async () => {
    source.gone.set('ada', 'hardDeleted');
    assert.equal(await reasonFor('ada'), undefined);
    source.gone.clear();
    source.users.delete('ada');
    assert.equal(await reasonFor('ada'), 'NotInSource');
    assert.equal(await stateOf('ada'), 'deactivated');
  });

  it('takes a group along as the policy says: a group cannot be inactive', async () => {
    const id = (await find('g'))?.id;
    source.groups.delete('g');
    policy = { ...POLICY, onLeaveScope: 'keep' };
    await api.sync();
    assert.ok(await find('g'));
    policy = POLICY;
    assert.equal(await reasonFor('g'), 'NotInSource');
    assert.equal(await find('g'), undefined);
    source.groups.set('g', { displayName: 'Group', members: ['ada', 'bob'] });
    await api.sync();
    assert.deepEqual([(await find('g'))?.id, (await find('g'))?.related.length], [id, 2]);
  });
});
