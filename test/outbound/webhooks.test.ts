import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { WINDOW } from '#outbound/event/fill-stream.ts';
import { resume, rotateWebhookKeys, saveWebhook } from '#outbound/event/streams.ts';
import { viewStream } from '#outbound/event/view-stream.ts';
import { parseNotificationSettings, saveNotificationSettings } from '#outbound/message/notification-settings.ts';
import { makeNotifier } from '#outbound/message/notify.ts';
import { makeLog } from '#platform/log.ts';
import { makeWebhookKey, webhookPublicKey } from '#platform/webhook-signature.ts';
import { type Database, sql } from '#store/database.ts';
import { replayDeliveries } from '#store/event/event-deliveries.ts';
import { readFigures } from '#store/views/event-deliveries.ts';
import { eachDatabase } from '../support/database.ts';
import {
  type EventScene,
  type EventsBench,
  eventScene,
  settledJournal,
  untilWithoutLedger,
} from '../support/events.ts';
import { type Received, type Receiver, startReceiver } from '../support/receiver.ts';
import { GROUP_SCHEMA, type ScimServer } from '../support/scim.ts';

interface Body {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly id: string;
    readonly attributes?: readonly string[];
    readonly version?: string;
    readonly reason?: string;
    readonly resource?: Record<string, unknown>;
  };
}

eachDatabase('webhooks', (open) => {
  let database: Database;
  let scim: ScimServer;
  let receiver: Receiver;
  let bench: EventsBench;
  let user: EventScene['user'];
  eventScene(open, (scene) => {
    ({ database, scim, receiver, bench, user } = scene);
  });

  const patch = (path: string, ...Operations: object[]) =>
    scim.call('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
  const body = ({ text }: Received): Body => JSON.parse(text);
  const taken = (): Body[] => receiver.received.filter(({ status }) => status < 300 && status > 0).map(body);
  const types = (): string[] => taken().map(({ type }) => type);
  const idOf = ({ headers }: Received): string => String(headers['webhook-id']);

  const resumed = async (appId: string, from: 'stopped' | 'now' | 'snapshot'): Promise<void> => {
    const stream = await bench.stream(appId);
    await database.knex.transaction((tx) => resume(tx, stream, from, bench.parts));
  };

  it('tells of each change once, in order, signed so that the library of the receivers takes it', async () => {
    const { secret, appId } = await bench.webhook(receiver);
    const ada = await user({ title: 'Countess' });
    await bench.work();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'Analyst' });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: true });
    await scim.call('DELETE', `/Users/${ada.id}`);
    await bench.work();
    await bench.work();
    assert.deepEqual(types(), ['user.created', 'user.updated', 'user.deactivated', 'user.activated', 'user.deleted']);
    for (const one of receiver.received) {
      assert.deepEqual(new Webhook(secret).verify(one.text, one.headers as Record<string, string>), body(one));
      assert.throws(() => new Webhook(secret).verify(`${one.text} `, one.headers as Record<string, string>));
      assert.equal(body(one).data.id, ada.id);
    }
    assert.equal(new Set(receiver.received.map(idOf)).size, 5);
    assert.deepEqual(taken()[1]?.data.attributes, ['title']);
    assert.equal(
      receiver.received.some(({ text }) => text.includes('Analyst')),
      false,
      'thin by default',
    );
    const states = (await bench.deliveries(appId)).map(({ state, status, attempts }) => ({ state, status, attempts }));
    assert.deepEqual(states, Array(5).fill({ state: 'delivered', status: 204, attempts: 1 }));
  });

  it('carries the resource when that is wanted, cut to what the app sees, and leaves out what is too large', async () => {
    await bench.webhook(receiver, { payload: 'full' }, { attributes: ['userName', 'title', 'displayName', 'members'] });
    const ada = await user({ title: 'Countess', nickName: 'Enchantress' });
    await bench.work();
    const resource = taken()[0]?.data.resource ?? {};
    assert.equal(resource['title'], 'Countess');
    assert.equal('nickName' in resource, false);
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'nickName', value: 'A' });
    await bench.work();
    assert.equal(taken().length, 1, 'nothing that it sees has changed');
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'x'.repeat(100_000) });
    await bench.work();
    assert.deepEqual(taken()[1]?.data.attributes, ['title']);
    assert.equal(taken()[1]?.data.resource, undefined);
  });

  it('sends only the types that are wanted', async () => {
    await bench.webhook(receiver, { events: ['user.deactivated', 'user.deleted'] });
    const ada = await user();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'x' });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await scim.call('DELETE', `/Users/${ada.id}`);
    await bench.work();
    assert.deepEqual(types(), ['user.deactivated', 'user.deleted']);
  });

  it('repeats a message with the same id and a new time until it is taken', async () => {
    const { appId } = await bench.webhook(receiver);
    let tries = 0;
    receiver.answerWith(() => {
      tries += 1;
      return tries === 1 ? undefined : { status: tries < 4 ? 503 : 200 };
    });
    await user();
    for (let round = 0; round < 6; round += 1) {
      await bench.work();
      bench.later(3);
    }
    assert.equal(receiver.received.length, 4);
    assert.equal(new Set(receiver.received.map(idOf)).size, 1);
    assert.equal(new Set(receiver.received.map(({ text }) => text)).size, 1);
    assert.equal(new Set(receiver.received.map(({ headers }) => headers['webhook-timestamp'])).size, 4);
    const [delivery] = await bench.deliveries(appId);
    assert.equal(delivery?.state, 'delivered');
    assert.equal(delivery?.attempts, 4);
    assert.equal((await bench.stream(appId)).failures, 0);
  });

  it('asks a receiver that fails with one message at a time, and not before its time', async () => {
    const { appId } = await bench.webhook(receiver);
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
    receiver.answerWith(() => ({ status: 429, headers: { 'retry-after': inAnHour } }));
    for (let n = 0; n < 12; n += 1) await user();
    await bench.work();
    const first = receiver.received.length;
    assert.ok(first <= 8, `${first} at once`);
    bench.later(0.9);
    await bench.work();
    assert.equal(receiver.received.length, first, 'within Retry-After');
    bench.later(0.2);
    await bench.work();
    assert.equal(receiver.received.length, first + 1, 'one message to see');
    receiver.answerWith(() => ({ status: 200 }));
    bench.later(24);
    await bench.work();
    assert.equal(types().length, 12);
    assert.ok((await bench.deliveries(appId)).every(({ state }) => state === 'delivered'));
  });

  it('claims no more at once than it may, also where the database plans for a table of hardly any rows', async () => {
    await bench.webhook(receiver);
    for (let n = 0; n < 40; n += 1) await user();
    await bench.work();
    // A plan that runs a sub-select anew for each row would pass over what it has locked itself, and take the next ones.
    await sql(database.knex, 'delete from event_deliveries');
    await sql(database.knex, 'analyze event_deliveries');
    receiver.received.length = 0;
    receiver.answerWith(() => ({ status: 503 }));
    for (let n = 0; n < 20; n += 1) await user();
    await bench.work();
    assert.ok(receiver.received.length <= 8, `${receiver.received.length} at once`);
  });

  it('keeps the order of each resource while a message of it is refused, and delays nobody else', async () => {
    const { appId } = await bench.webhook(receiver);
    const [ada, bob] = [await user(), await user()];
    await bench.work();
    receiver.received.length = 0;
    receiver.answerWith((text) => ({ status: text.includes(ada.id) ? 422 : 200, body: 'I do not like this one' }));
    for (const title of ['1', '2']) {
      await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: title });
      await patch(`/Users/${bob.id}`, { op: 'replace', path: 'title', value: title });
    }
    await bench.work();
    assert.equal(taken().filter(({ data }) => data.id === bob.id).length, 2);
    const refused = receiver.received.filter(({ text }) => text.includes(ada.id));
    assert.equal(new Set(refused.map(idOf)).size, 1, 'the second waits for the first');
    for (let round = 0; round < 12; round += 1) {
      bench.later(24);
      await bench.work();
    }
    const dead = (await bench.deliveries(appId)).filter(({ state }) => state === 'dead');
    assert.equal(dead.length, 1, 'after ten tries it is given up, and the second is tried');
    assert.equal(dead[0]?.attempts, 10);
    assert.equal(dead[0]?.status, 422);
    assert.equal(dead[0]?.answer, 'I do not like this one');
    receiver.answerWith(() => ({ status: 200 }));
    const { id } = await bench.stream(appId);
    assert.equal(await replayDeliveries(database.knex, id, 'dead', bench.clock.now()), 1);
    bench.later(24);
    await bench.work();
    assert.ok((await bench.deliveries(appId)).every(({ state }) => state === 'delivered'));
  });

  it('tells of leavers before others, and how long that took', async () => {
    const { appId } = await bench.webhook(receiver);
    const ada = await user();
    await bench.work();
    receiver.received.length = 0;
    for (let n = 0; n < 20; n += 1) await user();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await bench.work();
    const place = receiver.received.findIndex(({ text }) => text.includes('user.deactivated'));
    assert.ok(place < 8, `place ${place}`);
    const { id } = await bench.stream(appId);
    const [figures] = await readFigures(database.knex, [id]);
    assert.deepEqual([figures?.pending, figures?.leavers], [0, 1]);
    assert.equal(figures?.p50_ms, figures?.worst_ms);
  });

  it('sets a message aside that fails while others are taken, and lets no leaver wait behind it', async () => {
    const { appId } = await bench.webhook(receiver);
    const ada = await user();
    receiver.answerWith((text) => ({ status: text.includes(ada.id) && text.includes('user.created') ? 500 : 200 }));
    for (let n = 0; n < 10; n += 1) {
      await user();
      await bench.work();
      bench.later(6 / 3600);
    }
    const tries = (): number => receiver.received.filter(({ status }) => status === 500).length;
    assert.equal(taken().length, 10);
    assert.ok(tries() <= 4, `${tries()} tries within a minute`);
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await bench.work();
    assert.equal(types().at(-1), 'user.deactivated');
    const dead = (await bench.deliveries(appId)).filter(({ state }) => state === 'dead');
    assert.deepEqual(
      dead.map(({ type, resourceId, status }) => [type, resourceId, status]),
      [['user.created', ada.id, 500]],
    );
    const bob = await user();
    await bench.work();
    receiver.answerWith((text) => ({ status: text.includes('user.updated') ? 422 : 200 }));
    await patch(`/Users/${bob.id}`, { op: 'replace', path: 'title', value: 'x' });
    await patch(`/Users/${bob.id}`, { op: 'replace', path: 'active', value: false });
    await bench.work();
    assert.equal(taken().at(-1)?.data.id, bob.id);
    assert.equal(types().at(-1), 'user.deactivated', 'as soon as the update was refused');
  });

  it('gives up a message that fails for days, and not the receiver that took others', async () => {
    const { appId } = await bench.webhook(receiver);
    const [ada] = [await user(), await user()];
    receiver.answerWith((text) => ({ status: text.includes(ada?.id ?? '') ? 500 : 200 }));
    for (let day = 0; day < 14; day += 1) {
      await bench.work();
      bench.later(24);
    }
    assert.equal((await bench.stream(appId)).disabled_reason, null);
    const states = (await bench.deliveries(appId)).map(({ state, resourceId }) => [state, resourceId === ada?.id]);
    assert.deepEqual(states, [
      ['delivered', false],
      ['dead', true],
    ]);
    assert.deepEqual(bench.disabled, []);
  });

  it('does not hold the tries of an outage against a message', async () => {
    const { appId } = await bench.webhook(receiver);
    await user();
    receiver.answerWith(() => ({ status: 503 }));
    for (const hours of [0.002, 0.1, 0.6, 2.1, 5.1, 10.1, 14.1, 20.1, 24.1, 24.1]) {
      await bench.work();
      bench.later(hours);
    }
    assert.equal(receiver.received.length, 10);
    await resumed(appId, 'stopped');
    receiver.answerWith(() => ({ status: 409 }));
    await bench.work();
    assert.equal((await bench.deliveries(appId))[0]?.state, 'pending');
    receiver.answerWith(() => ({ status: 200 }));
    bench.later(0.002);
    await bench.work();
    assert.equal((await bench.deliveries(appId))[0]?.state, 'delivered');
  });

  it('uses the settings of the moment, and holds nothing against a stream that came of those before', async (t) => {
    const other = await startReceiver();
    t.after(() => other.close());
    const { appId } = await bench.webhook(receiver);
    const mend = (url: string) =>
      database.knex.transaction((tx) => saveWebhook(tx, bench.parts, { id: appId, scope: null }, { url }));
    for (let n = 0; n < 30; n += 1) await user();
    let mended = 0;
    receiver.answerWith(async () => {
      mended += 1;
      if (mended === 1) await mend(other.url);
      return { status: 503, headers: { 'retry-after': '86400' } };
    });
    await bench.work();
    assert.ok(receiver.received.length <= 8, `${receiver.received.length} to the old URL`);
    assert.equal(other.received.length, 30);
    assert.equal((await bench.stream(appId)).retry_at, null);
    other.answerWith(async () => {
      await mend(receiver.url);
      return { status: 410 };
    });
    receiver.answerWith(() => ({ status: 200 }));
    await user();
    await bench.work();
    assert.equal((await bench.stream(appId)).disabled_reason, null);
    assert.equal(types().length, 1);
  });

  it('is disabled after days without success, keeps what waits, and goes on when it is resumed', async () => {
    const { appId } = await bench.webhook(receiver);
    receiver.answerWith(() => ({ status: 500 }));
    await user();
    for (let day = 0; day < 6; day += 1) {
      await bench.work();
      bench.later(24);
    }
    const { disabled_at, disabled_reason, last_error } = await bench.stream(appId);
    assert.notEqual(disabled_at, null);
    assert.equal(disabled_reason, 'gave-up');
    assert.equal(last_error?.code, 'webhook-refused');
    assert.deepEqual(bench.disabled, [`${appId} gave-up`]);
    const tried = receiver.received.length;
    receiver.answerWith(() => ({ status: 200 }));
    await user();
    await bench.work();
    assert.equal(receiver.received.length, tried);
    await resumed(appId, 'stopped');
    await bench.work();
    assert.deepEqual(types(), ['user.created', 'user.created']);
  });

  it('is disabled at once by 410, and from now on begins with what comes', async () => {
    const { appId } = await bench.webhook(receiver);
    receiver.answerWith(() => ({ status: 410 }));
    await user();
    await bench.work();
    assert.equal((await bench.stream(appId)).disabled_reason, 'gone');
    receiver.answerWith(() => ({ status: 200 }));
    await resumed(appId, 'now');
    await bench.work();
    assert.deepEqual(types(), []);
    await user();
    await bench.work();
    assert.deepEqual(types(), ['user.created']);
  });

  it('follows no redirect, and neither keeps nor shows secrets in an answer', async () => {
    const { appId, secret } = await bench.webhook(receiver);
    receiver.answerWith(() => ({
      status: 302,
      headers: { location: receiver.url },
      body: `key ${secret} ${'x'.repeat(9_000)}`,
    }));
    await user();
    await bench.work();
    assert.equal(receiver.received.length, 1);
    const [delivery] = await bench.deliveries(appId);
    assert.equal(delivery?.status, 302);
    assert.ok((delivery?.answer?.length ?? 0) <= 1_000);
    assert.equal(delivery?.answer?.includes(secret), false);
    const shown = JSON.stringify(viewStream(bench.parts, await bench.stream(appId), undefined));
    assert.equal(shown.includes(secret), false);
    const { rows } = await sql(database.knex, 'select sealed, settings from event_streams');
    assert.equal(JSON.stringify(rows).includes(secret), false);
  });

  it('signs with the old and the new secret while one replaces the other', async () => {
    const { appId, secret: old } = await bench.webhook(receiver);
    const stream = await bench.stream(appId);
    const rotated = await database.knex.transaction((tx) =>
      rotateWebhookKeys(tx, bench.parts, stream, { overlapHours: 24 }),
    );
    await user();
    await bench.work();
    const [first] = receiver.received;
    for (const secret of [old, rotated.secret ?? ''])
      new Webhook(secret).verify(first?.text ?? '', first?.headers as Record<string, string>);
    bench.later(25);
    await user();
    await bench.work();
    const second = receiver.received[1];
    const signed = (secret: string): boolean => {
      const at = new Date(Number(second?.headers['webhook-timestamp']) * 1000);
      const mine = new Webhook(secret).sign(String(second?.headers['webhook-id']), at, second?.text ?? '');
      return String(second?.headers['webhook-signature']).split(' ').includes(mine);
    };
    assert.equal(signed(old), false);
    assert.equal(signed(rotated.secret ?? ''), true);
  });

  it('signs with ed25519 as well where that is wanted, for receivers that must not be able to sign', async () => {
    const { appId, secret } = await bench.webhook(receiver, { signatures: ['v1', 'v1a'] });
    await user();
    await bench.work();
    const [one] = receiver.received;
    new Webhook(secret).verify(one?.text ?? '', one?.headers as Record<string, string>);
    const view = viewStream(bench.parts, await bench.stream(appId), undefined);
    const keys = 'keys' in view ? (view.keys as readonly { kind: string; publicKey?: string | null }[]) : [];
    const raw = Buffer.from((keys.find(({ kind }) => kind === 'v1a')?.publicKey ?? '').replace('whpk_', ''), 'base64');
    assert.equal(raw.length, 32);
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
    const content = `${one?.headers['webhook-id']}.${one?.headers['webhook-timestamp']}.${one?.text}`;
    const signature = /v1a,(\S+)/.exec(String(one?.headers['webhook-signature']))?.[1] ?? '';
    assert.ok(verify(null, Buffer.from(content), key, Buffer.from(signature, 'base64')));
    assert.equal(webhookPublicKey(makeWebhookKey('v1')), undefined);
  });

  it('sends what was claimed by a process that died again, with the same id, and loses nothing', async () => {
    const { appId } = await bench.webhook(receiver);
    for (let n = 0; n < 5; n += 1) await user();
    receiver.answerWith(() => ({ status: 200 }));
    const dying = bench.worker();
    await settledJournal(database);
    await dying.tick();
    // What was sent and taken, but not settled, looks like this.
    await sql(
      database.knex,
      `update event_deliveries set state = 'pending', settled_at = null, claimed_until = ? where attempts > 0`,
      [new Date(bench.clock.now().getTime() + 60_000)],
    );
    assert.equal(receiver.received.length, 5);
    await bench.work();
    assert.equal(receiver.received.length, 10);
    assert.equal(new Set(receiver.received.map(idOf)).size, 5);
    assert.ok((await bench.deliveries(appId)).every(({ state }) => state === 'delivered'));
  });

  it('is disabled when the change log does not reach back to where it was, and then wants a snapshot', async (t) => {
    t.after(() => sql(database.knex, 'delete from journal'));
    const { appId } = await bench.webhook(receiver);
    await user();
    const { rows } = await sql(database.knex, 'select max(xid::text::bigint) as xid from changes');
    await sql(
      database.knex,
      'insert into journal (trimmed_xid, trimmed_seq) values (?::text::xid8, 9223372036854775807)',
      [rows[0].xid],
    );
    await bench.work();
    assert.equal((await bench.stream(appId)).disabled_reason, 'fell-behind');
    await resumed(appId, 'snapshot');
    await bench.work();
    assert.ok(types().length > 0 && types().every((type) => type.endsWith('.created')));
  });

  it('keeps a bounded window for a receiver that is gone, and another gets everything', async (t) => {
    const gone = await startReceiver();
    t.after(() => gone.close());
    gone.answerWith(() => undefined);
    const { appId } = await bench.webhook(gone);
    await bench.webhook(receiver);
    await sql(
      database.knex,
      `insert into changes (resource_type, resource_id, version, operation, actor)
       select 'User', gen_random_uuid(), 1, 'create', 'test' from generate_series(1, ?::int)`,
      [WINDOW + 500],
    );
    await bench.work();
    assert.equal(receiver.received.length, WINDOW + 500);
    const { id } = await bench.stream(appId);
    const { rows } = await sql(
      database.knex,
      'select count(*)::int as count from event_deliveries where stream_id = ?',
      [id],
    );
    assert.equal(rows[0].count, WINDOW);
  });

  it('tells an app of nobody out of its scope, and of those who come and go as created and deleted', async () => {
    const sales = await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'Sales' });
    const [ada, bob] = [await user(), await user()];
    await bench.webhook(receiver, {}, { groups: [sales.id] });
    await patch(`/Users/${bob.id}`, { op: 'replace', path: 'title', value: 'x' });
    await patch(`/Groups/${sales.id}`, { op: 'add', path: 'members', value: [{ value: ada.id }] });
    await bench.work();
    // What is told of several goes out side by side, and comes in any order.
    const told = () => taken().map(({ type, data }) => `${type} ${data.id} ${data.reason ?? ''}`.trim());
    assert.deepEqual(told().sort(), [`group.updated ${sales.id}`, `user.created ${ada.id} entered-scope`]);
    receiver.received.length = 0;
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'y' });
    await bench.work();
    assert.deepEqual(told(), [`user.updated ${ada.id}`]);
    receiver.received.length = 0;
    await patch(`/Groups/${sales.id}`, { op: 'remove', path: `members[value eq "${ada.id}"]` });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'secret' });
    await bench.work();
    assert.deepEqual(told().sort(), [`group.updated ${sales.id}`, `user.deleted ${ada.id} left-scope`]);
    await scim.call('DELETE', `/Users/${ada.id}`);
    await scim.call('DELETE', `/Groups/${sales.id}`);
    await bench.work();
    assert.deepEqual(types().slice(2), ['group.deleted']);
  });

  it('tells of the difference when the scope of an app is changed', async () => {
    const [ada, bob] = [await user({ userType: 'Employee' }), await user({ userType: 'Guest' })];
    const { appId } = await bench.webhook(receiver);
    await bench.work();
    const rescope = (scope: object | null) =>
      sql(database.knex, 'update apps set scope = ?::jsonb where id = ?', [scope && JSON.stringify(scope), appId]);
    await rescope({ userFilter: 'userType eq "Employee"', resourceTypes: ['User'] });
    await bench.work();
    const told = (): Map<string, string> => new Map(taken().map(({ type, data }) => [data.id, type]));
    assert.equal(told().get(bob.id), 'user.deleted');
    assert.equal(told().get(ada.id), undefined);
    await patch(`/Users/${bob.id}`, { op: 'replace', path: 'userType', value: 'Employee' });
    await bench.work();
    assert.equal(told().get(bob.id), 'user.created');
    receiver.received.length = 0;
    await rescope(null);
    await bench.work();
    assert.equal(told().get(ada.id), undefined);
    // Who sees everybody needs none.
    await untilWithoutLedger(bench, appId);
  });

  it('forgets what was delivered after a week, also when nothing happens any more', async () => {
    const { appId } = await bench.webhook(receiver, { payload: 'full' });
    await user();
    const worker = bench.worker();
    await settledJournal(database);
    await worker.tick();
    assert.equal((await bench.deliveries(appId)).length, 1);
    // By both clocks: what is stored gets older, and the worker looks again.
    await sql(database.knex, `update event_deliveries set settled_at = settled_at - interval '8 days'`);
    bench.later(24);
    await worker.tick();
    assert.deepEqual(await bench.deliveries(appId), []);
  });

  it('begins with everybody who is there when that is wanted', async () => {
    const ada = await user();
    await bench.webhook(receiver, { start: 'snapshot' });
    await bench.work();
    const told = taken().filter(({ data }) => data.id === ada.id);
    assert.deepEqual(
      told.map(({ type, data }) => [type, data.reason]),
      [['user.created', 'entered-scope']],
    );
    await bench.work();
    assert.equal(taken().filter(({ data }) => data.id === ada.id).length, 1);
  });

  it('lets one process work, however many there are', async () => {
    await bench.webhook(receiver);
    for (let n = 0; n < 10; n += 1) await user();
    await settledJournal(database);
    await Promise.all([bench.worker(), bench.worker(), bench.worker()].map((one) => one.tick()));
    await bench.work();
    assert.equal(receiver.received.length, 10);
  });

  it('takes nothing up any more once another process has taken over', async () => {
    const { appId } = await bench.webhook(receiver);
    for (let count = 0; count < 9; count += 1) await user();
    receiver.answerWith(async () => {
      await sql(database.knex, `update leases set owner = 'another', fence = fence + 1 where name = 'events'`);
      return { status: 204 };
    });
    await bench.work();
    await sql(database.knex, `update leases set expires_at = '-infinity' where name = 'events'`);
    assert.equal(receiver.received.length, 8, 'what was under way');
    const tries = (await bench.deliveries(appId)).map(({ attempts }) => attempts);
    assert.deepEqual(tries, [0, ...Array(8).fill(1)]);
  });

  it('tells people once when a webhook was switched off, and nothing when it is taken up before', async (t) => {
    const office = await startReceiver();
    t.after(async () => {
      await office.close();
      await sql(database.knex, 'delete from settings');
    });
    const url = office.url;
    const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
    const nobody = { email: null, webhook: null, remindAfterHours: 24 };
    const settings = parseNotificationSettings({ webhook: { url, secret } }, nobody, bench.parts.policy);
    await saveNotificationSettings(database.knex, bench.parts.seal, settings);
    const { clock, parts } = bench;
    const notifier = makeNotifier({ ...parts, database, clock, log: makeLog('fatal'), titleOf: String });
    const { appId } = await bench.webhook(receiver);
    receiver.answerWith(() => ({ status: 410 }));
    await user();
    await bench.work();
    for (let n = 0; n < 2; n += 1) await notifier.tick();
    assert.equal(office.received.length, 1);
    const { type, data } = JSON.parse(office.received[0]?.text ?? '{}');
    assert.equal(type, 'stream.disabled');
    assert.match(data.subject, /the webhook of "App \d+" was switched off/);
    assert.equal(data.facts['Last failure'], 'The receiver of the webhook answered 410.');
    await resumed(appId, 'now');
    await user();
    await bench.work();
    office.answerWith(() => ({ status: 500 }));
    await notifier.tick();
    await resumed(appId, 'now');
    bench.later(1);
    office.answerWith(() => ({ status: 204 }));
    await notifier.tick();
    assert.equal(office.received.filter(({ status }) => status === 204).length, 1);
  });
});
