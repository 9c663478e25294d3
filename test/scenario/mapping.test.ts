import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphServer } from '#demo/graph-server.ts';
import { makeTenant, type Tenant, type TenantUser } from '#demo/tenant.ts';
import {
  approve,
  connect,
  expectStatus,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';

interface Person {
  readonly externalId: string;
  readonly nickName?: string;
  readonly title?: string;
  readonly displayName?: string;
}

describe('a changed mapping', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  let somebody: TenantUser;

  before(async () => {
    tenant = makeTenant({ users: 50, groups: 3, membersPerGroup: 4 });
    somebody = [...tenant.users.values()].find((user) => user['jobTitle'] && user['givenName']) ?? assert.fail();
    graph = await startTenant(tenant);
    api = await startGateway(await freshStorage('embedded'));
    await connect(api, settingsFor(tenant, graph));
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  const save = (users: readonly object[]) =>
    expectStatus(
      api.call('PUT', '/api/v1/providers/microsoft365', settingsFor(tenant, graph, { mapping: { users } })),
      200,
    );

  async function run(options: object = {}): Promise<RunBody & { modeReason?: string | null }> {
    const done = await sync(api, { mode: 'incremental', allowLargeSync: true, ...options });
    return done.status === 'held' ? approve(api, done.planId) : done;
  }

  async function person(id: string = somebody.id): Promise<Person> {
    const search = encodeURIComponent(String(tenant.users.get(id)?.['userPrincipalName']));
    const { body } = await api.call<{ items: { id: string; externalId: string }[] }>(
      'GET',
      `/api/v1/users?search=${search}`,
    );
    const found = body.items.find(({ externalId }) => externalId === id) ?? assert.fail(`nobody is ${id}`);
    return (await api.call<Person>('GET', `/api/v1/users/${found.id}`)).body;
  }

  /** Lists of Graph that were asked for as a whole. */
  const wholeReads = (): number => (graph.requests.get('/v1.0/users') ?? 0) + (graph.requests.get('/v1.0/groups') ?? 0);

  it('reaches everybody from the records at hand; the source is asked for changes only', async () => {
    const before = wholeReads();
    await save([
      { target: 'title', expression: 'joined([jobTitle, givenName], " of ")' },
      { target: 'nickName', source: 'givenName', apply: 'onCreate' },
    ]);
    const done = await run();
    assert.equal(done.status, 'succeeded', JSON.stringify(done));
    assert.ok((done.counts['updated'] ?? 0) > 20, JSON.stringify(done.counts));
    assert.equal(wholeReads(), before);
    assert.equal((await person()).title, `${somebody['jobTitle']} of ${somebody['givenName']}`);
    assert.equal((await run()).counts['updated'] ?? 0, 0, 'planning again changes nothing');
  });

  it('sets what is set on creation for newcomers, once, and never for those who were there', async () => {
    assert.equal((await person()).nickName, undefined);
    const id = '77777777-0000-4000-8000-000000000001';
    const newcomer = { ...somebody, id, userPrincipalName: 'new@contoso.example', mail: null, proxyAddresses: [] };
    tenant.users.set(id, { ...newcomer, givenName: 'Grace' });
    await run({ mode: 'full' });
    assert.equal((await person(id)).nickName, 'Grace');
    tenant.users.set(id, { ...newcomer, givenName: 'Hopper' });
    await run({ mode: 'full' });
    assert.deepEqual(
      [(await person(id)).nickName, (await person(id)).title],
      ['Grace', `${somebody['jobTitle']} of Hopper`],
    );
  });

  it('asks the source anew where a rule looks at what was not read yet', async () => {
    const before = wholeReads();
    await save([{ target: 'nickName', source: 'officeLocation' }]);
    const done = await run();
    assert.equal(done.status, 'succeeded', JSON.stringify(done));
    assert.ok(wholeReads() > before);
    assert.equal((await person()).title, somebody['jobTitle'], 'a rule that went leaves the default');
  });
});
