// Change notifications of a simulated tenant: subscriptions, handshake, what is told, and what is forged.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import pg from 'pg';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant, updateUser } from '#demo/tenant.ts';
import { checkedCall, listAll } from '../support/checked.ts';
import { eachDatabase } from '../support/database.ts';
import {
  connect,
  expectStatus,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

const PUBLIC = 'https://gateway.example';
/** The gateway looks by itself every few seconds, however fast a look at it is. */
const WAIT_MS = 180_000;

interface Card {
  readonly kind: string;
  readonly notifications: {
    readonly state: string;
    readonly detail: string;
    readonly changedSince: string | null;
    readonly subscriptions: readonly { readonly resource: string; readonly expiresAt: string | null }[];
  };
}

eachDatabase('notifications', (_open, kind) => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let storage: Record<string, string>;
  /** What the administrator has granted so far. */
  const roles = ['User.Read.All', 'GroupMember.Read.All', 'Organization.Read.All'];

  before(async () => {
    tenant = makeTenant({ users: 20, groups: 3, seed: 'notifications' });
    graph = await startTenant(tenant, {
      application: { roles },
      deliverTo: (url) => url.replace(PUBLIC, api.base),
    });
    storage = await freshStorage(kind);
    api = await startGateway(storage, PUBLIC);
    await connect(api, settingsFor(tenant, graph));
  });
  after(async () => {
    await api.close();
    await graph.close();
  });

  async function card(): Promise<Card> {
    const { body } = await expectStatus(api.call<{ items: Card[] }>('GET', '/api/v1/providers'), 200);
    const found = body.items.find((one) => one.kind === 'microsoft365');
    assert.ok(found !== undefined);
    return found;
  }

  /** Until the card says so; each look waits for an answer of the server. */
  async function until(isSo: (notifications: Card['notifications']) => boolean): Promise<Card['notifications']> {
    for (const from = performance.now(); ; ) {
      const { notifications } = await card();
      if (isSo(notifications)) return notifications;
      if (performance.now() - from > WAIT_MS) assert.fail(JSON.stringify(notifications));
    }
  }

  /** A run of ours, after one that a notification has started meanwhile. */
  async function readChanges(): Promise<RunBody> {
    for (;;) {
      const asked = await api.call<RunBody & { runId: string }>('POST', '/api/v1/sync-runs', { mode: 'incremental' });
      if (asked.status === 202) return untilOver(api, asked.body.id);
      assert.equal(asked.status, 409, JSON.stringify(asked.body));
      await untilOver(api, asked.body.runId);
    }
  }

  /** Tells the gateway that Graph has dropped this one, whether it has or not. */
  async function sendDropped({ id, clientState }: { id: string; clientState: string | null }): Promise<void> {
    const value = [{ subscriptionId: id, clientState, lifecycleEvent: 'subscriptionRemoved' }];
    const headers = { 'content-type': 'application/json' };
    const url = `${api.base}/hooks/microsoft365/lifecycle`;
    const { status } = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ value }) });
    assert.equal(status, 202);
  }

  it('fail aloud for groups where the permission is missing, and work for users all the same', async () => {
    const { detail, subscriptions } = await until(
      ({ state, subscriptions: all }) => state === 'failed' && all.some(({ expiresAt }) => expiresAt !== null),
    );
    assert.match(detail, /Group\.Read\.All/);
    assert.deepEqual(
      subscriptions.map(({ resource, expiresAt }) => [resource, expiresAt !== null]),
      [
        ['groups', false],
        ['users', true],
      ],
    );
    roles.push('Group.Read.All');
    // The next try is a minute away; saving the settings again asks at once.
    await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph)), 200);
  });

  it('are subscribed to for users and groups, with a secret each and almost the longest life', async () => {
    const { subscriptions } = await until(({ state }) => state === 'active');
    assert.deepEqual(subscriptions.map(({ resource }) => resource).sort(), ['groups', 'users']);
    const made = [...graph.subscriptions.all.values()];
    assert.equal(new Set(made.map(({ clientState }) => clientState)).size, 2);
    for (const { changeType, expirationDateTime, lifecycleNotificationUrl } of made) {
      assert.equal(changeType, 'updated,deleted');
      assert.equal(lifecycleNotificationUrl, `${PUBLIC}/hooks/microsoft365/lifecycle`);
      assert.ok(Date.parse(expirationDateTime) - Date.now() > 28 * 86_400_000);
    }
    const { body } = await api.call<{
      items: { id: string; category: string; type: string; state: string; step: string }[];
    }>('GET', '/api/v1/tasks');
    const setup = body.items.filter(({ category, type }) => category === 'setup' && type === 'subscription');
    assert.deepEqual(setup.map(({ type, state, step }) => `${type} ${state} ${step}`).sort(), [
      'subscription succeeded groups',
      'subscription succeeded users',
    ]);
    const paged = await listAll<{ id: string }>(
      checkedCall(() => api),
      '/tasks?limit=1',
    );
    assert.deepEqual(new Set(paged.map(({ id }) => id)).size, paged.length);
    assert.ok(setup.every(({ id }) => paged.some((task) => task.id === id)));
  });

  it('leave a mark when they carry the secret, and are refused or harmless when they do not', async () => {
    await api.call('POST', '/api/v1/sync-runs', { mode: 'incremental' });
    await until(({ changedSince }) => changedSince === null);
    const url = `${api.base}/hooks/microsoft365`;
    const post = async (body: unknown): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    };
    const [subscription] = [...graph.subscriptions.all.values()];
    const forged = {
      subscriptionId: subscription?.id,
      clientState: 'guess',
      changeType: 'updated',
      resource: 'Users/x',
    };
    assert.equal(await post({ value: [forged] }), 403);
    assert.equal(await post({ value: [{ ...forged, subscriptionId: 'somebody else' }] }), 202);
    assert.equal(await post({ value: [{ ...forged, clientState: undefined }] }), 202);
    assert.equal(await post({ value: 'nothing' }), 400);
    assert.equal(await post({ value: [{ ...forged, resource: 'x'.repeat(2_000_000) }] }), 413);
    assert.equal((await fetch(`${api.base}/hooks/csv`, { method: 'POST' })).status, 404);
    assert.equal((await card()).notifications.changedSince, null);
    updateUser(tenant, [...tenant.users.keys()][3] ?? '', { jobTitle: 'Told of' });
    assert.deepEqual(await graph.subscriptions.notify(), [202]);
    assert.notEqual((await card()).notifications.changedSince, null);
  });

  // Its marks are moved in time beside the gateway, which the embedded database lets nobody do.
  if (kind === 'postgres')
    it('of additions, changes and deletions alike leave a mark, and whoever tells waits for no read; a run reads them later', async () => {
      const database = new pg.Client({ connectionString: storage['DATABASE_URL'] });
      await database.connect();
      await readChanges();
      updateUser(tenant, [...tenant.users.keys()][4] ?? '', { jobTitle: 'Told later' });
      // Of the tenant itself the gateway asks when it likes.
      const asked = (): number => {
        const reads = [...graph.requests].filter(([path]) => /^\/v1\.0\/(users|groups)/.test(path));
        return reads.reduce((sum, [, count]) => sum + count, 0);
      };
      const before = asked();
      for (const { id: subscriptionId, clientState, resource } of graph.subscriptions.all.values())
        for (const changeType of ['created', 'updated', 'deleted']) {
          await database.query('delete from source_marks');
          const value = [{ subscriptionId, clientState, changeType, resource: `${resource}/x`, tenantId: tenant.id }];
          const headers = { 'content-type': 'application/json' };
          const body = JSON.stringify({ value });
          const { status } = await fetch(`${api.base}/hooks/microsoft365`, { method: 'POST', headers, body });
          assert.equal(status, 202);
          assert.notEqual((await card()).notifications.changedSince, null, `${changeType} ${resource}`);
        }
      assert.equal(asked(), before, 'nothing is asked of the source meanwhile');
      // As if the quiet moment had passed.
      await database.query(
        `update source_marks set first_at = now() - interval '1 hour', last_at = now() - interval '1 hour'`,
      );
      await database.end();
      await until(({ changedSince }) => changedSince === null);
      const { body } = await api.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs?trigger=notification');
      assert.equal((await untilOver(api, body.items[0]?.id ?? assert.fail('no run'))).status, 'succeeded');
      const named = encodeURIComponent('title eq "Told later"');
      const { body: served } = await api.call<{ totalResults: number }>('GET', `/scim/v2/Users?filter=${named}`);
      assert.equal(served.totalResults, 1);
    });

  it('answer the handshake with the token, decoded once, as plain text', async () => {
    const token = 'a token + with <b>ü</b>%41';
    const answer = await fetch(`${api.base}/hooks/microsoft365?validationToken=${encodeURIComponent(token)}`, {
      method: 'POST',
    });
    assert.deepEqual([answer.status, await answer.text()], [200, token]);
    assert.match(answer.headers.get('content-type') ?? '', /^text\/plain/);
  });

  it('are renewed when asked, and made anew when the source has dropped them', async () => {
    const [first, second] = [...graph.subscriptions.all.values()];
    const before = first?.expirationDateTime ?? '';
    assert.equal(await graph.subscriptions.sendLifecycle(first?.id ?? '', 'reauthorizationRequired'), 202);
    await until(() => graph.subscriptions.all.get(first?.id ?? '')?.expirationDateTime !== before);
    assert.equal(await graph.subscriptions.sendLifecycle(second?.id ?? '', 'subscriptionRemoved'), 202);
    await until(({ state }) => graph.subscriptions.all.size === 2 && state === 'active');
    assert.equal(graph.subscriptions.all.has(second?.id ?? ''), false);
    // Graph allows one of a kind: one that we believe to be gone is taken back before another is made.
    const [third] = [...graph.subscriptions.all.values()];
    const { id: subscriptionId, clientState } = third ?? assert.fail();
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ value: [{ subscriptionId, clientState, lifecycleEvent: 'subscriptionRemoved' }] });
    const told = await fetch(`${api.base}/hooks/microsoft365/lifecycle`, { method: 'POST', headers, body });
    assert.equal(told.status, 202);
    await until(({ state }) => !graph.subscriptions.all.has(subscriptionId) && state === 'active');
    assert.equal(graph.subscriptions.all.size, 2);
    // What the former one told, or carries its secret, is taken no more; what the present one told may come again and finds nothing.
    const now = [...graph.subscriptions.all.values()].find(({ resource }) => resource === third?.resource);
    const again = async (one: object): Promise<number> => {
      const value = [{ changeType: 'updated', resource: 'Users/x', ...one }];
      const url = `${api.base}/hooks/microsoft365`;
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify({ value }) })).status;
    };
    await readChanges();
    await until(({ changedSince }) => changedSince === null);
    assert.equal(await again({ subscriptionId, clientState }), 202);
    assert.equal(await again({ subscriptionId: now?.id, clientState }), 403);
    assert.equal((await card()).notifications.changedSince, null);
    assert.equal(await again({ subscriptionId: now?.id, clientState: now?.clientState }), 202);
    assert.notEqual((await card()).notifications.changedSince, null);
    assert.deepEqual((await readChanges()).counts, {});
  });

  it('say who else is told in place of this gateway', async () => {
    const mine = [...graph.subscriptions.all.values()].find(({ resource }) => resource === '/users');
    assert.ok(mine !== undefined);
    const other = { ...mine, notificationUrl: 'https://other.example/hooks' };
    graph.subscriptions.all.set(mine.id, other);
    await sendDropped(mine);
    const { detail } = await until(({ state }) => state === 'failed');
    assert.match(detail, /users to other\.example already/);
    assert.equal(graph.subscriptions.all.get(mine.id), other, 'it is not ours to take back');
    graph.subscriptions.all.delete(mine.id);
    await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph)), 200);
    await until(({ state }) => state === 'active');
  });

  it('are made anew once the settings name another application, to which the former ones do not belong', async () => {
    const before = new Set(graph.subscriptions.all.keys());
    graph.subscriptions.all.clear();
    const settings = { ...settingsFor(tenant, graph), notifications: { sweepMinutes: 30 } };
    await expectStatus(api.call('PUT', '/api/v1/providers/microsoft365', settings), 200);
    await until(({ state }) => state === 'active' && graph.subscriptions.all.size === 2);
    assert.ok([...graph.subscriptions.all.keys()].every((id) => !before.has(id)));
  });

  it('end with settings that are removed before a worker has taken them back', async () => {
    await api.close();
    const answering = await startGateway({ ...storage, ROLE: 'api' }, PUBLIC);
    try {
      await expectStatus(answering.call('POST', '/api/v1/providers/microsoft365/deactivate', {}), 200);
      assert.equal(graph.subscriptions.all.size, 2);
      await expectStatus(answering.call('DELETE', '/api/v1/providers/microsoft365'), 204);
      assert.equal(graph.subscriptions.all.size, 0);
      const saved = settingsFor(tenant, graph);
      await expectStatus(answering.call('PUT', '/api/v1/providers/microsoft365', saved), 200);
      await expectStatus(answering.call('POST', '/api/v1/providers/microsoft365/activate', {}), 200);
    } finally {
      await answering.close();
      api = await startGateway(storage, PUBLIC);
    }
    await until(({ state }) => state === 'active');
  });

  it('end with the provider', async () => {
    await expectStatus(api.call('POST', '/api/v1/providers/microsoft365/deactivate', {}), 200);
    await until(({ state, subscriptions }) => state === 'off' && subscriptions.length === 0);
    assert.equal(graph.subscriptions.all.size, 0);
  });

  it('say that they are unavailable without a public URL', async () => {
    const other = await startGateway(await freshStorage(kind));
    await expectStatus(other.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph)), 200);
    const { body } = await other.call<{ items: Card[] }>('GET', '/api/v1/providers');
    const notifications = body.items.find((one) => one.kind === 'microsoft365')?.notifications;
    await other.close();
    assert.equal(notifications?.state, 'unavailable');
    assert.match(notifications?.detail ?? '', /no public URL/);
  });
});
