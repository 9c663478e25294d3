// What happens in a tenant: people join, change and leave, groups are made and dissolved. Each takes whom it wants by
// chance, and does nothing where there is nobody.
import type { Directory, Entry, ListName } from './directory.ts';
import type { Random } from './random.ts';

export const DOMAIN = 'contoso.example';
const DOMAINS = [DOMAIN, DOMAIN, DOMAIN, 'fabrikam.example', 'contoso.onmicrosoft.com'];
const DEPARTMENTS = ['Sales', 'Ops', 'R&D "north"', 'Küche', '영업'];
const GIVEN = ['Ada', "D'Arcy", '민준', 'Žofie', 'José', 'أحمد', 'Ann-Marie', 'X Æ'];
const TITLES = ['Lead Engineer', 'Lead of Sales', 'Clerk', 'Fellow'];
const EXCHANGE = {
  service: 'exchange',
  servicePlanId: 'efb87545-963c-4e0d-99df-69c6916d9eb0',
  assignedDateTime: '2026-01-01T00:00:00Z',
};
const OTHER_PLAN = {
  ...EXCHANGE,
  service: 'SharePoint',
  servicePlanId: '5dbe027f-2339-4123-9542-606e4d348a72',
  capabilityStatus: 'Enabled',
};
const PURPOSES = ['user', 'shared', 'room', 'equipment', 'linked', 'others'];

export class Tenant {
  readonly directory: Directory;
  private readonly random: Random;
  private names = 0;

  constructor(directory: Directory, random: Random) {
    this.directory = directory;
    this.random = random;
  }

  fill(users: number, groups: number): void {
    for (const type of ['device', 'orgContact', 'servicePrincipal'] as const) this.directory.addOther(type);
    for (let count = 0; count < users; count += 1) this.join();
    for (let count = 0; count < groups; count += 1) this.newGroup();
    for (let count = 0; count < users; count += 1) this.manage();
    for (let count = 0; count < groups * 2; count += 1) this.enter();
  }

  // Whom things happen to.

  private some(list: ListName, status: Entry['status'] = 'live'): string {
    return this.random.pick(this.directory.entries(list, status))?.id ?? '';
  }

  private anybody(): string {
    const groups = this.directory.entries('groups', 'live');
    const users = this.directory.entries('users', 'live');
    const others = [...this.directory.others.keys()];
    const list = this.random.chance(0.7) ? users : this.random.chance(0.7) ? groups : others;
    const one = this.random.pick<Entry | string>(list);
    return typeof one === 'string' ? one : (one?.id ?? '');
  }

  private name(): string {
    this.names += 1;
    return `${this.random.pick(['ada', "o'neil", 'kim+x', 'j.r', 'ü'])}${this.names}`;
  }

  private set(list: ListName, id: string, properties: Record<string, unknown>): void {
    this.directory.update(list, id, properties);
  }

  // What happens.

  join(): string {
    const { random, directory } = this;
    const name = this.name();
    const domain = random.pick(DOMAINS) ?? DOMAIN;
    const givenName = random.pick(GIVEN);
    const guest = random.chance(0.1);
    const address = `${name.replaceAll(/[^a-z0-9.]/g, '')}@${domain}`;
    const id = directory.create('users', {
      userPrincipalName: guest ? `${name}_gmail.com#EXT#@contoso.onmicrosoft.com` : `${name}@${domain}`,
      displayName: `${givenName} ${this.names}`,
      ...(random.chance(0.9) ? { givenName, surname: `Family ${this.names}` } : {}),
      accountEnabled: random.chance(0.9),
      userType: guest ? 'Guest' : 'Member',
      ...(random.chance(0.6) ? { department: random.pick(DEPARTMENTS) } : {}),
      ...(random.chance(0.6) ? { jobTitle: random.pick(TITLES) } : {}),
      ...(random.chance(0.3) ? { employeeId: `E${this.names}` } : {}),
      ...(random.chance(0.8) ? { mail: address } : {}),
      ...(random.chance(0.3) ? { mobilePhone: '+49 1', businessPhones: ['+49 2'] } : {}),
      ...(random.chance(0.3) ? { country: 'Germany', city: 'Köln' } : {}),
      proxyAddresses: random.chance(0.8) && !guest ? this.proxies(address) : [],
      assignedPlans: random.chance(0.7) && !guest ? [{ ...EXCHANGE, capabilityStatus: 'Enabled' }, OTHER_PLAN] : [],
    });
    if (random.chance(0.8))
      directory.mailboxes.set(id, random.chance(0.8) ? 'user' : (random.pick(PURPOSES) ?? 'user'));
    return id;
  }

  private proxies(primary: string): string[] {
    const aliases = Array.from(
      { length: this.random.int(4) },
      (_, index) => `smtp:alias${this.names}.${index}@${this.random.pick(DOMAINS)}`,
    );
    return this.random.shuffle([`SMTP:${primary}`, ...aliases, 'X500:/o=Contoso', `sip:${primary}`]);
  }

  joinWithLinks(): void {
    const id = this.join();
    for (let count = 0; count < 3; count += 1) this.directory.link(this.some('groups'), id);
    this.directory.setManager(id, this.some('users'));
    this.directory.setManager(this.some('users'), id);
  }

  joinAndLeave(): void {
    const id = this.join();
    this.directory.link(this.some('groups'), id);
    this.directory.setManager(this.some('users'), id);
    this.directory.remove('users', id);
    if (this.random.chance(0.5)) this.directory.purge('users', id);
  }

  rename(): void {
    const id = this.some('users');
    const name = this.name();
    const address = `${name.replaceAll(/[^a-z0-9.]/g, '')}@${DOMAIN}`;
    this.set('users', id, {
      userPrincipalName: `${name}@${DOMAIN}`,
      displayName: `Renamed ${this.names}`,
      surname: `Renamed ${this.names}`,
    });
    if (this.random.chance(0.7)) this.set('users', id, { mail: address, proxyAddresses: this.proxies(address) });
  }

  swapNames(): void {
    const [one, other] = [this.some('users'), this.some('users')];
    const names = [one, other].map((id) => this.directory.entry('users', id)?.properties['userPrincipalName']);
    if (one === other || names.includes(undefined)) return;
    this.set('users', one, { userPrincipalName: `between${this.names}@${DOMAIN}` });
    this.set('users', other, { userPrincipalName: names[0] });
    this.set('users', one, { userPrincipalName: names[1] });
  }

  /** Somebody goes and somebody new has the same name. */
  replace(): void {
    const id = this.some('users');
    const name = this.directory.entry('users', id)?.properties['userPrincipalName'];
    if (name === undefined) return;
    this.directory.remove('users', id);
    const successor = this.join();
    this.set('users', successor, { userPrincipalName: name });
  }

  unset(): void {
    const names = ['department', 'jobTitle', 'mail', 'mobilePhone', 'givenName', 'employeeId', 'city'];
    this.set('users', this.some('users'), { [this.random.pick(names) ?? 'city']: null, businessPhones: [] });
  }

  retitle(): void {
    this.set('users', this.some('users'), {
      jobTitle: this.random.pick(TITLES),
      department: this.random.pick(DEPARTMENTS),
    });
  }

  disable(): void {
    this.set('users', this.some('users'), { accountEnabled: this.random.chance(0.4) });
  }

  relicense(): void {
    const capabilityStatus = this.random.pick(['Enabled', 'Enabled', 'Suspended', 'Deleted']);
    const plans = this.random.chance(0.3) ? [] : [{ ...EXCHANGE, capabilityStatus }, OTHER_PLAN];
    this.set('users', this.some('users'), {
      assignedPlans: plans,
      assignedLicenses: plans.length === 0 ? [] : [{ skuId: 'sku', disabledPlans: [] }],
    });
  }

  /** A mailbox becomes a shared one, or goes; the account and its addresses change with it. */
  convertMailbox(): void {
    const id = this.some('users');
    const entry = this.directory.entry('users', id);
    if (entry === undefined) return;
    const purpose = this.random.chance(0.2) ? undefined : this.random.pick(PURPOSES);
    if (purpose === undefined) this.directory.mailboxes.delete(id);
    else this.directory.mailboxes.set(id, purpose);
    const address = `box${this.directory.now}@${DOMAIN}`;
    const enabled = purpose === 'user' || this.random.chance(0.2);
    const plans = enabled ? [{ ...EXCHANGE, capabilityStatus: 'Enabled' }] : [];
    this.set('users', id, {
      accountEnabled: enabled,
      assignedPlans: plans,
      mail: address,
      proxyAddresses: this.proxies(address),
    });
  }

  toGuest(): void {
    this.set('users', this.some('users'), { userType: this.random.chance(0.5) ? 'Guest' : 'Member' });
  }

  leave(): void {
    this.directory.remove('users', this.some('users'));
  }

  restore(): void {
    const id = this.some('users', 'bin');
    const name = this.directory.entry('users', id)?.properties['userPrincipalName'];
    const taken = this.directory
      .entries('users', 'live')
      .some(({ properties }) => properties['userPrincipalName'] === name);
    this.directory.restore('users', id, taken ? { userPrincipalName: `${this.name()}@${DOMAIN}` } : {});
  }

  leaveAndReturn(): void {
    const id = this.some('users');
    this.directory.remove('users', id);
    this.directory.restore('users', id);
  }

  purge(): void {
    this.directory.purge('users', this.some('users', 'bin'));
  }

  leaveForGood(): void {
    this.directory.purge('users', this.some('users'));
  }

  manage(): void {
    const [id, boss] = [this.some('users'), this.some('users')];
    this.directory.setManager(id, this.random.chance(0.25) || boss === '' ? null : boss);
  }

  enter(): void {
    const group = this.some('groups');
    for (let count = 0; count < 4; count += 1) this.directory.link(group, this.anybody());
  }

  exit(): void {
    const group = this.some('groups');
    for (let count = 0; count < 3; count += 1)
      this.directory.unlink(group, this.random.pick(this.directory.linkedTo(group)) ?? '');
  }

  /** In and out again before anybody looked. */
  flicker(): void {
    const [group, id] = [this.some('groups'), this.anybody()];
    this.directory.link(group, id);
    this.directory.unlink(group, id);
    if (this.random.chance(0.5)) this.directory.link(group, id);
  }

  fillGroup(): void {
    const group = this.some('groups');
    for (const { id } of this.directory.entries('users', 'live')) this.directory.link(group, id);
  }

  emptyGroup(): void {
    const group = this.some('groups');
    for (const id of this.directory.membersOf(group)) this.directory.unlink(group, id);
  }

  newGroup(): void {
    const kind = this.random.pick(GROUP_KINDS) ?? GROUP_KINDS[0];
    this.names += 1;
    const id = this.directory.create('groups', {
      displayName: `Team ${this.names}`,
      mailNickname: `team${this.names}`,
      ...(kind?.mailEnabled ? { mail: `team${this.names}@${DOMAIN}` } : {}),
      ...kind,
      visibility: null,
    });
    for (let count = 0; count < this.random.int(5); count += 1) this.directory.link(id, this.anybody());
    if (this.random.chance(0.5)) this.directory.link(this.some('groups'), id);
  }

  renameGroup(): void {
    this.names += 1;
    this.set('groups', this.some('groups'), { displayName: `Team "${this.names}" \\ Süd`, mailNickname: null });
  }

  retypeGroup(): void {
    const id = this.some('groups');
    const types = this.directory.entry('groups', id)?.properties['groupTypes'];
    // A group of Microsoft 365 stays one; membership may become dynamic, and a group may get an address.
    if (Array.isArray(types) && types.includes('Unified')) {
      this.set('groups', id, {
        groupTypes: types.includes('DynamicMembership') ? ['Unified'] : ['Unified', 'DynamicMembership'],
      });
      return;
    }
    const kind = this.random.pick(GROUP_KINDS.filter(({ groupTypes }) => !groupTypes.includes('Unified')));
    this.set('groups', id, { ...kind });
  }

  dissolve(): void {
    this.directory.remove('groups', this.some('groups'));
  }

  revive(): void {
    this.directory.restore('groups', this.some('groups', 'bin'));
  }

  dissolveAndRevive(): void {
    const id = this.some('groups');
    this.directory.remove('groups', id);
    this.directory.restore('groups', id);
  }

  purgeGroup(): void {
    this.directory.purge('groups', this.some('groups', 'bin'));
  }
}

const GROUP_KINDS = [
  { groupTypes: [] as string[], mailEnabled: false, securityEnabled: true },
  { groupTypes: [] as string[], mailEnabled: false, securityEnabled: true },
  { groupTypes: [] as string[], mailEnabled: true, securityEnabled: true },
  { groupTypes: [] as string[], mailEnabled: true, securityEnabled: false },
  { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
  { groupTypes: ['Unified', 'DynamicMembership'], mailEnabled: true, securityEnabled: false },
  { groupTypes: ['DynamicMembership'], mailEnabled: false, securityEnabled: true },
];

/** Everything that may happen, by its name. */
export const EVENT_NAMES = [
  'join',
  'joinWithLinks',
  'joinAndLeave',
  'rename',
  'swapNames',
  'replace',
  'unset',
  'retitle',
  'disable',
  'relicense',
  'convertMailbox',
  'toGuest',
  'leave',
  'restore',
  'leaveAndReturn',
  'purge',
  'leaveForGood',
  'manage',
  'enter',
  'exit',
  'flicker',
  'fillGroup',
  'emptyGroup',
  'newGroup',
  'renameGroup',
  'retypeGroup',
  'dissolve',
  'revive',
  'dissolveAndRevive',
  'purgeGroup',
] as const satisfies readonly (keyof Tenant)[];
