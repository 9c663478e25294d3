// The whole walk in a real browser, in front of the real gateway and a simulated tenant.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeTenant, removeUser } from '#demo/tenant.ts';
import { chromiumMissing, PHONE, signIn } from '../support/browser.ts';
import { sync } from '../support/gateway.ts';
import { setStage } from './stage.ts';

const USERS = 200;
const GONE = 60;

describe('the console, from the first sign-in on', { skip: chromiumMissing }, () => {
  const tenant = makeTenant({ users: USERS, groups: 8, membersPerGroup: 6 });
  const stage = setStage({ tenant, signedIn: false });

  it('asks who one is, and says what is wrong with a wrong token', async () => {
    const { page } = stage;
    await page.goto('/runs');
    await page.getByLabel('Admin token').fill('not-the-token-0000');
    await page.getByRole('button', { name: 'Sign in with the token' }).click();
    await page.getByText('This token is not known').waitFor();
    await stage.accessible('sign-in');
    await signIn(page);
    await page.getByRole('heading', { level: 1 }).waitFor();
  });

  it('refuses in Korean whoever reads Korean, with the sentence of the gateway below', async () => {
    const other = await stage.openAnother({ language: 'ko' });
    await other.page.goto('/');
    await other.page.getByLabel('관리자 토큰').fill('not-the-token-0000');
    await other.page.getByRole('button', { name: '토큰으로 로그인' }).click();
    await other.page.getByText('알 수 없거나 폐기되었거나 만료된 토큰입니다.').waitFor();
    await other.page.getByText('This token is not known').waitFor();
    await other.context.close();
  });

  it('connects a tenant step by step, and keeps a set-up that is left half way', async () => {
    const { page } = stage;
    await page.goto('/overview');
    await page.getByRole('link', { name: /Set up a source/ }).click();
    await page.getByLabel('Tenant', { exact: true }).fill(tenant.id);
    await page.getByLabel('Application (client) id').fill(String(stage.graph.application.clientId));
    await page.getByLabel('Client secret').last().fill(String(stage.graph.application.secret));
    await page.getByLabel('Addresses of its own').check();
    await page.getByLabel('Graph', { exact: true }).fill(stage.graph.origin);
    await page.getByLabel('Sign-in', { exact: true }).fill(stage.graph.origin);
    await page.getByRole('button', { name: 'Check the connection' }).click();
    await page.getByText('Everything that is needed works').waitFor();
    await stage.accessible('set-up, connect');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Everybody in the tenant').waitFor();
    await stage.accessible('set-up, scope');
    await page.getByRole('button', { name: 'Save and leave' }).click();
    await page.getByText('Inbound provisioning').waitFor();
    await page.goto('/inbound/microsoft365/setup');
    await page.getByText('Everybody in the tenant').waitFor();
  });

  it('says at the field what the gateway refuses', async () => {
    const { page } = stage;
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Filter on users').fill('accountEnabled eq');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('alert').first().waitFor();
    assert.equal(await page.getByLabel('Filter on users').getAttribute('aria-invalid'), 'true');
    await page.getByLabel('Filter on users').fill('');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('When somebody leaves the scope').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Run by itself').waitFor();
    await stage.accessible('set-up, schedule');
    await page.goto('/inbound/microsoft365/setup?step=preview');
  });

  it('shows everything that would change before it can be turned on', async () => {
    const { page } = stage;
    assert.equal(
      await page.getByRole('button', { name: 'Turn on', exact: true }).getAttribute('aria-disabled'),
      'true',
    );
    // Its address alone begins nothing; going on to it does.
    await page.getByRole('button', { name: 'Make the preview' }).waitFor();
    await page.getByRole('button', { name: 'Back' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('This is what turning it on changes').waitFor();
    assert.match(
      await page.getByRole('button', { name: /Create/ }).innerText(),
      new RegExp(`${USERS}\\s+users\\s+8\\s+groups`),
    );
    await stage.accessible('set-up, preview');
    await page.getByRole('button', { name: 'Turn on', exact: true }).click();
    await page.getByRole('heading', { name: 'Inbound provisioning' }).waitFor();
    await page.getByText('Every day at').waitFor();
    await page.getByText('Next: add an app').waitFor();
    await page.getByText('Succeeded').first().waitFor();
    tenant.hybridSyncAt = new Date(Date.now() - 7_200_000).toISOString();
    const way = await stage.api.call<{ connectUrl: string }>('GET', '/api/v1/providers/microsoft365/connect');
    await fetch(way.body.connectUrl);
    await page.reload();
    await page.getByText(/Hybrid, last synced from on premises 2 h/).waitFor();
    await stage.accessible('inbound');
  });

  it('holds a large change, says how much and why, and applies it once its number is typed', async () => {
    const { page } = stage;
    for (const id of [...tenant.users.keys()].slice(0, GONE)) removeUser(tenant, id);
    const run = await sync(stage.api);
    assert.equal(run.status, 'held');
    // Another tab heard of it by the stream, without a reload.
    await page.getByText('is waiting for your confirmation').first().waitFor();
    await page.getByRole('link', { name: /Review run/ }).click();
    await page.getByRole('heading', { name: `would disable ${GONE} of ${USERS} users` }).waitFor();
    await page.getByText('Limit 10%').waitFor();
    await stage.accessible('held run');
    await page.getByRole('button', { name: 'Confirm and apply' }).click();
    const apply = page.getByRole('button', { name: `Disable ${GONE} users` });
    assert.equal(await apply.getAttribute('aria-disabled'), 'true');
    await page.getByLabel(`Type ${GONE} to confirm`).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Enter');
    await page.getByLabel(`Type ${GONE} to confirm`).fill(String(GONE));
    await stage.accessible('confirmation');
    await apply.click();
    await page.locator('h1 + *').getByText('Succeeded').waitFor();
  });

  it('undoes it by a plan that is shown first', async () => {
    const { page } = stage;
    await page.getByRole('button', { name: 'Undo run' }).click();
    await page.getByRole('button', { name: 'Make the plan' }).click();
    await page.getByRole('heading', { name: 'This plan undoes a run' }).waitFor();
    await page.getByRole('button', { name: /Apply plan|Confirm and apply/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Apply plan' }).click();
    await page.locator('h1 + *').getByText('Succeeded').waitFor();
  });

  it('adds an app, shows its token once, and the token works', async () => {
    const { page } = stage;
    await page.goto('/apps');
    await page.getByRole('button', { name: 'Add app' }).first().click();
    await page.getByLabel('Name').fill('HR portal');
    await page.getByRole('dialog').getByRole('button', { name: 'Add app' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make a token' }).click();
    const token = await page.getByRole('dialog').locator('code').innerText();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'I have saved it' }).waitFor();
    await stage.accessible('token shown once');
    const users = await stage.api.call<{ totalResults: number }>('GET', '/scim/v2/Users?count=0', undefined, token);
    assert.ok(users.body.totalResults > 0);
    await page.getByRole('button', { name: 'I have saved it' }).click();
    assert.equal(await page.getByText(token).count(), 0);
  });

  it('has every token in one place, makes one for a program, and revokes it', async () => {
    const { page } = stage;
    await page.goto('/settings?tab=tokens');
    await page.getByRole('cell', { name: /You are signed in with it/ }).waitFor();
    await page.getByRole('link', { name: 'HR portal' }).waitFor();
    await page.getByRole('button', { name: 'Make a token' }).click();
    const make = page.getByRole('dialog').getByRole('button', { name: 'Make a token' });
    assert.equal(await make.getAttribute('aria-disabled'), 'true');
    await page.getByLabel('What is it for?').fill('nightly report');
    await make.click();
    const token = await page.getByRole('dialog').locator('code').innerText();
    assert.equal((await stage.api.call('GET', '/api/v1/guard', undefined, token)).status, 200);
    await page.getByRole('button', { name: 'I have saved it' }).click();
    const row = page.getByRole('row', { name: /nightly report/ });
    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await row.getByText('Revoked').waitFor();
    assert.equal((await stage.api.call('GET', '/api/v1/guard', undefined, token)).status, 401);
  });

  it('looks at itself, and packs what a person who helps needs', async () => {
    const { page } = stage;
    await page.goto('/settings?tab=diagnostics');
    await page.getByRole('button', { name: 'Look at everything now' }).click();
    await page.getByRole('cell', { name: 'sealed credentials' }).waitFor();
    await stage.accessible('report');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the bundle' }).click(),
    ]);
    assert.match(file.suggestedFilename(), /^sluice-support-[-\d]+\.tar\.gz$/);
  });

  it('finds anything from the keyboard', async () => {
    const { page } = stage;
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByRole('combobox').fill('audit');
    await page.getByRole('option', { name: /Audit log/ }).waitFor();
    await stage.accessible('search');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Audit log' }).waitFor();
    await page.getByRole('button', { name: 'Check that it is whole' }).press('Enter');
    await page.getByText('The log is whole').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('What').selectOption('app');
    await page.getByRole('cell', { name: 'Added an app' }).first().waitFor();
    await page.getByRole('cell', { name: 'Started a run' }).first().waitFor({ state: 'detached' });
  });

  const PAGES = [
    '/overview',
    '/inbound',
    '/inbound/microsoft365/settings',
    '/inbound/microsoft365/settings?tab=mapping',
    '/inbound/microsoft365/settings?tab=filters',
    '/inbound/microsoft365/settings?tab=versions',
    '/inbound/microsoft365/setup?step=scope',
    '/inbound/ldap/setup',
    '/inbound/scim/setup',
    '/inbound/csv/setup',
    '/runs',
    '/tasks',
    '/users',
    '/groups',
    '/check',
    '/disputes',
    '/apps',
    '/deliveries',
    '/deliveries?tab=dead',
    '/audit',
    '/settings',
    '/settings?tab=notifications',
    '/settings?tab=retention',
    '/settings?tab=tokens',
    '/settings?tab=diagnostics',
  ];

  // The walk itself is light, wide and English.
  for (const [name, look] of Object.entries({
    'dark, wide, English': { dark: true },
    'light, phone, Korean': { size: PHONE, language: 'ko' as const },
  }))
    it(`has nothing that keeps somebody out, nor anything its policy refuses, on any page (${name})`, () =>
      stage.walkThrough(look, PAGES, 'h1'));

  it('asks field by field when somebody else saved the same settings, and loses nothing', async () => {
    const { page } = stage;
    await page.goto('/settings?tab=limits');
    const most = page.getByLabel('Never more removals at once than');
    await most.fill('40');
    await page.getByLabel('Share of all users and groups').fill('15');
    const { body: guard } = await stage.api.call<object>('GET', '/api/v1/guard');
    await stage.api.call('PUT', '/api/v1/guard', { ...guard, maxDeletes: 70, minObjects: 12 });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    const asked = page.getByRole('dialog');
    await asked.getByText(/saved these settings/).waitFor();
    await stage.accessible('conflict');
    const row = asked.getByRole('row', { name: /Never more removals/ });
    await row.getByText('70').waitFor();
    assert.equal(await asked.getByRole('row').count(), 3, 'what only one changed is no question');
    assert.equal(await row.getByRole('button', { name: 'Keep mine' }).getAttribute('aria-pressed'), 'true');
    await asked.getByRole('button', { name: 'Save this' }).click();
    await page.getByText('Saved', { exact: true }).first().waitFor();
    const { body: saved } = await stage.api.call<Record<string, number>>('GET', '/api/v1/guard');
    assert.deepEqual([saved['maxDeletes'], saved['minObjects'], saved['percent']], [40, 12, 15]);
    assert.equal(await most.inputValue(), '40');
    const { body: made } = await stage.api.call<{ id: string }>('POST', '/api/v1/users', {
      userName: 'temp',
      title: 'Guest',
    });
    await page.goto(`/users/${made.id}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit' });
    await edit.getByLabel('Family name').fill('Worker');
    await edit.getByLabel('Job title').fill('Painter');
    await stage.api.call('PATCH', `/api/v1/users/${made.id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', value: { title: 'Plumber', nickName: 'T' } }],
    });
    await edit.getByText('Somebody else changed this meanwhile').waitFor();
    await edit.getByRole('button', { name: 'Save' }).click();
    await page
      .getByRole('row', { name: /Painter/ })
      .getByText('Plumber')
      .waitFor();
    await page.getByRole('button', { name: 'Save this' }).click();
    // Not that the form is gone: below the question it is hidden.
    await page.getByText('The changes are saved').first().waitFor();
    const { body: kept } = await stage.api.call<Record<string, unknown>>('GET', `/api/v1/users/${made.id}`);
    assert.deepEqual([kept['title'], kept['nickName'], kept['name']], ['Painter', 'T', { familyName: 'Worker' }]);
  });

  it('changes of somebody only what was edited, and takes away what was cleared', async () => {
    const { page } = stage;
    const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
    const name = { formatted: 'Grace B. Hopper', givenName: 'Grace', middleName: 'B.', familyName: 'Hopper' };
    const [work, home, other] = ['work', 'home', 'other'].map((type) => ({ value: `${type}@example.com`, type }));
    const { body: boss } = await stage.api.call<{ id: string }>('POST', '/api/v1/users', { userName: 'boss' });
    const { body: made } = await stage.api.call<{ id: string }>('POST', '/api/v1/users', {
      userName: 'grace',
      name,
      emails: [home, { ...work, primary: true }],
      [enterprise]: { employeeNumber: '7', department: 'Fleet', manager: { value: boss.id } },
    });
    const path = `/api/v1/users/${made.id}`;
    const saved = async () => {
      const { body } = await stage.api.call<Record<string, Record<string, unknown>>>('GET', path);
      const { manager, ...own } = body[enterprise] ?? {};
      return { name: body['name'], emails: body['emails'], own, boss: (manager as { value?: string })?.value };
    };
    const edit = page.getByRole('dialog', { name: 'Edit' });
    const save = async (): Promise<void> => {
      await edit.getByRole('button', { name: 'Save' }).click();
      await edit.waitFor({ state: 'detached' });
    };
    await page.goto(`/users/${made.id}`);
    await page.getByRole('button', { name: 'Edit' }).click();
    await edit.getByLabel('Job title').fill('Admiral');
    await edit.getByLabel('Email').fill('grace@example.com');
    await stage.api.call('PATCH', path, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'add', path: 'emails', value: [other] }],
    });
    await save();
    await page.getByRole('row', { name: /Admiral/ }).waitFor();
    assert.deepEqual(await saved(), {
      name,
      emails: [home, { ...work, value: 'grace@example.com', primary: true }, other],
      own: { employeeNumber: '7', department: 'Fleet' },
      boss: boss.id,
    });
    await page.getByRole('button', { name: 'Edit' }).click();
    for (const cleared of ['Department', 'Family name', 'Email', 'Job title']) await edit.getByLabel(cleared).fill('');
    await save();
    await page.getByRole('row', { name: /Admiral/ }).waitFor({ state: 'detached' });
    const { familyName: _cleared, ...rest } = name;
    assert.deepEqual(await saved(), {
      name: rest,
      emails: [home, other],
      own: { employeeNumber: '7' },
      boss: boss.id,
    });
  });

  it('turns off what a viewer may not do, and says why', async () => {
    const app = await stage.api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'people' });
    const { body } = await stage.api.call<{ token: string }>('POST', `/api/v1/apps/${app.body.id}/tokens`, {
      scopes: ['viewer'],
    });
    const viewer = await stage.openAnother();
    await signIn(viewer.page, body.token);
    await viewer.page.goto('/inbound');
    const run = viewer.page.getByRole('button', { name: 'Run sync now' });
    await run.waitFor();
    assert.equal(await run.getAttribute('aria-disabled'), 'true');
    await viewer.page.getByText('Needs the operator role.').first().waitFor({ state: 'attached' });
    assert.deepEqual(viewer.problems, []);
    await viewer.context.close();
  });

  it('signs out', async () => {
    const { page, problems } = stage;
    await page.getByRole('button', { name: /^Account/ }).click();
    await stage.accessible('account menu');
    await page.getByRole('menuitem', { name: 'Sign out', exact: true }).click();
    await page.getByLabel('Admin token').waitFor();
    assert.deepEqual(problems, []);
  });
});
