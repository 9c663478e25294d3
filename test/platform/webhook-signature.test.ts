import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { isWebhookSecret, signWebhook } from '#platform/webhook-signature.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('the signature of a webhook', () => {
  it('is what the specification says of its own example', () => {
    const headers = signWebhook(SECRET, {
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      at: new Date(1_614_265_330_000),
      body: '{"test": 2432232314}',
    });
    assert.equal(headers['webhook-signature'], 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    assert.equal(headers['webhook-timestamp'], '1614265330');
  });

  it('is taken by the library of the receivers, and no longer when a byte is another', () => {
    const body = JSON.stringify({ type: 'test', text: 'wörld' });
    const headers = signWebhook(SECRET, { id: 'one', at: new Date(), body });
    assert.deepEqual(new Webhook(SECRET).verify(body, { ...headers }), JSON.parse(body));
    assert.throws(() => new Webhook(SECRET).verify(`${body} `, { ...headers }));
  });

  it('needs a secret of 24 to 64 bytes', () => {
    assert.ok(isWebhookSecret(SECRET));
    for (const wrong of [
      '',
      'whsec_',
      'whsec_c2hvcnQ=',
      SECRET.slice(6),
      `whsec_${'A'.repeat(100)}`,
      'whsec_not base64!',
    ])
      assert.ok(!isWebhookSecret(wrong), wrong);
  });
});
