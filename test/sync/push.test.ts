// Writes of an identity provider while inbound SCIM is the active provider, through a whole gateway.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { type DatabaseKind, eachDatabase } from '../support/database.ts';
import {
  approve,
  expectStatus,
  freshStorage,
  type RunBody,
  startGateway,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';
import { activateScim, type IdentityProvider, makeIdentityProvider } from '../support/identity-provider.ts';

const DISABLE = { op: 'Replace', path: 'active', value: 'False' };
const ENABLE = { op: 'Replace', path: 'active', value: 'True' };

interface BulkLine {
  readonly status: string;
  readonly location?: string;
}

interface Scene {
  readonly gateway: TestGateway;
  readonly idp: IdentityProvider;
  name(stem: string): string;
  readActive(id: string): Promise<boolean>;
  membersOf(id: string): Promise<readonly string[]>;
  settledRun(): Promise<RunBody>;
  saveSettings(settings: Record<string, unknown>): Promise<unknown>;
  saveGuard(guard: Record<string, unknown>): Promise<unknown>;
}

async function open(kind: DatabaseKind): Promise<Scene> {
  const gateway = await startGateway(await freshStorage(kind));
  const idp = await makeIdentityProvider(gateway);
  await activateScim(gateway);
  let serial = 0;
  const lastRun = async (): Promise<RunBody> => {
    const { body } = await gateway.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs?provider=scim');
    assert.ok(body.items[0]);
    return untilOver(gateway, body.items[0].id);
  };
  return {
    gateway,
    idp,
    name(stem) {
      serial += 1;
      return `${stem}-${serial}@example.org`;
    },
    readActive: async (id) => (await expectStatus(idp.send('GET', `/Users/${id}`), 200)).body.active,
    async membersOf(id) {
      const { body } = await expectStatus(idp.send('GET', `/Groups/${id}`), 200);
      return ((body['members'] ?? []) as { value: string }[]).map(({ value }) => value).sort();
    },
    /** The newest run once no other is under way: what is written while one plans is shown by the next. */
    async settledRun() {
      for (;;) {
        const run = await lastRun();
        if ((await lastRun()).id === run.id) return run;
      }
    },
    saveSettings: (settings) => expectStatus(gateway.call('PUT', '/api/v1/providers/scim', settings), 200),
    saveGuard: (guard) => expectStatus(gateway.call('PUT', '/api/v1/guard', guard), 200),
  };
}

eachDatabase('writes of an identity provider', (_open, kind) => {
  let scene: Scene;
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    scene = await open(kind);
    ({ gateway, idp } = scene);
  });
  after(() => gateway?.close());

  it('says on the card when it last wrote, and in its test that it may', async () => {
    await idp.createUser(scene.name('card'));
    const { body: cards } = await gateway.call<{
      items: { kind: string; connection: { state: string; detail: string } }[];
    }>('GET', '/api/v1/providers');
    const connection = cards.items.find((card) => card.kind === 'scim')?.connection;
    assert.equal(connection?.state, 'connected');
    assert.match(connection?.detail ?? '', /Last write at \d{4}-/);
    const { body } = await gateway.call<{ ok: boolean; checks: { name: string; ok: boolean }[] }>(
      'POST',
      '/api/v1/providers/scim/test',
    );
    assert.deepEqual(
      body.checks.map((check) => [check.name, check.ok]),
      [
        ['scope', true],
        ['token', true],
        ['writes', true],
      ],
    );
  });

  it('keeps a deleted id for the same external id', async () => {
    const userName = scene.name('back');
    const { id } = await idp.createUser(userName);
    await expectStatus(idp.send('DELETE', `/Users/${id}`), 204);
    assert.equal((await idp.send('GET', `/Users/${id}`)).status, 404);
    assert.equal((await idp.createUser(userName)).id, id);
    const again = await idp.send('POST', '/Users', {
      schemas: [USER_SCHEMA],
      userName: scene.name('other'),
      externalId: `x-${userName}`,
    });
    assert.equal(again.status, 409);
  });

  it('looks at members as the operations before left them', async () => {
    const [first, second, third] = await Promise.all([1, 2, 3].map(() => idp.createUser(scene.name('chosen'))));
    assert.ok(first && second && third);
    const group = await idp.createGroup('Chosen', [first.id]);
    const named = (op: string, ...ids: readonly string[]) => ({
      op,
      path: 'members',
      value: ids.map((value) => ({ value })),
    });
    const looks = { op: 'remove', path: 'members[type eq "User" and display sw "chosen"]' };
    for (const [operations, left] of [
      [[named('add', second.id.toUpperCase()), looks], []],
      [[named('replace', second.id, third.id), looks, named('add', first.id)], [first.id]],
      [
        [named('remove', first.id), looks, named('add', first.id, second.id), looks, named('add', third.id)],
        [third.id],
      ],
      [[looks, looks], []],
    ] as const) {
      await expectStatus(idp.patch(`/Groups/${group.id}`, ...operations), 200);
      assert.deepEqual(await scene.membersOf(group.id), left);
    }
    const change = (id: string) => ({ op: 'replace', path: `members[value eq "${id}"].value`, value: third.id });
    for (const [operations, scimType] of [
      [[named('add', first.id), change(first.id)], 'mutability'],
      [[named('add', first.id), { op: 'remove', path: 'members' }, change(first.id)], 'noTarget'],
    ] as const) {
      const { body } = await expectStatus(idp.patch(`/Groups/${group.id}`, ...operations), 400);
      assert.equal(body['scimType'], scimType);
    }
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
  });

  it('answers in Bulk with the id of whom it found or brought back, and others name that one by bulkId', async () => {
    const bulk = async (...operations: readonly object[]) => {
      const body = { schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'], Operations: operations };
      const answer = await expectStatus(idp.send<{ Operations: BulkLine[] }>('POST', '/Bulk', body), 200);
      return answer.body.Operations.map(({ status, location = '' }) => [status, location.split('/').at(-1)]);
    };
    const post = (bulkId: string, path: string, data: object): object => ({ method: 'POST', path, bulkId, data });
    const user = (userName: string): object => ({ schemas: [USER_SCHEMA], userName, externalId: `x-${userName}` });
    const group = (displayName: string, ...members: readonly string[]): object => ({
      schemas: [GROUP_SCHEMA],
      displayName,
      externalId: `x-${displayName}`,
      members: members.map((value) => ({ value })),
    });

    const userName = scene.name('bulk');
    const { id } = await idp.createUser(userName);
    await expectStatus(idp.send('DELETE', `/Users/${id}`), 204);
    const [restored, joined, titled] = await bulk(
      post('who', '/Users', user(userName)),
      post('team', '/Groups', group('Bulk team', 'bulkId:who')),
      { method: 'PATCH', path: '/Users/bulkId:who', data: [{ op: 'add', path: 'title', value: 'Back' }] },
    );
    assert.deepEqual([restored, joined?.[0], titled], [['201', id], '201', ['200', id]]);
    assert.deepEqual(await scene.membersOf(String(joined?.[1])), [id]);

    const circle = [
      post('one', '/Groups', group('Circle one', 'bulkId:two')),
      post('two', '/Groups', group('Circle two', 'bulkId:one', 'bulkId:who')),
      post('who', '/Users', user(scene.name('bulk'))),
    ];
    const made = (await bulk(...circle)).map(([, id]) => String(id));
    for (const which of [0, 1]) await expectStatus(idp.send('DELETE', `/Groups/${made[which]}`), 204);
    const again = await bulk(...circle.slice(0, 2), post('who', '/Users', user(scene.name('bulk'))));
    assert.deepEqual(again.slice(0, 2), [
      ['201', made[0]],
      ['201', made[1]],
    ]);
    assert.deepEqual(await scene.membersOf(String(made[0])), [made[1]]);
    assert.deepEqual(await scene.membersOf(String(made[1])), [made[0], String(again[2]?.[1])].sort());

    await scene.saveSettings({ adoptManual: 'onMatch', matching: ['userName'] });
    const hand = { schemas: [GROUP_SCHEMA], displayName: 'Circle by hand' };
    const { body: kept } = await expectStatus(gateway.call<{ id: string }>('POST', '/scim/v2/Groups', hand), 201);
    const failed = await bulk(
      post('kept', '/Groups', group('Circle by hand', 'bulkId:new')),
      post('new', '/Groups', group('Circle anew', 'bulkId:kept', id.replace(/^.{8}/, '00000000'))),
    );
    assert.deepEqual(
      failed.map(([status]) => status),
      ['400', '400'],
    );
    await expectStatus(idp.send('GET', `/Groups/${kept.id}`), 200);
    await scene.saveSettings({});
  });

  it('shows no external id of what was written without one, in filters neither', async () => {
    const { body } = await idp.send('POST', '/Users', { schemas: [USER_SCHEMA], userName: scene.name('bare') });
    const find = async (filter: string): Promise<number> => {
      const query = new URLSearchParams({ filter: `id eq "${body.id}" and ${filter}` });
      return (await idp.send<{ totalResults: number }>('GET', `/Users?${query}`)).body.totalResults;
    };
    assert.equal(body['externalId'], undefined);
    assert.equal(await find('externalId pr'), 0);
    assert.equal(await find(`externalId eq "${body.id}"`), 0);
    assert.equal(await find('externalId eq null'), 1);
    const alone = new URLSearchParams({ filter: `externalId eq "${body.id}"` });
    assert.equal((await idp.send<{ totalResults: number }>('GET', `/Users?${alone}`)).body.totalResults, 0);
  });

  it('keeps external id and `active` of what is replaced without a word of them, and clears the id when it is said to be none', async () => {
    const userName = scene.name('anchored');
    const { id } = await idp.createUser(userName);
    const replaced = async (more: object) => {
      const body = { schemas: [USER_SCHEMA], userName, ...more };
      return (await expectStatus(idp.send('PUT', `/Users/${id}`, body), 200)).body['externalId'];
    };
    const kept = await replaced({});
    assert.equal(typeof kept, 'string');
    for (const none of [null, '']) {
      assert.equal(await replaced({ externalId: none }), undefined);
      assert.equal(await replaced({ externalId: kept }), kept);
    }
    await replaced({ active: false });
    await replaced({ title: 'Still disabled' });
    assert.equal(await scene.readActive(id), false);
  });

  it('follows a new external id, also where others name it as their manager', async () => {
    const boss = await idp.createUser(scene.name('boss'));
    const report = await idp.createUser(scene.name('report'), {
      schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA],
      [ENTERPRISE_SCHEMA]: { department: 'R&D', manager: { value: boss.id } },
    });
    const group = await idp.createGroup('Bosses', [boss.id]);
    await expectStatus(idp.patch(`/Users/${boss.id}`, { op: 'replace', path: 'externalId', value: 'renamed' }), 200);
    const { body } = await idp.send<{ Resources: { id: string }[] }>(
      'GET',
      '/Users?filter=externalId%20eq%20%22renamed%22',
    );
    assert.deepEqual(
      body.Resources.map(({ id }) => id),
      [boss.id],
    );
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
    const { body: served } = await idp.send('GET', `/Users/${report.id}`);
    assert.deepEqual((served[ENTERPRISE_SCHEMA] as { manager: { value: string } }).manager.value, boss.id);
    const { body: members } = await idp.send('GET', `/Groups/${group.id}`);
    assert.deepEqual(
      (members['members'] as { value: string }[]).map(({ value }) => value),
      [boss.id],
    );
  });

  it('gives whoever takes over the external id of somebody out of scope none of their groups', async () => {
    await scene.saveSettings({ scope: { filter: 'not (title eq "Leaver")', onLeaveScope: 'delete' } });
    const [heir, leaver] = [await idp.createUser(scene.name('heir')), await idp.createUser(scene.name('leaver'))];
    const shared = await idp.createGroup('Of both', [heir.id, leaver.id]);
    const secret = await idp.createGroup('Of the one who left', [leaver.id]);
    await expectStatus(idp.patch(`/Users/${leaver.id}`, { op: 'add', path: 'title', value: 'Leaver' }), 204);
    const takesOver = idp.patch(`/Users/${heir.id}`, { op: 'replace', path: 'externalId', value: leaver.externalId });
    await expectStatus(takesOver, 200);
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
    assert.deepEqual([await scene.membersOf(shared.id), await scene.membersOf(secret.id)], [[heir.id], []]);
    await scene.saveSettings({});
  });

  it('leaves what somebody made by hand alone, until the settings say otherwise', async () => {
    const userName = scene.name('hand');
    const made = await expectStatus(
      gateway.call<{ id: string }>('POST', '/scim/v2/Users', {
        schemas: [USER_SCHEMA],
        userName,
      }),
      201,
    );
    const refused = await idp.patch(`/Users/${made.body.id}`, DISABLE);
    assert.equal(refused.status, 403);
    const body = { schemas: [USER_SCHEMA], userName, externalId: 'by-hand' };
    assert.equal((await idp.send('POST', '/Users', body)).status, 409);
    await scene.saveSettings({ adoptManual: 'ask' });
    assert.equal((await idp.patch(`/Users/${made.body.id}`, ENABLE)).status, 403);
    const { body: disputes } = await gateway.call<{ items: { id: string }[] }>('GET', '/api/v1/disputes?status=open');
    assert.equal(disputes.items.length, 1);
    // A run knows nothing of such a question, and leaves it.
    assert.equal((await sync(gateway)).status, 'succeeded');
    await expectStatus(gateway.call('POST', `/api/v1/disputes/${disputes.items[0]?.id}/adopt`), 200);
    await expectStatus(idp.patch(`/Users/${made.body.id}`, { op: 'add', path: 'title', value: 'Adopted' }), 200);
    await scene.saveSettings({ adoptManual: 'onMatch' });
    const other = await expectStatus(
      gateway.call<{ id: string }>('POST', '/scim/v2/Users', {
        schemas: [USER_SCHEMA],
        userName: scene.name('hand'),
      }),
      201,
    );
    await expectStatus(idp.patch(`/Users/${other.body.id}`, { op: 'add', path: 'title', value: 'Adopted' }), 200);
    await scene.saveSettings({ adoptManual: 'onMatch', matching: ['employeeNumber'] });
    const numbered = (): Record<string, unknown> => ({
      schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA],
      userName: scene.name('hand'),
      [ENTERPRISE_SCHEMA]: { employeeNumber: 'No-4711' },
    });
    const third = await expectStatus(gateway.call<{ id: string }>('POST', '/scim/v2/Users', numbered()), 201);
    const claimed = await idp.send<{ id: string }>('POST', '/Users', { ...numbered(), externalId: 'numbered' });
    assert.equal(claimed.body.id, third.body.id);
    await scene.saveSettings({});
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
  });

  it('makes somebody new beside whom a person has said that it is not, and whom it looks like', async () => {
    await scene.saveSettings({ adoptManual: 'ask' });
    const emails = [{ value: scene.name('shared'), type: 'work' }];
    const byHand = { schemas: [USER_SCHEMA], userName: scene.name('hand'), emails };
    const made = await expectStatus(gateway.call<{ id: string }>('POST', '/scim/v2/Users', byHand), 201);
    const other = { schemas: [USER_SCHEMA], userName: scene.name('other'), externalId: scene.name('other'), emails };
    assert.equal((await idp.send('POST', '/Users', other)).status, 403);
    type Disputes = { items: { id: string }[] };
    const { body } = await gateway.call<Disputes>('GET', '/api/v1/disputes?status=open');
    await expectStatus(gateway.call('POST', `/api/v1/disputes/${body.items[0]?.id}/refuse`), 200);
    const created = await expectStatus(idp.send('POST', '/Users', other), 201);
    assert.notEqual(created.body.id, made.body.id);
    assert.equal((await idp.patch(`/Users/${made.body.id}`, DISABLE)).status, 403);
    await scene.saveSettings({});
  });

  it('keeps to the scope: out of it nobody comes in, and who leaves it is treated as the settings say', async () => {
    await scene.saveSettings({ scope: { filter: 'not (title eq "Contractor")' } });
    const member = await idp.createUser(scene.name('scope'));
    const group = await idp.createGroup('Scoped', [member.id]);
    const out = await idp.send<{ detail: string }>('POST', '/Users', {
      schemas: [USER_SCHEMA],
      userName: scene.name('out'),
      externalId: 'out',
      title: 'Contractor',
    });
    assert.deepEqual([out.status, /scope filter/.test(out.body.detail)], [403, true]);
    await expectStatus(idp.patch(`/Users/${member.id}`, { op: 'add', path: 'title', value: 'contractor' }), 200);
    assert.equal(await scene.readActive(member.id), false);
    const members = () => scene.membersOf(group.id);
    assert.deepEqual(await members(), []);
    await expectStatus(idp.patch(`/Users/${member.id}`, { op: 'replace', path: 'title', value: 'Engineer' }), 200);
    assert.equal(await scene.readActive(member.id), true);
    assert.deepEqual(await members(), [member.id]);
    const unseen = await gateway.call<{ code: string; removals: object }>('PUT', '/api/v1/providers/scim', {
      scope: { filter: 'not (title sw "Engin")' },
    });
    assert.deepEqual([unseen.status, unseen.body.code], [409, 'impact-plan-required']);
    assert.deepEqual(unseen.body.removals, { users: 1, groups: 0, memberships: 1 });
    await scene.saveSettings({});
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', { created: 1 }]);
    const explained = await gateway.call<{ explanation: { scope: { inScope: boolean } } }>(
      'GET',
      '/api/v1/explain?subject=out',
    );
    assert.equal(explained.body.explanation.scope.inScope, true);
  });

  it('refuses writes while it is not active, and names who is', async () => {
    await expectStatus(gateway.call('POST', '/api/v1/providers/scim/deactivate'), 200);
    const refused = await idp.send<{ detail: string }>('POST', '/Users', {
      schemas: [USER_SCHEMA],
      userName: scene.name('late'),
    });
    assert.equal(refused.status, 403);
    assert.match(refused.body.detail, /no inbound provider is active/);
    await expectStatus(gateway.call('GET', '/scim/v2/Users', undefined, idp.token), 200);
  });
});

eachDatabase('whoever is made anew after leaving the scope', (_open, kind) => {
  let scene: Scene;
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    scene = await open(kind);
    ({ gateway, idp } = scene);
  });
  after(() => gateway?.close());

  it('makes a group anew with the members that are named, and nobody whom it had before it left the scope', async () => {
    await scene.saveSettings({ scope: { groupFilter: 'not (displayName sw "Closed")' } });
    const [old, named] = [await idp.createUser(scene.name('old')), await idp.createUser(scene.name('named'))];
    for (const members of [[named.id], []]) {
      const open = { schemas: [GROUP_SCHEMA], displayName: 'Open', externalId: scene.name('open') };
      const make = (ids: readonly string[]) =>
        expectStatus(idp.send('POST', '/Groups', { ...open, members: ids.map((value) => ({ value })) }), 201);
      const { body: group } = await make([old.id]);
      await expectStatus(
        idp.patch(`/Groups/${group.id}`, { op: 'replace', path: 'displayName', value: 'Closed' }),
        204,
      );
      await make(members);
      assert.deepEqual(await scene.membersOf(group.id), members);
      const run = await sync(gateway);
      assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
      assert.deepEqual(await scene.membersOf(group.id), members);
    }
  });

  it('puts whoever was deleted for leaving the scope, and is made anew, back into their groups at once', async () => {
    await scene.saveSettings({ scope: { filter: 'not (title eq "Leaver")', onLeaveScope: 'delete' } });
    const userName = scene.name('back');
    const user = await idp.createUser(userName);
    const group = await idp.createGroup('Of whoever comes back', [user.id]);
    await expectStatus(idp.patch(`/Users/${user.id}`, { op: 'add', path: 'title', value: 'Leaver' }), 204);
    assert.deepEqual(await scene.membersOf(group.id), []);
    const again = { schemas: [USER_SCHEMA], userName, externalId: user.externalId };
    await expectStatus(idp.send('POST', '/Users', again), 201);
    assert.deepEqual(await scene.membersOf(group.id), [user.id]);
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
  });
});

eachDatabase('what an identity provider takes away', (_open, kind) => {
  let scene: Scene;
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    scene = await open(kind);
    ({ gateway, idp } = scene);
  });
  after(() => gateway?.close());

  it('holds a burst of removals, answers that the client should come again, and carries it out once approved', async () => {
    await scene.saveGuard({ minObjects: 2, percent: 10 });
    const users = [];
    for (let index = 0; index < 6; index += 1) users.push(await idp.createUser(scene.name('burst')));
    const answers: Awaited<ReturnType<IdentityProvider['send']>>[] = [];
    for (const { id } of users.slice(0, 5)) answers.push(await idp.patch(`/Users/${id}`, DISABLE));
    answers.push(await idp.send('DELETE', `/Users/${users[5]?.id}`));
    const held = answers.filter(({ status }) => status === 429);
    assert.ok(held.length > 0 && held.length < 6, `${held.length} of 6 were held`);
    for (const { headers, body } of held as { headers: Headers; body: Record<string, unknown> }[]) {
      assert.ok(Number(headers.get('retry-after')) > 0);
      assert.deepEqual([body['status'], /change guard/.test(String(body['detail']))], ['429', true]);
    }
    for (const [index, user] of users.entries())
      assert.equal(await scene.readActive(user.id), answers[index]?.status === 429, 'what is held is served as before');
    const run = await scene.settledRun();
    assert.equal(run.status, 'held');
    const { body: plan } = await gateway.call<{ items: { id: string; outcome: string }[] }>(
      'GET',
      `/api/v1/plans/${run.planId}/changes`,
    );
    assert.deepEqual(
      new Set(plan.items.filter(({ outcome }) => outcome === 'held').map(({ id }) => id)),
      new Set(users.filter((_, index) => answers[index]?.status === 429).map(({ id }) => id)),
    );
    assert.equal((await idp.patch(`/Users/${users[4]?.id}`, DISABLE)).status, 429);
    assert.equal((await approve(gateway, (await scene.settledRun()).planId)).status, 'succeeded');
    for (const { id } of users.slice(0, 5)) {
      await expectStatus(idp.patch(`/Users/${id}`, DISABLE), 200);
      assert.equal(await scene.readActive(id), false);
    }
    assert.equal((await idp.send('DELETE', `/Users/${users[5]?.id}`)).status, 404);
    const after = await sync(gateway);
    assert.deepEqual([after.status, after.counts], ['succeeded', {}]);
  });

  it('does not carry out a wish that was taken back, nor one that was rejected', async () => {
    const kept = await idp.createUser(scene.name('kept'));
    const other = await idp.createUser(scene.name('rejected'));
    assert.equal((await idp.patch(`/Users/${kept.id}`, DISABLE)).status, 429);
    assert.equal((await idp.patch(`/Users/${other.id}`, DISABLE)).status, 429);
    await scene.settledRun();
    await expectStatus(idp.patch(`/Users/${kept.id}`, ENABLE), 200);
    assert.equal((await approve(gateway, (await scene.settledRun()).planId)).status, 'succeeded');
    assert.deepEqual([await scene.readActive(kept.id), await scene.readActive(other.id)], [true, false]);
    await expectStatus(idp.patch(`/Users/${other.id}`, ENABLE), 200);
    assert.equal((await idp.patch(`/Users/${other.id}`, DISABLE)).status, 429);
    await expectStatus(gateway.call('POST', `/api/v1/plans/${(await scene.settledRun()).planId}/reject`), 200);
    const refused = await idp.patch(`/Users/${other.id}`, DISABLE);
    assert.deepEqual([refused.status, /rejected/.test(String(refused.body['detail']))], [403, true]);
    assert.equal(await scene.readActive(other.id), true);
    await expectStatus(idp.patch(`/Users/${other.id}`, ENABLE), 200);
  });

  it('holds a burst of memberships, and adds whom it may meanwhile', async () => {
    await scene.saveGuard({ minObjects: 2, percent: 100, membershipPercent: 20, groupMembershipPercent: 50 });
    const ids = [];
    for (let index = 0; index < 6; index += 1) ids.push((await idp.createUser(scene.name('member'))).id);
    const group = await idp.createGroup('Burst', ids.slice(0, 5));
    const operations = [
      { op: 'remove', path: `members[value eq "${ids[0]}"]` },
      { op: 'remove', path: 'members', value: [{ value: ids[1] }, { value: ids[2] }] },
      { op: 'add', path: 'members', value: [{ value: ids[5] }] },
    ];
    assert.equal((await idp.patch(`/Groups/${group.id}`, ...operations)).status, 429);
    const members = () => scene.membersOf(group.id);
    assert.deepEqual(await members(), ids.toSorted());
    assert.equal((await approve(gateway, (await scene.settledRun()).planId)).status, 'succeeded');
    assert.deepEqual(await members(), ids.slice(3).sort());
    await expectStatus(idp.patch(`/Groups/${group.id}`, ...operations), 200);
    const after = await sync(gateway);
    assert.deepEqual([after.status, after.counts], ['succeeded', {}]);
  });
});

eachDatabase('an identity provider that writes at once', (_open, kind) => {
  let scene: Scene;
  let gateway: TestGateway;
  let idp: IdentityProvider;
  before(async () => {
    scene = await open(kind);
    ({ gateway, idp } = scene);
  });
  after(() => gateway?.close());

  it('makes one of two alike, and tells the other', async () => {
    const body = { schemas: [USER_SCHEMA], userName: scene.name('twice'), externalId: 'twice' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => idp.send('POST', '/Users', body)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
  });

  it('tells of the changes of one resource in their order, however many write it at once', async () => {
    const user = await idp.createUser('busy@example.org');
    const to = (value: string) => idp.patch(`/Users/${user.id}`, { op: 'Replace', path: 'title', value });
    for (let round = 0; round < 20; round += 1) await Promise.all(['Mr', 'Dr', 'Ms', 'Sir'].map(to));
    const { meta } = (await expectStatus(idp.send<{ meta: { version: string } }>('GET', `/Users/${user.id}`), 200))
      .body;
    let versions: number[] = [];
    // Transactions of others in the cluster hold the journal back.
    while (!versions.some((version) => meta.version === `W/"${version}"`)) {
      const path = '/api/v1/changes?limit=1000';
      const { body } = await gateway.call<{ items: { resourceId: string; version: number }[] }>('GET', path);
      versions = body.items.filter(({ resourceId }) => resourceId === user.id).map(({ version }) => version);
    }
    assert.ok(versions.length > 20);
    assert.deepEqual(
      versions,
      versions.toSorted((a, b) => a - b),
    );
  });

  it('loses nothing of what many write to one user, and a run finds nothing to do', async () => {
    const names = ['title', 'nickName', 'userType', 'locale', 'timezone', 'preferredLanguage', 'profileUrl'];
    for (let round = 0; round < 5; round += 1) {
      const { id } = await idp.createUser(scene.name('many'));
      const write = (path: string) => idp.patch(`/Users/${id}`, { op: 'add', path, value: `x-${path}` });
      for (const { status } of await Promise.all(names.map(write))) assert.equal(status, 200);
      const { body } = await idp.send('GET', `/Users/${id}`);
      assert.deepEqual(
        names.filter((name) => body[name] !== `x-${name}`),
        [],
      );
    }
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
  });

  it('joins a group from many requests, and a run finds nothing to do', async () => {
    const users = await Promise.all([1, 2, 3, 4, 5, 6].map(() => idp.createUser(scene.name('joiner'))));
    const group = await idp.createGroup('At once');
    const add = (id: string) =>
      idp.patch(`/Groups/${group.id}`, { op: 'add', path: 'members', value: [{ value: id }] });
    for (const { status } of await Promise.all(users.map(({ id }) => add(id)))) assert.equal(status, 200);
    assert.deepEqual(await scene.membersOf(group.id), users.map(({ id }) => id).sort());
    const run = await sync(gateway);
    assert.deepEqual([run.status, run.counts], ['succeeded', {}]);
  });

  it('gets as many removals as the guard lets pass, and no more', async () => {
    await scene.saveGuard({ minObjects: 3, percent: 0 });
    const users = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(() => idp.createUser(scene.name('leaver'))));
    const answers = await Promise.all(users.map(({ id }) => idp.patch(`/Users/${id}`, DISABLE)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 429, 429, 429, 429, 429]);
    assert.equal((await approve(gateway, (await scene.settledRun()).planId)).status, 'succeeded');
    for (const { id } of users) assert.equal(await scene.readActive(id), false);
  });

  it('takes writes of groups that are in each other, whoever comes first', async () => {
    const groups = await Promise.all([1, 2, 3, 4].map((place) => idp.createGroup(`Mutual ${place}`)));
    const others = (id: string) => groups.filter((group) => group.id !== id).map((group) => ({ value: group.id }));
    const joined = await Promise.all(
      groups.map(({ id }) => idp.patch(`/Groups/${id}`, { op: 'add', path: 'members', value: others(id) })),
    );
    assert.deepEqual(
      joined.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    await scene.saveGuard({ enabled: false });
    const ended = await Promise.all(
      [...groups, ...groups].map(async ({ id }) => (await idp.send('DELETE', `/Groups/${id}`)).status),
    );
    assert.deepEqual(ended.sort(), [204, 204, 204, 204, 404, 404, 404, 404]);
    await scene.saveGuard({ enabled: true });
  });

  it('loses nothing that was accepted when an administrator ends it meanwhile', async () => {
    const names = Array.from({ length: 20 }, () => scene.name('late'));
    const writes = names.map((userName) =>
      idp.send('POST', '/Users', { schemas: [USER_SCHEMA], userName, externalId: userName }),
    );
    const ended = gateway.call('POST', '/api/v1/providers/scim/deactivate', { reason: 'a test' });
    const answers = await Promise.all(writes);
    assert.equal((await ended).status, 200);
    for (const { status } of answers) assert.ok(status === 201 || status === 403);
    const accepted = answers.filter(({ status }) => status === 201);
    for (const { body } of accepted) await expectStatus(idp.send('GET', `/Users/${body.id}`), 200);
    const { body: late } = await idp.send<{ totalResults: number }>(
      'GET',
      '/Users?filter=userName%20sw%20%22late-%22&count=0',
    );
    assert.equal(late.totalResults, accepted.length);
  });
});
