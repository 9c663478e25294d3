// Pictures of every page, for eyes: `node test/console/shots.ts <folder> [part of a name ...]`.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeTenant, removeUser, updateUser } from '#demo/tenant.ts';
import { DESK, openBrowser, openConsole, PHONE, signIn } from '../support/browser.ts';
import { connect, freshStorage, settingsFor, startGateway, startTenant, sync } from '../support/gateway.ts';
import { makeScene, type Scene, untilTarget } from './scene.ts';

const [folder = 'shots', ...wanted] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const tenant = makeTenant({ users: 400, groups: 24, membersPerGroup: 12 });
const graph = await startTenant(tenant);
const api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });

const empty = process.env['EMPTY'] === 'true';
let runId = '';
let doneId = '';
let scene: Scene | undefined;
if (!empty) {
  const first = await connect(api, settingsFor(tenant, graph));
  doneId = first.id;
  await api.call('PUT', '/api/v1/schedule', {
    enabled: true,
    kind: 'daily',
    time: '02:00',
    timeZone: 'Asia/Seoul',
    withoutPreview: true,
  });
  for (const id of [...tenant.users.keys()].slice(0, 12))
    updateUser(tenant, id, { department: 'Design', jobTitle: 'Lead' });
  await sync(api);
  for (const id of [...tenant.users.keys()].slice(20, 105)) removeUser(tenant, id);
  runId = (await sync(api)).id;
  const app = await api.call<{ id: string }>('POST', '/api/v1/apps', { name: 'Badge printer' });
  await api.call('POST', `/api/v1/apps/${app.body.id}/tokens`, { name: 'production' });
  scene = await makeScene(api);
  const { wiki, vault, desk, hooks } = scene.ids;
  await untilTarget(api, vault, ({ state }) => state === 'quarantined');
  await untilTarget(api, desk, ({ dead }) => dead > 10);
  await untilTarget(api, hooks, ({ state }) => state === 'failing');
  await untilTarget(api, wiki, ({ waiting }) => waiting === 0);
  const theirs = [...scene.wiki.users.values()];
  scene.wiki.put('User', { userName: 'kiosk', displayName: 'Kiosk' });
  for (const person of theirs.slice(0, 3)) person['title'] = 'Changed there';
  for (const person of theirs.slice(3, 5)) scene.wiki.users.delete(String(person['id']));
  await api.call('POST', `/api/v1/apps/${wiki}/push/reconcile`);
}
const people = (await api.call<{ items: { id: string }[] }>('GET', '/api/v1/users?limit=3&search=Ada')).body.items;
const groups = (await api.call<{ items: { id: string }[] }>('GET', '/api/v1/groups?limit=3')).body.items;
const removed = (
  await api.call<{ id: string }>('POST', '/api/v1/users', { userName: 'kim.left', displayName: 'Kim Left' })
).body;
await api.call('DELETE', `/api/v1/users/${removed.id}`);
const apps = (await api.call<{ items: { id: string }[] }>('GET', '/api/v1/apps')).body.items;

const PAGES: Readonly<Record<string, string>> = {
  overview: '/overview',
  inbound: '/inbound',
  setup: '/inbound/microsoft365/setup',
  'setup-scope': '/inbound/microsoft365/setup?step=scope',
  provider: '/inbound/microsoft365/settings',
  mapping: '/inbound/microsoft365/settings?tab=mapping',
  scope: '/inbound/microsoft365/settings?tab=scope',
  filters: '/inbound/microsoft365/settings?tab=filters',
  accounts: '/inbound/microsoft365/settings?tab=accounts',
  destination: '/inbound/microsoft365/settings?tab=destination',
  notices: '/inbound/microsoft365/settings?tab=notices',
  versions: '/inbound/microsoft365/settings?tab=versions',
  csv: '/inbound/csv/setup',
  ldap: '/inbound/ldap/setup',
  scim: '/inbound/scim/setup',
  runs: '/runs',
  run: `/runs/${runId}`,
  'run-done': `/runs/${doneId}`,
  'run-details': `/runs/${doneId}?tab=details`,
  tasks: '/tasks',
  users: '/users',
  user: `/users/${people[0]?.id}`,
  groups: '/groups',
  group: `/groups/${groups[0]?.id}`,
  'group-tree': '/groups?view=tree',
  removed: '/users?removed=true',
  'user-removed': `/users/${removed?.id}`,
  check: `/check?subject=${people[0]?.id}`,
  disputes: '/disputes',
  apps: '/apps',
  app: `/apps/${apps[0]?.id}`,
  'app-access': `/apps/${apps[0]?.id}?tab=access`,
  'app-push': `/apps/${scene?.ids.wiki}`,
  push: `/apps/${scene?.ids.wiki}?tab=push`,
  'push-connection': `/apps/${scene?.ids.wiki}?tab=push&view=connection`,
  'push-attributes': `/apps/${scene?.ids.wiki}?tab=push&view=attributes`,
  'push-leavers': `/apps/${scene?.ids.wiki}?tab=push&view=leavers`,
  'push-pace': `/apps/${scene?.ids.wiki}?tab=push&view=pace`,
  'push-try': `/apps/${scene?.ids.wiki}?tab=push&view=try`,
  'push-compare': `/apps/${scene?.ids.wiki}?tab=push&view=compare`,
  'push-new': `/apps/${apps[0]?.id}?tab=push`,
  'push-fresh': `/apps/${scene?.ids.fresh}?tab=push`,
  quarantine: `/apps/${scene?.ids.vault}?tab=push`,
  'app-dead': `/apps/${scene?.ids.desk}?tab=deliveries`,
  webhook: `/apps/${scene?.ids.hooks}?tab=webhook`,
  'webhook-new': `/apps/${apps[0]?.id}?tab=webhook`,
  events: `/apps/${scene?.ids.siem}?tab=events`,
  'events-new': `/apps/${apps[0]?.id}?tab=events`,
  deliveries: '/deliveries',
  dead: '/deliveries?tab=dead',
  audit: '/audit',
  settings: '/settings',
  notifications: '/settings?tab=notifications',
  retention: '/settings?tab=retention',
  limits: '/settings?tab=limits',
  tokens: '/settings?tab=tokens',
  'token-new': '/settings?tab=tokens&token=new',
  diagnostics: '/settings?tab=diagnostics',
  about: '/settings?tab=about',
};

const browser = await openBrowser();
const looks = (process.env['LOOKS'] ?? 'desk,desk-dark,phone').split(',');
for (const look of looks) {
  const { page, problems, context } = await openConsole(browser, api, {
    size: look.startsWith('phone') ? PHONE : DESK,
    dark: look.includes('dark'),
    language: look.includes('ko') ? 'ko' : 'en',
  });
  await signIn(page);
  for (const [name, path] of Object.entries(PAGES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    await page.goto(path);
    await page
      .locator('h1')
      .first()
      .waitFor({ timeout: 8_000 })
      .catch(() => undefined);
    await page.waitForTimeout(700);
    await page.screenshot({ path: join(folder, `${name}-${look}.png`), fullPage: process.env['FULL'] === 'true' });
    for (const problem of problems.splice(0)) process.stdout.write(`${name} ${look}: ${problem}\n`);
  }
  await context.close();
}
await browser.close();
await api.close();
await scene?.close();
await graph.close();
process.exit(0);
