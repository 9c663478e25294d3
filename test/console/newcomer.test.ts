// Somebody who has never seen the console: connects a tenant, previews, turns on the daily sync, adds an app. Every click
// counts.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Locator } from 'playwright-core';
import { makeTenant } from '#demo/tenant.ts';
import { chromiumMissing } from '../support/browser.ts';
import { setStage } from './stage.ts';

const USERS = 40;
const CLICKS_MAX = 9;

describe('the way of a newcomer', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: USERS, groups: 4, membersPerGroup: 5 });
  const stage = setStage({ tenant });
  let clicks = 0;

  async function click(what: Locator): Promise<void> {
    clicks += 1;
    await what.click();
  }
  const button = (name: string): Locator => stage.page.getByRole('button', { name, exact: true });

  it('goes to Microsoft for consent and finds everything entered when it comes back', async () => {
    const { page } = stage;
    await page.goto('/overview');
    await click(page.getByRole('link', { name: /Set up a source/ }));
    await page.getByLabel('Tenant', { exact: true }).fill(tenant.id);
    await page.getByLabel('Application (client) id').fill(String(stage.graph.application.clientId));
    await page.getByLabel('Client secret').last().fill(String(stage.graph.application.secret));
    await click(page.getByLabel('Addresses of its own'));
    await page.getByLabel('Graph', { exact: true }).fill(stage.graph.origin);
    await page.getByLabel('Sign-in', { exact: true }).fill(stage.graph.origin);
    await click(button('Approve in Microsoft…'));
    await page.getByText('The permissions are approved').waitFor();
    assert.equal(await page.getByLabel('Tenant', { exact: true }).inputValue(), tenant.id);
    await page.getByText('One is saved. Leave this empty to keep it.').waitFor();
    await stage.accessible();
  });

  it('skips to the preview, which begins by itself, and turns the daily sync on', async () => {
    const { page } = stage;
    await click(button('Skip to the preview'));
    await page.getByText('This is what turning it on changes').waitFor();
    await page.getByText('Dynamic distribution lists are not among them').waitFor();
    assert.match(await page.getByRole('button', { name: /Create/ }).innerText(), new RegExp(`${USERS} users`));
    await stage.accessible();
    await click(button('Turn on'));
    await page.getByText('Every day at').waitFor();
  });

  it('is led on to the first app, and has its token', async () => {
    const { page } = stage;
    await click(page.getByRole('link', { name: 'Add an app' }));
    await page.getByLabel('Name').fill('HR portal');
    await click(page.getByRole('dialog').getByRole('button', { name: 'Add app' }));
    await click(page.getByRole('dialog').getByRole('button', { name: 'Make a token' }));
    const token = await page.getByRole('dialog').locator('code').innerText();
    await click(button('I have saved it'));
    const served = await stage.api.call<{ totalResults: number }>('GET', '/scim/v2/Users?count=0', undefined, token);
    assert.ok(served.body.totalResults > 0);
    assert.ok(clicks <= CLICKS_MAX, `${clicks} clicks`);
  });

  it('names managers, narrows runs by who began them, and has a schedule among the settings', async () => {
    const { page } = stage;
    const { body } = await stage.api.call<{ items: { id: string; displayName: string }[] }>(
      'GET',
      '/api/v1/users?limit=100',
    );
    let boss = '';
    for (const { id } of body.items) {
      const user = await stage.api.call<Record<string, { manager?: { value: string } }>>('GET', `/api/v1/users/${id}`);
      boss = user.body['urn:ietf:params:scim:schemas:extension:enterprise:2.0:User']?.manager?.value ?? '';
      if (boss === '') continue;
      await page.goto(`/users/${id}`);
      break;
    }
    const name = String(body.items.find(({ id }) => id === boss)?.displayName);
    await page
      .getByRole('row', { name: /^Manager/ })
      .getByRole('link', { name })
      .click();
    await page.getByRole('heading', { level: 1, name }).waitFor();
    await page.goto('/runs');
    await page.getByRole('link', { name: '1', exact: true }).waitFor();
    await page.getByLabel('Who started it').selectOption('retention');
    await page.getByText('No run matches').waitFor();
    await page.goto('/inbound/microsoft365/settings?tab=schedule');
    await page.getByText('Every day at').waitFor();
    await page.getByText('Hold large changes').waitFor();
    await stage.accessible();
    await page.goto('/inbound/nothing/setup');
    await page.getByRole('heading', { level: 1, name: 'There is no such source' }).waitFor();
    assert.deepEqual(stage.problems, []);
  });
});
