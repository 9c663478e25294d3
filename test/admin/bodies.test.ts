// What a request says and we do not understand is refused: passed over, something else would be done.
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { checkedCall } from '../support/checked.ts';
import { ADMIN_TOKEN, freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

const WEBHOOK = { url: 'https://hooks.example.com/sluice', secret: `whsec_${Buffer.alloc(32, 5).toString('base64')}` };

describe('a request that is not understood', () => {
  let api: TestGateway;
  const call = checkedCall(() => api);
  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
    await call('PUT', '/notifications', 200, { webhook: WEBHOOK });
  });
  after(() => api?.close());

  async function send(method: string, path: string, type: string | undefined, body: string) {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(type === undefined ? {} : { 'content-type': type }) };
    // As bytes, of which nobody guesses the type.
    const answer = await fetch(`${api.base}/api/v1${path}`, { method, headers, body: Buffer.from(body) });
    return { status: answer.status, body: (await answer.json()) as { code: string; remedy: string } };
  }
  const hook = async () => (await call<{ webhook: { url: string } | null }>('GET', '/notifications', 200)).webhook?.url;

  it('for the type of its body is refused, and nothing is done as if it had none', async () => {
    const settings = JSON.stringify({ webhook: { ...WEBHOOK, url: 'https://hooks.example.com/other' } });
    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'application/jsonp'])
      for (const [method, path] of [
        ['PUT', '/notifications'],
        ['POST', '/sync-runs'],
        ['POST', '/apps'],
        ['PATCH', '/apps/11111111-1111-4111-8111-111111111111'],
      ] as const) {
        const { status, body } = await send(method, path, type, settings);
        assert.deepEqual([status, body.code], [415, 'unsupported-media-type'], `${method} ${path} ${type}`);
        assert.match(body.remedy, /application\/json/);
      }
    assert.equal(await hook(), WEBHOOK.url);
    for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/problem+json', undefined])
      assert.equal((await send('PUT', '/notifications', type, settings)).status, 200, type);
    assert.match((await hook()) ?? '', /other$/);
  });

  it('also when nobody says how long it is', async () => {
    const status = await new Promise((resolve, reject) => {
      const asked = httpRequest(`${api.base}/api/v1/sync-runs`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${ADMIN_TOKEN}`,
          'transfer-encoding': 'chunked',
          'content-type': 'text/plain',
        },
      });
      asked.once('response', (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.once('error', reject);
      asked.end('{"preview":true}');
    });
    assert.equal(status, 415);
  });

  it('has no body where settings are to be replaced: those that there are stay', async () => {
    for (const path of ['/notifications', '/guard', '/retention', '/directory', '/costs/budget'])
      await call('PUT', path, 400);
    assert.notEqual(await hook(), undefined);
    await call('POST', '/signing-keys/rotate', 200);
  });

  it('for a parameter is refused, also where something is changed', async () => {
    const { id } = await call<{ id: string }>('POST', '/apps', 201, { name: 'CRM' });
    for (const [method, path] of [
      ['POST', '/sync-runs?preview=true'],
      ['PATCH', `/apps/${id}?removal=0`],
      ['DELETE', `/apps/${id}?dryRun=true`],
      ['PUT', '/guard?if=unchanged'],
    ] as const) {
      const { status, body } = await api.call<{ code: string }>(method, `/api/v1${path}`, {});
      assert.deepEqual([status, body.code], [400, 'unknown-parameter'], `${method} ${path}`);
    }
    await call('PATCH', `/apps/${id}?removals=0`, 200, { name: 'CRM 2' });
  });
});
