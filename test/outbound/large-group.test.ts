// A group that takes longer than one delivery may: it goes on in the next one, where it was.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { systemClock } from '#platform/clock.ts';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const MEMBERS = 12;
/** By the gateway's clock, each request about members takes this long. */
const REQUEST_MS = 1_500;

eachDatabase('a group that takes long', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(open, (scene) => {
    ({ database, edit, app } = scene);
  });

  const aboutGroup = (method: string) =>
    app.asked.filter((one) => one.method === method && one.path.startsWith('/Groups/'));
  const now = (): Date => new Date(Date.now() + aboutGroup('PATCH').length * REQUEST_MS);

  it('is brought by several deliveries, each member once, without reading it again', async () => {
    const ids: string[] = [];
    for (let n = 0; n < MEMBERS; n += 1) ids.push(await edit.user(`user${n}`));
    const group = await edit.group('everybody', ids);
    await journalIsWhole(database);
    const push = await start({ guard: null, members: { perRequest: 1 } }, { clock: { ...systemClock, now } });
    await push.settle();
    const { rows } = await sql<{ state: string; fence: string }>(
      database.knex,
      'select state, fence from deliveries where resource_id = ?',
      [group],
    );
    assert.equal(rows[0]?.state, 'idle');
    assert.ok(Number(rows[0]?.fence) >= (MEMBERS * REQUEST_MS) / 6_000, `${rows[0]?.fence} deliveries`);
    const [there] = app.groups.values();
    assert.equal((there?.['members'] as unknown[] | undefined)?.length, MEMBERS);
    assert.equal(aboutGroup('PATCH').length, MEMBERS);
    assert.equal(aboutGroup('GET').length, 0);
  });
});
