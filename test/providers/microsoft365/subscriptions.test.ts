import assert from 'node:assert/strict';
import { it } from 'node:test';
import { openProvider, settingsFor, startScripted } from './support.ts';

it('a subscription that is gone, or of another application, is made anew; any other failure is one', async () => {
  const answers: readonly [number, boolean][] = [
    [404, true],
    [403, true],
    [400, false],
  ];
  for (const [status, isNew] of answers) {
    const graph = await startScripted(() => ({ status, body: { error: { code: 'ExtensionError' } } }));
    try {
      const { kind, settings } = openProvider(settingsFor(graph, 'contoso.example'));
      const end = new Date('2026-12-01T00:00:00Z');
      const renewed = kind.subscriptions?.renew(settings, 'one', end, new AbortController().signal);
      if (isNew) assert.equal(await renewed, undefined);
      else await assert.rejects(async () => renewed, { reason: 'request-refused' });
      assert.deepEqual(
        graph.asked.map(({ method, url }) => `${method} ${url}`),
        ['PATCH /v1.0/subscriptions/one'],
      );
    } finally {
      await graph.close();
    }
  }
});

it('a subscription that Graph refuses since its question to us is not answered says where to look', async () => {
  const message =
    'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation.';
  for (const [code, reason, remedy] of [
    ['ValidationError', 'subscription-refused', /PUBLIC_URL.*\/hooks\//],
    ['InvalidRequest', 'subscription-refused', /PUBLIC_URL.*\/hooks\//],
    ['ExtensionError', 'request-refused', /look the code up/],
  ] as const) {
    const graph = await startScripted(() => ({ status: 400, body: { error: { code, message } } }));
    try {
      const { kind, settings } = openProvider(settingsFor(graph, 'contoso.example'));
      const notificationUrl = 'https://sluice.contoso.example/hooks/microsoft365';
      const expiresAt = new Date('2026-12-01T00:00:00Z');
      const asked = { resource: 'users', notificationUrl, lifecycleUrl: notificationUrl, secret: 's', expiresAt };
      const made = kind.subscriptions?.create(settings, asked, new AbortController().signal);
      await assert.rejects(async () => made, { reason, remedy });
      assert.equal(graph.asked.length, 1);
    } finally {
      await graph.close();
    }
  }
});
