import assert from 'node:assert/strict';
import { afterEach, it } from 'node:test';
import { createLocalJWKSet, decodeJwt, type JWTPayload, jwtVerify } from 'jose';
import { SET_EVENTS, VERIFICATION_EVENT } from '#core/events.ts';
import { rotateKey } from '#outbound/event/set-signer.ts';
import { requestVerification, saveSets } from '#outbound/event/streams.ts';
import { type Database, sql } from '#store/database.ts';
import { listSigningKeys } from '#store/event/signing-keys.ts';
import { eachDatabase } from '../support/database.ts';
import { type EventScene, type EventsBench, eventScene, PUBLIC_URL, WAITING } from '../support/events.ts';
import type { Receiver } from '../support/receiver.ts';
import { GROUP_SCHEMA, type ScimServer } from '../support/scim.ts';

const EVENT = 'urn:ietf:params:scim:event';
const AUDIENCE = 'https://app.example.com';

interface Claims extends JWTPayload {
  readonly txn?: string;
  readonly sub_id: {
    readonly format: string;
    readonly uri?: string;
    readonly id: string;
    readonly externalId?: string;
  };
  readonly events: Readonly<Record<string, Record<string, unknown>>>;
}

eachDatabase('security event tokens', (open) => {
  let database: Database;
  let scim: ScimServer;
  let receiver: Receiver;
  let bench: EventsBench;
  let user: EventScene['user'];
  eventScene(open, (scene) => {
    ({ database, scim, receiver, bench, user } = scene);
    receiver.answerWith(() => ({ status: 202 }));
  });
  afterEach(async () => {
    await sql(database.knex, 'delete from signing_keys');
  });

  const patch = (path: string, ...Operations: object[]) =>
    scim.call('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations });
  const push = (more: object = {}) =>
    bench.sets({ delivery: { method: 'push', url: receiver.url }, audience: [AUDIENCE], ...more });
  const poll = (appId: string, request: object = {}) =>
    bench.polling.poll(appId, { returnImmediately: true, ...request }, WAITING);
  const wait = (appId: string, more: object = {}) =>
    bench.polling.poll(appId, { returnImmediately: false }, { ...WAITING, ...more });

  /** As a receiver checks it: by the published keys, for itself, from us. */
  async function verified(token: string): Promise<Claims> {
    const keys = await listSigningKeys(database.knex, bench.clock.now());
    const { payload } = await jwtVerify<Claims>(
      token,
      createLocalJWKSet({ keys: keys.map(({ public_jwk }) => public_jwk) }),
      {
        issuer: PUBLIC_URL,
        audience: AUDIENCE,
        typ: 'secevent+jwt',
      },
    );
    return payload;
  }
  const namesOf = ({ events }: Claims): string[] => Object.keys(events).map((uri) => uri.replace(`${EVENT}:`, ''));

  it('are pushed as RFC 8935 says, and say what RFC 9967 says', async () => {
    await push({ delivery: { method: 'push', url: receiver.url, authorization: 'Bearer of-the-receiver' } });
    const ada = await user({ externalId: 'ada-1', title: 'Countess' });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'Analyst' });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: true });
    await scim.call('DELETE', `/Users/${ada.id}`);
    await bench.work();
    assert.equal(receiver.received.length, 5);
    for (const { headers } of receiver.received) {
      assert.equal(headers['content-type'], 'application/secevent+jwt');
      assert.equal(headers.accept, 'application/json');
      assert.equal(headers.authorization, 'Bearer of-the-receiver');
    }
    const claims = await Promise.all(receiver.received.map(({ text }) => verified(text)));
    assert.deepEqual(claims.map(namesOf), [
      ['prov:create:notice'],
      ['prov:patch:notice'],
      ['prov:patch:notice', 'prov:deactivate'],
      ['prov:patch:notice', 'prov:activate'],
      ['prov:delete'],
    ]);
    for (const one of claims) {
      assert.deepEqual(one.sub_id, { format: 'scim', uri: `/Users/${ada.id}`, externalId: 'ada-1', id: ada.id });
      assert.equal(one.sub, undefined);
      assert.equal(one.exp, undefined);
      assert.ok(one.jti && one.txn && one.iat && Number(one['toe']) <= Date.now() / 1000);
      for (const uri of Object.keys(one.events)) assert.ok((SET_EVENTS as readonly string[]).includes(uri), uri);
    }
    assert.deepEqual(claims[1]?.events[`${EVENT}:prov:patch:notice`], { attributes: ['title'], version: 'W/"2"' });
    assert.equal(new Set(claims.map(({ jti }) => jti)).size, 5);
    // Whom the identity provider wrote without one is kept under our id, which SCIM does not show either.
    const bare = await user();
    await sql(database.knex, 'update resources set external_id = id::text where id = ?', [bare.id]);
    await scim.call('DELETE', `/Users/${bare.id}`);
    await bench.work();
    const told = await Promise.all(receiver.received.slice(5).map(({ text }) => verified(text)));
    assert.equal(told.length, 2);
    for (const { sub_id } of told) assert.deepEqual(sub_id, { format: 'scim', uri: `/Users/${bare.id}`, id: bare.id });
  });

  it('carry the resource when that is wanted, and of a group that only its members changed', async () => {
    await push({ payload: 'full' });
    const ada = await user({ title: 'Countess' });
    const group = await scim.create('/Groups', {
      schemas: [GROUP_SCHEMA],
      displayName: 'Sales',
      members: [{ value: ada.id }],
    });
    await bench.work();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'Analyst' });
    await patch(`/Groups/${group.id}`, { op: 'remove', path: `members[value eq "${ada.id}"]` });
    await bench.work();
    const claims = await Promise.all(receiver.received.map(({ text }) => verified(text)));
    const dataOf = (uri: string, id: string) =>
      claims
        .filter(({ sub_id }) => sub_id.id === id)
        .flatMap(
          ({ events }) => (events[`${EVENT}:${uri}`] as { data?: Record<string, unknown>; attributes?: unknown }) ?? [],
        );
    assert.deepEqual(
      dataOf('prov:create:full', ada.id).map(({ data }) => data?.['title']),
      ['Countess'],
    );
    assert.deepEqual(
      dataOf('prov:put:full', ada.id).map(({ data }) => data?.['title']),
      ['Analyst'],
    );
    assert.deepEqual(
      dataOf('prov:create:full', group.id).map(({ data }) => data?.['displayName']),
      ['Sales'],
    );
    const members = dataOf('prov:put:full', group.id).map(({ data }) => ((data?.['members'] ?? []) as object[]).length);
    assert.equal(members.at(-1), 0);
    for (const { events } of claims)
      for (const [uri, said] of Object.entries(events))
        assert.deepEqual(['data' in said, 'attributes' in said], [uri.endsWith(':full'), uri.endsWith(':notice')], uri);
  });

  it('are not sent again when the receiver finds fault with one, and are when it lacks a key', async () => {
    const appId = await push();
    receiver.answerWith(() => ({ status: 400, body: JSON.stringify({ err: 'invalid_key', description: 'no key' }) }));
    await user();
    await bench.work();
    assert.equal((await bench.deliveries(appId, 'set'))[0]?.state, 'pending');
    receiver.answerWith(() => ({ status: 400, body: JSON.stringify({ err: 'invalid_request', description: 'bad' }) }));
    bench.later(1);
    await bench.work();
    const [dead] = await bench.deliveries(appId, 'set');
    assert.equal(dead?.state, 'dead');
    assert.match(dead?.answer ?? '', /invalid_request/);
    bench.later(48);
    await bench.work();
    assert.equal(receiver.received.length, 2);
  });

  it('are polled as RFC 8936 says: until they are acknowledged, in order, so many at a time', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, audience: [AUDIENCE] });
    const made = [await user(), await user(), await user()];
    await bench.work();
    const first = await poll(appId, { maxEvents: 2 });
    assert.equal(first?.moreAvailable, true);
    const claims = await Promise.all(Object.values(first?.sets ?? {}).map(verified));
    assert.deepEqual(
      claims.map(({ sub_id }) => sub_id.id),
      made.slice(0, 2).map(({ id }) => id),
    );
    for (const [jti, token] of Object.entries(first?.sets ?? {})) assert.equal(decodeJwt(token).jti, jti);
    const again = await poll(appId, { maxEvents: 2 });
    assert.deepEqual(Object.keys(again?.sets ?? {}), Object.keys(first?.sets ?? {}));
    const [one = '', two = ''] = Object.keys(first?.sets ?? {});
    const refused = { [two]: { err: 'authentication_failed', description: 'The signature is wrong.' } };
    const moreAvailable = true;
    assert.deepEqual(await poll(appId, { maxEvents: 0, ack: [one], setErrs: refused }), { sets: {}, moreAvailable });
    const last = await poll(appId, { ack: ['11111111-1111-4111-8111-111111111111', 'not-one-of-ours'] });
    assert.equal(Object.keys(last?.sets ?? {}).length, 1);
    assert.equal(last?.moreAvailable, false);
    const states = (await bench.deliveries(appId, 'set')).map(({ state }) => state);
    assert.deepEqual(states, ['pending', 'dead', 'delivered']);
    const [, dead] = await bench.deliveries(appId, 'set');
    assert.match(dead?.error?.message ?? '', /authentication_failed.*signature is wrong/);
    assert.deepEqual(await poll(appId, { ack: Object.keys(last?.sets ?? {}) }), { sets: {}, moreAvailable: false });
  });

  it('are handed out once they are polled, also where the place that they were pushed to was gone', async () => {
    const appId = await push();
    receiver.answerWith(() => ({ status: 410 }));
    await user();
    await bench.work();
    assert.equal((await bench.stream(appId, 'set')).disabled_reason, 'gone');
    await database.knex.transaction((tx) =>
      saveSets(tx, bench.parts, { id: appId, scope: null }, { delivery: { method: 'poll' } }),
    );
    await user();
    await bench.work();
    assert.equal((await bench.stream(appId, 'set')).disabled_at, null);
    assert.equal(Object.keys((await poll(appId))?.sets ?? {}).length, 2);
  });

  it('keep a receiver waiting that wants to wait, until there is one', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, audience: [AUDIENCE] });
    const start = bench.clock.now().getTime();
    assert.deepEqual(await poll(appId, { returnImmediately: false }), { sets: {}, moreAvailable: false });
    assert.equal(bench.clock.now().getTime() - start, 30_000, 'half a minute, of a clock that sleeps in no time');
    await user();
    let looks = 0;
    const { sleep } = bench.clock;
    bench.clock.sleep = async (ms) => {
      looks += 1;
      if (looks === 3) await bench.work();
      await sleep(ms);
    };
    const found = await poll(appId, { returnImmediately: false });
    assert.equal(Object.keys(found?.sets ?? {}).length, 1);
    assert.equal(looks, 3);
    assert.equal(await poll('11111111-1111-4111-8111-111111111111'), undefined);
  });

  it('are not handed to whoever may not ask any more by the time that there is one', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, audience: [AUDIENCE] });
    await user();
    let looks = 0;
    const stay = async (): Promise<void> => {
      looks += 1;
      if (looks === 2) await bench.work();
      if (looks === 2) throw new Error('revoked');
    };
    await assert.rejects(wait(appId, { stay }), /revoked/);
    assert.equal(looks, 2);
    assert.deepEqual(
      (await bench.deliveries(appId, 'set')).map(({ attempts }) => attempts),
      [0],
    );
  });

  it('are waited for half a minute, however the clock is set meanwhile, and not while the process stops', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, audience: [AUDIENCE] });
    let elapsed = 0;
    bench.clock.elapsed = () => elapsed;
    bench.clock.sleep = async (ms) => {
      elapsed += ms;
      bench.clock.set(new Date(bench.clock.now().getTime() - 3_600_000).toISOString());
    };
    await wait(appId);
    assert.equal(elapsed, 30_000);
    await bench.polling.stop();
    assert.deepEqual(await wait(appId), { sets: {}, moreAvailable: false });
    assert.equal(elapsed, 30_000);
  });

  it('use the scope of the app: who leaves it is removed from the feed, and nobody else is told of', async () => {
    const appId = await bench.sets(
      { delivery: { method: 'poll' }, audience: [AUDIENCE] },
      { userFilter: 'userType eq "Employee"', resourceTypes: ['User'] },
    );
    const [ada] = [await user({ userType: 'Employee' }), await user({ userType: 'Guest' })];
    await bench.work();
    await patch(`/Users/${ada?.id}`, { op: 'replace', path: 'userType', value: 'Guest' });
    await bench.work();
    await patch(`/Users/${ada?.id}`, { op: 'replace', path: 'userType', value: 'Employee' });
    await bench.work();
    const found = await poll(appId);
    const claims = await Promise.all(Object.values(found?.sets ?? {}).map(verified));
    assert.deepEqual(claims.map(namesOf), [['prov:create:notice'], ['feed:remove'], ['feed:add']]);
    assert.ok(claims.every(({ sub_id }) => sub_id.id === ada?.id));
  });

  it('tell who wants one of data and notice by either, and who does not want the feed as created and deleted', async () => {
    const named = (names: readonly string[]) =>
      SET_EVENTS.filter((uri) => names.includes(uri.replace(`${EVENT}:`, '')));
    const full = named(['prov:create:full', 'prov:put:full']);
    const notice = named(['prov:create:notice', 'prov:patch:notice']);
    const asked = [
      [await push({ events: full }), 'notice'],
      [await push({ events: notice, payload: 'full' }), 'full'],
      [await push({ events: full, payload: 'full' }), 'full'],
    ] as const;
    const ends = await bench.sets(
      { delivery: { method: 'push', url: receiver.url }, events: named(['prov:create:notice', 'prov:delete']) },
      { userFilter: 'active eq true' },
    );
    const ada = await user();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: 'x'.repeat(10) });
    await bench.work();
    for (const [appId, form] of asked) {
      const types = (await bench.deliveries(appId, 'set')).map(({ type }) => type.replaceAll(`${EVENT}:prov:`, ''));
      assert.deepEqual(types, form === 'full' ? ['put:full', 'create:full'] : ['patch:notice', 'create:notice']);
    }
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: false });
    await bench.work();
    await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value: true });
    await bench.work();
    const types = (await bench.deliveries(ends, 'set')).map(({ type }) => type.replaceAll(`${EVENT}:prov:`, ''));
    assert.deepEqual(types, ['create:notice', 'delete', 'create:notice']);
  });

  it('say that somebody was deactivated, or activated, who leaves the scope by that, or comes into it', async () => {
    const some = SET_EVENTS.filter((uri) => /:(de)?activate$/.test(uri));
    const scope = { userFilter: 'active eq true and userType eq "Employee"' };
    const group = await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: 'Staff' });
    const told = (appId: string) => async () =>
      (await bench.deliveries(appId, 'set')).map(({ type }) => type.replaceAll(`${EVENT}:`, '')).reverse();
    const input = { delivery: { method: 'push', url: receiver.url } } as const;
    const wanting = told(await bench.sets({ ...input, events: some }, scope));
    const all = told(await bench.sets(input, scope));
    const blind = told(await bench.sets(input, { ...scope, attributes: ['userName'] }));
    const byGroup = told(await bench.sets({ ...input, events: some }, { ...scope, groups: [group.id] }));
    const [ada, bob] = [await user({ userType: 'Employee' }), await user({ userType: 'Employee' })];
    const rename = (displayName: string) =>
      patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value: displayName });
    const add = { op: 'add', path: 'members', value: [{ value: ada.id }, { value: bob.id }] };
    await patch(`/Groups/${group.id}`, add);
    await bench.work();
    for (const value of [false, true]) {
      // Another change comes before it, of the same person and of a group, which has everybody looked through.
      await patch(`/Users/${ada.id}`, { op: 'replace', path: 'title', value: `Was ${value}` });
      await rename(`Staff ${value}`);
      await patch(`/Users/${ada.id}`, { op: 'replace', path: 'active', value });
      await bench.work();
    }
    await patch(`/Users/${bob.id}`, { op: 'replace', path: 'userType', value: 'Guest' });
    await bench.work();
    assert.deepEqual(await wanting(), ['prov:deactivate', 'prov:activate']);
    assert.deepEqual(await byGroup(), ['prov:deactivate', 'prov:activate']);
    const ofPeople = (types: readonly string[]) => types.filter((type) => /feed|activate/.test(type));
    assert.deepEqual(ofPeople(await all()), ['feed:remove prov:deactivate', 'feed:add prov:activate', 'feed:remove']);
    assert.deepEqual(ofPeople(await blind()), ['feed:remove', 'feed:add', 'feed:remove']);
  });

  it('have the ids of the webhook of the same app, and one transaction for one request', async () => {
    const { appId } = await bench.webhook(receiver);
    await database.knex.transaction((tx) =>
      saveSets(tx, bench.parts, { id: appId, scope: null }, { delivery: { method: 'poll' }, audience: [AUDIENCE] }),
    );
    await user();
    await bench.work();
    const sets = (await poll(appId))?.sets ?? {};
    assert.deepEqual(
      Object.keys(sets),
      receiver.received.map(({ headers }) => headers['webhook-id']),
    );
  });

  it('are signed by a new key an hour after it was published, and the old one stays published for a week', async () => {
    const appId = await bench.sets({ delivery: { method: 'poll' }, audience: [AUDIENCE] });
    const kidOf = async (): Promise<string> => {
      await user();
      await bench.work();
      const token = Object.values((await poll(appId))?.sets ?? {}).at(-1) ?? '';
      await verified(token);
      return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid;
    };
    const published = async (): Promise<number> => (await listSigningKeys(database.knex, bench.clock.now())).length;
    const old = await kidOf();
    const seal = bench.parts.seal;
    const rotate = (atOnce: boolean) =>
      database.knex.transaction((tx) => rotateKey(tx, seal, { now: bench.clock.now(), atOnce }));
    const { kid } = await rotate(false);
    assert.equal(await kidOf(), old);
    assert.equal(await published(), 2);
    bench.later(1.1);
    assert.equal(await kidOf(), kid);
    bench.later(24 * 7);
    assert.equal(await published(), 1);
    const next = await rotate(true);
    assert.equal(await kidOf(), next.kid);
    assert.equal(await published(), 1, 'a key that somebody may have is shown no more');
    const { rows } = await sql(database.knex, 'select public_jwk, sealed from signing_keys');
    assert.equal(JSON.stringify(rows).includes('"d":'), false);
  });

  it('ask a receiver to show that it listens', async () => {
    const appId = await push();
    const stream = await bench.stream(appId, 'set');
    await database.knex.transaction((tx) => requestVerification(tx, bench.parts, stream, 'a-state'));
    await bench.work();
    const claims = await verified(receiver.received[0]?.text ?? '');
    assert.deepEqual(claims.events, { [VERIFICATION_EVENT]: { state: 'a-state' } });
    assert.deepEqual(claims.sub_id, { format: 'opaque', id: stream.id });
  });
});
