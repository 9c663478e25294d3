// What somebody who works here all day stumbles over: what was typed and is lost, a sentence that says nothing, a window
// whose title is that of the page before, a search that only those who see can use.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { makeTenant } from '#demo/tenant.ts';
import { chromiumMissing } from '../support/browser.ts';
import { connect, expectStatus, settingsFor, sync } from '../support/gateway.ts';
import { setStage } from './stage.ts';

describe('manners of the console', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: 12, groups: 2, membersPerGroup: 3 });
  const stage = setStage({ tenant });

  before(async () => {
    await connect(stage.api, settingsFor(tenant, stage.graph));
  });

  it('asks before settings that are not saved are lost, also to another tab', async () => {
    const { page } = stage;
    await page.goto('/settings?tab=limits');
    const most = page.getByLabel('Never more removals at once than');
    await most.fill('40');
    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.message());
      void (asked.length < 3 ? dialog.dismiss() : dialog.accept());
    });
    await page.getByRole('tab', { name: 'Notifications' }).click();
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    assert.equal(await most.inputValue(), '40');
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    assert.deepEqual(asked, Array(3).fill('What you changed is not saved. Leave all the same?'));
    page.removeAllListeners('dialog');
  });

  it('says of a plan that changes nothing that it changes nothing', async () => {
    const { page } = stage;
    const run = await sync(stage.api, { preview: true });
    await page.goto('/overview');
    await page.getByText('It would change nothing. Confirm it, and the schedule can be turned on.').waitFor();
    await page.goto('/inbound');
    await page.getByRole('button', { name: 'Turn on…' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    // Not another preview beside the one that waits.
    await page.getByRole('dialog').getByRole('button', { name: 'Look at it' }).click();
    await page.getByRole('heading', { name: 'The preview found nothing to change' }).waitFor();
    await expectStatus(stage.api.call('POST', `/api/v1/plans/${run.planId}/reject`, {}), 200);
  });

  it('gives the window the title of what is there, also where nothing is, and the keyboard the new page', async () => {
    const { page } = stage;
    await page.goto('/overview');
    await page.getByRole('link', { name: 'Sync runs' }).click();
    await page.getByRole('heading', { level: 1, name: 'Sync runs' }).waitFor();
    await page.locator('#content:focus').waitFor();
    await page.goto('/runs/00000000-0000-4000-8000-000000000000');
    await page.getByRole('heading', { level: 1, name: 'This does not exist' }).waitFor();
    await page.waitForFunction(`document.title === 'This does not exist, or was deleted · Sluice'`);
  });

  it('says which hit is chosen to whoever does not see it, and takes no Enter that ends a Korean syllable', async () => {
    const { page } = stage;
    await page.goto('/overview');
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
    await page.keyboard.press('Control+k');
    const find = page.getByRole('combobox', { name: 'Pages, users, groups, runs, apps' });
    const chosen = () => page.getByRole('option', { selected: true });
    // What starts a run is never the first that Enter takes.
    assert.match(await chosen().innerText(), /^Overview/);
    await page.keyboard.press('ArrowUp');
    assert.equal(await find.getAttribute('aria-activedescendant'), await chosen().getAttribute('id'));
    await find.fill('settings');
    const key = `{ key: 'Enter', bubbles: true, isComposing: true }`;
    await find.evaluate(`(input) => input.dispatchEvent(new KeyboardEvent('keydown', ${key}))`);
    await stage.accessible();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor();
    assert.deepEqual(stage.problems, []);
  });

  it('has one set of tabs in another, each with ids of its own', async () => {
    const { page } = stage;
    await expectStatus(stage.api.call('PUT', '/api/v1/providers/scim', {}), 200);
    await page.goto('/inbound/scim/settings');
    await page.getByRole('tab', { name: 'Okta' }).click();
    await page.getByText('SCIM connector base URL').waitFor();
    const ids = await page.locator('[id]').evaluateAll((all) => all.map(({ id }) => id));
    assert.deepEqual(
      ids.filter((id, at) => ids.indexOf(id) !== at),
      [],
    );
    await page.getByRole('tab', { name: 'Okta' }).press('ArrowRight');
    assert.equal(await page.getByRole('tab', { name: 'Another one' }).getAttribute('aria-selected'), 'true');
  });

  it('finds who may be meant by a part of a name, and says of nobody that a run has looked at them', async () => {
    const { page } = stage;
    const { body } = await stage.api.call<{ items: { displayName: string; userName: string }[] }>(
      'GET',
      '/api/v1/users',
    );
    const { displayName = '', userName = '' } = body.items[0] ?? {};
    await page.goto(`/check?subject=${encodeURIComponent(userName.slice(0, -4))}`);
    await page.getByText('No read of the source ever showed it.').waitFor();
    assert.equal(await page.getByRole('heading', { name: 'Last run' }).count(), 0);
    await page.getByRole('button', { name: `${displayName} · ${userName}` }).click();
    await page.getByText('It is here and active.').waitFor();
  });

  it('gives up a count that nobody waits for any more, once another is asked for or the window is closed', async () => {
    const { page } = stage;
    const count = '**/api/v1/apps/scope/count';
    await page.route(count, () => undefined);
    const asked = () => page.waitForRequest(count);
    const givenUp = () =>
      page.waitForEvent('requestfailed', { predicate: (one) => one.url().endsWith('/scope/count') });
    await page.goto('/apps');
    const first = asked();
    await page.getByRole('button', { name: 'Add app' }).first().click();
    await first;
    const lost = givenUp();
    const second = asked();
    await page.getByRole('dialog').getByLabel('What it sees').selectOption('usersOnly');
    assert.equal(await lost, await first);
    await second;
    const left = givenUp();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    assert.equal(await left, await second);
    await page.unroute(count);
  });

  it('says at the fields of a push target, in words, what is missing, until it is there', async () => {
    const { page } = stage;
    const { body: app } = await stage.api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Wiki' });
    await page.goto(`/apps/${app.id}?tab=push`);
    await page.getByRole('button', { name: 'Save, and look at a dry run' }).click();
    await page.getByText('Enter a whole address, with https://', { exact: true }).waitFor();
    await page.getByText('Fill this in.').waitFor();
    assert.equal(await page.getByText('push.baseUrl').count(), 0);
    await page.getByLabel('Token').fill('secret');
    await page.getByText('Fill this in.').waitFor({ state: 'detached' });
    await page.getByText('Enter a whole address, with https://', { exact: true }).waitFor();
  });
});
