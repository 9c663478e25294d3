import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { Webhook } from 'standardwebhooks';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';

interface Stream {
  readonly state: string;
  readonly secret?: string;
  readonly keys?: readonly { readonly kind: string; readonly expiresAt: string | null }[];
  readonly delivery?: { readonly url: string; readonly authorizationSet?: boolean };
  readonly issuer?: string;
  readonly jwksUri?: string;
  readonly audience?: readonly string[];
  readonly lastPolledAt?: string | null;
}
interface App {
  readonly id: string;
  readonly webhook: Stream | null;
  readonly events: Stream | null;
}
interface Delivery {
  readonly id: string;
  readonly messageId: string;
  readonly state: string;
  readonly payload?: string;
}

describe('webhooks and tokens in the admin API', () => {
  let api: TestGateway;
  let receiver: Receiver;

  before(async () => {
    api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    receiver = await startReceiver();
  });
  after(async () => {
    await api?.close();
    await receiver?.close();
  });

  async function call<Body>(method: string, path: string, status: number, body?: unknown): Promise<Body> {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }
  const createUser = (userName: string) =>
    api.call('POST', '/scim/v2/Users', { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName });
  async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  it('sets up a webhook, shows its secret once, sends, tests, rotates, lists and replays', async () => {
    const app = await call<App>('POST', '/apps', 201, { name: 'CRM', webhook: { url: receiver.url } });
    const secret = app.webhook?.secret ?? '';
    assert.match(secret, /^whsec_/);
    for (const path of [`/apps/${app.id}`, '/apps', '/audit'])
      assert.equal(JSON.stringify(await call('GET', path, 200)).includes(secret), false, path);
    await createUser('ada@example.com');
    await until(() => receiver.received.length === 1);
    const [first] = receiver.received;
    new Webhook(secret).verify(first?.text ?? '', first?.headers as Record<string, string>);
    const tested = await call<{ ok: boolean }>('POST', `/apps/${app.id}/webhook/test`, 200);
    assert.equal(tested.ok, true);
    assert.equal(JSON.parse(receiver.received[1]?.text ?? '{}').type, 'test');
    const rotated = await call<{ secret: string; keys: object[] }>(
      'POST',
      `/apps/${app.id}/webhook/rotate-secret`,
      200,
      {},
    );
    assert.notEqual(rotated.secret, secret);
    assert.equal(rotated.keys.length, 2);
    await until(async () => (await call<App>('GET', `/apps/${app.id}`, 200)).webhook?.state === 'active');
    const list = () => call<{ items: Delivery[] }>('GET', `/apps/${app.id}/webhook/deliveries?state=delivered`, 200);
    await until(async () => (await list()).items.length === 1);
    const [delivery] = (await list()).items;
    const whole = await call<Delivery>('GET', `/apps/${app.id}/webhook/deliveries/${delivery?.id}`, 200);
    assert.equal(whole.payload, first?.text);
    await call('POST', `/apps/${app.id}/webhook/deliveries/${delivery?.id}/replay`, 202);
    await until(() => receiver.received.length === 3);
    assert.equal(receiver.received[2]?.headers['webhook-id'], first?.headers['webhook-id']);
    const { items: acts } = await call<{ items: { detail: object }[] }>('GET', '/audit?action=webhook.replay', 200);
    assert.deepEqual(acts[0]?.detail, { delivery: delivery?.id, count: 1 });
    await call('POST', `/apps/${app.id}/webhook/replay`, 200);
    await call('POST', `/apps/${app.id}/webhook/resume`, 200, { from: 'now' });
    const paused = await call<App>('PATCH', `/apps/${app.id}`, 200, { webhook: { enabled: false, payload: 'full' } });
    assert.equal(paused.webhook?.state, 'paused');
    assert.equal(paused.webhook?.secret, undefined);
    const removed = await call<App>('PATCH', `/apps/${app.id}`, 200, { webhook: null });
    assert.equal(removed.webhook, null);
    await call('GET', `/apps/${app.id}/webhook/deliveries`, 404);
  });

  it('refuses what cannot be a webhook, and says which field', async () => {
    for (const [webhook, code] of [
      [{}, 'settings-invalid'],
      [{ url: 'http://example.com/x' }, 'url-refused'],
      [{ url: 'https://10.0.0.1/x' }, 'url-refused'],
      [{ url: receiver.url, events: ['user.exploded'] }, 'invalid-input'],
      [{ url: receiver.url, secret: 'short' }, 'invalid-input'],
    ] as const)
      assert.equal((await call<{ code: string }>('POST', '/apps', 400, { name: `No ${code}`, webhook })).code, code);
    const { items } = await call<{ items: { name: string }[] }>('GET', '/apps', 200);
    assert.equal(
      items.some(({ name }) => name.startsWith('No ')),
      false,
      'nothing of it is kept',
    );
  });

  it('hands nothing to a token that was revoked while it waited', async () => {
    const app = await call<App>('POST', '/apps', 201, { name: 'Waiting', events: { delivery: { method: 'poll' } } });
    const { id, token } = await call<{ id: string; token: string }>('POST', `/apps/${app.id}/tokens`, 201, {});
    const asked = api.call<{ detail: string }>('POST', '/scim/v2/SecurityEvents', {}, token);
    await until(async () => (await call<App>('GET', `/apps/${app.id}`, 200)).events?.lastPolledAt != null);
    await call('DELETE', `/apps/${app.id}/tokens/${id}`, 204);
    await createUser('while.waiting@example.com');
    const { status, body } = await asked;
    assert.deepEqual([status, Object.keys(body).includes('sets')], [401, false]);
    assert.match(body.detail, /while it waited/);
  });

  it('serves tokens to the app that asks with its own token, which anybody can check', async () => {
    const app = await call<App>('POST', '/apps', 201, {
      name: 'SIEM',
      events: { delivery: { method: 'poll' }, audience: ['https://siem.example.com'] },
    });
    const { token } = await call<{ token: string }>('POST', `/apps/${app.id}/tokens`, 201, {});
    assert.equal(app.events?.delivery?.url, `${api.base}/scim/v2/SecurityEvents`);
    await createUser('bob@example.com');
    const poll = (body: object, as = token) =>
      api.call<{ sets: Record<string, string>; moreAvailable: boolean }>('POST', '/scim/v2/SecurityEvents', body, as);
    const { body, status } = await poll({ maxEvents: 10 });
    assert.equal(status, 200);
    const [[jti, set] = ['', '']] = Object.entries(body.sets);
    const keys = createRemoteJWKSet(new URL(app.events?.jwksUri ?? ''), { timeoutDuration: 120_000 });
    const { payload } = await jwtVerify(set, keys, {
      issuer: app.events?.issuer ?? '',
      audience: 'https://siem.example.com',
      typ: 'secevent+jwt',
    });
    assert.equal(payload.jti, jti);
    const after = await poll({ returnImmediately: true, ack: [jti] });
    assert.deepEqual(after.body, { sets: {}, moreAvailable: false });
    const { messageId } = await call<{ messageId: string }>('POST', `/apps/${app.id}/events/verify`, 202, {
      state: 's',
    });
    assert.deepEqual(Object.keys((await poll({ returnImmediately: true })).body.sets), [messageId]);
    const { items: asked } = await call<{ items: unknown[] }>('GET', '/audit?action=events.verify', 200);
    assert.equal(asked.length, 1);
    assert.equal((await poll({ maxEvents: -1 })).status, 400);
    assert.equal((await poll({ ack: 'x' })).status, 400);
    assert.equal((await poll({}, 'wrong')).status, 401);
    assert.equal((await api.call('POST', '/scim/v2/SecurityEvents', {})).status, 404, 'an administrator is no app');
    assert.equal((await api.call('GET', '/scim/v2/SecurityEvents')).status, 405);
    const before = await call<{ items: { kid: string }[] }>('GET', '/signing-keys', 200);
    const rotated = await call<{ items: { kid: string }[] }>('POST', '/signing-keys/rotate', 200, {});
    assert.equal(rotated.items.length, before.items.length + 1);
    const jwks = await fetch(`${api.base}/.well-known/jwks.json`);
    assert.match(jwks.headers.get('cache-control') ?? '', /max-age/);
    const shown = (await jwks.json()) as { keys: Record<string, unknown>[] };
    assert.equal(shown.keys.length, rotated.items.length);
    assert.ok(shown.keys.every((key) => !('d' in key)));
  });

  it('keeps the header of a receiver to itself, and only for the same receiver', async () => {
    const authorization = 'Bearer canary-of-the-receiver';
    const app = await call<App>('POST', '/apps', 201, {
      name: 'Push',
      events: { delivery: { method: 'push', url: receiver.url, authorization } },
    });
    assert.equal(app.events?.delivery?.authorizationSet, true);
    assert.deepEqual(app.events?.audience, [`urn:uuid:${app.id}`]);
    const url = `${receiver.url}/other`;
    const same = await call<App>('PATCH', `/apps/${app.id}`, 200, { events: { payload: 'full' } });
    assert.equal(same.events?.delivery?.authorizationSet, true);
    const other = await call<App>('PATCH', `/apps/${app.id}`, 200, { events: { delivery: { method: 'push', url } } });
    assert.equal(other.events?.delivery?.authorizationSet, false);
    await call<App>('PATCH', `/apps/${app.id}`, 200, { events: { delivery: { method: 'push', url, authorization } } });
    assert.equal(JSON.stringify(await call('GET', '/audit', 200)).includes('canary-of-the-receiver'), false);
  });

  it('says in ServiceProviderConfig what it can', async () => {
    const { body } = await api.call<{ securityEvents: { asyncRequest: string; eventUris: string[] } }>(
      'GET',
      '/scim/v2/ServiceProviderConfig',
    );
    assert.equal(body.securityEvents.asyncRequest, 'none');
    assert.ok(body.securityEvents.eventUris.includes('urn:ietf:params:scim:event:prov:deactivate'));
  });
});
