// What mailboxes are for, read where the account leaves it open; who comes in by it, and how they are marked.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { USER_PURPOSE } from '#demo/graph-objects.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addUser, makeTenant, makeUser, type Tenant, updateUser } from '#demo/tenant.ts';
import { checkedCall } from '../support/checked.ts';
import {
  connect,
  EVERY_GROUP_TYPE,
  freshStorage,
  saveSettings,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
} from '../support/gateway.ts';

const GATEWAY = 'urn:sluice:params:scim:schemas:extension:gateway:2.0:User';
const ROLES = ['User.Read.All', 'GroupMember.Read.All', 'Organization.Read.All'];
const ALL = ['user', 'linked', 'shared', 'room', 'equipment', 'others'];
const BLOCKED = { accountEnabled: false, assignedLicenses: [], assignedPlans: [] };

interface Shown {
  readonly externalId: string;
  readonly active: boolean;
  readonly userType?: string;
  readonly [GATEWAY]: { readonly mailboxType?: string; readonly billable?: boolean; readonly licensed?: boolean };
}

const someone = (index: number): string => makeUser('mail', index).id;
const [PERSON = '', SHARED = '', ROOM = '', GEAR = '', LEAVER = '', GUEST = '', PAID = ''] = [1, 2, 3, 4, 5, 6, 7].map(
  someone,
);

function makeMailTenant(): Tenant {
  const tenant = makeTenant({ users: 0, groups: 0 });
  for (let index = 1; index <= 7; index += 1) addUser(tenant, makeUser('mail', index));
  updateUser(tenant, SHARED, { ...BLOCKED, [USER_PURPOSE]: 'shared' });
  updateUser(tenant, ROOM, { ...BLOCKED, [USER_PURPOSE]: 'room' });
  updateUser(tenant, GEAR, { ...BLOCKED, [USER_PURPOSE]: 'equipment' });
  updateUser(tenant, LEAVER, BLOCKED);
  updateUser(tenant, GUEST, { userType: 'Guest', assignedLicenses: [], assignedPlans: [] });
  updateUser(tenant, PAID, { accountEnabled: false, [USER_PURPOSE]: 'shared' });
  return tenant;
}

/** Requests for mailbox settings travel in batches; the simulated Graph counts each step by its path. */
async function open(tenant: Tenant, roles: readonly string[], mailboxTypes: readonly string[]) {
  const graph = await startTenant(tenant, { application: { roles: [...roles] } });
  const gateway = await startGateway(await freshStorage('embedded'));
  const settings = (types: readonly string[]) =>
    settingsFor(tenant, graph, { scope: { groupTypes: EVERY_GROUP_TYPE, mailboxTypes: types } });
  const run = await connect(gateway, settings(mailboxTypes));
  assert.equal(run.status, 'succeeded', JSON.stringify(run.error));
  const shown = async (): Promise<ReadonlyMap<string, Shown>> => {
    const { body } = await gateway.call<{ Resources: Shown[] }>('GET', '/scim/v2/Users?count=100');
    return new Map(body.Resources.map((user) => [user.externalId, user]));
  };
  return { graph, gateway, settings, shown };
}

const asked = (graph: GraphServer): number => graph.requests.get('/v1.0/users/{id}/mailboxSettings') ?? 0;

describe('mailboxes that may be read', () => {
  const tenant = makeMailTenant();
  let graph: GraphServer;
  let gateway: TestGateway;
  let shown: () => Promise<ReadonlyMap<string, Shown>>;
  let settings: (types: readonly string[]) => Record<string, unknown>;
  before(async () => {
    ({ graph, gateway, shown, settings } = await open(tenant, [...ROLES, 'MailboxSettings.Read'], ALL));
  });
  after(async () => {
    await gateway.close();
    await graph.close();
  });

  it('say by their type what they are for, are no leavers, and cost nothing', async () => {
    const users = await shown();
    const marks = (id: string) => {
      const user = users.get(id);
      return [user?.active, user?.userType, user?.[GATEWAY].mailboxType, user?.[GATEWAY].billable];
    };
    assert.deepEqual(marks(PERSON), [true, 'Member', 'user', true]);
    assert.deepEqual(marks(SHARED), [true, 'SharedMailbox', 'shared', false]);
    assert.deepEqual(marks(ROOM), [true, 'Room', 'room', false]);
    assert.deepEqual(marks(GEAR), [true, 'Equipment', 'equipment', false]);
    assert.deepEqual(marks(LEAVER), [false, 'Member', undefined, false]);
    assert.deepEqual(marks(GUEST), [true, 'Guest', undefined, false]);
    assert.deepEqual(marks(PAID), [true, 'SharedMailbox', 'shared', false]);
  });

  it('are asked about where the account leaves it open, and again only when it changed', async () => {
    assert.equal(asked(graph), 5);
    await sync(gateway, { mode: 'full' });
    assert.equal(asked(graph), 5);
    updateUser(tenant, SHARED, { displayName: 'Another name' });
    await sync(gateway, { mode: 'incremental' });
    assert.equal(asked(graph), 5);
    updateUser(tenant, LEAVER, { mail: 'again@contoso.example', [USER_PURPOSE]: 'shared' });
    await sync(gateway, { mode: 'incremental' });
    assert.equal(asked(graph), 6);
    assert.equal((await shown()).get(LEAVER)?.active, true);
    updateUser(tenant, LEAVER, { ...makeUser('mail', 5), [USER_PURPOSE]: undefined });
    await sync(gateway, { mode: 'incremental' });
    const back = (await shown()).get(LEAVER);
    assert.deepEqual([back?.userType, back?.[GATEWAY].mailboxType], ['Member', 'user']);
  });

  it('come in by type, and say so when they do not', async () => {
    await saveSettings(gateway, settings(['user', 'room']));
    await sync(gateway, { allowLargeSync: true });
    const users = await shown();
    assert.equal(users.get(ROOM)?.active, true);
    assert.equal(users.get(SHARED)?.active, false);
    const call = checkedCall(() => gateway);
    const { explanation } = await call<{ explanation: { reason: { code: string; detail: string } } }>(
      'GET',
      `/explain?subject=${SHARED}`,
      200,
    );
    assert.deepEqual([explanation.reason.code, explanation.reason.detail], ['MailboxTypeExcluded', 'shared']);
  });

  it('take people out of the scope when they are removed, and tell that from people who never had one', async () => {
    // The address mostly goes with the mailbox, and is what accepted domains miss first.
    const domains = [tenant.domain];
    const scope = { groupTypes: EVERY_GROUP_TYPE, mailboxTypes: ALL, requireMailbox: true, domains };
    await saveSettings(gateway, settingsFor(tenant, graph, { scope }));
    await sync(gateway, { allowLargeSync: true });
    const call = checkedCall(() => gateway);
    type Item = { action: string; reason: string; externalId: string };
    const reasonIn = async ({ id }: { id: string }, of: string): Promise<string | undefined> => {
      const { items } = await call<{ items: Item[] }>('GET', `/sync-runs/${id}/changes?limit=500`, 200);
      return items.find(({ action, externalId }) => action !== 'membership' && externalId === of)?.reason;
    };
    const explained = async (of: string): Promise<(string | null | undefined)[]> => {
      type Answer = {
        explanation: { reason: { code: string }; scope: { clauses: { holds: boolean; reason: string }[] } };
      };
      const { explanation } = await call<Answer>('GET', `/explain?subject=${of}`, 200);
      return [explanation.reason.code, explanation.scope.clauses.find(({ holds }) => !holds)?.reason];
    };
    assert.equal((await shown()).get(PERSON)?.active, true);
    updateUser(tenant, PERSON, { assignedLicenses: [], assignedPlans: [], mail: null, proxyAddresses: [] });
    const never = { ...makeUser('mail', 8), assignedLicenses: [], assignedPlans: [], mail: null, proxyAddresses: [] };
    addUser(tenant, never);
    const run = await sync(gateway, { mode: 'incremental' });
    assert.deepEqual(await reasonIn(run, PERSON), 'MailboxRemoved', JSON.stringify(run));
    assert.equal((await shown()).get(PERSON)?.active, false);
    for (const mode of ['full', 'full', 'incremental'] as const) {
      updateUser(tenant, PERSON, { displayName: `Without a mailbox, ${mode}` });
      const next = await sync(gateway, { mode });
      if (mode === 'full') assert.equal(await reasonIn(next, PERSON), 'MailboxRemoved');
      assert.deepEqual(await explained(PERSON), ['MailboxRemoved', 'MailboxRemoved'], mode);
    }
    assert.deepEqual(await explained(never.id), ['MailNotProvisioned', 'MailNotProvisioned']);
    updateUser(tenant, PERSON, makeUser('mail', 1));
    await sync(gateway, { mode: 'incremental' });
    assert.deepEqual([(await shown()).get(PERSON)?.active, (await explained(PERSON))[0]], [true, 'InScope']);
  });
});

describe('mailboxes that may not be read', () => {
  it('are told from the account as far as it goes, leave nobody out, and fail nothing', async () => {
    const tenant = makeMailTenant();
    const { graph, gateway, shown } = await open(tenant, ROLES, ['user']);
    const users = await shown();
    assert.equal(asked(graph), 0);
    assert.equal(users.size, 7);
    const shared = users.get(SHARED);
    assert.deepEqual([shared?.active, shared?.userType], [false, 'Member']);
    assert.equal(shared?.[GATEWAY].mailboxType, 'sharedOrResource');
    const explained = await checkedCall(() => gateway)<{
      explanation: { scope: { evidence: { name: string; seen: { confidence?: string } }[] } };
    }>('GET', `/explain?subject=${SHARED}`, 200);
    const mailbox = explained.explanation.scope.evidence.find(({ name }) => name === 'mailbox');
    assert.equal(mailbox?.seen.confidence, 'assumed');
    await gateway.close();
    await graph.close();
  });
});
