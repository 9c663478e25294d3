import assert from 'node:assert/strict';
import { after, before, beforeEach, it } from 'node:test';
import {
  type NotificationSettings,
  parseNotificationSettings,
  saveNotificationSettings,
} from '#outbound/message/notification-settings.ts';
import { makeNotifier, type Notifier } from '#outbound/message/notify.ts';
import { makeLog } from '#platform/log.ts';
import { makeSeal } from '#platform/seal.ts';
import { type Database, sql } from '#store/database.ts';
import { listNotifications, type NotificationView } from '#store/event/notifications.ts';
import { supersedePlans } from '#store/plan/plan-seal.ts';
import { insertPlan } from '#store/plan/plans.ts';
import { attachPlan, finishRun, insertRun, type RunEnd, requeueRun, startRun } from '#store/run/runs.ts';
import { makeClock, type TestClock } from '../support/clock.ts';
import { eachDatabase } from '../support/database.ts';
import { MAIL_PASSWORD, MAIL_USER, type MailServer, startMailServer } from '../support/mail-server.ts';
import { startWebhookServer, WEBHOOK_SECRET, type WebhookServer } from '../support/webhook-server.ts';

const seal = makeSeal(Buffer.alloc(32, 3).toString('base64'));
const policy = { allowLoopback: true };
const HOUR_MS = 3_600_000;

eachDatabase('notifications', (open) => {
  let database: Database;
  let mail: MailServer;
  let hook: WebhookServer;
  let clock: TestClock;
  let notifier: Notifier;

  before(async () => {
    database = await open();
    mail = await startMailServer();
    hook = await startWebhookServer();
  });
  after(async () => {
    await mail?.close();
    await hook?.close();
  });
  beforeEach(async () => {
    await sql(database.knex, 'delete from runs');
    await sql(database.knex, 'delete from settings');
    mail.received.length = 0;
    hook.received.length = 0;
    clock = makeClock(new Date().toISOString());
    notifier = replica();
  });

  const replica = (): Notifier =>
    makeNotifier({
      ...{ database, seal, clock, policy, log: makeLog('silent') },
      publicUrl: () => 'https://sluice.example.com',
      titleOf: () => 'Microsoft 365',
    });

  const emailBy = (port: number) => ({
    ...{ on: 'changes', host: 'localhost', port, user: MAIL_USER, password: MAIL_PASSWORD },
    ...{ from: 'sluice@example.com', to: ['ada@example.com'] },
  });

  async function setUp(changed: Partial<Record<keyof NotificationSettings, unknown>> = {}): Promise<void> {
    const body = {
      email: emailBy(mail.port),
      webhook: { on: 'always', url: hook.url, secret: WEBHOOK_SECRET },
      ...changed,
    };
    const nobody = { email: null, webhook: null, remindAfterHours: 24 };
    await saveNotificationSettings(database.knex, seal, parseNotificationSettings(body, nobody, policy));
  }

  async function startedRun(preview = false): Promise<string> {
    const options = { allowLargeSync: false, resetAccountMapping: false };
    const run = { provider: 'microsoft365', mode: 'full', preview, trigger: 'manual', options } as const;
    const id = (await insertRun(database.knex, { ...run, requestedBy: 'test', configVersion: '1' })) ?? '';
    await startRun(database.knex, id);
    return id;
  }

  async function endedRun(end: RunEnd): Promise<string> {
    const id = await startedRun();
    await finishRun(database.knex, id, end);
    return id;
  }

  /** A run that ends held, with so many items. */
  async function heldRun(items = 3, { preview = false, code = 'share-exceeded', name = 'Ada' } = {}) {
    const runId = await startedRun(preview);
    const planId = await insertPlan(database.knex, {
      ...{ runId, provider: 'microsoft365', configVersion: '1', complete: true },
    });
    await attachPlan(database.knex, runId, planId);
    await supersedePlans(database.knex, 'microsoft365', planId);
    const guard = { held: ['remove'], reasons: [{ code, class: 'remove', message: `${items} objects would go.` }] };
    await sql(database.knex, `update plans set status = 'held', guard = ?::jsonb, expires_at = ? where id = ?`, [
      JSON.stringify(guard),
      new Date(clock.now().getTime() + 7 * 24 * HOUR_MS),
      planId,
    ]);
    await sql(
      database.knex,
      `insert into plan_items (plan_id, seq, action, resource_type, external_id, label, reason, held, outcome)
       select ?, n, 'deactivate', 'User', 'external-' || n, ?, 'NotInSource', true, 'held' from generate_series(1, ?::int) n`,
      [planId, name, items],
    );
    await finishRun(database.knex, runId, { status: preview ? 'succeeded' : 'held', counts: { held: items } });
    return { runId, planId };
  }

  async function messages(): Promise<readonly NotificationView[]> {
    return (await listNotifications(database.knex, { limit: 100 })).items;
  }

  function later(hours: number): void {
    clock.set(new Date(clock.now().getTime() + hours * HOUR_MS).toISOString());
  }

  it('tells each channel what it wants to hear, once, however many replicas look', async () => {
    await setUp();
    await endedRun({ status: 'succeeded', counts: { skipped: 2 } });
    await endedRun({ status: 'succeeded', counts: { created: 2 } });
    const others = [replica(), replica()];
    await Promise.all([notifier, ...others].map((one) => one.tick()));
    for (const one of [notifier, ...others]) await one.tick();
    assert.deepEqual(
      mail.received.map(({ subject }) => subject),
      ['Sluice: the sync of Microsoft 365 is done, 2 created'],
    );
    assert.deepEqual(
      hook.received.map(({ body }) => body.type),
      ['run.finished', 'run.finished'],
    );
    assert.ok((await messages()).every(({ state, attempts }) => state === 'sent' && attempts === 1));
    assert.equal(new Set(hook.received.map(({ headers }) => headers['webhook-id'])).size, 2);
  });

  it('says what failed and what to do', async () => {
    await setUp();
    const error = {
      failure: 'auth',
      code: 'secret-expired',
      message: 'The secret has expired.',
      remedy: 'Make one.',
    } as const;
    await endedRun({ status: 'failed', error });
    await notifier.tick();
    assert.match(mail.received[0]?.subject ?? '', /failed: The secret has expired\./);
    assert.match(mail.received[0]?.text ?? '', /Make one\./);
    assert.deepEqual(hook.received[0]?.body.data.run.error, error);
  });

  it('does not begin with the past when a channel is set up later', async () => {
    await endedRun({ status: 'failed' });
    await notifier.tick();
    await setUp();
    await notifier.tick();
    assert.equal(mail.received.length, 0);
    await endedRun({ status: 'failed' });
    await notifier.tick();
    assert.equal(mail.received.length, 1);
  });

  it('tells of a held plan with its reasons, its list and the link, whatever the channel wants to hear', async () => {
    await setUp({ webhook: { on: 'failure', url: hook.url, secret: WEBHOOK_SECRET } });
    const { runId } = await heldRun(3, { name: '=HYPERLINK("http://evil")' });
    await notifier.tick();
    await notifier.tick();
    assert.equal(mail.received.length, 1);
    const [letter] = mail.received;
    assert.equal(letter?.subject, 'Sluice: 3 changes wait for your decision (Microsoft 365)');
    assert.match(letter?.text ?? '', /- 3 objects would go\./);
    assert.ok(letter?.html?.includes(`https://sluice.example.com/runs/${runId}`));
    const list = String(letter?.attachments[0]?.content);
    assert.equal(list.trimEnd().split('\r\n').length, 4);
    assert.match(list, /deactivate,held,User,"'=HYPERLINK\(""http/);
    const { results, reasons } = hook.received[0]?.body.data ?? assert.fail('nothing was posted');
    assert.deepEqual([results.total, results.items.length, reasons], [3, 3, ['3 objects would go.']]);
  });

  it('reminds at growing gaps in the same thread until somebody decides, and then no more', async () => {
    await setUp({ webhook: null });
    const { planId, runId } = await heldRun();
    const told: number[] = [];
    for (let hour = 0; hour < 24 * 6; hour += 6) {
      await notifier.tick();
      if (mail.received.length > told.length) told.push(hour);
      later(6);
    }
    assert.deepEqual(told, [0, 24, 72]);
    assert.match(mail.received[1]?.subject ?? '', /reminder 1: /);
    assert.equal(mail.received[1]?.inReplyTo, mail.received[0]?.messageId);
    await sql(database.knex, `update plans set status = 'approved' where id = ?`, [planId]);
    await requeueRun(database.knex, runId);
    await finishRun(database.knex, runId, { status: 'succeeded', counts: { deactivated: 3 } });
    later(24 * 30);
    await notifier.tick();
    await notifier.tick();
    assert.deepEqual(
      mail.received.slice(3).map(({ subject }) => subject),
      ['Sluice: the sync of Microsoft 365 is done, 3 deactivated'],
    );
  });

  it('does not write again for a newer plan that asks the same, and does for one that asks something else', async () => {
    await setUp({ webhook: null });
    await heldRun(3);
    await notifier.tick();
    later(1);
    await heldRun(4);
    await notifier.tick();
    assert.equal(mail.received.length, 1, 'the same question an hour later');
    later(24);
    await notifier.tick();
    assert.match(mail.received[1]?.subject ?? '', /reminder 1: 4 changes wait/);
    await heldRun(4, { code: 'provider-empty' });
    await notifier.tick();
    assert.match(mail.received[2]?.subject ?? '', /^Sluice: 4 changes wait/);
  });

  it('says nothing of a preview, which somebody is looking at', async () => {
    await setUp({ webhook: null });
    await heldRun(3, { preview: true });
    await notifier.tick();
    assert.equal(mail.received.length, 0);
  });

  it('does not send what was decided before it could be sent', async () => {
    await setUp({ email: null });
    hook.answer(1, 500);
    const { planId } = await heldRun();
    await notifier.tick();
    await sql(database.knex, `update plans set status = 'rejected' where id = ?`, [planId]);
    later(1);
    await notifier.tick();
    assert.equal(hook.received.length, 0);
    assert.equal((await messages())[0]?.state, 'dropped');
  });

  it('comes back when the receiver said, with the time of the message and not of the try', async () => {
    await setUp({ email: null });
    hook.answer(1, 429, 7_200);
    await endedRun({ status: 'failed' });
    await notifier.tick();
    const [made] = await messages();
    for (let hour = 0; hour < 3; hour += 1) {
      assert.equal((await messages())[0]?.attempts, 1, 'not before');
      later(0.9);
      await notifier.tick();
    }
    assert.equal((await messages())[0]?.state, 'sent');
    assert.equal(hook.received[0]?.body.timestamp, new Date(made?.createdAt ?? 0).toISOString());
  });

  it('tries again with growing gaps and the same id, shows why, and gives up in the end', async () => {
    await setUp({ email: null });
    hook.answer(2, 503);
    await endedRun({ status: 'failed' });
    await notifier.tick();
    await notifier.tick();
    const [waiting] = await messages();
    assert.deepEqual([waiting?.state, waiting?.attempts, waiting?.error?.code], ['pending', 1, 'webhook-refused']);
    assert.ok((waiting?.error?.remedy ?? '').length > 0);
    later(1);
    await notifier.tick();
    later(1);
    await notifier.tick();
    assert.deepEqual([(await messages())[0]?.state, (await messages())[0]?.error], ['sent', null]);
    assert.equal(hook.received[0]?.headers['webhook-id'], waiting?.id);

    hook.answer(1_000, 410);
    await endedRun({ status: 'failed' });
    for (let day = 0; day < 10; day += 1) {
      await notifier.tick();
      later(24);
    }
    hook.answer(0, 204);
    await notifier.tick();
    const [given] = await messages();
    assert.deepEqual([given?.state, given?.attempts, given?.nextAttemptAt], ['failed', 8, null]);
  });

  it('goes on with the other messages when one channel fails', async () => {
    await setUp();
    mail.refuse(1, '4.3.1 Out of space', 452);
    await endedRun({ status: 'failed' });
    await notifier.tick();
    assert.equal(hook.received.length, 1);
    later(1);
    await notifier.tick();
    assert.equal(mail.received.length, 1);
  });

  it('takes over what a process claimed that died with it', async () => {
    await setUp({ email: null });
    await endedRun({ status: 'failed' });
    hook.answer(1, 500);
    await notifier.tick();
    await sql(database.knex, `update notifications set next_at = ?, claimed_until = ?`, [
      clock.now(),
      new Date(clock.now().getTime() + HOUR_MS / 2),
    ]);
    await notifier.tick();
    assert.equal(hook.received.length, 0, 'somebody has it');
    later(1);
    await notifier.tick();
    assert.equal(hook.received.length, 1);
  });

  it('stops in the middle of a message to a server that says nothing, which goes out once it is started again', async () => {
    const arrived = Promise.withResolvers<void>();
    const silent = await startMailServer({ onMailFrom: () => arrived.resolve() });
    try {
      await setUp({ email: emailBy(silent.port), webhook: null });
      await endedRun({ status: 'failed' });
      const working = notifier.tick();
      await arrived.promise;
      await notifier.stop();
      await working;
    } finally {
      await silent.close();
    }
    await setUp({ webhook: null });
    await replica().tick();
    assert.equal(mail.received.length, 1);
    const { rows } = await sql(database.knex, `select attempts from notifications where channel = 'email'`);
    assert.deepEqual(rows, [{ attempts: 1 }]);
  });

  it('waits as long as a receiver asks it to', async () => {
    await setUp({ email: null });
    await endedRun({ status: 'failed' });
    hook.answer(1, 503, 5 * 3_600);
    await notifier.tick();
    later(4);
    await notifier.tick();
    assert.equal(hook.received.length, 0);
    later(1);
    await notifier.tick();
    assert.equal(hook.received.length, 1);
  });

  it('cuts a list that is too long for a mail, and says so', async () => {
    await setUp();
    await heldRun(30_000, { name: 'A person with quite a long name, of whom there are many' });
    await notifier.tick();
    const [letter] = mail.received;
    const lines = String(letter?.attachments[0]?.content).trimEnd().split('\r\n').length - 1;
    assert.ok(lines > 1_000 && lines < 30_000);
    assert.match(letter?.text ?? '', new RegExp(`has ${lines} of 30000 lines`));
    const { results } = hook.received[0]?.body.data ?? assert.fail('nothing was posted');
    assert.deepEqual([results.total, results.cut, results.items.length], [30_000, true, 500]);
  });

  it('attaches the log of a run that keeps one', async () => {
    await setUp({ webhook: null });
    const id = await endedRun({ status: 'failed' });
    await sql(database.knex, 'insert into run_logs (run_id, seq, lines) values (?, 1, ?)', [id, '{"msg":"x"}\n']);
    await notifier.tick();
    assert.deepEqual(
      mail.received[0]?.attachments.map(({ filename, content }) => [/-log\.ndjson$/.test(filename ?? ''), content]),
      [[true, '{"msg":"x"}\n']],
    );
  });
});
