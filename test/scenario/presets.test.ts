// Each preset walks the checklist of the document that it is made after (requirements S1 to S4).
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Preset } from '#core/provider.ts';
import { GATEWAY_SCHEMA } from '#core/resource.ts';
import { USER_PURPOSE } from '#demo/graph-objects.ts';
import type { GraphServer } from '#demo/graph-server.ts';
import { addMember, makeTenant, makeUser, type Tenant } from '#demo/tenant.ts';
import {
  approve,
  expectStatus,
  freshStorage,
  type RunBody,
  settingsFor,
  startGateway,
  startTenant,
  sync,
  type TestGateway,
  untilOver,
} from '../support/gateway.ts';

const LICENSED = {
  assignedLicenses: [{ skuId: 'e3' }],
  assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }],
};
const BARE = { assignedLicenses: [], assignedPlans: [] };

/** Who is in the tenant of these tests, by what they are called. */
const PEOPLE: Readonly<Record<string, Record<string, unknown>>> = {
  person: {
    ...LICENSED,
    proxyAddresses: ['SMTP:person@contoso.example', 'smtp:person@contoso.onmicrosoft.com'],
  },
  unlicensed: { ...BARE, [USER_PURPOSE]: 'user' },
  shared: { ...BARE, accountEnabled: false, [USER_PURPOSE]: 'shared' },
  room: { ...BARE, accountEnabled: false, [USER_PURPOSE]: 'room' },
  device: { ...BARE, accountEnabled: false, [USER_PURPOSE]: 'equipment' },
  mailless: { ...BARE, mail: null, proxyAddresses: [] },
  /** An address of the domain, to which Exchange delivers nothing. */
  paper: { ...BARE, proxyAddresses: [] },
  elsewhere: { ...LICENSED, mail: 'elsewhere@other.example', proxyAddresses: ['SMTP:elsewhere@other.example'] },
  first: { ...LICENSED, mail: 'first@contoso.onmicrosoft.com', proxyAddresses: ['SMTP:first@contoso.onmicrosoft.com'] },
};
const GROUPS: Readonly<Record<string, Record<string, unknown>>> = {
  security: { groupTypes: [], mailEnabled: false, securityEnabled: true },
  mailSecurity: { groupTypes: [], mailEnabled: true, securityEnabled: true },
  distribution: { groupTypes: [], mailEnabled: true, securityEnabled: false },
  unified: { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
  dynamic: { groupTypes: ['DynamicMembership'], mailEnabled: false, securityEnabled: true },
  nested: { groupTypes: [], mailEnabled: false, securityEnabled: true },
};

/** `person` is in `security`, `unlicensed` in `nested`, which is in `security`. */
function makeSmallTenant(): Tenant {
  const tenant = makeTenant({ users: 0, groups: 0 });
  for (const [index, [name, properties]] of Object.entries(PEOPLE).entries()) {
    const address = `${name}@${tenant.domain}`;
    const mail = { mail: address, proxyAddresses: [`SMTP:${address}`] };
    const common = { userType: 'Member', accountEnabled: true, displayName: name };
    const user = { ...makeUser('presets', index), ...mail, ...common, ...properties, userPrincipalName: address };
    tenant.users.set(user.id, user);
  }
  for (const [index, [displayName, properties]] of Object.entries(GROUPS).entries()) {
    const id = `66666666-0000-4000-8000-00000000000${index}`;
    tenant.groups.set(id, { id, displayName, mailNickname: displayName, mail: null, ...properties });
    tenant.members.set(id, new Set());
  }
  const idOf = (name: string): string =>
    [...tenant.users.values(), ...tenant.groups.values()].find(({ displayName }) => displayName === name)?.id ?? '';
  addMember(tenant, idOf('security'), idOf('person'));
  addMember(tenant, idOf('security'), idOf('nested'));
  addMember(tenant, idOf('nested'), idOf('unlicensed'));
  return tenant;
}

interface Served {
  readonly displayName: string;
  readonly active: boolean;
  readonly userType?: string;
  readonly emails?: readonly { readonly value: string }[];
  readonly [GATEWAY_SCHEMA]?: {
    readonly mailboxType?: string;
    readonly licensed?: boolean;
    readonly billable?: boolean;
  };
}

describe('a preset', () => {
  let tenant: Tenant;
  let graph: GraphServer;
  let api: TestGateway;

  before(async () => {
    tenant = makeSmallTenant();
    const roles = ['User.Read.All', 'GroupMember.Read.All', 'Organization.Read.All', 'MailboxSettings.Read'];
    graph = await startTenant(tenant, { application: { roles } });
  });
  after(async () => {
    await api?.close();
    await graph?.close();
  });

  /** A fresh gateway with the preset's settings, schedule and guard. */
  async function useOf(name: string, scope: object = {}): Promise<Preset> {
    await api?.close();
    api = await startGateway(await freshStorage('embedded'));
    const path = '/api/v1/providers/microsoft365';
    const { body } = await expectStatus(api.call<{ items: Preset[] }>('GET', `${path}/presets`), 200);
    const preset = body.items.find((one) => one.name === name) ?? assert.fail();
    const { scope: preScope, ...settings } = preset.settings as { scope: object };
    await expectStatus(
      api.call('PUT', path, settingsFor(tenant, graph, { ...settings, scope: { ...preScope, ...scope } })),
      200,
    );
    await expectStatus(api.call('PUT', '/api/v1/guard', preset.guard), 200);
    const schedule = await api.call<{ code?: string }>('PUT', '/api/v1/schedule', preset.schedule);
    if (preset.schedule['enabled'] === true) assert.equal(schedule.body.code, 'preview-required');
    else assert.equal(schedule.status, 200, JSON.stringify(schedule.body));
    const test = await api.call<{ ok: boolean }>('POST', `${path}/test`);
    assert.equal(test.body.ok, true, JSON.stringify(test.body));
    await expectStatus(api.call('POST', `${path}/activate`, {}), 200);
    return preset;
  }

  async function firstRun(): Promise<RunBody> {
    const { body } = await api.call<{ items: RunBody[] }>('GET', '/api/v1/sync-runs');
    return untilOver(api, body.items[0]?.id ?? assert.fail('no run started by itself'));
  }

  const applied = async (run: RunBody): Promise<RunBody> => (run.status === 'held' ? approve(api, run.planId) : run);

  async function served<Item = Served>(path: 'users' | 'groups'): Promise<Map<string, Item>> {
    const { body } = await api.call<{ items: { id: string }[] }>('GET', `/api/v1/${path}?limit=100`);
    const found = new Map<string, Item>();
    for (const { id } of body.items) {
      const one = await api.call<Item & { displayName: string }>('GET', `/api/v1/${path}/${id}`);
      found.set(one.body.displayName, one.body);
    }
    return found;
  }

  const names = async (path: 'users' | 'groups'): Promise<string[]> => [...(await served(path)).keys()].sort();

  it('clumio: brings what has a mailbox, by itself, and marks what is no person', async () => {
    const { schedule, settings } = await useOf('clumio');
    const run = await firstRun();
    assert.equal(run.trigger, 'connect');
    assert.equal(run.status, 'succeeded', JSON.stringify(run));
    const people = await served('users');
    assert.deepEqual([...people.keys()].sort(), ['device', 'elsewhere', 'first', 'person', 'room', 'shared']);
    const types = [...people].flatMap(([name, { userType, active }]) =>
      userType === 'Member' ? [] : [[name, userType, active]],
    );
    assert.deepEqual(types.sort(), [
      ['device', 'Equipment', true],
      ['room', 'Room', true],
      ['shared', 'SharedMailbox', true],
    ]);
    assert.deepEqual(await names('groups'), Object.keys(GROUPS).sort());
    assert.equal(schedule['kind'], 'daily');
    assert.deepEqual(settings['notifications'], { enabled: true });
  });

  it('security365: waits for a preview, leaves Microsoft 365 groups out, and follows groups in groups', async () => {
    const { schedule } = await useOf('security365');
    assert.equal(schedule['enabled'], false);
    const byHand = { userName: 'hand@contoso.example', displayName: 'by hand' };
    await expectStatus(api.call('POST', '/api/v1/users', byHand), 201);
    const preview = await firstRun();
    assert.equal(preview.status, 'held');
    assert.deepEqual(await names('users'), ['by hand'], 'nothing happens before somebody has looked');
    await approve(api, preview.planId);
    assert.deepEqual(await names('groups'), ['distribution', 'dynamic', 'mailSecurity', 'nested', 'security']);
    assert.deepEqual(await names('users'), [
      'by hand',
      'elsewhere',
      'first',
      'mailless',
      'paper',
      'person',
      'unlicensed',
    ]);
  });

  it('security365: designated groups bring their members and the groups in them', async () => {
    const id = [...tenant.groups.values()].find(({ displayName }) => displayName === 'security')?.id ?? '';
    await useOf('security365', { mode: 'groups', groupIds: [id] });
    await applied(await firstRun());
    assert.deepEqual(await names('groups'), ['nested', 'security']);
    assert.deepEqual(await names('users'), ['person', 'unlicensed']);
  });

  it('zivver: takes every kind of group with direct members, suspends whoever leaves, and holds more than 10 %', async () => {
    const id = [...tenant.groups.values()].find(({ displayName }) => displayName === 'security')?.id ?? '';
    const { guard } = await useOf('zivver');
    assert.equal(guard['percent'], 10);
    const first = await firstRun();
    assert.equal(first.status, 'held', 'the first synchronisation needs a confirmation');
    await approve(api, first.planId);
    assert.deepEqual(await names('groups'), Object.keys(GROUPS).sort());
    await useOf('zivver', { mode: 'groups', groupIds: [id] });
    const scoped = await firstRun();
    const skipped = await api.call<{ items: { label: string; detail: string | null }[] }>(
      'GET',
      `/api/v1/sync-runs/${scoped.id}/changes?reason=NestedGroupIgnored`,
    );
    assert.deepEqual(
      skipped.body.items.map(({ label, detail }) => [label, detail]),
      [['nested', '1 member(s)']],
    );
    await applied(scoped);
    assert.deepEqual(await names('users'), ['person'], 'members of groups in groups are not followed');
    const person = [...tenant.users.values()].find(({ displayName }) => displayName === 'person') ?? assert.fail();
    tenant.members.get(id)?.delete(person.id);
    await applied(await sync(api, { mode: 'full' }));
    assert.equal((await served('users')).get('person')?.active, false, 'suspended, not deleted');
    addMember(tenant, id, person.id);
  });

  it('mailprotector: takes addresses of the domains, licensed or not, and removes whose mailbox is gone', async () => {
    await useOf('mailprotector', { domains: [tenant.domain] });
    const first = await firstRun();
    assert.equal(first.status, 'held', 'nothing before a preview');
    await approve(api, first.planId);
    const people = await served('users');
    assert.deepEqual([...people.keys()].sort(), ['device', 'person', 'room', 'shared', 'unlicensed']);
    const main = await api.call<{ Resources: { members: object[] }[] }>(
      'GET',
      '/scim/v2/Groups?filter=displayName eq "Main"',
    );
    assert.equal(main.body.Resources[0]?.members.length, people.size, 'placed in the default group');
    assert.deepEqual(
      people.get('person')?.emails?.map(({ value }) => value),
      ['person@contoso.example'],
    );
    const billable = [...people].flatMap(([name, one]) => (one[GATEWAY_SCHEMA]?.billable === true ? [name] : []));
    assert.deepEqual(billable, ['person']);
    const gone = [...tenant.users.values()].find(({ displayName }) => displayName === 'unlicensed') ?? assert.fail();
    tenant.users.set(gone.id, { ...gone, mail: null, proxyAddresses: [], [USER_PURPOSE]: undefined });
    await applied(await sync(api, { mode: 'full' }));
    assert.ok(!(await names('users')).includes('unlicensed'), 'removed with the mailbox');
  });
});
