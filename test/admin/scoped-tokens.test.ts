// A token of an app that sees a part of the directory: what it does not see is not shown by another door either.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { checkedCall } from '../support/checked.ts';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

describe('a token of an app with a scope', () => {
  let api: TestGateway;
  const call = checkedCall(() => api);
  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
  });
  after(() => api?.close());

  it('has no use at the admin API, whatever role it was given, nor opens a session', async () => {
    const { id } = await call<{ id: string }>('POST', '/apps', 201, { name: 'all' });
    const { token } = await call<{ token: string }>('POST', `/apps/${id}/tokens`, 201, { scopes: ['viewer'] });
    await call('GET', '/users', 200, undefined, token);
    await call('PATCH', `/apps/${id}`, 200, { scope: { resourceTypes: ['Group'] } });
    const refused = await call<{ code: string }>('GET', '/users', 403, undefined, token);
    assert.equal(refused.code, 'token-of-scoped-app');
    const session = await fetch(`${api.base}/api/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-requested-with': 'console', 'sec-fetch-site': 'same-origin' },
      body: JSON.stringify({ token }),
    });
    assert.equal(session.status, 403);
  });
});
