// The one stream: it ends now and then and comes back, it ends for good with the session, and what it left open may be over
// by the time that it is back. Streams that end are stood in for; everything else is the gateway's.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { makeTenant } from '#demo/tenant.ts';
import { chromiumMissing, signIn } from '../support/browser.ts';
import { connect, expectStatus, settingsFor, sync } from '../support/gateway.ts';
import { setStage } from './stage.ts';

const LOST = 'Connection to the gateway was lost';
const STREAM = '**/api/v1/events';
const HELLO = 'retry: 2000\nevent: hello\ndata: {}\n\n';

describe('what the stream leaves behind', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: 12, groups: 2, membersPerGroup: 3 });
  const stage = setStage({ tenant });
  let earlier = '';

  before(async () => {
    earlier = (await connect(stage.api, settingsFor(tenant, stage.graph))).id;
    await sync(stage.api);
  });

  /** With the stream open that comes with it: one that is stood in for is the next. */
  async function signedIn(page: Page, token?: string): Promise<void> {
    await Promise.all([page.waitForResponse(STREAM), signIn(page, token)]);
  }

  it('says nothing of a lost connection when a stream ends in its time and comes back', async () => {
    const { page } = await stage.openAnother();
    await page.route(STREAM, (route) => route.fulfill({ contentType: 'text/event-stream', body: HELLO }), { times: 1 });
    // A stream counts as lost when it is not back after six seconds, which a busy machine may need.
    await page.addInitScript(`
      const waiting = window.setTimeout.bind(window);
      window.setTimeout = (run, ms, ...given) => waiting(run, ms === 6000 ? 120000 : ms, ...given);
      new MutationObserver(() => {
        if (document.body?.innerText.includes('${LOST}')) globalThis.wasLost = true;
      }).observe(document, { subtree: true, childList: true });
    `);
    // The second stream is the gateway's own, and everything is read again with it.
    let streams = 0;
    page.on('response', (response) => {
      if (response.url().endsWith('/api/v1/events')) streams += 1;
    });
    const readAgain = page.waitForResponse((response) => streams === 2 && response.url().includes('/api/v1/overview'));
    await Promise.all([signIn(page), readAgain]);
    assert.equal(await page.evaluate(() => Reflect.get(globalThis, 'wasLost')), undefined);
    await page.context().close();
  });

  it('knows that a run is over which it last heard of under way', async () => {
    const { page } = await stage.openAnother();
    const { body: run } = await stage.api.call<object>('GET', `/api/v1/sync-runs/${earlier}`);
    const running = JSON.stringify({ ...run, status: 'running', finishedAt: null });
    const body = `${HELLO}event: run\ndata: ${running}\n\n`;
    await signedIn(page);
    // The next stream, which is the gateway's own, is not there before the page has shown what it heard.
    const seen = Promise.withResolvers<void>();
    await page.route(STREAM, (route) => seen.promise.then(() => route.continue()));
    await page.route(STREAM, (route) => route.fulfill({ contentType: 'text/event-stream', body }), { times: 1 });
    await page.goto('/inbound');
    await page.getByRole('button', { name: 'Running' }).waitFor();
    seen.resolve();
    await page.getByRole('button', { name: 'Run sync now' }).waitFor();
    await page.context().close();
  });

  it('asks to sign in again when the session is over, whether or not anything is pressed', async () => {
    const { page } = await stage.openAnother();
    const made = await expectStatus(
      stage.api.call<{ id: string; token: string }>('POST', '/api/v1/tokens', { name: 'passing', scopes: ['viewer'] }),
      201,
    );
    await signedIn(page, made.body.token);
    // No stream is open when the token goes: nothing that anybody is told of tells of it.
    await page.route(STREAM, (route) => route.fulfill({ contentType: 'text/event-stream', body: HELLO }), { times: 1 });
    await page.goto('/users');
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    await expectStatus(stage.api.call('DELETE', `/api/v1/tokens/${made.body.id}`), 204);
    const asked = page.getByRole('dialog', { name: 'Sign in again' });
    await asked.waitFor();
    assert.equal(await page.getByText(LOST).count(), 0);
    await page.context().close();
  });

  it('asks nobody for a token while the gateway does not say who is signed in, and goes on by itself', async () => {
    const { page } = await stage.openAnother();
    await signedIn(page);
    const body = { code: 'database-unreachable', detail: 'The database is away.' };
    await page.route('**/api/v1/session', (route) => route.fulfill({ status: 503, json: body }), { times: 1 });
    await page.goto('/users');
    await page.getByText('The database is away.').waitFor();
    assert.equal(await page.getByLabel('Admin token').count(), 0);
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    await page.context().close();
  });
});
