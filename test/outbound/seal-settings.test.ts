import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { openTarget } from '#outbound/push/open-target.ts';
import { sealPushSettings } from '#outbound/seal-settings.ts';
import { systemClock } from '#platform/clock.ts';
import { makeSeal } from '#platform/seal.ts';
import { sql } from '#store/database.ts';
import { readTarget, saveTarget } from '#store/target/targets.ts';
import { targetKinds } from '#targets/index.ts';
import { eachDatabase } from '../support/database.ts';

const KEY = Buffer.alloc(32, 3).toString('base64');

eachDatabase('push settings of an earlier release', (open) => {
  it('have the values of their headers sealed at the next start, once, and work as before', async () => {
    const database = await open();
    const seal = makeSeal(KEY);
    const kinds = targetKinds({ clock: systemClock, outgoing: { allowLoopback: true } });
    const appId = randomUUID();
    await sql(database.knex, `insert into apps (id, name, name_key) values (?, 'app', 'app')`, [appId]);
    const push = {
      kind: 'scim',
      baseUrl: 'http://127.0.0.1:1',
      auth: { kind: 'bearer' },
      headers: { 'X-Api-Key': 'in-the-clear' },
    };
    await saveTarget(database.knex, { appId, push, secrets: seal.seal(JSON.stringify({ 'auth.token': 'sealed' })) });
    await sealPushSettings(database.knex, kinds, seal);
    const row = await readTarget(database.knex, appId);
    assert.ok(row);
    assert.deepEqual((row.push as { headers: unknown }).headers, { 'X-Api-Key': null });
    assert.deepEqual(JSON.parse(seal.open(row.push_secrets ?? '')), {
      'auth.token': 'sealed',
      'headers.*.X-Api-Key': 'in-the-clear',
    });
    await openTarget(kinds, row, seal, () => undefined).target.close();
    await sealPushSettings(database.knex, kinds, seal);
    assert.deepEqual(await readTarget(database.knex, appId), row);
  });
});
