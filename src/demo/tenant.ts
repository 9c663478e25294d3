// A tenant made from a seed: the same seed gives the same people, groups and memberships. It follows what Microsoft
// documents of users and groups, awkward ones included.
import { createHash } from 'node:crypto';
import type { TenantLog } from './changes.ts';

export interface TenantUser {
  readonly id: string;
  readonly [property: string]: unknown;
}

export interface TenantGroup {
  readonly id: string;
  readonly [property: string]: unknown;
}

/** What a group may hold beside users and groups. */
export interface OtherObject {
  readonly id: string;
  readonly type: 'device' | 'orgContact' | 'servicePrincipal';
  readonly displayName: string;
}

export interface Tenant {
  readonly id: string;
  readonly domain: string;
  readonly users: Map<string, TenantUser>;
  readonly groups: Map<string, TenantGroup>;
  readonly others: Map<string, OtherObject>;
  /** Direct members by group, ids of users, groups and others. */
  readonly members: Map<string, Set<string>>;
  /** Manager by user. */
  readonly managers: Map<string, string>;
  /** When a directory of the organization's own was last synchronised into it; absent when there is none. */
  hybridSyncAt?: string;
  /** The recycle bin: users, and groups for Microsoft 365, who can be restored with what they were. */
  readonly deletedUsers: Map<string, TenantUser>;
  readonly deletedGroups: Map<string, { readonly group: TenantGroup; readonly members: ReadonlySet<string> }>;
  /** What happened since the tenant was made. */
  readonly log: TenantLog;
}

export interface TenantOptions {
  readonly users?: number;
  readonly groups?: number;
  /** Average direct members of a group. */
  readonly membersPerGroup?: number;
  readonly seed?: string;
  /** Lets two groups contain each other. */
  readonly cycle?: boolean;
}

const DOMAIN = 'contoso.example';
const GIVEN = [
  'Ada',
  'Grace',
  'Alan',
  'Edsger',
  'Barbara',
  'Donald',
  'Margaret',
  'Linus',
  'Radia',
  'Ken',
  '민준',
  '서연',
  'محمد',
  'Zoë',
  'Søren',
  "Ke'ala",
];
const FAMILY = [
  'Lovelace',
  'Hopper',
  'Turing',
  'Dijkstra',
  'Liskov',
  'Knuth',
  'Hamilton',
  "O'Brien",
  'Perlman',
  'Thompson',
  '김',
  '이',
  'العربي',
  'Müller',
  'Ångström',
  'De la Cruz',
];
const DEPARTMENTS = ['Engineering', 'Sales', 'Finance', 'Support', 'People', 'Legal', 'Research & Development'];
const TITLES = ['Engineer', 'Manager', 'Analyst', 'Director', 'Assistant', 'Consultant'];
const CITIES = [
  ['Seoul', 'Seoul', 'Korea', 'ko-KR', 'KR'],
  ['Berlin', 'Berlin', 'Germany', 'de-DE', 'DE'],
  ['London', 'England', 'United Kingdom', 'en-GB', 'GB'],
  ['Boston', 'MA', 'United States', 'en-US', 'US'],
] as const;
const SKU = '05e9a617-0261-4cee-bb44-138d3ef5d965';
/** Every so many users one is odd in some way. */
const ODD_EVERY = 25;

export function makeTenant(options: TenantOptions = {}): Tenant {
  const { users = 2_000, groups = 80, membersPerGroup = 40, seed = 'sluice', cycle = false } = options;
  const random = makeRandom(seed);
  const tenant: Tenant = {
    id: uuidFrom(seed, 'tenant', 0),
    domain: DOMAIN,
    users: new Map(),
    groups: new Map(),
    others: new Map(),
    members: new Map(),
    managers: new Map(),
    deletedUsers: new Map(),
    deletedGroups: new Map(),
    log: [],
  };
  for (let index = 0; index < users; index += 1) addUser(tenant, makeUser(seed, index, random));
  const userIds = [...tenant.users.keys()];
  for (let index = 1; index < userIds.length; index += 1)
    if (index % 10 !== 0) tenant.managers.set(userIds[index] ?? '', userIds[Math.floor(index / 10)] ?? '');
  for (let index = 0; index < 5; index += 1) {
    addOther(tenant, { id: uuidFrom(seed, 'device', index), type: 'device', displayName: `LAPTOP-${index}` });
    addOther(tenant, { id: uuidFrom(seed, 'contact', index), type: 'orgContact', displayName: `Supplier ${index}` });
  }
  for (let index = 0; index < groups; index += 1) addGroup(tenant, makeGroup(seed, index));
  fillGroups(tenant, { membersPerGroup, cycle, random });
  tenant.log.length = 0;
  return tenant;
}

export function addUser(tenant: Tenant, user: TenantUser): void {
  tenant.users.set(user.id, user);
  tenant.log.push({ kind: 'user', id: user.id, what: 'created' });
}

/** Changes properties of a user; null unsets one. */
export function updateUser(tenant: Tenant, id: string, changes: Readonly<Record<string, unknown>>): void {
  const user = tenant.users.get(id);
  if (user === undefined) throw new Error(`no user ${id}`);
  tenant.users.set(id, { ...user, ...changes });
  tenant.log.push({ kind: 'user', id, what: 'updated', properties: Object.keys(changes) });
}

/** Null for nobody. */
export function setManager(tenant: Tenant, id: string, manager: string | null): void {
  const before = tenant.managers.get(id);
  if (manager === null) tenant.managers.delete(id);
  else tenant.managers.set(id, manager);
  if (before === (manager ?? undefined)) return;
  if (before !== undefined) tenant.log.push({ kind: 'user', id, what: 'manager', other: before, removed: true });
  if (manager !== null) tenant.log.push({ kind: 'user', id, what: 'manager', other: manager });
}

/** The user is gone for good, with every membership and as anybody's manager; out of the recycle bin, too. */
export function removeUser(tenant: Tenant, id: string): void {
  if (!tenant.users.delete(id) && !tenant.deletedUsers.delete(id)) return;
  tenant.log.push({ kind: 'user', id, what: 'deleted' });
  tenant.managers.delete(id);
  for (const [report, manager] of tenant.managers) if (manager === id) setManager(tenant, report, null);
  for (const group of tenant.members.keys()) removeMember(tenant, group, id);
}

/**
 * Into the recycle bin: memberships stay, and are not shown while the user is there.
 * Source: learn.microsoft.com/graph/delta-query-groups, checked 2026-11.
 */
export function softDeleteUser(tenant: Tenant, id: string): void {
  const user = tenant.users.get(id);
  if (user === undefined) return;
  tenant.users.delete(id);
  tenant.deletedUsers.set(id, user);
  tenant.log.push({ kind: 'user', id, what: 'softDeleted' });
}

/** A new instance with the old id, as everybody's member and manager that it was. Silent in the changes of groups. */
export function restoreUser(tenant: Tenant, id: string): void {
  const user = tenant.deletedUsers.get(id);
  if (user === undefined) return;
  tenant.deletedUsers.delete(id);
  addUser(tenant, user);
}

export function addGroup(tenant: Tenant, group: TenantGroup): void {
  tenant.groups.set(group.id, group);
  tenant.members.set(group.id, tenant.members.get(group.id) ?? new Set());
  tenant.log.push({ kind: 'group', id: group.id, what: 'created' });
}

export function updateGroup(tenant: Tenant, id: string, changes: Readonly<Record<string, unknown>>): void {
  const group = tenant.groups.get(id);
  if (group === undefined) throw new Error(`no group ${id}`);
  tenant.groups.set(id, { ...group, ...changes });
  tenant.log.push({ kind: 'group', id, what: 'updated', properties: Object.keys(changes) });
}

/**
 * Groups for Microsoft 365 go to the recycle bin, all others are gone at once.
 * Source: learn.microsoft.com/graph/api/group-delete, checked 2026-11.
 */
export function removeGroup(tenant: Tenant, id: string): void {
  const group = tenant.groups.get(id);
  if (group === undefined) return;
  const soft = (group['groupTypes'] as readonly string[] | undefined)?.includes('Unified') === true;
  if (soft) tenant.deletedGroups.set(id, { group, members: tenant.members.get(id) ?? new Set() });
  tenant.groups.delete(id);
  tenant.members.delete(id);
  tenant.log.push({ kind: 'group', id, what: soft ? 'softDeleted' : 'deleted' });
  for (const parent of tenant.members.keys()) removeMember(tenant, parent, id);
}

export function restoreGroup(tenant: Tenant, id: string): void {
  const found = tenant.deletedGroups.get(id);
  if (found === undefined) return;
  tenant.deletedGroups.delete(id);
  const isKnown = (member: string): boolean =>
    tenant.users.has(member) ||
    tenant.groups.has(member) ||
    tenant.others.has(member) ||
    tenant.deletedUsers.has(member);
  tenant.members.set(id, new Set([...found.members].filter(isKnown)));
  addGroup(tenant, found.group);
}

export function addMember(tenant: Tenant, group: string, member: string): void {
  const members = tenant.members.get(group);
  if (members === undefined || members.has(member)) return;
  members.add(member);
  tenant.log.push({ kind: 'group', id: group, what: 'members', other: member, removed: false });
}

export function removeMember(tenant: Tenant, group: string, member: string): void {
  if (tenant.members.get(group)?.delete(member) !== true) return;
  tenant.log.push({ kind: 'group', id: group, what: 'members', other: member, removed: true });
}

function addOther(tenant: Tenant, object: OtherObject): void {
  tenant.others.set(object.id, object);
}

/** One ordinary or odd person. The same seed and index give the same id. */
export function makeUser(
  seed: string,
  index: number,
  random: () => number = makeRandom(`${seed}${index}`),
): TenantUser {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const givenName = pick(GIVEN);
  const surname = pick(FAMILY);
  const [city, state, country, preferredLanguage, usageLocation] = pick(CITIES);
  const upn = `user${index}@${DOMAIN}`;
  const user: TenantUser = {
    id: uuidFrom(seed, 'user', index),
    userPrincipalName: upn,
    displayName: `${givenName} ${surname}`,
    givenName,
    surname,
    accountEnabled: true,
    userType: 'Member',
    mail: upn,
    proxyAddresses: [`SMTP:${upn}`, `smtp:${index}.alias@${DOMAIN}`],
    businessPhones: [`+82 2 ${String(1_000_000 + index)}`],
    mobilePhone: index % 3 === 0 ? `+49 170 ${String(1_000_000 + index)}` : null,
    faxNumber: null,
    jobTitle: pick(TITLES),
    department: pick(DEPARTMENTS),
    companyName: 'Contoso',
    employeeId: String(10_000 + index),
    employeeType: 'Employee',
    employeeOrgData: index % 4 === 0 ? { division: 'EMEA', costCenter: `CC-${index % 50}` } : null,
    preferredLanguage,
    streetAddress: `${1 + (index % 200)} Main Street`,
    city,
    state,
    postalCode: String(10_000 + (index % 90_000)),
    country,
    usageLocation,
    assignedLicenses: [{ skuId: SKU, disabledPlans: [] }],
    assignedPlans: [{ service: 'exchange', capabilityStatus: 'Enabled' }],
    onPremisesSyncEnabled: null,
  };
  return index % ODD_EVERY === 0 ? { ...user, ...oddity(index / ODD_EVERY, index, upn) } : user;
}

/** What real tenants hold, one kind after the other. */
function oddity(kind: number, index: number, upn: string): Readonly<Record<string, unknown>> {
  const none = { assignedLicenses: [], assignedPlans: [] };
  const oddities: readonly Readonly<Record<string, unknown>>[] = [
    {
      userPrincipalName: `guest${index}_gmail.com#EXT#@contoso.onmicrosoft.com`,
      userType: 'Guest',
      mail: `guest${index}@gmail.com`,
      proxyAddresses: [`SMTP:guest${index}@gmail.com`],
      ...none,
    },
    {
      displayName: `Shared mailbox ${index}`,
      givenName: null,
      surname: null,
      accountEnabled: false,
      ...none,
      '#userPurpose': 'shared',
    },
    {
      displayName: `Meeting room ${index}`,
      givenName: null,
      surname: null,
      accountEnabled: false,
      businessPhones: [],
      ...none,
      '#userPurpose': index % 2 === 0 ? 'room' : 'equipment',
    },
    { mail: null, proxyAddresses: [], ...none },
    {
      proxyAddresses: [
        `SMTP:${upn}`,
        ...Array.from({ length: 19 }, (_, alias) => `smtp:a${alias}.${index}@${DOMAIN}`),
        'X500:/o=Contoso/cn=x',
        'SIP:x@contoso.example',
      ],
    },
    { displayName: `"Quoted" O'Neil \\ 100% _${index}_`, givenName: '"Quo\\te"', surname: "O'Neil" },
    { displayName: '김민준 (金民俊) 👩‍💻', givenName: '민준', surname: '김' },
    { displayName: 'محمد العربي', givenName: 'محمد', surname: 'العربي' },
    { accountEnabled: false },
    { userPrincipalName: `User.${index}+Mixed@Contoso.Example`, mail: `User.${index}+Mixed@Contoso.Example` },
    { displayName: `${'Very long name '.repeat(16)}${index}`.slice(0, 256) },
    { displayName: 'John Smith', givenName: 'John', surname: 'Smith' },
  ];
  return oddities[kind % oddities.length] ?? {};
}

const KINDS = [
  { groupTypes: [], mailEnabled: false, securityEnabled: true },
  { groupTypes: [], mailEnabled: true, securityEnabled: true },
  { groupTypes: [], mailEnabled: true, securityEnabled: false },
  { groupTypes: ['Unified'], mailEnabled: true, securityEnabled: false },
  { groupTypes: ['DynamicMembership'], mailEnabled: false, securityEnabled: true },
] as const;

/** Every tenth group is one for Microsoft 365, and every eleventh a dynamic one. */
export function makeGroup(seed: string, index: number): TenantGroup {
  const kind = KINDS[index % 10 === 9 ? 3 : index % 11 === 10 ? 4 : index % 3];
  return {
    id: uuidFrom(seed, 'group', index),
    displayName: `${DEPARTMENTS[index % DEPARTMENTS.length]} ${index}`,
    description: null,
    mail: kind?.mailEnabled === true ? `group${index}@${DOMAIN}` : null,
    mailNickname: `group${index}`,
    ...kind,
  };
}

function fillGroups(
  tenant: Tenant,
  { membersPerGroup, cycle, random }: { membersPerGroup: number; cycle: boolean; random: () => number },
): void {
  const users = [...tenant.users.keys()];
  const groups = [...tenant.groups.keys()];
  const others = [...tenant.others.keys()];
  groups.forEach((group, index) => {
    const members = tenant.members.get(group) ?? new Set<string>();
    const size = Math.min(users.length, Math.floor(random() * 2 * membersPerGroup));
    for (let count = 0; count < size; count += 1) members.add(users[Math.floor(random() * users.length)] ?? '');
    // A tree of groups: each but the first of five is a member of the first.
    if (index % 5 !== 0) tenant.members.get(groups[index - (index % 5)] ?? '')?.add(group);
    if (index % 7 === 0 && others.length > 0) members.add(others[index % others.length] ?? '');
    members.delete('');
    tenant.members.set(group, members);
  });
  if (cycle && groups[0] !== undefined && groups[1] !== undefined) addMember(tenant, groups[1], groups[0]);
}

/** A generator of numbers in [0, 1) that a seed repeats (mulberry32). */
export function makeRandom(seed: string): () => number {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function uuidFrom(seed: string, kind: string, index: number): string {
  const hex = createHash('sha256').update(`${seed}/${kind}/${index}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
