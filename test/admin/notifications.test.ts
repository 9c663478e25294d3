import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, removeUser, type Tenant } from '#demo/tenant.ts';
import {
  connect,
  freshStorage,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';
import { MAIL_PASSWORD, MAIL_USER, type MailServer, startMailServer } from '../support/mail-server.ts';
import { problemsOf } from '../support/openapi.ts';
import { startWebhookServer, WEBHOOK_SECRET, type WebhookServer } from '../support/webhook-server.ts';

interface TestAnswer {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string;
    readonly remedy: string | null;
  }[];
}

describe('who is told of runs', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let mail: MailServer;
  let hook: WebhookServer;

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 4, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    mail = await startMailServer();
    hook = await startWebhookServer();
    api = await startGateway({ ...(await freshStorage('embedded')), ALLOW_LOOPBACK_WEBHOOKS: 'true' });
    const [rootGroupId] = tenant.groups.keys();
    await connect(api, settingsFor(tenant, graph, { pathDisplay: { rootGroupId } }));
  });
  after(async () => {
    await api?.close();
    await hook?.close();
    await mail?.close();
    await graph?.close();
  });

  async function call<Body = Record<string, unknown>>(method: string, path: string, status: number, body?: unknown) {
    const answer = await api.call<Body>(method, `/api/v1${path}`, body);
    assert.equal(answer.status, status, `${method} ${path}: ${JSON.stringify(answer.body)}`);
    assert.deepEqual(problemsOf(method, path, status, answer.body), [], `${method} ${path}`);
    return answer.body;
  }

  const email = () => ({
    ...{ on: 'changes', host: 'localhost', port: mail.port, user: MAIL_USER, password: MAIL_PASSWORD },
    ...{ from: 'sluice@example.com', to: ['ada@example.com'] },
  });
  const webhook = () => ({ on: 'always', url: hook.url, secret: WEBHOOK_SECRET });

  async function until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise((resolve) => setImmediate(resolve));
  }

  it('is nobody at first, and a test says so', async () => {
    assert.deepEqual(await call('GET', '/notifications', 200), {
      ...{ email: null, webhook: null, remindAfterHours: 24, secretsSet: [] },
    });
    for (const nothing of [{}, null])
      assert.equal((await call<{ code: string }>('POST', '/notifications/test', 409, nothing)).code, 'no-channel');
  });

  it('is saved whole, and names every field that is wrong', async () => {
    const { problems } = await call<{ problems: { path: string }[] }>('PUT', '/notifications', 400, {
      email: { ...email(), to: ['not an address'], port: 0, colour: 'red' },
      webhook: { ...webhook(), secret: 'short' },
      remindAfterHours: 0,
    });
    assert.deepEqual(problems.map(({ path }) => path).sort(), [
      'email',
      'email.port',
      'email.to.0',
      'remindAfterHours',
      'webhook.secret',
    ]);
    for (const url of ['http://example.com/', 'https://10.0.0.1/', 'https://169.254.169.254/', 'nonsense'])
      assert.equal(
        (await call<{ code: string }>('PUT', '/notifications', 400, { webhook: { ...webhook(), url } })).code,
        'url-refused',
      );
    const clear = { ...email(), security: 'none' };
    assert.match(
      (await call<{ detail: string }>('PUT', '/notifications', 400, { email: clear })).detail,
      /without encryption/,
    );
  });

  it('keeps secrets to itself, and a password only for the server and user it was given for', async () => {
    const saved = await call<{ secretsSet: string[] }>('PUT', '/notifications', 200, {
      email: email(),
      webhook: webhook(),
    });
    assert.deepEqual(saved.secretsSet, ['email.password', 'webhook.secret']);
    assert.deepEqual(await call('PUT', '/notifications', 200, saved), saved, 'what an answer shows may come back');
    assert.ok((await call<TestAnswer>('POST', '/notifications/test', 200)).ok, 'and the secrets are still known');
    const other = { ...saved, email: { ...email(), host: '127.0.0.1', password: undefined } };
    assert.match((await call<{ detail: string }>('PUT', '/notifications', 400, other)).detail, /email\.password/);
    const everything = JSON.stringify([
      await call('GET', '/notifications', 200),
      await call('GET', '/audit?limit=500', 200),
    ]);
    assert.ok(!everything.includes(MAIL_PASSWORD) && !everything.includes(WEBHOOK_SECRET));
  });

  it('is tried out with a message, saved or not, and told in words what is wrong', async () => {
    mail.received.length = 0;
    hook.received.length = 0;
    const good = await call<TestAnswer>('POST', '/notifications/test', 200);
    assert.deepEqual(
      good.checks.map(({ name, ok }) => [name, ok]),
      [
        ['email', true],
        ['webhook', true],
      ],
    );
    assert.deepEqual([mail.received[0]?.subject, hook.received[0]?.body.type], ['Sluice: test message', 'test']);
    const bad = await call<TestAnswer>('POST', '/notifications/test', 200, {
      email: { ...email(), password: 'wrong' },
      webhook: { ...webhook(), url: 'http://127.0.0.1:1/' },
    });
    assert.equal(bad.ok, false);
    assert.match(bad.checks[0]?.detail ?? '', /refuses the user name or password/);
    assert.match(bad.checks[1]?.detail ?? '', /cannot be reached/);
    assert.ok(bad.checks.every(({ remedy }) => (remedy ?? '').length > 0));
    const some = { email: { ...email(), to: ['ada@example.com', 'nobody@example.com'] } };
    assert.match(
      (await call<TestAnswer>('POST', '/notifications/test', 200, some)).checks[0]?.detail ?? '',
      /refused nobody@/,
    );
  });

  it('hears of a run with the list of what became of each object', async () => {
    mail.received.length = 0;
    hook.received.length = 0;
    const [root] = tenant.groups.values();
    const gone = [...(tenant.members.get(root?.id ?? '') ?? [])].find((id) => tenant.users.has(id));
    removeUser(tenant, gone ?? '');
    const run = await sync(api);
    await until(() => mail.received.length > 0 && hook.received.length > 0);
    const [letter] = mail.received;
    assert.match(letter?.subject ?? '', /is done, .*1 user deactivated/);
    assert.match(
      String(letter?.attachments[0]?.content),
      new RegExp(`deactivate,applied,User,.*${gone},${root?.['displayName']},NotInSource`),
    );
    assert.equal(hook.received[0]?.body.data.run.id, run.id);
    assert.equal(hook.received[0]?.body.data.run.status, 'succeeded');
  });

  it('hears once of a plan that waits, and not of a run that changed nothing unless it wants to', async () => {
    mail.received.length = 0;
    hook.received.length = 0;
    const people = new Map(tenant.users);
    for (const id of [...tenant.users.keys()].slice(0, 30)) removeUser(tenant, id);
    const held = await sync(api);
    assert.equal(held.status, 'held');
    await until(() => mail.received.length > 0 && hook.received.length > 0);
    assert.match(mail.received[0]?.subject ?? '', /wait for your decision/);
    assert.ok((hook.received[0]?.body.data.reasons ?? []).length > 0);
    for (const [id, user] of people) tenant.users.set(id, user);
    const { items } = await call<{ items: { event: string; state: string; channel: string; runId: string }[] }>(
      'GET',
      '/notifications/messages',
      200,
    );
    const mine = items.filter(({ runId }) => runId === held.id);
    assert.deepEqual(mine.map(({ event, channel }) => [event, channel]).sort(), [
      ['plan.held', 'email'],
      ['plan.held', 'webhook'],
    ]);
    await call('GET', '/notifications/messages?state=nonsense', 400);
  });

  it('never makes a run fail, and shows what did not get through', async () => {
    await call('PUT', '/notifications', 200, { webhook: { ...webhook(), url: 'http://127.0.0.1:1/' } });
    const run = await sync(api, { allowLargeSync: true });
    assert.equal(run.status, 'succeeded');
    for (;;) {
      const { items } = await call<{ items: { runId: string; attempts: number; error: { code: string } | null }[] }>(
        'GET',
        '/notifications/messages?state=pending',
        200,
      );
      const failed = items.find(({ runId, error }) => runId === run.id && error !== null);
      if (failed !== undefined) {
        assert.deepEqual([failed.attempts, failed.error?.code], [1, 'unreachable']);
        break;
      }
    }
    await call('PUT', '/notifications', 200, { webhook: webhook() });
    await until(() => hook.received.some(({ body }) => body.data.run.id === run.id));
    await call('PUT', '/notifications', 200, {});
    assert.deepEqual((await call<{ secretsSet: string[] }>('GET', '/notifications', 200)).secretsSet, []);
  });
});
