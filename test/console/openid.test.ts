// Sign-in at a real OpenID provider, in a real browser.
import assert from 'node:assert/strict';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { compose } from '#compose';
import { makeServer } from '#http/server.ts';
import { readConfig } from '#platform/config.ts';
import { makeLog } from '#platform/log.ts';
import { chromiumMissing, openBrowser, openConsole } from '../support/browser.ts';
import { ADMIN_TOKEN, freshStorage, makeApi, type TestGateway } from '../support/gateway.ts';
import { type OpenIdServer, startOpenIdServer } from '../support/openid-server.ts';

const SECRET_KEY = Buffer.alloc(32, 7).toString('base64');
const PEOPLE = { hana: ['Gateway.Admin'], jun: ['Gateway.Viewer', 'Something.Else'], nobody: [] };

describe('sign-in at an OpenID provider', { skip: chromiumMissing }, () => {
  let issuer: OpenIdServer;
  let api: TestGateway;
  let browser: Browser;

  before(async () => {
    let app: RequestListener = () => undefined;
    const server = makeServer((request, response) => app(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    issuer = await startOpenIdServer(PEOPLE, `${base}/api/v1/sign-in/oidc/callback`);
    const config = readConfig({
      ...(await freshStorage('embedded')),
      ADMIN_TOKEN,
      SECRET_KEY,
      CONSOLE_OIDC_ISSUER: issuer.issuer,
      CONSOLE_OIDC_CLIENT_ID: issuer.clientId,
      CONSOLE_OIDC_CLIENT_SECRET: issuer.clientSecret,
      CONSOLE_OIDC_TITLE: 'Contoso',
    });
    const gateway = await compose(config, makeLog('fatal'), () => base);
    app = gateway.app;
    api = {
      ...makeApi(base),
      async close() {
        server.close();
        server.closeAllConnections();
        await gateway.close();
      },
    };
    browser = await openBrowser();
  });
  after(async () => {
    await browser?.close();
    await api?.close();
    await issuer?.close();
  });

  async function signInAs(who: string, path = '/overview'): Promise<Page> {
    const { page } = await openConsole(browser, api);
    await page.goto(path);
    await page.getByRole('link', { name: 'Sign in with Contoso' }).click();
    await page.getByLabel('Who are you?').fill(who);
    await page.getByRole('button', { name: 'Go on' }).click();
    return page;
  }

  it('brings an administrator back to the page they came for', async () => {
    const page = await signInAs('hana', '/audit');
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
    await page.getByText('hana@contoso.example').filter({ visible: true }).first().waitFor();
    await page.context().close();
  });

  it('tells in the audit log who somebody is, by issuer and subject beside the name', async () => {
    const page = await signInAs('hana');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const { body } = await api.call<{ items: { actor: string; subject: string }[] }>(
      'GET',
      '/api/v1/audit?action=session.open&limit=1',
    );
    const subject = `${issuer.issuer}#hana`;
    assert.deepEqual(body.items, [{ ...body.items[0], actor: 'user:hana@contoso.example', subject }]);
    const actors = await api.call<{ items: object[] }>('GET', '/api/v1/actors');
    assert.deepEqual(actors.body.items.at(-1), {
      actor: 'user:hana@contoso.example',
      name: 'hana@contoso.example',
      subject,
    });
    await page.context().close();
  });

  it('takes nobody for newly signed in whom the provider did not ask again', async () => {
    const page = await signInAs('hana');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    const signedInAt = async () =>
      ((await (await page.request.get('/api/v1/session')).json()) as { signedInAt: string }).signedInAt;
    const first = await signedInAt();
    await page.goto('/api/v1/sign-in/oidc?return=/overview');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.equal(await signedInAt(), first);
    await page.context().close();
  });

  it('asks again before a late change of an administrator, in another tab, and then makes the change', async (test) => {
    const page = await signInAs('hana', '/settings?tab=retention');
    const days = page.getByLabel('The change log');
    await days.fill('400');
    test.mock.timers.enable({ apis: ['Date'], now: Date.now() + 16 * 60_000 });
    await page.getByRole('button', { name: 'Save' }).click();
    const again = page.getByRole('dialog', { name: 'Sign in again' });
    await again.waitFor();
    test.mock.timers.reset();
    const opened = page.context().waitForEvent('page');
    await again.getByRole('link', { name: 'Sign in with Contoso' }).click();
    const tab = await opened;
    await tab.getByLabel('Who are you?').fill('hana');
    await tab.getByRole('button', { name: 'Go on' }).click();
    await again.waitFor({ state: 'detached' });
    await page.getByText('Saved').waitFor();
    assert.equal(await days.inputValue(), '400');
    const { body } = await api.call<{ changes: number }>('GET', '/api/v1/retention');
    assert.equal(body.changes, 400);
    await page.context().close();
  });

  it('gives the strongest role that the provider names', async () => {
    const page = await signInAs('jun');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.getByRole('button', { name: /^Account/ }).click();
    await page.getByText('Viewer').waitFor();
    await page.context().close();
  });

  it('lets nobody in without a role, and says so', async () => {
    const page = await signInAs('nobody');
    await page.getByText('nobody has given you a role here').waitFor();
    assert.deepEqual(
      await page
        .context()
        .cookies(api.base)
        .then((all) => all.filter(({ name }) => name === 'sluice')),
      [],
    );
    await page.context().close();
  });

  it('takes no answer that it did not ask for', async () => {
    const response = await fetch(`${api.base}/api/v1/sign-in/oidc/callback?code=stolen&state=x`, {
      redirect: 'manual',
    });
    assert.equal(response.status, 302);
    assert.match(response.headers.get('location') ?? '', /^\/\?refused=sign-in-stale$/);
    assert.doesNotMatch(response.headers.get('set-cookie') ?? '', /sluice=/);
  });

  it('takes nothing for a sign-in that was sealed for another purpose', async () => {
    for (const userName of ['one', 'two']) await api.call('POST', '/api/v1/users', { userName });
    const { body } = await api.call<{ nextCursor: string }>('GET', '/scim/v2/Users?cursor&count=1');
    assert.ok(body.nextCursor);
    const response = await fetch(`${api.base}/api/v1/sign-in/oidc/callback?code=stolen`, {
      redirect: 'manual',
      headers: { cookie: `sluice-sign-in=${body.nextCursor}` },
    });
    assert.match(response.headers.get('location') ?? '', /^\/\?refused=sign-in-stale$/);
    const start = await fetch(`${api.base}/api/v1/sign-in/oidc`, { redirect: 'manual' });
    const kept = /sluice-sign-in=([^;]+)/.exec(start.headers.get('set-cookie') ?? '')?.[1] ?? '';
    const list = await api.call<{ scimType: string }>('GET', `/scim/v2/Users?cursor=${kept}&count=1`);
    assert.deepEqual([list.status, list.body.scimType], [400, 'invalidCursor']);
  });

  it('sends nobody to another site afterwards', async () => {
    const start = await fetch(`${api.base}/api/v1/sign-in/oidc?return=//evil.example/`, { redirect: 'manual' });
    assert.equal(start.status, 302);
    assert.match(
      start.headers.get('location') ?? '',
      new RegExp(`^${issuer.issuer}/auth\\?.*code_challenge_method=S256`),
    );
    const page = await signInAs('hana', '/?x=1');
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    assert.ok(page.url().startsWith(api.base));
    await page.context().close();
  });
});
