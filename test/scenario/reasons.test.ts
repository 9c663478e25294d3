// Every reason code comes out of a run, an item or an explanation somewhere here; the last test counts them.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { REASONS } from '#core/reasons.ts';
import { USER_SCHEMA } from '#core/resource.ts';
import { searchForm } from '#core/search.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import {
  addGroup,
  addMember,
  addUser,
  makeGroup,
  makeTenant,
  makeUser,
  removeUser,
  type Tenant,
  updateUser,
} from '#demo/tenant.ts';
import { openDatabase } from '#store/database.ts';
import { writeResources } from '#store/directory/resources.ts';
import { migrate } from '#store/schema/migrate.ts';
import { startScripted } from '../providers/microsoft365/support.ts';
import { checkedCall, listAll } from '../support/checked.ts';
import {
  approve,
  connect,
  EVERY_GROUP_TYPE,
  freshStorage,
  type RunBody,
  saveSettings,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

interface Item {
  readonly externalId: string;
  readonly reason: string;
  readonly error: string | null;
}

interface Explained {
  readonly explanation: { reason: { code: string }; lastRun: { reason: { code: string } } | null } | null;
}

/**
 * Of a provider that tells how somebody left: test/sync/leaving.test.ts; of files and directories: test/providers/csv and
 * test/providers/ldap.
 */
const TOLD = [
  ...['SourceSoftDeleted', 'SourceHardDeleted'],
  ...['BadLine', 'DuplicateLine', 'UnknownGroup', 'UnknownMember'],
];
/** Of a scope that memberships, mailboxes or routing decide: test/scenario/designated-groups.test.ts and its neighbours. */
const OF_SCOPES = [
  'NotInSelectedGroup',
  'NestedGroupIgnored',
  'NestedGroupFlattened',
  'NotUnderReferenceGroup',
  'GuestExcluded',
  'MailboxTypeExcluded',
  'MailboxRemoved',
  'RoutedHere',
  'DestinationMade',
];
/** Of a switch from one provider to another: test/scenario/switching.test.ts. */
const OF_SWITCHES = ['LeftOver'];
/** Of an app that is written to: test/outbound/outcomes.test.ts. */
const OF_TARGETS = ['TargetUnavailable', 'TargetNotFound', 'TargetUnsupported'];

describe('reasons', () => {
  const seen = new Set<string>();
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;
  const call = checkedCall(() => api);
  const configure = (changes: Record<string, unknown> = {}) => saveSettings(api, settingsFor(tenant, graph, changes));
  const scoped = (scope: Record<string, unknown>) => configure({ scope: { groupTypes: EVERY_GROUP_TYPE, ...scope } });
  const someone = (index: number): string =>
    [...tenant.users.values()].filter(
      (user) => user['accountEnabled'] === true && user['userType'] === 'Member' && user['mail'] !== null,
    )[index]?.id ?? '';
  const make = async (body: Record<string, unknown>): Promise<string> =>
    (await call<{ id: string }>('POST', '/users', 201, body)).id;

  /** The reasons of a run's items, by record. */
  async function itemsOf(run: RunBody): Promise<Map<string, string>> {
    const items = await listAll<Item>(call, `/sync-runs/${run.id}/changes?limit=500`);
    for (const { reason, error } of items) seen.add(reason).add(error ?? reason);
    return new Map(items.map(({ externalId, reason, error }) => [externalId, error ?? reason]));
  }

  async function runOf(options: Record<string, unknown> = {}): Promise<Map<string, string>> {
    const run = await sync(api, { allowLargeSync: true, ...options });
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
    return itemsOf(run);
  }

  async function whyOf(subject: string): Promise<[string, string | undefined]> {
    const { explanation } = await call<Explained>('GET', `/explain?subject=${encodeURIComponent(subject)}`, 200);
    assert.ok(explanation, subject);
    const said: [string, string | undefined] = [explanation.reason.code, explanation.lastRun?.reason.code];
    for (const code of said) if (code !== undefined) seen.add(code);
    return said;
  }

  before(async () => {
    tenant = makeTenant({ users: 60, groups: 10, membersPerGroup: 5 });
    graph = await startTenant(tenant);
    const storage = await freshStorage('embedded');
    await seedOtherProvider(storage['DATA_DIR'] ?? '', String(tenant.users.get(someone(0))?.['userPrincipalName']));
    api = await startGateway(storage);
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  it('NewInSource, Linked, and ProviderInactive: a first run beside the accounts of another provider', async () => {
    assert.equal((await whyOf('other-1'))[0], 'ProviderInactive');
    const items = await itemsOf(await connect(api, settingsFor(tenant, graph)));
    assert.equal(items.get(someone(0)), 'Linked');
    assert.equal(items.get(someone(1)), 'NewInSource');
  });

  it('InScope and NoChange: everything is as it should be', async () => {
    await runOf();
    assert.deepEqual(await whyOf(someone(1)), ['InScope', 'NoChange']);
  });

  it('UnsupportedObjectType, UnreadableMember and HiddenMembership: members that do not come in', async () => {
    const [group = '', hiding = ''] = tenant.groups.keys();
    const shown = tenant.groups.get(hiding);
    assert.ok(shown);
    tenant.groups.set(hiding, { ...shown, visibility: 'HiddenMembership' });
    const odd = { id: randomUUID(), type: 'directoryObject' as 'device', displayName: 'Hidden' };
    const contact = { id: randomUUID(), type: 'orgContact', displayName: 'Supplier' } as const;
    for (const other of [odd, contact]) {
      tenant.others.set(other.id, other);
      addMember(tenant, group, other.id);
    }
    const items = await runOf();
    assert.deepEqual([items.get(odd.id), items.get(contact.id)], ['UnreadableMember', 'UnsupportedObjectType']);
    assert.equal(items.get(hiding), 'HiddenMembership');
    tenant.groups.set(hiding, shown);
    assert.equal((await whyOf(odd.id))[0], 'UnreadableMember');
  });

  it('AttributesChanged, MembersChanged, and whatever an edit by hand makes stale', async () => {
    updateUser(tenant, someone(2), { jobTitle: 'Changed' });
    const [group = ''] = tenant.groups.keys();
    addMember(tenant, group, someone(2));
    const items = await runOf();
    assert.deepEqual([items.get(someone(2)), items.get(group)], ['AttributesChanged', 'MembersChanged']);
    await call('PUT', '/directory', 200, { localEdits: 'overwrite' });
    updateUser(tenant, someone(2), { jobTitle: 'Changed again' });
    const preview = await sync(api, { preview: true });
    const { items: found } = await call<{ items: { id: string }[] }>('GET', `/users?search=${someone(2)}`, 200);
    await call('PUT', `/users/${found[0]?.id}`, 200, { userName: 'edited@contoso.example' });
    await approve(api, preview.planId);
    assert.equal((await itemsOf(preview)).get(someone(2)), 'StalePlan');
    const stale = await listAll<{ externalId: string }>(call, `/sync-runs/${preview.id}/changes?reason=StalePlan`);
    assert.ok(stale.some(({ externalId }) => externalId === someone(2)));
    await runOf();
  });

  it('SourceDisabled, Reverted and Pinned: a run that somebody undid', async () => {
    const disabled = someone(9);
    updateUser(tenant, disabled, { accountEnabled: false });
    const run = await sync(api, { allowLargeSync: true });
    assert.equal((await itemsOf(run)).get(disabled), 'SourceDisabled');
    const { id } = await call<{ id: string }>('POST', `/sync-runs/${run.id}/revert`, 202);
    const held = await untilOver(api, id);
    await approve(api, held.planId);
    assert.equal((await itemsOf(held)).get(disabled), 'Reverted');
    assert.equal((await runOf()).get(disabled), 'Pinned');
    for (const pin of await listAll<{ id: string }>(call, '/pins')) await call('DELETE', `/pins/${pin.id}`, 204);
    updateUser(tenant, disabled, { accountEnabled: true });
    await runOf();
  });

  it('TargetConflict: a name that was free when the plan was made', async () => {
    const newcomer = { ...makeUser('late', 9001), userPrincipalName: 'late@contoso.example' };
    addUser(tenant, newcomer);
    const preview = await sync(api, { preview: true });
    const id = await make({ userName: 'late@contoso.example' });
    await approve(api, preview.planId);
    assert.equal((await itemsOf(preview)).get(newcomer.id), 'TargetConflict');
    assert.equal((await whyOf(id))[0], 'ManualOrigin');
    await call('DELETE', `/users/${id}`, 204);
    assert.equal((await whyOf(id))[0], 'DeletedByHand');
    await runOf();
  });

  it('Restored: somebody who was removed, and whom an administrator brings back', async () => {
    const id = await make({ userName: 'back@contoso.example' });
    await call('DELETE', `/users/${id}`, 204);
    const run = await call<{ id: string }>('POST', `/users/${id}/restore`, 202);
    await itemsOf(await untilOver(api, run.id));
    assert.ok(seen.has('Restored'));
    await call('DELETE', `/users/${id}`, 204);
  });

  it('GuardHeld and Superseded: what waits, and what a newer plan took the place of', async () => {
    await call('PUT', '/guard', 200, { minObjects: 0, percent: 0 });
    updateUser(tenant, someone(3), { jobTitle: 'Held' });
    assert.equal((await sync(api)).status, 'held');
    assert.deepEqual(await whyOf(someone(3)), ['GuardHeld', 'GuardHeld']);
    await sync(api, { preview: true });
    assert.equal((await whyOf(someone(3)))[1], 'Superseded');
    await call('PUT', '/guard', 200, { enabled: false });
    await runOf();
  });

  it('Disputed, Adopted, ManualOrigin and MatchAmbiguous: who may be whom', async () => {
    const emails = [{ value: 'both@contoso.example' }];
    for (const userName of ['first@hand.example', 'second@hand.example']) await make({ userName, emails });
    for (const userName of ['adopted@contoso.example', 'refused@contoso.example']) await make({ userName });
    const records = ['adopted', 'refused', 'both'].map((name, index) => ({
      ...makeUser(name, 9010 + index),
      userPrincipalName: `${name}@contoso.example`,
      mail: `${name}@contoso.example`,
      proxyAddresses: [],
    }));
    for (const record of records) addUser(tenant, record);
    await configure({ adoptManual: 'ask' });
    const asked = await runOf();
    assert.deepEqual(
      records.map(({ id }) => asked.get(id)),
      ['Disputed', 'Disputed', 'MatchAmbiguous'],
    );
    const disputes = await listAll<{ id: string; externalId: string }>(call, '/disputes');
    const decide = (index: number, decision: string) =>
      call(
        'POST',
        `/disputes/${disputes.find(({ externalId }) => externalId === records[index]?.id)?.id}/${decision}`,
        200,
      );
    await decide(0, 'adopt');
    await decide(1, 'refuse');
    await decide(2, 'refuse');
    const decided = await runOf();
    assert.deepEqual(
      records.map(({ id }) => decided.get(id)),
      ['Adopted', 'ManualOrigin', 'NewInSource'],
    );
  });

  it('Relinked: a reset that changes whom an account belongs to', async () => {
    await configure({ matching: ['userName'] });
    const [one, two] = [someone(4), someone(5)];
    const name = tenant.users.get(one)?.['userPrincipalName'];
    updateUser(tenant, one, { userPrincipalName: tenant.users.get(two)?.['userPrincipalName'] });
    updateUser(tenant, two, { userPrincipalName: name });
    const held = await sync(api, { resetAccountMapping: true });
    assert.equal((await itemsOf(held)).get(one), 'Relinked');
    await approve(api, held.planId);
  });

  it('LinkLost: a reset that leaves nobody who means an account', async () => {
    const [one, two] = [someone(4), someone(5)];
    updateUser(tenant, one, { userPrincipalName: tenant.users.get(two)?.['userPrincipalName'] });
    updateUser(tenant, two, { userPrincipalName: 'somebody.else@contoso.example' });
    const held = await sync(api, { resetAccountMapping: true });
    await itemsOf(held);
    assert.ok(seen.has('LinkLost'));
    await approve(api, held.planId);
    await configure();
  });

  it('the scope: one reason for each thing that it may demand', async () => {
    const mailless = { ...makeUser('mailless', 9020), mail: null, proxyAddresses: [] };
    const elsewhere = { ...makeUser('elsewhere', 9021), mail: 'a@elsewhere.example', proxyAddresses: [] };
    const initial = {
      ...makeUser('initial', 9022),
      userPrincipalName: 'initial@contoso.onmicrosoft.com',
      mail: 'initial@contoso.onmicrosoft.com',
      proxyAddresses: [],
    };
    const unlicensed = { ...makeUser('unlicensed', 9023), assignedLicenses: [], assignedPlans: [] };
    const guest = { ...makeUser('guest', 9024), userType: 'Guest' };
    for (const user of [mailless, elsewhere, initial, unlicensed, guest]) addUser(tenant, user);
    const [dynamic, unified] = [makeGroup('reasons', 10), makeGroup('reasons', 9)];
    addGroup(tenant, dynamic);
    addGroup(tenant, unified);
    await configure({
      scope: {
        filter: "userType eq 'Member'",
        domains: ['contoso.example', 'contoso.onmicrosoft.com'],
        excludeOnMicrosoft: true,
        requireLicence: true,
        groupTypes: ['security', 'mailEnabledSecurity', 'distribution'],
        dynamicMembership: 'exclude',
      },
    });
    const items = await runOf();
    assert.deepEqual(
      [mailless, elsewhere, initial, unlicensed, guest, dynamic, unified].map(({ id }) => items.get(id)),
      [
        'MailNotProvisioned',
        'DomainNotAccepted',
        'OnMicrosoftDomain',
        'Unlicensed',
        'ScopeFilterFalse',
        'DynamicMembershipExcluded',
        'GroupTypeExcluded',
      ],
    );
  });

  it('MandatoryFieldMissing, SchemaViolation and DuplicateSourceEntries: what the provider should mend', async () => {
    const nameless = { ...makeUser('nameless', 9030), userPrincipalName: null };
    const odd = { ...makeUser('odd', 9031), userPrincipalName: 'odd\0@contoso.example' };
    const twin = { ...makeUser('twin', 9032), userPrincipalName: tenant.users.get(someone(6))?.['userPrincipalName'] };
    for (const user of [nameless, odd, twin]) addUser(tenant, user);
    await configure();
    const items = await runOf();
    assert.deepEqual(
      [nameless, odd, twin].map(({ id }) => items.get(id)),
      ['MandatoryFieldMissing', 'SchemaViolation', 'DuplicateSourceEntries'],
    );
    for (const { id } of [nameless, odd, twin]) removeUser(tenant, id);
  });

  it('ReferenceChanged: a manager who comes in after those who report to him', async () => {
    const boss = { ...makeUser('boss', 9040), employeeType: 'Away' };
    const report = makeUser('report', 9041);
    for (const user of [boss, report]) addUser(tenant, user);
    tenant.managers.set(report.id, boss.id);
    await scoped({ filter: 'not (employeeType eq "Away")' });
    await runOf();
    updateUser(tenant, boss.id, { employeeType: 'Employee' });
    assert.equal((await runOf()).get(report.id), 'ReferenceChanged');
  });

  it('NotInSource, NameReleased, ReturnedToScope, RetentionOver, DuplicateTargetEntries and NameHeld: leavers', async () => {
    const [leaver, kept] = [someone(7), someone(8)];
    const [gone, left] = [tenant.users.get(leaver), tenant.users.get(kept)];
    assert.ok(gone && left);
    await scoped({ deleteAfterDays: null });
    removeUser(tenant, leaver);
    assert.equal((await runOf()).get(leaver), 'NotInSource');
    addUser(tenant, { ...makeUser('heir', 9050), userPrincipalName: gone['userPrincipalName'] });
    assert.equal((await runOf()).get(leaver), 'NameReleased');
    addUser(tenant, { ...gone, userPrincipalName: 'returned@contoso.example' });
    assert.equal((await runOf()).get(leaver), 'ReturnedToScope');
    removeUser(tenant, leaver);
    await runOf();
    await scoped({ deleteAfterDays: 0 });
    assert.equal((await runOf()).get(leaver), 'RetentionOver');
    assert.equal((await whyOf(leaver))[0], 'RetentionOver');
    await scoped({ onLeaveScope: 'keep' });
    removeUser(tenant, kept);
    const namesake = { ...makeUser('namesake', 9051), userPrincipalName: left['userPrincipalName'] };
    addUser(tenant, namesake);
    assert.equal((await runOf()).get(namesake.id), 'DuplicateTargetEntries');
    removeUser(tenant, namesake.id);
    const own = tenant.users.get(someone(11))?.['userPrincipalName'];
    updateUser(tenant, someone(11), { userPrincipalName: left['userPrincipalName'], jobTitle: 'Heir' });
    assert.equal((await runOf()).get(someone(11)), 'NameHeld');
    updateUser(tenant, someone(11), { userPrincipalName: own });
    await configure();
    await runOf();
  });

  it('SourceEmpty: a provider that knows nobody', async () => {
    const everybody = new Map(tenant.users);
    tenant.users.clear();
    assert.equal((await sync(api, { allowLargeSync: true })).status, 'held');
    assert.equal((await whyOf(someoneOf(everybody)))[0], 'SourceEmpty');
    for (const [id, user] of everybody) tenant.users.set(id, user);
    await runOf();
  });

  it('SourceIncomplete and Throttled: reads that did not come to their end', async () => {
    graph.setFaults({ script: [{ path: '/members', fault: { kind: 'notAPage' }, times: 1_000 }] });
    assert.equal((await sync(api)).status, 'incomplete');
    assert.equal((await whyOf(someone(1)))[1], 'SourceIncomplete');
    assert.equal((await whyOf('nobody@contoso.example'))[0], 'SourceIncomplete');
    graph.setFaults({});
    const busy = await startTenant(tenant);
    busy.setFaults({
      script: [{ path: '/users', fault: { kind: 'status', status: 429, retryAfter: '36000' }, times: 1 }],
    });
    try {
      await call('PUT', '/providers/microsoft365', 200, settingsFor(tenant, busy));
      assert.equal((await sync(api)).status, 'failed');
      assert.equal((await whyOf('nobody@contoso.example'))[0], 'Throttled');
      const askedGraph = () => [...busy.requests].filter(([path]) => path.startsWith('/v1.0/'));
      const asked = askedGraph();
      assert.ok(asked.length > 0);
      assert.equal((await sync(api)).status, 'failed');
      assert.deepEqual(askedGraph(), asked, 'nothing is asked of whom wants to be left alone');
    } finally {
      await busy.close();
    }
  });

  it('ConsentRequired, CredentialExpired and TenantChanged: providers that cannot be asked', async () => {
    const poor = await startTenant(tenant, { application: { roles: [] } });
    const expired = await startScripted(
      () => ({ status: 404 }),
      ({ url }) =>
        url.includes('/token')
          ? {
              status: 401,
              body: {
                error: 'invalid_client',
                error_description: 'AADSTS7000222: The provided client secret keys are expired.',
              },
            }
          : undefined,
    );
    const other = { ...tenant, id: randomUUID() };
    const foreign = await startTenant(other);
    try {
      for (const [settings, code] of [
        [settingsFor(tenant, poor), 'ConsentRequired'],
        [
          settingsFor(tenant, graph, { endpoints: { graph: graph.origin, login: expired.origin } }),
          'CredentialExpired',
        ],
        [settingsFor(other, foreign), 'TenantChanged'],
      ] as const) {
        await call('PUT', '/providers/microsoft365', 200, settings);
        assert.equal((await sync(api)).status, 'failed');
        assert.deepEqual(await whyOf('nobody@contoso.example'), [code, code]);
      }
    } finally {
      for (const server of [poor, expired, foreign]) await server.close();
    }
  });

  it('is complete: no code without a way to come about, and none that the registry does not know', () => {
    assert.deepEqual(
      [...seen, ...TOLD, ...OF_SCOPES, ...OF_SWITCHES, ...OF_TARGETS].sort(),
      Object.keys(REASONS).sort(),
    );
  });
});

function someoneOf(users: Tenant['users']): string {
  return [...users.values()].find((user) => user['userType'] === 'Member' && user['accountEnabled'] === true)?.id ?? '';
}

/** An account that a provider left behind that is not active. */
async function seedOtherProvider(dataDir: string, userName: string): Promise<void> {
  const database = await openDatabase({ dataDir });
  await migrate(database);
  const rows = [userName, 'orphan@other.example'].map((name, index) => {
    const body = { schemas: [USER_SCHEMA], externalId: `other-${index}`, userName: name, active: true };
    return {
      id: randomUUID(),
      resource_type: 'User' as const,
      origin: 'csv' as const,
      external_id: `other-${index}`,
      name_key: name.toLowerCase(),
      display: name,
      unique_key: name.toLowerCase(),
      active: true,
      body: JSON.stringify(body),
      search: searchForm(body),
      digest: null,
      manager_external_id: null,
      manager_id: null,
      left: false,
    };
  });
  await writeResources(database.knex, rows);
  await database.close();
}
