// A target that asked to be left alone, and whose settings are saved meanwhile.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { savePush } from '#outbound/push-settings.ts';
import { systemClock } from '#platform/clock.ts';
import { makeSeal } from '#platform/seal.ts';
import { type Database, sql } from '#store/database.ts';
import { targetKinds } from '#targets/index.ts';
import { eachDatabase } from '../support/database.ts';
import { type Editor, eachPush, journalIsWhole } from '../support/push.ts';
import type { ScimAppServer } from '../support/scim-app-server.ts';

const TOKEN = 'first';

eachDatabase('a target that rests, and is saved with', (open) => {
  let database: Database;
  let edit: Editor;
  let app: ScimAppServer;
  const start = eachPush(
    open,
    (scene) => {
      ({ database, edit, app } = scene);
    },
    TOKEN,
  );

  for (const [what, change, quarantined, isAsked] of [
    ['another guard is left alone as long as it asked', { guard: { max: 7, percent: 7 } }, false, false],
    ['another token is asked at once', { auth: { kind: 'bearer', token: 'second' } }, false, true],
    ['another base URL is asked at once', { at: '/other' }, false, true],
    ['another guard while it is out of service is asked at once', { guard: { max: 7, percent: 7 } }, true, true],
  ] as const)
    it(what, async () => {
      await edit.user('ada');
      await journalIsWhole(database);
      const push = await start();
      app.personality = { failing: (method) => (method === 'POST' ? 429 : undefined), failingSeconds: 3_600 };
      await push.pump.turn();
      const { rows } = await sql(database.knex, 'select rest_until > now() as rests from targets');
      assert.deepEqual(rows, [{ rests: true }]);
      if (quarantined)
        await sql(
          database.knex,
          `update targets set state = 'quarantined', quarantine = '{"reason": "target-unreachable", "message": "", "since": "2026-01-01T00:00:00Z",
            "probes": 0, "probeAt": "2999-01-01T00:00:00Z"}'`,
        );
      const parts = {
        targetKinds: targetKinds({ clock: systemClock, outgoing: { allowLoopback: true } }),
        seal: makeSeal(Buffer.alloc(32, 7).toString('base64')),
        outgoing: { allowLoopback: true },
      };
      const { at = '', ...settings } = { at: '', ...change };
      const body = { baseUrl: `${app.url}${at}`, auth: { kind: 'bearer' }, ...settings };
      await database.knex.transaction((tx) => savePush(tx, parts, push.appId, body));
      app.personality = {};
      app.endRest();
      app.asked.splice(0);
      await push.pump.turn();
      assert.equal(app.asked.length > 0, isAsked);
      const { rows: kept } = await sql(database.knex, 'select rest_until is not null as rests, state from targets');
      if (!isAsked) assert.deepEqual(kept, [{ rests: true, state: 'active' }]);
    });
});
