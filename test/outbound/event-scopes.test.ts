import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeJwt } from 'jose';
import type { AppScope } from '#core/scope.ts';
import { saveWebhook } from '#outbound/event/streams.ts';
import { insertApp } from '#store/access/apps.ts';
import { type Database, sql } from '#store/database.ts';
import { replayDeliveries } from '#store/event/event-deliveries.ts';
import { eachDatabase } from '../support/database.ts';
import { type EventScene, type EventsBench, eventScene, untilWithoutLedger, WAITING } from '../support/events.ts';
import type { Receiver } from '../support/receiver.ts';
import { GROUP_SCHEMA, type ScimServer } from '../support/scim.ts';

const EMPLOYEES: AppScope = { userFilter: 'userType eq "Employee"' };

interface Body {
  readonly type: string;
  readonly data: {
    readonly id: string;
    readonly reason?: string;
    readonly attributes?: readonly string[];
    readonly resource?: { readonly members?: readonly object[] };
  };
}

eachDatabase('events and the scope of an app', (open, kind) => {
  let database: Database;
  let scim: ScimServer;
  let receiver: Receiver;
  let bench: EventsBench;
  let user: EventScene['user'];
  eventScene(open, (scene) => {
    ({ database, scim, receiver, bench } = scene);
    user = (more = {}) => scene.user({ userType: 'Employee', ...more });
  });

  const patch = (path: string, ...Operations: object[]) =>
    scim.call('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
  const replace = (id: string, path: string, value: unknown) => patch(`/Users/${id}`, { op: 'replace', path, value });
  const rescope = (appId: string, scope: AppScope) =>
    sql(database.knex, 'update apps set scope = ?::jsonb where id = ?', [JSON.stringify(scope), appId]);
  const bodies = (): Body[] =>
    receiver.received.filter(({ status }) => status < 300).map(({ text }) => JSON.parse(text));
  const told = (): string[] => bodies().map(({ type, data }) => `${type} ${data.id}`);
  const events = async (
    appId: string,
  ): Promise<Map<string, Record<string, { data?: object; attributes?: string[] }>>> => {
    const found = await bench.polling.poll(appId, { returnImmediately: true }, WAITING);
    const claims = Object.values(found?.sets ?? {}).map((token) =>
      decodeJwt<{ sub_id: { id: string }; events: object }>(token),
    );
    return new Map(claims.map(({ sub_id, events: all }) => [sub_id.id, all as never]));
  };

  /** Whom each token that waits is about. */
  const jtis = async (appId: string): Promise<Map<string, string>> => {
    const found = await bench.polling.poll(appId, { returnImmediately: true }, WAITING);
    const about = (token: string): string => decodeJwt<{ sub_id: { id: string } }>(token).sub_id.id;
    return new Map(Object.entries(found?.sets ?? {}).map(([jti, token]) => [jti, about(token)]));
  };

  it('lose nothing that was not read yet when a scope is set', async () => {
    const { appId } = await bench.webhook(receiver);
    const [ada, bob, cyd] = [await user(), await user(), await user()];
    await bench.work();
    for (const [scope, title] of [
      [EMPLOYEES, 'by a filter'],
      [{ attributes: ['userName', 'active', 'userType'] }, 'by attributes'],
    ] as const) {
      await rescope(appId, {});
      await bench.work();
      receiver.received.length = 0;
      await replace(ada.id, 'active', false);
      const dan = await user();
      const eve = await user({ userType: 'Guest' });
      const gone = title === 'by a filter' ? bob : cyd;
      await scim.call('DELETE', `/Users/${gone.id}`);
      await rescope(appId, scope);
      await bench.work();
      const expected = [`user.deactivated ${ada.id}`, `user.created ${dan.id}`, `user.deleted ${gone.id}`];
      if (title === 'by attributes') expected.push(`user.created ${eve.id}`);
      assert.deepEqual(told().sort(), expected.sort(), title);
      await replace(ada.id, 'active', true);
    }
  });

  it('send nothing that waits, or is asked for again, of what the app sees no more', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, payload: 'full' });
    const [ada, bob] = [await user({ title: 'Countess' }), await user({ title: 'Earl', userType: 'Guest' })];
    await bench.work();
    const all = await events(appId);
    assert.deepEqual([...all.keys()], [ada.id, bob.id]);
    const cyd = await user({ userType: 'Guest' });
    await bench.work();
    const stream = await bench.stream(appId, 'set');
    await sql(database.knex, 'update event_deliveries set attempted_at = null where resource_id = ?', [bob.id]);
    await rescope(appId, { ...EMPLOYEES, attributes: ['userName', 'userType'] });
    assert.equal((await events(appId)).size, 0, 'nothing before the new scope has begun');
    await bench.work();
    const narrowed = await events(appId);
    assert.ok(narrowed.has(ada.id));
    for (const { id } of [bob, cyd]) assert.equal(narrowed.has(id), false, 'who was never told of');
    const [[uri = '', said] = []] = Object.entries(narrowed.get(ada.id) ?? {});
    assert.match(uri, /prov:create:notice$/);
    assert.deepEqual([said?.data, said?.attributes?.sort()], [undefined, ['userName', 'userType']]);

    const dan = await user();
    await bench.work();
    const taken = await bench.polling.poll(appId, { returnImmediately: true }, WAITING);
    assert.match(Object.keys((await events(appId)).get(dan.id) ?? {}).join(), /prov:create:full/);
    const ack = Object.keys(taken?.sets ?? {});
    await bench.polling.poll(appId, { ack, maxEvents: 0 }, WAITING);
    await replace(dan.id, 'userType', 'Guest');
    await bench.work();
    const [left] = await bench.deliveries(appId, 'set');
    assert.match(left?.type ?? '', /feed:remove/);
    await sql(database.knex, `update event_deliveries set state = 'delivered' where stream_id = ?`, [stream.id]);
    const created = (await bench.deliveries(appId, 'set')).filter(({ type }) => type.includes('prov:create'));
    for (const one of created) await replayDeliveries(database.knex, stream.id, one.id, bench.clock.now());
    const again = await events(appId);
    assert.ok(again.has(ada.id) && again.has(dan.id));
    for (const [who, statements] of again)
      assert.deepEqual(
        Object.keys(statements).map((one) => one.split(':').slice(-2).join(':')),
        ['create:notice'],
        who,
      );
  });

  it('tell nothing of the end of somebody whom they have not told of yet when a scope leaves them out', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' } });
    const known = await user({ userType: 'Guest' });
    await bench.work();
    const ack = [...(await jtis(appId)).keys()];
    await bench.polling.poll(appId, { ack, maxEvents: 0 }, WAITING);
    await replace(known.id, 'active', false);
    const [off, gone] = [await user({ userType: 'Guest' }), await user({ userType: 'Guest' })];
    await replace(off.id, 'active', false);
    await scim.call('DELETE', `/Users/${gone.id}`);
    await bench.work();
    await rescope(appId, EMPLOYEES);
    await bench.work();
    const ours = new Set([known.id, off.id, gone.id]);
    const left = [...(await jtis(appId)).values()].filter((id) => ours.has(id));
    assert.deepEqual([...new Set(left)], [known.id]);
  });

  it('push what waited for an earlier scope without what is not seen any more', async () => {
    const { appId } = await bench.webhook(receiver, { payload: 'full' });
    receiver.answerWith(() => ({ status: 503 }));
    const [ada, bob] = [await user({ externalId: 'ada' }), await user({ userType: 'Guest' })];
    await bench.work();
    await rescope(appId, { ...EMPLOYEES, attributes: ['userName'] });
    receiver.answerWith(() => ({ status: 200 }));
    bench.later(1);
    await bench.work();
    assert.ok(told().includes(`user.created ${ada.id}`));
    assert.deepEqual(
      told().filter((one) => one.includes(bob.id)),
      [`user.deleted ${bob.id}`],
    );
    const data = bodies().find((body) => body.data.id === ada.id)?.data;
    assert.deepEqual([data?.resource, data?.attributes], [undefined, ['userName']]);
    assert.equal(JSON.stringify(data).includes('externalId'), false);
  });

  it('tell of the groups of whoever comes into scope, with the members that are seen now', async () => {
    const [ada, bob] = [await user({ userType: 'Guest' }), await user()];
    const { appId } = await bench.webhook(receiver, { payload: 'full', start: 'snapshot' }, EMPLOYEES);
    const members = [{ value: ada.id }, { value: bob.id }];
    const group = await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'Sales', members });
    await bench.work();
    const membersTold = (): (number | undefined)[] =>
      bodies()
        .filter(({ data }) => data.id === group.id)
        .map(({ data }) => data.resource?.members?.length);
    assert.deepEqual(membersTold(), [1]);
    receiver.received.length = 0;
    await replace(ada.id, 'userType', 'Employee');
    await bench.work();
    assert.deepEqual(told().sort(), [`group.updated ${group.id}`, `user.created ${ada.id}`]);
    const [last] = await bench.deliveries(appId);
    assert.equal(last?.type, 'group.updated', 'after the people');
    assert.deepEqual(membersTold(), [2]);
    await replace(ada.id, 'userType', 'Guest');
    await bench.work();
    receiver.received.length = 0;
    await rescope(appId, {});
    await bench.work();
    assert.deepEqual(membersTold(), [2], 'nor is it left out when the scope is changed');
  });

  it('tell who wants to hear of the deactivated alone of those who leave the scope by it, and of no others', async () => {
    const scope = { userFilter: 'active eq true and userType eq "Employee"' };
    const { appId } = await bench.webhook(receiver, { events: ['user.deactivated'] }, scope);
    const [ada, bob] = [await user(), await user()];
    await bench.work();
    await replace(ada.id, 'active', false);
    await replace(bob.id, 'userType', 'Guest');
    await bench.work();
    assert.deepEqual(told(), [`user.deactivated ${ada.id}`]);
    assert.equal(bodies()[0]?.data.reason, 'left-scope');
    assert.equal((await bench.deliveries(appId)).length, 1);
  });

  it('lose nothing of a group that outgrows a message while it waits', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, payload: 'full' }, EMPLOYEES);
    const ada = await user({ userType: 'Guest' });
    const members = [{ value: ada.id }];
    const group = await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'Sales', members });
    await bench.work();
    await sql(database.knex, `update event_deliveries set state = 'delivered'`);
    await patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value: 'Marketing' });
    await bench.work();
    assert.match((await bench.deliveries(appId, 'set'))[0]?.type ?? '', /prov:put:full/);
    // More than a message carries.
    await sql(database.knex, 'update resources set member_count = 1001 where id = ?', [group.id]);
    await rescope(appId, {});
    await bench.work();
    const said = Object.entries((await events(appId)).get(group.id) ?? {});
    assert.equal(said.length, 1);
    assert.match(said[0]?.[0] ?? '', /prov:patch:notice$/);
    assert.deepEqual(said[0]?.[1].attributes?.toSorted(), ['displayName', 'members']);
  });

  const ofServer = kind === 'postgres' ? it : () => undefined;
  ofServer('tell of nobody twice in a snapshot that saw what the log cannot be read up to yet', async () => {
    const ready = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    // Anywhere on the server.
    const other = await open();
    const holder = other.knex.transaction(async (tx) => {
      await sql(tx, 'select pg_current_xact_id()');
      ready.resolve();
      await release.promise;
    });
    await ready.promise;
    const ada = await user();
    const app = await insertApp(database.knex, { name: 'App', scope: null });
    const input = { url: receiver.url, start: 'snapshot' as const };
    await database.knex.transaction((tx) => saveWebhook(tx, bench.parts, { id: app.id, scope: null }, input));
    for (let n = 0; n < 2; n += 1) await bench.worker().tick();
    release.resolve();
    await holder;
    for (let n = 0; n < 2; n += 1) await bench.work();
    const mine = told().filter((one) => one.includes(ada.id));
    assert.deepEqual(mine, [`user.created ${ada.id}`]);
    await untilWithoutLedger(bench, app.id);
  });
});
