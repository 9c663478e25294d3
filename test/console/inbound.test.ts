// What the pages around a source say: groups page by page, types in words, what each step of a run did, who is gone by
// name, and the way out of settings that are not wanted any more.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { makeTenant, removeUser } from '#demo/tenant.ts';
import { chromiumMissing, signIn } from '../support/browser.ts';
import { connect, expectStatus, settingsFor, sync } from '../support/gateway.ts';
import { setStage } from './stage.ts';

/** As many as a list shows at first. */
const PAGE = 50;
const GROUPS = 130;

describe('pages around a source', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: 30, groups: GROUPS, membersPerGroup: 3 });
  const stage = setStage({ tenant });
  let runId = '';

  before(async () => {
    const groupTypes = ['security', 'mailEnabledSecurity', 'distribution', 'microsoft365'];
    const scope = { mailboxTypes: ['user', 'shared'], groupTypes };
    runId = (await connect(stage.api, settingsFor(tenant, stage.graph, { scope }))).id;
  });

  it('says what each step of a run did, and shows no number that means nothing', async () => {
    const { page } = stage;
    await page.goto(`/runs/${runId}?tab=details`);
    const steps = page.getByRole('table');
    await steps.getByText(/^Read [\d,]+ records$/).waitFor();
    await steps.getByText(/^To change: 30 users, \d+ groups, \d+ memberships$/).waitFor();
    await steps.getByText(/^Made [\d,]+ changes$/).waitFor();
    assert.equal(await steps.getByRole('cell', { name: '0', exact: true }).count(), 0);
  });

  it('goes through the groups of the source page by page and keeps what was picked on each', async () => {
    const { page } = stage;
    await page.goto('/inbound/microsoft365/settings?tab=scope');
    await page.getByLabel('Only designated groups').check();
    await page.getByRole('button', { name: 'Choose groups…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Choose the groups to sync' });
    const groups = dialog.getByRole('list').first().getByRole('checkbox');
    await dialog.getByText(`Showing ${PAGE}`).waitFor();
    assert.equal(await groups.count(), PAGE);
    await groups.first().check();
    await dialog.getByRole('button', { name: 'Show more' }).click();
    await dialog.getByText(`Showing ${2 * PAGE}`).waitFor();
    assert.ok(await groups.first().isChecked());
    await dialog.getByRole('button', { name: 'Show more' }).click();
    await groups.nth(GROUPS - 1).waitFor();
    assert.equal(await dialog.getByRole('button', { name: 'Show more' }).count(), 0);
    const names = await groups.evaluateAll((boxes) =>
      boxes.map((box) => box.parentElement?.querySelector('b')?.firstChild?.textContent ?? ''),
    );
    assert.equal(new Set(names).size, GROUPS);
    await groups.last().check();
    await dialog.getByText('2 picked').waitFor();
    await dialog.getByRole('searchbox', { name: 'Find a group' }).fill(String(names.at(-1)));
    await groups.nth(1).waitFor({ state: 'detached' });
    assert.ok(await groups.first().isChecked());
    await stage.accessible();
    await dialog.getByRole('button', { name: 'Take these' }).click();
    await page.getByText('2 picked').waitFor();
  });

  it('removes the settings of a source that is off, never of the active one', async () => {
    const { page } = stage;
    const path = '/api/v1/providers/csv';
    await expectStatus(stage.api.call('PUT', path, { source: { kind: 'upload' } }), 200);
    await page.goto('/inbound');
    await page.getByRole('button', { name: 'Remove settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Remove the settings of CSV upload?' });
    await stage.accessible();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    assert.equal((await stage.api.call('GET', path)).status, 200);
    await page.getByRole('button', { name: 'Remove settings' }).click();
    await dialog.getByRole('button', { name: 'Remove settings' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Remove settings' }).waitFor({ state: 'detached' });
    assert.equal((await stage.api.call('GET', path)).status, 404);
    await page.goto('/audit?action=provider');
    await page
      .getByRole('row', { name: /Removed the settings of a source/ })
      .getByText('CSV upload')
      .waitFor();
  });

  it('names in the audit log whoever was removed, and leads to what is still kept', async () => {
    const { page } = stage;
    const person = { userName: 'kim.left', displayName: 'Kim Left' };
    const { id } = (await expectStatus(stage.api.call<{ id: string }>('POST', '/api/v1/users', person), 201)).body;
    await expectStatus(stage.api.call('DELETE', `/api/v1/users/${id}`), 204);
    await page.goto('/audit?action=user');
    const row = page.getByRole('row', { name: /Removed a user by hand/ });
    await row.getByRole('link', { name: 'Kim Left' }).click();
    await page.getByRole('heading', { level: 1, name: 'Kim Left' }).waitFor();
  });

  it('says types of mailboxes and groups in words, in both languages', async () => {
    const { page } = stage;
    const somebody = tenant.users.values().find((user) => user['mail'] !== null && user['userType'] === 'Member');
    const { body } = await stage.api.call<{ items: { id: string }[] }>(
      'GET',
      `/api/v1/users?search=${somebody?.['id']}`,
    );
    await page.goto(`/check?subject=${body.items[0]?.id}`);
    await page.getByText('no mailbox, or one of these: of people, shared').waitFor();
    const korean = await stage.openAnother({ language: 'ko' });
    await signIn(korean.page);
    await korean.page.goto(`/check?subject=${body.items[0]?.id}`);
    await korean.page.getByText('사서함이 없거나 다음 중 하나: 사용자 사서함, 공유 사서함').waitFor();
    await korean.context.close();
    await page.goto(`/users/${body.items[0]?.id}`);
    await page.getByRole('row', { name: 'Mailbox A mailbox of a person' }).waitFor();
    assert.deepEqual(stage.problems, []);
  });
});

describe('a first sync as it was asked for', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: 12, groups: 2, membersPerGroup: 3 });
  const preview = '/inbound/microsoft365/setup?step=preview';
  const stage = setStage({ tenant });

  const path = '/api/v1/providers/microsoft365';
  const asking = (initialRun: string) =>
    expectStatus(stage.api.call('PUT', path, settingsFor(tenant, stage.graph, { initialRun })), 200);
  const here = async () =>
    (await stage.api.call<{ totalResults: number }>('GET', '/scim/v2/Users?count=0')).body.totalResults;

  it('starts from settings under a name, and from what is changed in them', async () => {
    const { page } = stage;
    await asking('preview');
    await page.goto('/inbound/microsoft365/setup?step=scope');
    await page.getByLabel('Start from').selectOption('Accounts that are suspended, never deleted');
    await page.getByText('groups in groups are not followed').waitFor();
    await page.getByRole('button', { name: 'Take these settings' }).click();
    await page.getByText('The settings are in the form').waitFor();
    await stage.accessible();
    await page.getByLabel('Groups with dynamic membership too').uncheck();
    const kept = page.waitForResponse((one) => one.request().method() === 'PUT' && one.url().endsWith('/draft'));
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Filter on users').waitFor();
    await kept;
    const { scope } = (await stage.api.call<{ scope: Record<string, unknown> }>('GET', path)).body;
    assert.deepEqual([scope['nestedGroups'], scope['dynamicMembership']], ['ignore', 'exclude']);
    await page.goto('/inbound/microsoft365/setup?step=schedule');
    await page.getByLabel('Run by itself').waitFor();
    assert.equal(await page.getByLabel('Run by itself').isChecked(), false);
    await expectStatus(stage.api.call('DELETE', `${path}/draft`), 204);
  });

  it('is previewed by one click where turning the source on starts nothing', async () => {
    const { page } = stage;
    await asking('manual');
    await page.goto(preview);
    await page.getByRole('button', { name: 'Make the preview' }).click();
    await page.getByText('This is what turning it on changes').waitFor();
    assert.equal(await here(), 0);
    await expectStatus(stage.api.call('POST', `${path}/deactivate`, {}), 200);
  });

  it('leaves alone the limits that somebody else has set since the set-up was opened', async () => {
    const { page } = stage;
    await asking('manual');
    await page.goto(preview);
    await page.getByRole('button', { name: 'Make the preview' }).waitFor();
    const { body: guard } = await stage.api.call<object>('GET', '/api/v1/guard');
    const protect = 'userName sw "breakglass"';
    await expectStatus(stage.api.call('PUT', '/api/v1/guard', { ...guard, protect }), 200);
    await page.getByRole('button', { name: 'Make the preview' }).click();
    await page.getByText('This is what turning it on changes').waitFor();
    assert.equal((await stage.api.call<{ protect: string }>('GET', '/api/v1/guard')).body.protect, protect);
    await expectStatus(stage.api.call('POST', `${path}/deactivate`, {}), 200);
  });

  it('keeps as a draft what was entered before somebody went elsewhere', async () => {
    const { page } = stage;
    await page.goto('/inbound/ldap/setup');
    await page.getByLabel('Server', { exact: true }).fill('dc1.example.com');
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    await page.getByText('Kept as a draft').waitFor();
    await page.getByRole('heading', { level: 1, name: 'Users' }).waitFor();
    await page.goto('/inbound/ldap/setup');
    await page.getByLabel('Server', { exact: true }).waitFor();
    assert.equal(await page.getByLabel('Server', { exact: true }).inputValue(), 'dc1.example.com');
    await expectStatus(stage.api.call('DELETE', '/api/v1/providers/ldap/draft'), 204);
  });

  it('says so before it is applied at once', async () => {
    const { page } = stage;
    await asking('auto');
    await page.goto(preview);
    await page.getByText('The first sync is applied at once').waitFor();
    await stage.accessible();
    await page.getByRole('button', { name: 'Turn on and sync' }).click();
    await page.getByText('Every day at').waitFor();
    await page.getByText('12 users').first().waitFor();
    assert.equal(await here(), 12);
    assert.deepEqual(stage.problems, []);
  });

  it('lets nobody be taken away from the set-up without their number', async () => {
    const { page } = stage;
    for (const id of [...tenant.users.keys()].slice(0, 6)) removeUser(tenant, id);
    const { body: guard } = await stage.api.call<object>('GET', '/api/v1/guard');
    await expectStatus(stage.api.call('PUT', '/api/v1/guard', { ...guard, minObjects: 0 }), 200);
    const held = await sync(stage.api);
    assert.equal(held.status, 'held');
    await page.goto(preview);
    await page.getByRole('button', { name: 'Turn on', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Type 6 to confirm').fill('6');
    await stage.accessible();
    const { body } = await stage.api.call<{ status: string }>('GET', `/api/v1/sync-runs/${held.id}`);
    assert.equal(body.status, 'held');
    // The stream tells of the run before the approval is answered.
    await page.route('**/approve', async (route) => {
      const answer = await route.fetch();
      await dialog.waitFor({ state: 'detached' });
      await route.fulfill({ response: answer });
    });
    await dialog.getByRole('button', { name: 'Disable 6 users' }).click();
    await page.getByRole('heading', { level: 1, name: 'Inbound provisioning' }).waitFor();
    assert.deepEqual(stage.problems, []);
  });
});
