import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { AppScope } from '#core/scope.ts';
import { makeRandom } from '#demo/tenant.ts';
import { type Database, sql } from '#store/database.ts';
import { eachDatabase } from '../support/database.ts';
import { type EventsBench, makeEventsBench } from '../support/events.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { GROUP_SCHEMA, type ScimServer, startScim, USER_SCHEMA } from '../support/scim.ts';

const STEPS = 160;
const SEED = process.env['EVENTS_SEED'] ?? 'events';

eachDatabase(`a receiver of events, after a random history (EVENTS_SEED=${SEED})`, (open) => {
  let database: Database;
  let scim: ScimServer;
  let receiver: Receiver;
  let bench: EventsBench;
  const random = makeRandom(SEED);
  const users: string[] = [];
  const groups: string[] = [];
  const pick = (from: readonly string[]): string => from[Math.floor(random() * from.length)] ?? '';

  before(async () => {
    database = await open();
    scim = await startScim(database);
    receiver = await startReceiver();
    bench = makeEventsBench(database);
  });
  after(async () => {
    await scim?.close();
    await receiver?.close();
  });

  const patch = (path: string, op: object) =>
    scim.call('PATCH', path, { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: [op] });
  const TYPES = ['Employee', 'Guest'];

  const steps: readonly (() => Promise<unknown>)[] = [
    async () => {
      const userName = `person${users.length}@example.com`;
      users.push((await scim.create('/Users', { schemas: [USER_SCHEMA], userName, userType: pick(TYPES) })).id);
    },
    () => patch(`/Users/${pick(users)}`, { op: 'replace', path: 'userType', value: pick(TYPES) }),
    () => patch(`/Users/${pick(users)}`, { op: 'replace', path: 'title', value: String(random()) }),
    () => patch(`/Groups/${pick(groups)}`, { op: 'add', path: 'members', value: [{ value: pick(users) }] }),
    () =>
      patch(`/Groups/${pick(groups)}`, { op: 'add', path: 'members', value: [{ value: pick(groups), type: 'Group' }] }),
    () =>
      patch(`/Groups/${pick(groups)}`, { op: 'remove', path: `members[value eq "${pick([...users, ...groups])}"]` }),
    () => patch(`/Groups/${pick(groups)}`, { op: 'remove', path: 'members' }),
    async () => (random() < 0.3 ? scim.call('DELETE', `/Users/${pick(users)}`) : undefined),
    async () => (random() < 0.3 ? bench.work() : undefined),
  ];

  /** Whom the receiver knows, from what it was told; it must never be told of somebody whom it does not know. */
  function known(): Set<string> {
    const ids = new Set<string>();
    for (const { text } of receiver.received) {
      const { type, data } = JSON.parse(text) as { type: string; data: { id: string } };
      if (type.endsWith('.created')) ids.add(data.id);
      else assert.ok(ids.has(data.id), `${type} of somebody it does not know`);
      if (type.endsWith('.deleted')) ids.delete(data.id);
    }
    return ids;
  }

  /** Whom the app may read over SCIM. */
  async function readable(scope: AppScope): Promise<Set<string>> {
    const token = await scim.makeToken({ scope });
    const endpoints =
      scope.resourceTypes === undefined ? ['/Users', '/Groups'] : scope.resourceTypes.map((type) => `/${type}s`);
    const lists = await Promise.all(endpoints.map((endpoint) => scim.list(endpoint, { count: 1_000 }, token)));
    return new Set(lists.flatMap(({ Resources }) => Resources.map(({ id }) => id)));
  }

  it('knows exactly those whom it may read, through groups, filters and changes of its scope', async () => {
    for (let n = 0; n < 4; n += 1)
      groups.push((await scim.create('/Groups', { schemas: [GROUP_SCHEMA], displayName: `Group ${n}` })).id);
    const scopes: readonly AppScope[] = [
      { groups: [groups[0] ?? ''] },
      { userFilter: 'userType eq "Employee"' },
      { groups: groups.slice(1, 3), userFilter: 'userType eq "Guest"' },
      { userFilter: `groups.value eq "${groups[1]}"`, resourceTypes: ['User'] },
    ];
    for (let n = 0; n < 5; n += 1) await steps[0]?.();
    // Given a snapshot, so that what it knows is all that it was told.
    const { appId } = await bench.webhook(receiver, { start: 'snapshot' }, scopes[0]);
    for (const scope of [...scopes, scopes[0] ?? {}]) {
      await sql(database.knex, 'update apps set scope = ?::jsonb where id = ?', [JSON.stringify(scope), appId]);
      for (let step = 0; step < STEPS / scopes.length; step += 1) await steps[Math.floor(random() * steps.length)]?.();
      await bench.work();
      assert.deepEqual([...known()].sort(), [...(await readable(scope))].sort(), JSON.stringify(scope));
    }
    assert.ok(receiver.received.length > 15, 'the history was about something');
  });
});
