// The scope of a target changes while it is looked through.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { AppScope } from '#core/scope.ts';
import { lookThrough } from '#outbound/push/follow.ts';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { askBackfill, readTarget } from '#store/target/targets.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, scopeOf } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

eachDatabase('a scope that is changed', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  const active = (): string[] =>
    [...app.users.values()].filter((user) => user['active'] !== false).map((user) => String(user['userName']));

  const changeScope = (appId: string, scope: AppScope): Promise<void> =>
    database.knex.transaction(async (tx) => {
      await sql(tx, 'update apps set scope = ?::jsonb where id = ?', [JSON.stringify(scope), appId]);
      await askBackfill(tx, appId);
    });

  for (const type of ['User', 'Group'] as const)
    it(`while a stretch of ${type}s is looked through is looked through from its start, and nothing of the other is written`, async () => {
      await edit.user('ada', { title: 'Chief' });
      await edit.user('bob', { title: 'Guest' });
      const { knex } = database;
      const push = await start({ guard: null }, { scope: { userFilter: 'title eq "Chief"' } });
      await push.settle();
      await sql(knex, 'update targets set backfill = ?::jsonb', [JSON.stringify({ mode: 'scope', type, pos: '0' })]);
      const before = await readTarget(knex, push.appId);
      assert.ok(before);
      await changeScope(push.appId, { userFilter: 'title eq "Guest"' });
      const following = {
        db: knex,
        clock: systemClock,
        appId: push.appId,
        write: <T>(work: (tx: typeof knex) => Promise<T>): Promise<T> => knex.transaction(work),
      };
      assert.equal(await lookThrough(following, before, scopeOf(before.scope as AppScope)), true);
      const after = await readTarget(knex, push.appId);
      assert.deepEqual(after?.backfill, { mode: 'scope', type: 'User', pos: '0' });
      await push.settle();
      assert.deepEqual(active(), ['bob']);
    });
});
