// The way out in a real browser: an app is connected, breaks, is mended, and gets what it missed.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { chromiumMissing, PHONE } from '../support/browser.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { userBody } from '../support/scim.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';
import { makeScene, type Scene, untilTarget } from './scene.ts';
import { setStage } from './stage.ts';

const PEOPLE = 12;

describe('the console, from a new app on', { skip: chromiumMissing }, () => {
  const stage = setStage({ variables: { ALLOW_LOOPBACK_WEBHOOKS: 'true' } });
  let wiki: ScimAppServer;
  let hook: Receiver;
  let scene: Scene | undefined;
  const ids: string[] = [];

  before(async () => {
    wiki = await startScimApp({ token: 'first' });
    hook = await startReceiver();
    for (let n = 0; n < PEOPLE; n += 1) ids.push(await addPerson(`person${n}`));
  });
  after(async () => {
    await scene?.close();
    await wiki?.close();
    await hook?.close();
  });

  async function addPerson(userName: string): Promise<string> {
    const body = userBody({ userName, displayName: `The ${userName}` });
    return (await stage.api.call<{ id: string }>('POST', '/api/v1/users', body)).body.id;
  }

  async function rename(id: string | undefined, displayName: string): Promise<void> {
    await stage.api.call('PATCH', `/api/v1/users/${id}`, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
      Operations: [{ op: 'replace', path: 'displayName', value: displayName }],
    });
  }

  it('sets up push step by step, and sends nothing before it is started', async () => {
    const { page } = stage;
    await page.goto('/apps');
    await page.getByRole('button', { name: 'Add app' }).first().click();
    await page.getByLabel('Name').fill('Intranet');
    await page.getByText(`That is ${PEOPLE} users and 0 groups now.`).waitFor();
    await page.getByLabel('SCIM push').check();
    await stage.accessible('add an app');
    await page.getByRole('dialog').getByRole('button', { name: 'Add app' }).click();
    await page.getByLabel('SCIM address').fill(wiki.url);
    await page.getByLabel('Token', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('Something does not work yet').waitFor();
    await page.getByLabel('Token', { exact: true }).fill('first');
    await page.getByRole('button', { name: 'Test the connection' }).click();
    await page.getByText('Everything that is needed works').waitFor();
    await stage.accessible('push, set-up');
    await page.getByRole('button', { name: 'Save, and look at a dry run' }).click();
    await page.getByRole('button', { name: 'Make a dry run' }).click();
    await page.getByText(`${PEOPLE} Created there`).waitFor();
    await page.getByRole('button', { name: 'Show', exact: true }).first().click();
    await page.getByText('Would be sent').first().waitFor();
    await stage.accessible('dry run');
    assert.equal(wiki.takeWrites().length, 0);
    await page.getByRole('button', { name: 'Start sending' }).click();
    await page.getByRole('button', { name: 'How it does' }).click();
    // Nobody reloads: the stream tells of every delivery.
    await page.getByText('Everything has arrived').waitFor();
    await untilSent();
    assert.equal(wiki.users.size, PEOPLE);
    await stage.accessible('push, status');
  });

  it('provisions one person now and shows the five steps', async () => {
    const { page } = stage;
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByLabel('Find a user or group').fill('person3');
    await page.getByRole('button', { name: 'The person3' }).click();
    await page.getByRole('button', { name: 'Provision now' }).click();
    await page.getByText('The person3: done').waitFor();
    for (const step of ['Connect', 'Read here', 'In scope?', 'Find it there', 'Change there'])
      await page.getByRole('listitem').getByText(step, { exact: true }).waitFor();
    await stage.accessible('one object');
  });

  it('says that the app is in quarantine when its token is not taken any more, and goes on with a new one', async () => {
    const { page } = stage;
    wiki.personality = { token: 'second' };
    await rename(ids[0], 'Renamed');
    await page.goto('/overview');
    await page.getByText('Intranet (SCIM push) is in quarantine').waitFor();
    await stage.accessible('overview with a quarantine');
    await page.getByRole('link', { name: 'Replace the credential…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Token', { exact: true }).fill('second');
    await dialog.getByRole('button', { name: 'Test the connection' }).click();
    await dialog.getByText('Everything that is needed works').waitFor();
    await stage.accessible('replace the credential');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.locator('h1 + *').getByText('Healthy').waitFor();
    await page.getByText('Everything has arrived').waitFor();
    await untilSent();
    assert.ok([...wiki.users.values()].some(({ displayName }) => displayName === 'Renamed'));
  });

  it('groups what was given up by its cause, shows request and answer, and sends it again', async () => {
    const { page } = stage;
    wiki.personality = { token: 'second', failing: (method) => (method === 'POST' ? 422 : undefined) };
    await addPerson('unwanted1');
    await addPerson('unwanted2');
    await page.getByRole('link', { name: /^Deliveries 2/ }).click();
    await page.getByRole('tab', { name: /Dead letters/ }).click();
    await page.getByText('2 dead letters').waitFor();
    await stage.accessible('dead letters');
    await page.getByRole('button', { name: 'Show them' }).click();
    await page.getByRole('button', { name: 'Open: The unwanted2' }).click();
    const drawer = page.getByRole('dialog', { name: 'The unwanted2' });
    await drawer.getByText('POST', { exact: true }).first().waitFor();
    assert.match((await drawer.textContent()) ?? '', /"userName": "unwanted2"/);
    await stage.accessible('delivery');
    await page.keyboard.press('Escape');
    wiki.personality = { token: 'second' };
    await page.getByRole('tab', { name: /Dead letters/ }).click();
    await page.getByRole('button', { name: 'Send 2 again' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send 2 again' }).click();
    await page.getByText('No dead letter').waitFor();
    await untilSent();
    assert.equal(wiki.users.size, PEOPLE + 2);
  });

  async function untilSent(): Promise<void> {
    const id = (await appNamed('Intranet')) ?? '';
    await untilTarget(stage.api, id, ({ state, waiting, dead }) => state === 'active' && waiting + dead === 0);
  }

  async function appNamed(name: string): Promise<string | undefined> {
    const { body } = await stage.api.call<{ items: { id: string; name: string }[] }>('GET', '/api/v1/apps');
    return body.items.find((app) => app.name === name)?.id;
  }

  it('shows the secret of a webhook once, tries it, and rotates it', async () => {
    const { page } = stage;
    await page.goto(`/apps/${await appNamed('Intranet')}?tab=webhook`);
    await page.getByLabel('Address').fill('https://10.0.0.1/inside');
    await page.getByRole('button', { name: 'Set it up' }).click();
    await page.getByRole('alert').waitFor();
    await page.getByLabel('Address').fill(hook.url);
    // The stream tells of the webhook before the answer with its secret is here.
    await page.route('**/api/v1/apps/*', async (route) => {
      if (route.request().method() !== 'PATCH') return route.continue();
      const answer = await route.fetch();
      await page.getByRole('button', { name: 'Rotate the secret…' }).waitFor();
      await route.fulfill({ response: answer });
    });
    await page.getByRole('button', { name: 'Set it up' }).click();
    const once = page.getByRole('dialog');
    const secret = (await once.locator('code').textContent()) ?? '';
    assert.match(secret, /^whsec_/);
    await page.unroute('**/api/v1/apps/*');
    await page.keyboard.press('Escape');
    await stage.accessible('webhook secret');
    await once.getByRole('button', { name: 'I have saved it' }).click();
    assert.equal(await page.getByText(secret).count(), 0);
    await page.getByRole('button', { name: 'Send a test message' }).click();
    await page.getByText('The receiver took a test message (204)').waitFor();
    assert.equal(JSON.parse(hook.received[0]?.text ?? '{}').type, 'test');
    await page.getByRole('button', { name: 'Rotate the secret…' }).click();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    assert.notEqual(await once.locator('code').textContent(), secret);
    await once.getByRole('button', { name: 'I have saved it' }).click();
    await stage.accessible('webhook');
    assert.deepEqual(stage.problems, []);
  });

  it('asks nothing when another part of the app was saved meanwhile, and discards to what is saved by now', async () => {
    const { page } = stage;
    const path = `/api/v1/apps/${await appNamed('Intranet')}`;
    const saved = async () => (await stage.api.call<{ name: string; webhook: { payload: string } }>('GET', path)).body;
    await page.getByLabel('The whole resource').check();
    await stage.api.call('PATCH', path, { name: 'Intranet 2' });
    await page.getByRole('heading', { level: 1, name: 'Intranet 2' }).waitFor();
    assert.equal(await page.getByText('Somebody else changed this meanwhile').count(), 0);
    // What is saved next by somebody else is what was there before: it is news to a page that has read its own save again.
    const readAgain = page.waitForResponse(async (answer) => {
      if (answer.request().method() !== 'GET' || !answer.url().endsWith(path)) return false;
      return (await answer.text()).includes('"payload":"full"');
    });
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved', { exact: true }).first().waitFor();
    await readAgain;
    assert.deepEqual([(await saved()).name, (await saved()).webhook.payload], ['Intranet 2', 'full']);
    await page.getByRole('checkbox', { name: /A group is gone/ }).check();
    await stage.api.call('PATCH', path, { webhook: { payload: 'thin' } });
    await page.getByText('Somebody else changed this meanwhile').waitFor();
    await page.getByRole('button', { name: 'Discard them' }).click();
    await page
      .locator('label', { hasText: 'The id and what changed' })
      .locator('input:checked, [data-checked]')
      .waitFor();
    assert.equal(await page.getByRole('checkbox', { name: /A group is gone/ }).isChecked(), false);
    const [sent] = await Promise.all([
      page.waitForRequest((request) => request.method() === 'PATCH'),
      page.getByRole('button', { name: 'Pause', exact: true }).click(),
    ]);
    assert.match(sent.headers()['if-match'] ?? '', /^"[0-9a-f]{32}"$/);
    await page.getByText('Paused. Changes are kept.').waitFor();
    assert.deepEqual(stage.problems, []);
  });

  for (const [name, look] of Object.entries({
    'light, wide, English': {},
    'dark, phone, Korean': { dark: true, size: PHONE, language: 'ko' as const },
  }))
    it(`has nothing that keeps somebody out in any state of an app (${name})`, async () => {
      scene ??= await troubled();
      await stage.walkThrough(look, pathsOf(scene), '#content h2, #content [role=table]');
    });

  async function troubled(): Promise<Scene> {
    const made = await makeScene(stage.api);
    await untilTarget(stage.api, made.ids.vault, ({ state }) => state === 'quarantined');
    await untilTarget(stage.api, made.ids.desk, ({ dead }) => dead > 0);
    await untilTarget(stage.api, made.ids.hooks, ({ state }) => state === 'failing');
    return made;
  }

  function pathsOf({ ids: apps }: Scene): readonly string[] {
    const views = ['attributes', 'leavers', 'pace', 'compare'];
    return [
      ...['/overview', '/apps', '/deliveries', `/apps/${apps.wiki}`],
      ...views.map((view) => `/apps/${apps.wiki}?tab=push&view=${view}`),
      ...[`/apps/${apps.vault}?tab=push`, `/apps/${apps.fresh}?tab=push`, `/apps/${apps.desk}?tab=deliveries`],
      ...[`/apps/${apps.hooks}?tab=webhook`, `/apps/${apps.siem}?tab=events`, `/apps/${apps.wiki}?tab=events`],
      `/apps/${apps.siem}?tab=access`,
    ];
  }
});
