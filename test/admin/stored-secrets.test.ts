// A stored secret stands in where new settings leave it out, but never for another destination: whoever may test a
// connection could have it sent to a server of their own.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { makeCertificate } from '../support/certificate.ts';
import { checkedCall, tokenWith } from '../support/checked.ts';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';

describe('a stored secret', () => {
  let api: TestGateway;
  const call = checkedCall(() => api);
  before(async () => {
    api = await startGateway(await freshStorage('embedded'));
  });
  after(() => api.close());

  const settings = (changes: object = {}) => ({
    preset: 'openldap',
    url: 'ldaps://127.0.0.1:1',
    bind: { dn: 'cn=sluice,dc=example,dc=com' },
    users: { base: 'dc=example,dc=com' },
    ...changes,
  });

  it('of a directory is kept for its own server alone', async () => {
    const first = settings({ bind: { dn: 'cn=sluice,dc=example,dc=com', password: 'secret' } });
    await call('PUT', '/providers/ldap', 200, first);
    const saved = await call<{ secretsSet: string[] }>('PUT', '/providers/ldap', 200, settings());
    assert.deepEqual(saved.secretsSet, ['bind.password']);
    const operator = await tokenWith(call, 'operator');
    await call('POST', '/providers/ldap/test', 200, settings(), operator);
    for (const changes of [{ url: 'ldaps://127.0.0.2:1' }, { tls: { serverName: 'other' } }]) {
      const refused = await call<{ detail: string }>('POST', '/providers/ldap/test', 400, settings(changes), operator);
      assert.match(refused.detail, /bind\.password/);
      await call('PUT', '/providers/ldap', 400, settings(changes));
    }
  });

  it('or a credential of their own is tried by an operator at no other place than the saved one', async () => {
    const operator = await tokenWith(call, 'operator', 'scim:read');
    const own = (changes: object = {}) => settings({ bind: { dn: 'cn=me', password: 'mine' }, ...changes });
    await call('POST', '/providers/ldap/test', 200, own(), operator);
    const elsewhere = own({ url: 'ldaps://127.0.0.2:1' });
    for (const path of ['/providers/ldap/test', '/providers/ldap/scope/try']) {
      const refused = await call<{ code: string }>('POST', path, 403, elsewhere, operator);
      assert.equal(refused.code, 'destination-not-saved', path);
    }
    await call('POST', '/providers/ldap/test', 200, elsewhere);
    // What leads to no host may be tried before anything is saved.
    await call('POST', '/providers/csv/test', 200, { source: { kind: 'upload' } }, operator);
    const url = { source: { kind: 'url', users: 'https://hr.example.com/a.csv' } };
    const refused = await call<{ code: string }>('POST', '/providers/csv/test', 403, url, operator);
    assert.equal(refused.code, 'destination-not-saved');

    const push = (host: string, token?: string) => ({
      baseUrl: `https://${host}/scim`,
      auth: { kind: 'bearer', ...(token === undefined ? {} : { token }) },
    });
    const app = await call<{ id: string }>('POST', '/apps', 201, {
      name: 'Wiki',
      push: push('wiki.invalid', 'secret'),
    });
    const path = `/apps/${app.id}/push/test`;
    await call('POST', path, 200, push('wiki.invalid'), operator);
    const away = await call<{ code: string }>('POST', path, 403, push('other.invalid', 'mine'), operator);
    assert.equal(away.code, 'destination-not-saved');
    await call('POST', path, 200, push('other.invalid', 'mine'));
    // By another authority the same address may be somebody else.
    const { cert: certificate, key } = await makeCertificate();
    const trusting = { ...push('wiki.invalid'), tls: { certificate, key, ca: certificate } };
    assert.equal((await call<{ code: string }>('POST', path, 403, trusting, operator)).code, 'destination-not-saved');
    await call('POST', path, 200, trusting);
  });

  it('of a tenant is kept for that tenant, in its cloud and at its hosts, alone', async () => {
    const hosts = { graph: 'https://graph.example.com', login: 'https://login.example.com' };
    const tenant = (changes: object = {}, credential: object = {}) => ({
      tenantId: 'contoso.example',
      clientId: 'app',
      credential: { kind: 'clientSecret', ...credential },
      endpoints: hosts,
      ...changes,
    });
    await call('PUT', '/providers/microsoft365', 200, tenant({}, { secret: 'secret' }));
    const kept = tenant({ clientId: 'renamed', tenantId: 'Contoso.example' });
    const saved = await call<{ secretsSet: string[] }>('PUT', '/providers/microsoft365', 200, kept);
    assert.deepEqual(saved.secretsSet, ['credential.secret']);
    const operator = await tokenWith(call, 'operator', 'viewer');
    for (const changes of [
      { endpoints: { ...hosts, login: 'https://evil.example.com' } },
      { endpoints: { ...hosts, graph: 'https://evil.example.com' } },
      { endpoints: undefined },
      { cloud: 'china' },
      { tenantId: 'fabrikam.example' },
    ]) {
      const path = '/providers/microsoft365/test';
      const refused = await call<{ detail: string }>('POST', path, 400, tenant(changes), operator);
      assert.match(refused.detail, /credential\.secret/);
      await call('PUT', '/providers/microsoft365', 400, tenant(changes));
    }
  });

  it('of the machine itself is led nowhere by an operator but where an administrator has it', async () => {
    const endpoints = { graph: 'https://127.0.0.1:1', login: 'https://127.0.0.1:1' };
    const ambient = (changes: object = {}) => ({
      tenantId: 'contoso.example',
      clientId: 'app',
      credential: { kind: 'federated', tokenFile: '/nowhere/token' },
      endpoints,
      ...changes,
    });
    await call('PUT', '/providers/microsoft365', 200, ambient());
    const operator = await tokenWith(call, 'viewer', 'operator');
    const path = '/providers/microsoft365/test';
    await call('POST', path, 200, ambient(), operator);
    for (const changes of [
      { endpoints: { ...endpoints, login: 'https://127.0.0.2:1' } },
      { credential: { kind: 'federated', tokenFile: '/another/token' } },
      { credential: { kind: 'managedIdentity' } },
    ]) {
      const refused = await call<{ code: string }>('POST', path, 403, ambient(changes), operator);
      assert.equal(refused.code, 'ambient-credential');
    }
    await call('POST', path, 200, ambient({ credential: { kind: 'federated', tokenFile: '/another/token' } }));
  });

  it('of a URL is kept for its own host alone', async () => {
    const source = (users: string, more: object = {}) => ({ source: { kind: 'url', users, ...more } });
    await call(
      'PUT',
      '/providers/csv',
      200,
      source('https://hr.example.com/a.csv', { authorization: 'Bearer secret' }),
    );
    const kept = await call<{ secretsSet: string[] }>(
      'PUT',
      '/providers/csv',
      200,
      source('https://hr.example.com/b.csv'),
    );
    assert.deepEqual(kept.secretsSet, ['source.authorization']);
    const lost = await call<{ secretsSet: string[] }>(
      'PUT',
      '/providers/csv',
      200,
      source('https://other.example.com/'),
    );
    assert.deepEqual(lost.secretsSet, []);
  });

  it('goes to a place that the audit log names, without a path or a user of its URL', async () => {
    const token = 'canary-token';
    const push = {
      baseUrl: 'https://push.example.com/canary-path',
      auth: { kind: 'oauth', clientId: 'c', clientSecret: token, tokenUrl: 'https://login.example.com/t' },
    };
    const webhook = { url: 'https://hook.example.com:8443/canary-path?key=canary' };
    const events = { delivery: { method: 'push', url: 'https://set.example.com/', authorization: `Bearer ${token}` } };
    const app = await call<{ id: string }>('POST', '/apps', 201, { name: 'Places', push, webhook, events });
    const moved = { ...push, baseUrl: 'https://moved.example.com/' };
    await call('PATCH', `/apps/${app.id}`, 200, { push: moved });
    await call('PATCH', `/apps/${app.id}`, 200, { name: 'Renamed' });
    const email = {
      on: 'failure',
      host: 'smtp.example.com',
      port: 587,
      security: 'starttls',
      from: 'a@example.com',
      to: ['a@example.com'],
    };
    const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
    const report = { on: 'failure', url: 'https://report.example.com/canary-path', secret };
    await call('PUT', '/notifications', 200, { email, webhook: report });
    const draft = { url: 'ldaps://ldap.example.com:1636', bind: { dn: 'cn=x', password: token } };
    await call('PUT', '/providers/ldap/draft', 200, { step: 'connect', settings: draft });
    await call('PUT', '/providers/ldap', 200, settings({ bind: { dn: 'cn=x', password: token } }));
    const { items } = await call<{ items: { action: string; detail: { hosts?: string[] } }[] }>('GET', '/audit', 200);
    assert.deepEqual(
      items.slice(0, 6).map(({ action, detail }) => [action, detail.hosts]),
      [
        ['provider.configure', ['127.0.0.1:1']],
        ['draft.save', ['ldap.example.com:1636']],
        ['notifications.change', ['smtp.example.com:587', 'report.example.com']],
        ['app.change', undefined],
        ['app.change', ['login.example.com', 'moved.example.com']],
        ['app.create', ['hook.example.com:8443', 'login.example.com', 'push.example.com', 'set.example.com']],
      ],
    );
    assert.doesNotMatch(JSON.stringify(items), /canary/);
  });
});
