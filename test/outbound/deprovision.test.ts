// What becomes, at a target, of those who are gone, off or out of scope here: as its policy says, for each of the three.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, it } from 'node:test';
import type { Database } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, journalIsWhole, makeEditor, type PushTest, startPush } from '../support/push.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

type Fate = 'deactivate' | 'delete' | 'keep';
const FATES: readonly Fate[] = ['deactivate', 'delete', 'keep'];

eachDatabase('somebody who goes', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  let push: PushTest | undefined;

  beforeEach(async () => {
    database = await open();
    edit = makeEditor(database);
    app = await startScimApp();
  });
  afterEach(async () => {
    await push?.close();
    push = undefined;
    await app.close();
    assert.deepEqual(app.violations, []);
  });

  const LEAVING: Readonly<Record<string, (id: string) => Promise<void>>> = {
    sourceDeleted: (id) => edit.remove('User', id),
    sourceDisabled: (id) => edit.change('User', id, 'active', false),
    outOfScope: (id) => edit.change('User', id, 'title', 'Other'),
  };

  for (const [occasion, leave] of Object.entries(LEAVING))
    for (const fate of FATES)
      it(`${occasion}: ${fate}`, async () => {
        const id = await edit.user('ada', { title: 'Chief' });
        const others = FATES.find((other) => other !== fate);
        const deprovision = { sourceDeleted: others, sourceDisabled: others, outOfScope: others, [occasion]: fate };
        const settings = { baseUrl: app.url, auth: { kind: 'none' }, guard: null, deprovision };
        await journalIsWhole(database);
        push = await startPush(database, settings, { scope: { userFilter: 'title eq "Chief"' } });
        await push.settle();
        assert.equal(app.users.size, 1);
        app.takeWrites();
        await leave(id);
        await journalIsWhole(database);
        await push.settle();
        const [there] = app.users.values();
        const wanted = { deactivate: [1, false], delete: [0, undefined], keep: [1, true] } as const;
        assert.deepEqual([app.users.size, there?.['active']], wanted[fate]);
        assert.equal(app.takeWrites().length, fate === 'keep' ? 0 : 1);
      });
});
