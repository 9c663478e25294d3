import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseNotificationSettings, saveNotificationSettings } from '#outbound/message/notification-settings.ts';
import { makeNotifier } from '#outbound/message/notify.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { makeClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { startService } from '../support/downstream/service.ts';
import { startPush } from '../support/push.ts';
import { startReceiver } from '../support/receiver.ts';

eachDatabase('people are told of a push target', (open) => {
  it('once when nothing is sent to it any more, and once when it is in service again', async () => {
    const database = await open();
    const office = await startReceiver();
    const service = await startService({}, () => 1);
    const clock = makeClock(new Date().toISOString());
    const seal = makeSeal(Buffer.alloc(32, 3).toString('base64'));
    const policy = { allowLoopback: true };
    const nobody = { email: null, webhook: null, remindAfterHours: 24 };
    const channel = { url: office.url, secret: `whsec_${Buffer.alloc(32, 5).toString('base64')}` };
    const settings = parseNotificationSettings({ webhook: channel }, nobody, policy);
    await saveNotificationSettings(database.knex, seal, settings);
    const parts = { database, seal, clock, policy, log: makeLog('fatal'), publicUrl: () => 'https://s.example' };
    const notifier = makeNotifier({ ...parts, titleOf: String });
    const auth = { kind: 'bearer', token: 'a wrong one' };
    const nextAuth = { kind: 'none' };
    const push = await startPush(database, { baseUrl: service.base, auth, nextAuth }, { clock, name: 'Wiki' });
    try {
      for (let n = 0; n < 3; n += 1) await push.pump.turn();
      for (let n = 0; n < 2; n += 1) await notifier.tick();
      await database.query({ text: `update targets set quarantine = null, state = 'active'` });
      for (let n = 0; n < 2; n += 1) await notifier.tick();
      const told = office.received.map(({ text }) => JSON.parse(text) as { type: string; data: { subject: string } });
      assert.deepEqual(
        told.map(({ type, data }) => [type, data.subject]),
        [
          ['target.quarantined', 'Sluice: "Wiki" is in quarantine'],
          ['target.recovered', 'Sluice: "Wiki" is in service again'],
        ],
      );
    } finally {
      await push.close();
      await service.close();
      await office.close();
    }
  });
});
