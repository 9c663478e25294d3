// What becomes, at a target, of those who are gone, off or out of scope here: as its policy says, for each of the three.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Database } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

type Fate = 'deactivate' | 'delete' | 'keep';
const FATES: readonly Fate[] = ['deactivate', 'delete', 'keep'];

eachDatabase('somebody who goes', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
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
        await journalIsWhole(database);
        const push = await start({ guard: null, deprovision }, { scope: { userFilter: 'title eq "Chief"' } });
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
