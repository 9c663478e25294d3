import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { writeAudit } from '#store/access/audit.ts';
import { type Marks, readHappenings } from '#store/views/happenings.ts';
import { listAll } from '../support/checked.ts';
import { openTestDatabase, postgresMissing } from '../support/database.ts';
import { freshStorage, startGateway, type TestGateway } from '../support/gateway.ts';
import { problemsOf } from '../support/openapi.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { userBody } from '../support/scim.ts';
import { type ScimAppServer, startScimApp } from '../support/scim-app-server.ts';

interface Line {
  readonly id: string;
  readonly channel: string;
  readonly state: string;
  readonly display: string | null;
  readonly what: string;
}
interface Target {
  readonly byType: Record<'User' | 'Group', { readonly waiting: number }>;
  readonly channel: string;
  readonly state: string;
  readonly waiting: number;
  readonly dead: number;
  readonly hours: readonly { delivered: number; failed: number }[];
}

/** However many hours it took. */
const failedIn = (hours: Target['hours']): number => hours.reduce((sum, { failed }) => sum + failed, 0);

describe('the admin API of everything that is sent', () => {
  let api: TestGateway;
  let app: ScimAppServer;
  let hook: Receiver;
  let id: string;

  before(async () => {
    app = await startScimApp();
    app.personality = { failing: (method) => (method === 'POST' ? 422 : undefined) };
    hook = await startReceiver();
    hook.answerWith(() => ({ status: 204 }));
    api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    for (const userName of ['ada', 'grace', 'linus']) await call('POST', '/users', 201, userBody({ userName }));
  });
  after(async () => {
    await api?.close();
    await app?.close();
    await hook?.close();
  });

  async function call<Body = Record<string, unknown>>(
    method: string,
    path: string,
    status: number,
    body?: unknown,
  ): Promise<Body> {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  async function until(channel: string, isSo: (target: Target) => boolean): Promise<Target> {
    for (;;) {
      const items = await listAll<Target>(call, '/targets?limit=1');
      const found = items.find((target) => target.channel === channel);
      if (found !== undefined && isSo(found)) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  const lines = async (query: string): Promise<readonly Line[]> =>
    (await call<{ items: Line[] }>('GET', `/deliveries?${query}`, 200)).items;

  it('saves a target paused when that is wanted, and sends nothing until it is resumed', async () => {
    const push = { baseUrl: app.url, auth: { kind: 'none' }, paused: true };
    ({ id } = await call<{ id: string }>('POST', '/apps', 201, { name: 'Wiki', push }));
    const { byType } = await until('push', ({ state, waiting }) => state === 'paused' && waiting === 3);
    assert.deepEqual([byType.User.waiting, byType.Group.waiting], [3, 0]);
    assert.equal(app.takeWrites().length, 0);
    const bad = await call<{ code: string }>('PATCH', `/apps/${id}`, 400, { push: { ...push, paused: 'yes' } });
    assert.equal(bad.code, 'invalid-push');
    await call('POST', `/apps/${id}/push/resume`, 200);
  });

  it('groups dead letters by cause, and shows one with what was asked and answered', async () => {
    const { hours } = await until('push', ({ dead }) => dead === 3);
    assert.equal(failedIn(hours), 3);
    const { items } = await call<{ items: { code: string; count: number; examples: string[] }[] }>(
      'GET',
      `/deliveries/causes?appId=${id}`,
      200,
    );
    assert.deepEqual(
      items.map(({ count, examples }) => [count, examples]),
      [[3, ['ada', 'grace', 'linus']]],
    );
    const dead = await lines(`state=dead&code=${items[0]?.code}`);
    assert.equal(dead.length, 3);
    const one = await call<{ exchanges: { method: string; status: number; request: string }[] }>(
      'GET',
      `/deliveries/${dead[0]?.id}`,
      200,
    );
    const last = one.exchanges.at(-1);
    assert.deepEqual([last?.method, last?.status], ['POST', 422]);
    assert.match(last?.request ?? '', /"userName"/);
  });

  it('sends again what is picked, drops what is not wanted with a reason, and asks to name it', async () => {
    assert.equal((await call<{ code: string }>('POST', '/deliveries/replay', 400, {})).code, 'invalid-input');
    const [first] = await lines('state=dead&search=ada');
    app.personality = {};
    assert.deepEqual(await call('POST', '/deliveries/replay', 202, { ids: [first?.id] }), { count: 1 });
    await until('push', ({ dead, waiting }) => dead === 2 && waiting === 0);
    assert.equal(app.users.size, 1);
    assert.equal((await call<{ code: string }>('POST', '/deliveries/drop', 400, { all: true })).code, 'invalid-input');
    const dropped = await call('POST', '/deliveries/drop', 200, {
      appId: id,
      search: 'grace',
      reason: 'a test account',
    });
    assert.deepEqual(dropped, { count: 1 });
    assert.deepEqual(await call('POST', '/deliveries/replay', 202, { all: true }), { count: 1 });
    await until('push', ({ dead, waiting }) => dead === 0 && waiting === 0);
    assert.deepEqual(
      [...app.users.values()].map(({ userName }) => userName),
      ['ada', 'linus'],
    );
    const shown = await lines('search=grace');
    assert.deepEqual(
      shown.map(({ state, what }) => [state, what]),
      [['delivered', 'dropped']],
    );
    const { items } = await call<{ items: { action: string; detail: { reason?: string } }[] }>('GET', '/audit', 200);
    assert.equal(items.find(({ action }) => action === 'delivery.drop')?.detail.reason, 'a test account');
  });

  it('lists messages and pushed objects together, page by page, and keeps every try of a message', async () => {
    hook.answerWith(() => ({ status: 422, body: 'not like this' }));
    await call('PATCH', `/apps/${id}`, 200, { webhook: { url: hook.url, start: 'snapshot' } });
    await until('webhook', ({ hours }) => failedIn(hours) >= 3);
    const all = await lines('limit=500');
    assert.deepEqual(new Set(all.map(({ channel }) => channel)), new Set(['push', 'webhook']));
    const paged: Line[] = [];
    for (let cursor = ''; ; ) {
      const page = await call<{ items: Line[]; nextCursor: string | null }>(
        'GET',
        `/deliveries?limit=2&channel=push${cursor}`,
        200,
      );
      paged.push(...page.items);
      if (page.nextCursor === null) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    assert.deepEqual(
      paged.map((line) => line.id),
      all.filter(({ channel }) => channel === 'push').map((line) => line.id),
    );
    const [message] = await lines('channel=webhook');
    const detail = await call<{ tries: { status: number; answer: string }[]; payload: string }>(
      'GET',
      `/deliveries/${message?.id}`,
      200,
    );
    assert.deepEqual([detail.tries[0]?.status, detail.tries[0]?.answer], [422, 'not like this']);
    assert.match(detail.payload, /user\.created/);
    const again = await call<{ id: string; channel: string }>('POST', `/deliveries/${message?.id}/replay`, 202);
    assert.deepEqual([again.id, again.channel], [message?.id, 'webhook']);
    const { items } = await call<{ items: { action: string; object: string }[] }>('GET', '/audit?limit=1', 200);
    assert.deepEqual([items[0]?.action, items[0]?.object], ['delivery.replay', message?.id]);
  });

  it('lists the messages of an app that is not pushed to, page by page', async () => {
    const webhook = { url: hook.url, start: 'snapshot' };
    const told = await call<{ id: string }>('POST', '/apps', 201, { name: 'Told only', webhook });
    const page = (query: string) =>
      call<{ items: Line[]; nextCursor: string | null }>('GET', `/apps/${told.id}/deliveries?limit=1${query}`, 200);
    let first = await page('');
    while (first.nextCursor === null) first = await page('');
    const second = await page(`&cursor=${first.nextCursor}`);
    assert.deepEqual(
      [...first.items, ...second.items].map(({ channel }) => channel),
      ['webhook', 'webhook'],
    );
    await call('DELETE', `/apps/${told.id}`, 204);
  });

  it('sends again what changed since: today’s state, read back from a target that has lost it, once to a receiver', async () => {
    const resend = (body: object, status = 202) =>
      call<{ count: number; code: string }>('POST', '/deliveries/resend', status, body);
    hook.answerWith(() => ({ status: 204 }));
    const { nextCursor } = await call<{ nextCursor: string }>('GET', '/changes?limit=500', 200);
    const since = new Date(Date.now() - 3_600_000).toISOString();
    const [ada, linus] = [...app.users.values()];
    assert.ok(ada && linus);
    app.users.delete(String(ada['id']));
    linus['active'] = false;
    assert.deepEqual(await resend({ appId: id, channel: 'push', since }), { count: 3 });
    await until('push', ({ waiting }) => waiting === 0);
    const there = [...app.users.values()];
    assert.deepEqual(there.map(({ userName }) => userName).sort(), ['ada', 'grace', 'linus']);
    assert.ok(there.every(({ active }) => active === true));
    assert.deepEqual(await resend({ appId: id, channel: 'push', after: nextCursor }), { count: 0 });

    hook.received.length = 0;
    assert.deepEqual(await resend({ appId: id, channel: 'webhook', since }), { count: 3 });
    await until('webhook', ({ waiting, dead }) => waiting === 0 && dead === 0);
    const told = hook.received.map(({ text }) => JSON.parse(text) as { type: string; data: { id: string } });
    assert.equal(new Set(told.map(({ data }) => data.id)).size, 3);
    const [message] = await lines('channel=webhook&search=linus');
    assert.deepEqual(await resend({ ids: [message?.id] }), { count: 1 });

    assert.equal((await resend({ appId: id }, 400)).code, 'invalid-input');
    assert.equal((await resend({ appId: id, after: 'none' }, 400)).code, 'invalid-cursor');
    assert.equal((await resend({ appId: id, channel: 'events', since }, 404)).code, 'nothing-to-resend');
    const { items } = await call<{ items: { action: string; object: string; detail: object }[] }>('GET', '/audit', 200);
    const line = items.findLast(({ action }) => action === 'delivery.resend');
    assert.deepEqual([line?.object, line?.detail], [id, { appId: id, channel: 'push', since, count: 3 }]);
  });

  it('says how many a scope lets through, and what is known of services', async () => {
    const scope = { resourceTypes: ['User'], userFilter: 'userName sw "a"' };
    assert.deepEqual(await call('POST', '/apps/scope/count', 200, { scope }), { users: 1, groups: 0 });
    await call('POST', '/apps/scope/count', 400, { scope: { userFilter: 'userName eq' } });
    const { items } = await call<{ items: { name: string | null; settings: Record<string, unknown> }[] }>(
      'GET',
      '/targets/presets',
      200,
    );
    assert.equal(items[0]?.name, null);
    const slack = items.find(({ name }) => name === 'slack');
    assert.deepEqual(slack?.settings['pace'], { concurrency: 2, readsPerSecond: 4, writesPerSecond: 2 });
    assert.ok(!('auth' in (slack?.settings ?? {})));
  });
});

describe('what the live stream says of the way out', () => {
  it('names deliveries when something became of them, and is quiet otherwise', async () => {
    const database = await openTestDatabase('embedded');
    const look = (from?: Marks) => readHappenings(database.knex, from);
    const { marks } = await look();
    assert.deepEqual((await look(marks)).topics, []);
    await database.knex.raw(`insert into apps (id, name, name_key) values (gen_random_uuid(), 'a', 'a')`);
    await database.knex.raw(
      `insert into attempt_hours (app_id, channel, hour, settled) select id, 'push', date_trunc('hour', now()), 1 from apps`,
    );
    assert.deepEqual((await look(marks)).topics, ['delivery']);
    await database.close();
  });
});

describe('what the live stream says of what was done', { skip: postgresMissing }, () => {
  it('has an entry that commits after a later one, once', async () => {
    const database = await openTestDatabase('postgres');
    const { knex } = database;
    const [slow, quick] = [await knex.transaction(), await knex.transaction()];
    await writeAudit(slow, { actor: 'test', action: 'app.create', object: 'a' });
    await writeAudit(quick, { actor: 'test', action: 'plan.approve', object: 'p' });
    const before = await readHappenings(knex, undefined);
    await quick.commit();
    const first = await readHappenings(knex, before.marks);
    assert.deepEqual(first.topics, ['plan']);
    await slow.commit();
    const second = await readHappenings(knex, first.marks);
    assert.deepEqual(second.topics, ['app']);
    assert.deepEqual((await readHappenings(knex, second.marks)).topics, []);
    await database.close();
  });
});
