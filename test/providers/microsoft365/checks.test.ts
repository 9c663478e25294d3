import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generate } from 'selfsigned';
import { type GraphServer, startGraphServer } from '#demo/graph-server.ts';
import { addMember, makeTenant, type Tenant } from '#demo/tenant.ts';
import { neededPermissions } from '#providers/microsoft365/sign-in/permissions.ts';
import { CLIENT_ID, makeTestClock, openProvider, settingsFor, startScripted, startTenant } from './support.ts';

let tenant: Tenant;
let graph: GraphServer;
const signal = new AbortController().signal;

before(async () => {
  tenant = makeTenant({ users: 60, groups: 20, membersPerGroup: 3, cycle: true });
  graph = await startTenant(tenant);
});
after(() => graph.close());

const NAMES = [
  ...['settings', 'token', 'permissions', 'tenant', 'domains'],
  ...['read-users', 'mailbox-user', 'read-groups', 'read-members'],
];

async function check(
  changes: Record<string, unknown> = {},
  server: { origin: string } = graph,
  clock = makeTestClock(),
) {
  const { kind, settings } = openProvider(settingsFor(server, tenant.id, changes), clock);
  const checks = await kind.test(settings, signal);
  assert.deepEqual(
    checks.map(({ name }) => name),
    NAMES,
  );
  return {
    failed: checks.filter(({ ok }) => !ok).map(({ name }) => name),
    by: new Map(checks.map((one) => [one.name, one])),
  };
}

describe('the connection test', () => {
  it('finds everything in order, and says what Graph never shows', async () => {
    const { failed, by } = await check();
    assert.deepEqual(failed, []);
    assert.match(by.get('tenant')?.detail ?? '', new RegExp(`${tenant.id}.*Contoso`));
    assert.match(by.get('read-groups')?.detail ?? '', /does not show dynamic distribution lists/);
  });

  it('says which step fails, and what to do', async () => {
    for (const [changes, sentence] of [
      [{ credential: { kind: 'clientSecret', secret: 'wrong' } }, /client secret/],
      [{ tenantId: '00000000-0000-4000-8000-000000000000' }, /no such tenant/],
      [{ clientId: 'nobody' }, /application/],
      [{ endpoints: { graph: graph.origin, login: 'https://127.0.0.1:1' } }, /sign-in service.*cannot be reached/],
    ] as const) {
      const { failed, by } = await check(changes);
      assert.deepEqual(failed, NAMES.slice(1));
      assert.match(by.get('token')?.detail ?? '', sentence);
      assert.ok((by.get('token')?.remedy ?? '').length > 0);
    }
  });

  it('names each permission that is missing, also one that no read asks for, and where to grant it; the organization is optional', async (test) => {
    const poor = await startTenant(tenant, { application: { roles: ['User.Read.All'] } });
    test.after(() => poor.close());
    const { failed, by } = await check({ scope: { mailboxTypes: ['user', 'shared'] } }, poor);
    assert.deepEqual(failed, ['permissions', 'read-groups', 'read-members']);
    const { detail, remedy } = by.get('permissions') ?? assert.fail();
    assert.match(detail, /GroupMember\.Read\.All \(groups.*MailboxSettings\.Read \(which mailboxes/);
    assert.doesNotMatch(detail, /User\.Read\.All|Organization/);
    assert.match(remedy ?? '', new RegExp(`administrator.*https://entra\\.microsoft\\.com/.*${CLIENT_ID}$`));
    assert.match(by.get('read-groups')?.remedy ?? '', /GroupMember\.Read\.All/);
    const wide = await startTenant(tenant, { application: { roles: ['Directory.Read.All'] } });
    test.after(() => wide.close());
    assert.equal((await check({}, wide)).by.get('permissions')?.ok, true);
    // A role of Entra may let it read without any of them.
    const directoryReaders = '88d8e3e3-8f55-4a1e-953a-9b9898b8876b';
    const application = { roles: ['Organization.Read.All'], directoryRoles: [directoryReaders] };
    const reader = await startTenant(tenant, { application });
    test.after(() => reader.close());
    const judged = (await check({}, reader)).by.get('permissions');
    assert.equal(judged?.ok, true);
    assert.match(judged?.detail ?? '', /Not among the permissions: User\.Read\.All/);
    // A token that names none at all may be one that does not tell.
    const silent = await startTenant(tenant, { application: { roles: [] } });
    test.after(() => silent.close());
    assert.deepEqual((await check({}, silent)).failed, ['read-users', 'mailbox-user', 'read-groups', 'read-members']);
  });

  it('finds domains that the tenant does not have, and a tenant without a mailbox', async () => {
    const scope = { domains: [tenant.domain, 'elsewhere.example'], requireMailbox: true };
    const found = await check({ scope });
    assert.deepEqual(found.failed, ['domains']);
    assert.match(found.by.get('domains')?.detail ?? '', /"elsewhere.example"/);
    assert.match(found.by.get('domains')?.remedy ?? '', /contoso\.example/);
    const bare = makeTenant({ users: 5, groups: 1 });
    for (const user of bare.users.values())
      Object.assign(user, { proxyAddresses: [], assignedPlans: [], assignedLicenses: [] });
    const empty = await startTenant(bare);
    try {
      const { kind, settings } = openProvider(settingsFor(empty, bare.id, { scope: { requireMailbox: true } }));
      const checks = await kind.test(settings, signal);
      assert.deepEqual(
        checks.filter(({ ok }) => !ok).map(({ name }) => name),
        ['mailbox-user'],
      );
    } finally {
      await empty.close();
    }
  });

  it('says how to trust a private authority', async () => {
    const strange = await startGraphServer(tenant);
    const { failed, by } = await check({}, strange);
    assert.ok(failed.includes('token'));
    assert.match(by.get('token')?.remedy ?? '', /NODE_EXTRA_CA_CERTS/);
    await strange.close();
  });

  it('signs in with a certificate, and sees one that is too old', async () => {
    const made = await generate([{ name: 'commonName', value: 'sluice' }], { algorithm: 'sha256' });
    const credential = { kind: 'certificate', certificate: made.cert, privateKey: made.private };
    const server = await startTenant(tenant, { application: { certificate: made.cert } });
    assert.deepEqual((await check({ credential }, server)).failed, []);
    const clock = makeTestClock();
    await clock.sleep(3 * 366 * 86_400_000);
    assert.equal((await check({ credential }, server, clock)).by.get('settings')?.ok, false);
    const { failed, by } = await check({ credential });
    assert.ok(failed.includes('token'));
    assert.match(by.get('token')?.detail ?? '', /certificate/);
    await server.close();
  });

  it('does not keep an administrator waiting for a busy Graph', async () => {
    graph.setFaults({
      script: [{ path: '/users', fault: { kind: 'status', status: 429, retryAfter: '600' }, times: 1 }],
    });
    const before = graph.requests.get('/v1.0/groups');
    const { failed, by } = await check();
    assert.deepEqual(failed, ['read-users', 'mailbox-user', 'read-groups', 'read-members']);
    assert.match(by.get('read-users')?.detail ?? '', /429.*600 s/);
    assert.match(by.get('read-groups')?.detail ?? '', /left alone for another 600 s/);
    assert.equal(graph.requests.get('/v1.0/groups'), before, 'nothing is asked of whom wants to be left alone');
    graph.setFaults({});
  });

  it('says how many are in a designated group, as far as Graph tells: in a batch perhaps in base64', async () => {
    const id = '6ea91a8d-e32e-41a1-b7bd-d2d185eed0e0';
    const group = { id, displayName: 'A', securityEnabled: true, mailEnabled: false, groupTypes: [] };
    for (const [count, visibility, said] of [
      [12, null, /"A" has 12 members/],
      ['12', null, /"A" has 12 members/],
      ['MTI=', null, /"A" has 12 members/],
      [0, 'HiddenMembership', /"A" hides its members, who come in with Member\.Read\.Hidden only/],
      [0, null, /"A" is empty/],
      [null, null, /"A" has an unknown number of members/],
    ] as const) {
      const answer = (url: string): object => {
        if (url.includes('deletedItems')) return { status: 404, body: {} };
        return { status: 200, body: url.includes('$count') ? count : { ...group, visibility } };
      };
      const server = await startScripted(({ url, body }) => {
        if (!url.includes('$batch')) return { body: { value: [{ id }] } };
        const { requests } = JSON.parse(body) as { requests: { id: string; url: string }[] };
        return { body: { responses: requests.map((step) => ({ id: step.id, ...answer(step.url) })) } };
      });
      const scope = { mode: 'groups', groupIds: [id] };
      const { kind, settings } = openProvider(settingsFor(server, 'contoso.example', { scope }));
      assert.match((await kind.test(settings, signal)).at(-1)?.detail ?? '', said);
      await server.close();
    }
  });

  it('ends when it is told to, and still throws nothing', async () => {
    const { kind, settings } = openProvider(settingsFor(graph, tenant.id));
    const checks = await kind.test(settings, AbortSignal.abort());
    assert.deepEqual(
      checks.map(({ name }) => name),
      NAMES,
    );
    assert.equal(checks.at(-1)?.ok, false);
  });
});

describe('what can be looked up', () => {
  const source = () => {
    const { kind, settings } = openProvider(settingsFor(graph, tenant.id));
    const { groups, members } = kind.source ?? {};
    assert.ok(groups !== undefined && members !== undefined);
    return { groups, members, settings };
  };

  it('is groups by a word of their name, with their type', async () => {
    const { groups, settings } = source();
    const { items: found } = await groups(settings, { search: 'sales', limit: 50 }, signal);
    assert.ok(found.length > 0 && found.every(({ displayName }) => displayName.includes('Sales')));
    assert.ok(found.every(({ type }) => type !== 'unknown'));
    const all = await groups(settings, { limit: 12 }, signal);
    const rest = await groups(settings, { limit: 12, cursor: all.nextCursor ?? '' }, signal);
    assert.deepEqual([all.items.length, rest.items.length, rest.nextCursor], [12, 8, null]);
    assert.deepEqual((await groups(settings, { search: 'no "such" group\\', limit: 50 }, signal)).items, []);
  });

  it('is everybody below a group with the path, through a circle once', async () => {
    const { members, settings } = source();
    const [top = '', inner = ''] = tenant.groups.keys();
    const [somebody = ''] = [...tenant.users.keys()].slice(-1);
    addMember(tenant, inner, somebody);
    const { items: found, truncated } = await members(settings, { groupId: top, transitive: true }, signal);
    assert.equal(truncated, null);
    const name = (id: string) => String(tenant.groups.get(id)?.['displayName']);
    assert.deepEqual(found.find(({ id }) => id === inner)?.path, [name(top)]);
    assert.deepEqual(found.find(({ id, path }) => id === somebody && path.at(-1) === name(inner))?.path, [
      name(top),
      name(inner),
    ]);
    assert.equal(new Set(found.map(({ id, path }) => `${id} ${path.join('/')}`)).size, found.length);
    const direct = await members(settings, { groupId: top, transitive: false }, signal);
    assert.ok(direct.items.length > 0 && direct.items.length < found.length);
    assert.deepEqual(
      direct.items,
      found.filter(({ path }) => path.length === 1),
    );
    const chain = makeTenant({ users: 1, groups: 24, membersPerGroup: 0 });
    const groups = [...chain.groups.keys()];
    for (const members of chain.members.values()) members.clear();
    for (const [index, id] of groups.entries()) if (index > 0) addMember(chain, groups[index - 1] ?? '', id);
    const server = await startTenant(chain);
    const deep = openProvider(settingsFor(server, chain.id));
    const below = await deep.kind.source?.members?.(
      deep.settings,
      { groupId: groups[0] ?? '', transitive: true },
      signal,
    );
    assert.deepEqual(below?.truncated, { by: 'depth', limit: 20 });
    await server.close();
    await assert.rejects(members(settings, { groupId: 'nobody', transitive: true }, signal), { code: 'ERR_NOT_FOUND' });
  });

  it('is what the token grants, and what is too little or too much', async () => {
    const globalReader = 'f2ef992c-3afb-46b9-b7cf-a126ee74c451';
    const server = await startTenant(tenant, {
      application: { roles: ['Directory.Read.All', 'Mail.Read', 'User.Read.All'], directoryRoles: [globalReader, 'x'] },
    });
    const { kind, settings } = openProvider(settingsFor(server, tenant.id));
    const review = await kind.source?.permissions?.(settings, signal);
    assert.deepEqual(review?.granted, ['Directory.Read.All', 'Mail.Read', 'User.Read.All']);
    assert.deepEqual(review?.missing, []);
    assert.deepEqual(review?.superfluous, ['Mail.Read', 'User.Read.All']);
    assert.deepEqual(review?.directoryRoles, ['Global Reader', 'x']);
    const national = openProvider(settingsFor(server, tenant.id, { cloud: 'usgov' })).settings;
    const { entraUrl } = (await kind.source?.permissions?.(national, signal)) ?? {};
    assert.equal(new URL(entraUrl ?? '').host, 'entra.microsoft.us');
    await server.close();
  });

  it('is the least set of permissions that the settings need', () => {
    const needed = (changes: Record<string, unknown>): readonly string[][] => {
      const { required, optional } = neededPermissions(openProvider(settingsFor(graph, tenant.id, changes)).settings);
      const names = required.map(({ name }) => name);
      assert.deepEqual(names.splice(0, 2), ['User.Read.All', 'GroupMember.Read.All']);
      return [names, optional.map(({ name }) => name)];
    };
    const always = ['Organization.Read.All', 'Member.Read.Hidden'];
    assert.deepEqual(needed({}), [[], [...always, 'MailboxSettings.Read', 'Group.Read.All', 'Application.Read.All']]);
    const users = [{ target: 'title', source: 'employeeLeaveDateTime' }];
    assert.deepEqual(needed({ mapping: { users } })[0], ['User-LifeCycleInfo.Read.All']);
    const secret = { kind: 'clientSecret', secret: 's', expiresAt: '2030-01-01' };
    assert.deepEqual(
      needed({ scope: { mailboxTypes: ['user', 'shared'] }, notifications: { enabled: false }, credential: secret }),
      [['MailboxSettings.Read'], [...always, 'Group.Read.All']],
    );
    assert.deepEqual(needed({ scope: { mailboxTypes: [] }, credential: { kind: 'managedIdentity' } }), [
      ['MailboxSettings.Read'],
      [...always, 'Group.Read.All'],
    ]);
  });
});
