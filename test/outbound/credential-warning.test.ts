import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { nextWarning } from '#core/connect.ts';
import { parseNotificationSettings, saveNotificationSettings } from '#outbound/message/notification-settings.ts';
import { makeNotifier, type Notifier } from '#outbound/message/notify.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { listNotifications } from '#store/event/notifications.ts';
import { noteFacts } from '#store/source/connections.ts';
import { saveProvider } from '#store/source/settings.ts';
import { makeClock, type TestClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { startWebhookServer, WEBHOOK_SECRET, type WebhookServer } from '../support/webhook-server.ts';

const seal = makeSeal(Buffer.alloc(32, 3).toString('base64'));
const policy = { allowLoopback: true };
const DAY_MS = 86_400_000;

eachDatabase('a credential that ends', (open) => {
  let database: Database;
  let hook: WebhookServer;
  let clock: TestClock;
  let notifier: Notifier;
  const start = new Date('2026-11-26T00:00:00Z');

  before(async () => {
    database = await open();
    await saveProvider(database.knex, { kind: 'microsoft365', settings: {}, secrets: '', changed: true });
    hook = await startWebhookServer();
    clock = makeClock(start.toISOString());
    notifier = makeNotifier({
      ...{ database, seal, clock, policy, log: makeLog('silent') },
      publicUrl: () => 'https://sluice.example.com',
      titleOf: () => 'Microsoft 365',
    });
    const nobody = { email: null, webhook: null, remindAfterHours: 24 };
    const webhook = { on: 'failure', url: hook.url, secret: WEBHOOK_SECRET };
    await saveNotificationSettings(database.knex, seal, parseNotificationSettings({ webhook }, nobody, policy));
  });
  after(async () => {
    await hook?.close();
  });

  async function learn(end: Date): Promise<void> {
    await noteFacts(database.knex, 'microsoft365', {
      facts: { credential: { kind: 'clientSecret', expiresAt: end.toISOString(), said: 'settings' } },
      at: clock.now(),
      configVersion: '1',
      expiresAt: end,
      nextWarningAt: nextWarning(end, null, clock.now())?.at ?? null,
    });
  }

  async function subjectsAfter(day: number): Promise<string[]> {
    clock.set(new Date(start.getTime() + day * DAY_MS).toISOString());
    hook.received.length = 0;
    await notifier.tick();
    await notifier.tick();
    return hook.received.map(({ body }) => (body as unknown as { data: { subject: string } }).data.subject);
  }

  it('is told of once at each of its days, and learning it again tells nothing twice', async () => {
    const end = new Date(start.getTime() + 40 * DAY_MS);
    await learn(end);
    const told: Record<number, string[]> = {};
    for (const day of [0, 5, 10, 20, 33, 36, 39, 40, 45]) {
      told[day] = await subjectsAfter(day);
      await learn(end);
    }
    assert.deepEqual(told, {
      0: ['Sluice: the client secret of Microsoft 365 expires in 40 days'],
      5: [],
      10: ['Sluice: the client secret of Microsoft 365 expires in 30 days'],
      20: [],
      33: ['Sluice: the client secret of Microsoft 365 expires in 7 days'],
      36: [],
      39: ['Sluice: the client secret of Microsoft 365 expires within a day'],
      40: ['Sluice: the client secret of Microsoft 365 has expired'],
      45: [],
    });
    const { items } = await listNotifications(database.knex, { limit: 10 });
    assert.ok(
      items.every(
        ({ event, runId, provider }) => event === 'credential.expiring' && runId === null && provider !== null,
      ),
    );
  });

  it('is told of anew when another one was made', async () => {
    await learn(new Date(start.getTime() + 75 * DAY_MS));
    assert.deepEqual(await subjectsAfter(46), ['Sluice: the client secret of Microsoft 365 expires in 29 days']);
  });
});
