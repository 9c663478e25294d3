// The other sources in a real browser: a directory server, a file, an identity provider that writes; and from one to
// another.
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { makeTenant } from '#demo/tenant.ts';
import { chromiumMissing } from '../support/browser.ts';
import { connect, settingsFor } from '../support/gateway.ts';
import { ADMIN_DN, ADMIN_PASSWORD, type Slapd, SUFFIX, slapdMissing, startSlapd } from '../support/slapd.ts';
import { setStage } from './stage.ts';

const USERS = 30;

describe('sources in the console', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: USERS, groups: 4, membersPerGroup: 5 });
  const stage = setStage({ tenant });

  before(async () => {
    await connect(stage.api, settingsFor(tenant, stage.graph));
  });

  const step = (name: string) => stage.page.getByRole('button', { name, exact: true }).click();

  it('counts while a filter is typed, and lets it be saved only by who has seen who would leave', async () => {
    const { page } = stage;
    await page.goto('/inbound/microsoft365/settings?tab=filters');
    await page.getByText(/^\d+ of \d+ users come in$/).waitFor();
    await page.getByLabel('Filter on users').fill("memberOf eq 'All staff'");
    await page.getByText('This filter asks by "memberOf" who is in a group.').waitFor();
    assert.equal(await page.getByText(/users come in$/).count(), 0);
    await page.getByLabel('Filter on users').fill("department eq 'memberOf'");
    await page.getByText(`0 of ${USERS} users come in`).waitFor();
    await page.getByLabel('Filter on users').fill("department eq 'Nowhere'");
    await page.getByText(`0 of ${USERS} users come in`).waitFor();
    await page.getByText(/^\d+ users would leave$/).waitFor();
    await step('Save');
    await page.getByRole('dialog').getByText('Users who would leave').waitFor();
    await step('Save all the same');
    await page.getByText('Version 2.').waitFor();
  });

  it('picks groups from a tree, which says what comes along and who would leave', async () => {
    const { page } = stage;
    const [top, members] = [...tenant.members].find(([, ids]) => [...ids].some((id) => tenant.groups.has(id))) ?? [];
    const [below] = [...(members ?? [])].filter((id) => tenant.groups.has(id));
    const nameOf = (id = ''): string => String(tenant.groups.get(id)?.['displayName']);
    await page.goto('/inbound/microsoft365/settings?tab=scope');
    await page.getByLabel('Only designated groups').check();
    const readings: string[] = [];
    page.on('request', (request) => readings.push(...(/\/source\/groups.*/.exec(request.url()) ?? [])));
    await step('Choose groups…');
    const dialog = page.getByRole('dialog', { name: 'Choose the groups to sync' });
    await dialog.getByRole('button', { name: `Subgroups of ${nameOf(top)}` }).click();
    const subgroups = dialog.getByRole('list', { name: `Subgroups of ${nameOf(top)}` });
    const along = subgroups.getByRole('checkbox', { name: nameOf(below) });
    assert.equal(await along.isChecked(), false);
    await dialog.getByRole('checkbox', { name: nameOf(top) }).check();
    await subgroups.getByText('comes with its parent').first().waitFor();
    assert.deepEqual([await along.isChecked(), await along.isDisabled()], [true, true]);
    await dialog.getByText(/^\d+ users would leave$/).waitFor();
    await dialog.getByRole('button', { name: `Members of ${nameOf(top)}` }).click();
    await dialog.getByText(/^\d+ users? in all, \d+ subgroups?$/).waitFor();
    await stage.accessible();
    assert.deepEqual(readings, [...new Set(readings)], 'a count reads nothing of the source again');
    await page.keyboard.press('Escape');
    await page.getByLabel('Everybody in the tenant').check();
  });

  it('goes back to an earlier version, which becomes a new one', async () => {
    const { page } = stage;
    await page.getByRole('tab', { name: 'Versions' }).click();
    await page.getByText("department eq 'Nowhere'").waitFor();
    await step('Go back to 1');
    await step('Save');
    await page.getByText('Version 3.').waitFor();
    const { body } = await stage.api.call<{ scope: { filter: string } }>('GET', '/api/v1/providers/microsoft365');
    assert.equal(body.scope.filter, '');
    await page.goto('/runs');
    await page.getByText(/saved version 2 of Microsoft 365/).waitFor();
  });

  it('places people by rules in their order, each counted while it is written, with every move by the keyboard', async () => {
    const { page } = stage;
    await page.goto('/inbound/microsoft365/settings?tab=destination');
    for (const [n, department] of ['Design', 'Finance'].entries()) {
      await step('Add a rule');
      const rule = page.getByRole('list', { name: 'Rules' }).getByRole('listitem').nth(n);
      await page.keyboard.type(`department eq '${department}'`);
      await rule.getByText(new RegExp(`^\\d+ of ${USERS} users fit$`)).waitFor();
      await rule.getByLabel('Group here').fill(department);
    }
    const first = page.getByLabel('Group here').first();
    await page.getByLabel('Whom it fits').first().click();
    await page.getByText(new RegExp(`^\\d+ of ${USERS} users fit$`)).waitFor();
    await step('Move rule 2 up');
    assert.equal(await first.inputValue(), 'Finance', 'the first press of a button below counts');
    await page.getByRole('button', { name: 'Move rule 1 down' }).press('Enter');
    assert.equal(await first.inputValue(), 'Design');
    await page.getByRole('button', { name: 'Move rule 2 up' }).press('Enter');
    assert.equal(await first.inputValue(), 'Finance');
    assert.equal(await page.locator(':focus').getAttribute('aria-label'), 'Move rule 1 up');
    await first.fill('');
    await stage.accessible();
    await step('Save');
    const wrong = page.getByText('expected the display name of a group', { exact: true });
    await wrong.waitFor();
    await page.getByRole('button', { name: 'Move rule 1 down' }).press('Enter');
    await wrong.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Move rule 2 up' }).press('Enter');
    await step('Add a rule');
    await page.keyboard.type("memberOf eq 'All staff'");
    await page.getByText('This filter asks by "memberOf" who is in a group.').waitFor();
    await page.getByRole('button', { name: 'Move rule 3 up' }).press('Enter');
    await page.getByRole('button', { name: 'Remove rule 2' }).press('Enter');
    assert.equal(await page.locator(':focus').getAttribute('aria-label'), 'Remove rule 2');
    await step('Add a rule');
    await page.getByRole('button', { name: 'Remove rule 3' }).press('Enter');
    assert.equal(await page.locator(':focus').textContent(), 'Add a rule');
    await first.fill('Money');
    await page.getByLabel('Group for everybody else').fill('Staff');
    await page.getByRole('tab', { name: 'Change notices' }).click();
    await page.getByLabel('Try again after so many minutes').fill('30');
    await step('Save');
    await page.getByText('Version 4.').waitFor();
    await page.getByRole('tab', { name: 'Versions' }).click();
    for (const name of ['Rules for groups here', 'Group for everybody else', 'Try again after so many minutes'])
      await page.getByRole('listitem').filter({ hasText: name }).waitFor();
    const { body } = await stage.api.call<Record<string, unknown>>('GET', '/api/v1/providers/microsoft365');
    assert.deepEqual(body['notifications'], { enabled: true, sweepMinutes: 30 });
    assert.deepEqual(body['destination'], {
      rules: [
        { filter: "department eq 'Finance'", destinationGroup: 'Money' },
        { filter: "department eq 'Design'", destinationGroup: 'Design' },
      ],
      match: 'first',
      default: 'Staff',
    });
  });

  it('says how deep subgroups are followed, what somebody new is compared by, and what the first sync does', async () => {
    const { page } = stage;
    const settings = async () =>
      (await stage.api.call<Record<string, unknown>>('GET', '/api/v1/providers/microsoft365')).body;
    await page.goto('/inbound/microsoft365/settings?tab=scope');
    await page.getByLabel('Levels of subgroups').waitFor({ state: 'detached' });
    await page.getByLabel('Subgroups', { exact: true }).selectOption('flatten');
    await page.getByLabel('Levels of subgroups').fill('101');
    await step('Save');
    await page
      .getByText(/must be at most 100/)
      .first()
      .waitFor();
    await page.getByLabel('Levels of subgroups').fill('2');
    await page.getByRole('tab', { name: 'Accounts' }).click();
    const order = page.getByRole('group', { name: 'Compared by, from the top' });
    await order.getByRole('checkbox', { name: 'Employee number' }).check();
    await order.getByRole('checkbox', { name: 'Source id' }).uncheck();
    await order.getByRole('button', { name: 'Compare Employee number earlier' }).press('Enter');
    assert.equal(await page.locator(':focus').getAttribute('aria-label'), 'Compare Employee number earlier');
    await page.getByLabel('Ask me').check();
    await stage.accessible();
    await page.getByRole('tab', { name: 'Schedule and limits' }).click();
    await page.getByLabel('Wait for me to start it').check();
    await stage.accessible();
    assert.equal(
      await page.getByRole('tabpanel').getByRole('button', { name: 'Save' }).getAttribute('aria-disabled'),
      'true',
    );
    await page.getByRole('status').getByRole('button', { name: 'Save', exact: true }).click();
    await step('Save all the same');
    await page.getByText('Version 5.').waitFor();
    const saved = await settings();
    assert.equal((saved['scope'] as { maxDepth: number }).maxDepth, 2);
    assert.deepEqual(saved['matching'], ['anchors', 'userName', 'employeeNumber', 'emails']);
    assert.equal(saved['adoptManual'], 'ask');
    assert.equal(saved['initialRun'], 'manual');
    await page.getByRole('tab', { name: 'Versions' }).click();
    await page.getByText('Id in your own directory, User name, Employee number, Mail address').waitFor();
    await page.getByText('Wait until somebody starts it').waitFor();
  });

  it('lets who picked groups go back to everybody', async () => {
    const { page } = stage;
    await page.goto('/inbound/microsoft365/settings?tab=scope');
    await page.getByLabel('Only designated groups').check();
    await step('Choose groups…');
    await page.getByRole('dialog').getByRole('checkbox').first().check();
    await step('Take these');
    await page.getByText('1 picked').waitFor();
    await page.getByLabel('Everybody in the tenant').check();
    await page.getByLabel('Levels of subgroups').fill('');
    await step('Save');
    await step('Save all the same');
    await page.getByText('Version 6.').waitFor();
  });

  it('takes a file, shows what its columns mean and what the first rows become', async () => {
    const { page } = stage;
    const somebody = [...tenant.users.values()].find((user) => user['userPrincipalName'] !== undefined);
    const name = String(somebody?.['userPrincipalName']);
    await page.goto('/inbound/csv/setup');
    await page.getByLabel('File of users').setInputFiles({
      name: 'people.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(`Nr,Login,Full name,Rang\n1,${name},Somebody Known,Lead\n2,new@example.com,Somebody New,\n`),
    });
    await step('Upload');
    await page.getByText('people.csv').waitFor();
    await step('Next');
    await page.getByLabel('Column that never changes for a person').selectOption('Nr');
    await page.getByLabel('What Rang means').selectOption('title');
    await page.getByRole('table', { name: 'people.csv' }).getByText('new@example.com').last().waitFor();
    for (const _step of ['filters', 'accounts', 'schedule', 'preview']) await step('Next');
    await page.getByText('Microsoft 365 is active now').waitFor();
  });

  it('switches to it only by the plan that was shown and the number that was typed, and keeps ids', async () => {
    const { page } = stage;
    const before = await stage.api.call<{ items: { id: string; userName: string }[] }>(
      'GET',
      '/api/v1/users?limit=500',
    );
    await step('Switch to CSV upload…');
    const dialog = page.getByRole('dialog', { name: 'Make CSV upload the active source?' });
    await dialog.getByLabel('Disable the users, remove the groups').check();
    await step('Show what would change');
    const users = (name: string) =>
      dialog
        .getByRole('row', { name: new RegExp(`^${name}`) })
        .getByRole('cell')
        .nth(1);
    await users('Linked').waitFor();
    assert.equal(await users('Linked').textContent(), '1');
    assert.equal(await users('New').textContent(), '1');
    const confirm = dialog.getByRole('button', { name: 'Switch to CSV upload' });
    assert.equal(await confirm.getAttribute('aria-disabled'), 'true');
    const field = dialog.getByLabel(/^Type \d+ to confirm/);
    const { body: impact } = await stage.api.call<Record<'users' | 'groups', { deactivated: number; deleted: number }>>(
      'GET',
      '/api/v1/providers/csv/impact',
    );
    const word = String(impact.users.deactivated);
    const said = (await dialog.textContent()) ?? '';
    assert.match(said, new RegExp(`Type ${word} to confirm`));
    assert.match(said, new RegExp(`Disabled: ${word} users; removed: ${impact.groups.deleted} groups`));
    await field.fill('7');
    assert.equal(await confirm.getAttribute('aria-disabled'), 'true');
    await field.fill(word);
    await dialog.getByLabel('Why, for the audit log').fill('the file is the source now');
    await confirm.click();
    await page.locator('h1 + *').getByText('Succeeded').waitFor();
    const cards = await stage.api.call<{ items: { kind: string; active: boolean }[] }>('GET', '/api/v1/providers');
    assert.deepEqual(
      cards.body.items.flatMap(({ kind, active }) => (active ? [kind] : [])),
      ['csv'],
    );
    // What was entered in the set-up holds: it runs by itself now, and nothing of the set-up is left to go on with.
    const { body: schedule } = await stage.api.call<{ enabled: boolean }>('GET', '/api/v1/schedule');
    assert.equal(schedule.enabled, true);
    assert.equal((await stage.api.call('GET', '/api/v1/providers/csv/draft')).status, 404);
    const known = new Set(before.body.items.map(({ id }) => id));
    const now = await stage.api.call<{ items: { id: string; active: boolean }[] }>('GET', '/api/v1/users?limit=500');
    const active = now.body.items.filter((user) => user.active);
    assert.equal(active.length, 2);
    assert.equal(active.filter(({ id }) => known.has(id)).length, 1);
  });

  it('gives an identity provider its address and token, and shows its first write without a reload', async () => {
    const { page } = stage;
    await page.goto('/inbound/scim/setup');
    await page.getByText(`${stage.api.base}/scim/v2`, { exact: true }).waitFor();
    await step('Make a token');
    const token = (await page.getByRole('dialog').locator('code').textContent()) ?? '';
    await step('I have saved it');
    assert.equal(await page.getByText(token).count(), 0);
    await page.getByRole('tab', { name: 'Okta' }).click();
    await page.getByText('Push New Users').waitFor();
    for (const _step of ['filters', 'accounts', 'limits', 'turn on']) await step('Next');
    await step('Switch to Inbound SCIM…');
    await step('Show what would change');
    await page.getByLabel('Type Inbound SCIM to confirm').fill('inbound scim');
    await page.getByRole('button', { name: 'Switch to Inbound SCIM', exact: true }).click();
    await page.locator('h1 + *').getByText('Succeeded').waitFor();
    await page.goto('/inbound/scim/settings');
    await page.getByText('None yet. It appears here by itself.').waitFor();
    const written = await stage.api.call(
      'POST',
      '/scim/v2/Users',
      { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'pushed@example.com', externalId: 'p-1' },
      token,
    );
    assert.equal(written.status, 201);
    await page.getByText(/\((now|\d+ s ago)\)/).waitFor();
  });

  it('removes the settings that it asked about, and says when somebody saved others meanwhile', async () => {
    const { page } = stage;
    await page.goto('/inbound');
    const card = page
      .locator('div')
      .filter({ has: page.getByRole('heading', { name: 'CSV upload' }) })
      .filter({ has: page.getByRole('button', { name: 'Remove settings' }) })
      .last();
    await card.getByRole('button', { name: 'Remove settings' }).click();
    const asked = page.getByRole('dialog', { name: 'Remove the settings of CSV upload?' });
    const remove = asked.getByRole('button', { name: 'Remove settings' });
    await asked.locator('button:not([aria-disabled])', { hasText: 'Remove settings' }).waitFor();
    const { body: settings } = await stage.api.call<object>('GET', '/api/v1/providers/csv');
    const read = page.waitForResponse((response) => response.url().endsWith('/api/v1/providers/csv'));
    await stage.api.call('PUT', '/api/v1/providers/csv', { ...settings, adoptManual: 'never' });
    await read;
    await remove.click();
    await asked.getByText('Somebody saved these settings since you were asked.').waitFor();
    assert.equal((await stage.api.call('GET', '/api/v1/providers/csv')).status, 200);
    await remove.click();
    await asked.waitFor({ state: 'detached' });
    assert.equal((await stage.api.call('GET', '/api/v1/providers/csv')).status, 404);
  });

  it('names what is wrong with a directory server, and reads it once it is right', { skip: slapdMissing }, async () => {
    const { page } = stage;
    const slapd: Slapd = await startSlapd(PEOPLE);
    try {
      await page.goto('/inbound/ldap/setup');
      await step('Next');
      await page.getByText('Fill this in.').first().waitFor();
      await page.getByLabel('OpenLDAP and alike').check();
      await page.getByLabel('Server', { exact: true }).fill(new URL(slapd.secureUrl).host);
      await page.getByLabel('Account to read as').fill(ADMIN_DN);
      assert.equal(await page.getByText('Fill this in.').count(), 0);
      await page.getByLabel('Password').fill('not the password');
      await step('Next');
      await page.getByLabel('Base').first().fill('not a name');
      await step('Next');
      await page
        .getByText(/distinguished name/)
        .first()
        .waitFor();
      await page.getByLabel('Base').first().fill(`ou=People,${SUFFIX}`);
      await page.getByLabel('Base').last().fill(`ou=Groups,${SUFFIX}`);
      await step('Check the connection');
      await page.getByText('Something is missing').waitFor();
      await step('Back');
      await page.getByText('Certificate of the server').click();
      await page.getByLabel('Authority to trust, in PEM').fill(slapd.ca);
      await page.getByLabel('Password').fill(ADMIN_PASSWORD);
      await step('Next');
      // Both steps have the button: it must be the one of the next step.
      await page.getByLabel('Base').first().waitFor();
      await step('Check the connection');
      await page.getByText('Everything that is needed works').waitFor();
      await page.getByText('Reading users').waitFor();
      await step('Next');
      await page.getByText('Reading users').waitFor({ state: 'detached' });
      await step('Next');
      await page.getByLabel('User name, address or id in the source').fill('ada');
      await step('Try');
      await page.getByRole('cell', { name: 'ada@example.com' }).first().waitFor();
    } finally {
      await slapd.close();
    }
    assert.deepEqual(stage.problems, []);
  });
});

const PEOPLE = `
dn: uid=ada,ou=People,${SUFFIX}
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada@example.com

dn: cn=engineers,ou=Groups,${SUFFIX}
objectClass: groupOfNames
cn: engineers
member: uid=ada,ou=People,${SUFFIX}
`;
