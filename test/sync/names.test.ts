// Who gets which user name when somebody else has it: nobody is missing without a word, and nothing else waits for a name.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import type { RunPolicy } from '#core/policy.ts';
import { type ItemView, listItems } from '#store/views/items.ts';
import type { RunView } from '#store/views/runs.ts';
import { eachDatabase } from '../support/database.ts';
import { makeSource, openSync, POLICY, readDirectory, type Source, type Sync } from '../support/source.ts';

/** Whoever leaves is kept, and so is the user name, until the provider says that somebody is gone for good. */
const KEEPING: RunPolicy = { ...POLICY, onLeaveScope: 'keep', onSourceSoftDelete: 'keep' };

for (const mode of ['incremental', 'full'] as const)
  eachDatabase(`user names that somebody else has, in ${mode} runs`, (open) => {
    let source: Source;
    let api: Sync;

    beforeEach(async () => {
      source = makeSource();
      for (const name of ['ada', 'bob', 'cyd', 'dan']) source.users.set(name, { userName: name });
      api = await openSync(await open(), source, () => KEEPING);
      assert.equal((await api.sync()).status, 'succeeded');
    });
    afterEach(() => api.close());

    async function run(): Promise<readonly ItemView[]> {
      const over = await api.sync({ mode });
      assert.equal(over.status, 'succeeded');
      return itemsOf(over);
    }

    async function itemsOf(over: RunView): Promise<readonly ItemView[]> {
      if (over.planId === null) return [];
      const plan = { id: over.planId, provider: over.provider, supersedes: null };
      return (await listItems(api.database.knex, plan, { limit: 500 })).items;
    }

    const said = (items: readonly ItemView[]): Record<string, string> =>
      Object.fromEntries(
        items.map(({ externalId, action, reason, outcome }) => [externalId, `${action} ${outcome} ${reason}`]),
      );

    async function served(): Promise<
      Record<string, { id: string; userName: unknown; active: unknown; title: unknown }>
    > {
      const all = await readDirectory(api.database);
      return Object.fromEntries(
        Object.entries(all).map(([id, { body }]) => [
          String(body['externalId']),
          { id, userName: body['userName'], active: body['active'], title: body['title'] },
        ]),
      );
    }

    it('holds back the name alone, and whoever waits for the name of somebody who waits', async () => {
      source.users.delete('ada');
      source.gone.set('ada', 'softDeleted');
      source.users.set('bob', { userName: 'ada', active: false, title: 'Clerk' });
      source.users.set('cyd', { userName: 'bob', title: 'Lead' });
      source.users.set('eve', { userName: 'cyd' });
      const waiting = {
        bob: 'update applied NameHeld',
        cyd: 'update applied NameHeld',
        eve: 'skip skipped DuplicateTargetEntries',
      };
      const items = await run();
      assert.deepEqual(said(items), waiting);
      const before = await served();
      assert.deepEqual(
        [before['ada'], before['bob'], before['cyd'], before['eve']].map(
          (user) => user && Object.values(user).slice(1),
        ),
        [['ada', true, undefined], ['bob', false, 'Clerk'], ['cyd', true, 'Lead'], undefined],
      );
      assert.deepEqual(
        items.map(({ detail }) => detail),
        [`"ada" of ${before['ada']?.id}`, `"bob" of ${before['bob']?.id}`, `"cyd" of ${before['cyd']?.id}`],
      );
      assert.deepEqual(new Set(Object.values(said(await run()))), new Set(['skip skipped DuplicateTargetEntries']));

      source.users.set('bob', { userName: 'ada', active: true, title: 'Clerk' });
      assert.equal(said(await run())['bob'], 'update applied NameHeld');
      source.gone.set('ada', 'hardDeleted');
      assert.deepEqual(said(await run()), {
        ada: 'delete applied SourceHardDeleted',
        bob: 'update applied AttributesChanged',
        cyd: 'update applied AttributesChanged',
        eve: 'create applied NewInSource',
      });
      const after = await served();
      assert.deepEqual(
        ['bob', 'cyd', 'eve'].map((id) => after[id]?.userName),
        ['ada', 'bob', 'cyd'],
      );
      assert.equal(after['bob']?.id, before['bob']?.id);
      assert.deepEqual(await run(), []);
    });

    it('lets names go around, and disables who has the name of another record too', async () => {
      source.users.set('ada', { userName: 'bob' });
      source.users.set('bob', { userName: 'cyd' });
      source.users.set('cyd', { userName: 'ada' });
      assert.deepEqual(new Set(Object.values(said(await run()))), new Set(['update applied AttributesChanged']));
      source.users.set('dan', { userName: 'cyd', active: false, manager: 'ada' });
      assert.deepEqual(said(await run()), { dan: 'update applied NameHeld' });
      assert.equal((await served())['dan']?.active, false);
      assert.deepEqual(said(await run()), { dan: 'skip skipped DuplicateSourceEntries' });
      source.users.set('bob', { userName: 'bobby' });
      assert.deepEqual(said(await run()), {
        bob: 'update applied AttributesChanged',
        dan: 'update applied AttributesChanged',
      });
      assert.equal((await served())['dan']?.userName, 'cyd');
      assert.deepEqual(await run(), []);
    });
  });
