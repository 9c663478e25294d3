// What SCIM must serve of a tenant with given settings: worked out anew from requirements.md, without anything of the
// gateway. Everybody who is not here must be inactive or gone, as the settings say.
import type { Directory, Entry, Status } from './directory.ts';

export interface Variant {
  readonly mode: 'full' | 'groups';
  readonly groupIds: readonly string[];
  readonly nestedGroups: 'include' | 'flatten' | 'ignore';
  readonly maxDepth: number | null;
  readonly groupTypes: readonly string[];
  readonly dynamicMembership: 'include' | 'exclude';
  readonly filter: string;
  /** What the filter says, of a person and the groups that they are direct members of. */
  readonly matches: (properties: Readonly<Record<string, unknown>>, groups: readonly Entry[]) => boolean;
  readonly domains: readonly string[];
  readonly excludeOnMicrosoft: boolean;
  readonly guests: 'include' | 'exclude';
  readonly mailboxTypes: readonly string[];
  readonly requireLicence: boolean;
  readonly requireMailbox: boolean;
  readonly onLeaveScope: Policy;
  readonly onSourceSoftDelete: Policy;
  readonly onSourceHardDelete: Policy;
  readonly rootGroupId: string | null;
}

export type Policy = 'deactivate' | 'delete' | 'keep';

export interface ExpectedUser {
  readonly userName: unknown;
  readonly active: boolean;
  readonly displayName: unknown;
  readonly name: unknown;
  readonly title: unknown;
  readonly userType: unknown;
  readonly emails: readonly { value: string; primary: boolean }[];
  readonly department: unknown;
  readonly employeeNumber: unknown;
  readonly manager: string | undefined;
  readonly licensed: boolean;
  readonly mailboxType: string | undefined;
  readonly affiliationPath: string | undefined;
}

export interface Expected {
  readonly users: ReadonlyMap<string, ExpectedUser>;
  readonly groups: ReadonlyMap<string, { displayName: unknown; members: readonly string[] }>;
  /** What may have become of whoever is not in scope. How somebody left a full read may learn later, and of
   * whoever had left the selected groups before nobody asks. */
  readonly leavers: ReadonlyMap<string, readonly Policy[]>;
}

export function expectedOf(directory: Directory, variant: Variant, readsMailboxes: boolean): Expected {
  const groups = directory.entries('groups', 'live').filter((group) => isGroupWanted(group, variant));
  const byId = new Map(groups.map((group) => [group.id, group]));
  const reach = reachOf(directory, variant, byId);
  const selected = variant.mode === 'groups';
  const shown = groups.filter(
    ({ id }) => !selected || reach.get(id)?.depth === 0 || (reach.has(id) && variant.nestedGroups === 'include'),
  );
  const reached = new Set(selected ? [...reach.keys()].flatMap((id) => directory.membersOf(id)) : []);
  const users = new Map<string, ExpectedUser>();
  const inScope = directory
    .entries('users', 'live')
    .filter((user) => (!selected || reached.has(user.id)) && isUserWanted(directory, user, variant, readsMailboxes));
  const here = new Set([...inScope, ...shown].map(({ id }) => id));
  for (const user of inScope) users.set(user.id, userOf(directory, user, { variant, readsMailboxes, here, reach }));
  const members = (id: string): string[] => {
    const flat = variant.nestedGroups !== 'include' && !(selected && variant.nestedGroups === 'ignore');
    const from = variant.nestedGroups === 'flatten' ? below(directory, id, variant, byId) : [id];
    const all = new Set(from.flatMap((group) => directory.membersOf(group)));
    return [...all].filter((member) => here.has(member) && !(flat && byId.has(member))).sort();
  };
  const leavers = new Map<string, readonly Policy[]>();
  const policies: Readonly<Record<Status, readonly Policy[]>> = {
    live: [variant.onLeaveScope],
    bin: [variant.onSourceSoftDelete, ...(selected ? [variant.onLeaveScope] : [])],
    purged: [variant.onSourceHardDelete, variant.onSourceSoftDelete, variant.onLeaveScope],
  };
  for (const status of ['live', 'bin', 'purged'] as const)
    for (const list of ['users', 'groups'] as const)
      for (const { id } of directory.entries(list, status)) if (!here.has(id)) leavers.set(id, policies[status]);
  return {
    users,
    groups: new Map(
      shown.map(({ id, properties }) => [id, { displayName: properties['displayName'], members: members(id) }]),
    ),
    leavers,
  };
}

function isGroupWanted({ properties }: Entry, { groupTypes, dynamicMembership }: Variant): boolean {
  const types = (properties['groupTypes'] as string[] | undefined) ?? [];
  const mail = properties['mailEnabled'] === true;
  const security = properties['securityEnabled'] === true;
  const type = types.includes('Unified')
    ? 'microsoft365'
    : mail
      ? security
        ? 'mailEnabledSecurity'
        : 'distribution'
      : security
        ? 'security'
        : '';
  return groupTypes.includes(type) && (dynamicMembership === 'include' || !types.includes('DynamicMembership'));
}

interface Reached {
  readonly depth: number;
  readonly path: string;
}

/** Groups below the roots, by the shortest way, of several the first by name. */
function reachOf(directory: Directory, variant: Variant, wanted: ReadonlyMap<string, Entry>): Map<string, Reached> {
  const { mode, groupIds, rootGroupId, nestedGroups, maxDepth } = variant;
  const found = new Map<string, Reached>();
  const nameOf = (id: string): string => String(directory.entry('groups', id)?.properties['displayName'] ?? id);
  const roots =
    mode === 'groups'
      ? groupIds.filter((id) => wanted.has(id))
      : rootGroupId !== null && directory.isLive(rootGroupId)
        ? [rootGroupId]
        : [];
  for (const id of roots) found.set(id, { depth: 0, path: nameOf(id) });
  const deepest =
    mode === 'full' ? Number.POSITIVE_INFINITY : nestedGroups === 'ignore' ? 0 : (maxDepth ?? Number.POSITIVE_INFINITY);
  for (let level = roots, depth = 1; level.length > 0 && depth <= deepest; depth += 1) {
    const next = new Map<string, string>();
    for (const parent of level)
      for (const child of directory.membersOf(parent)) {
        if (!wanted.has(child) || found.has(child)) continue;
        const path = `${found.get(parent)?.path}/${nameOf(child)}`;
        if (!next.has(child) || isBefore(path, next.get(child) ?? '')) next.set(child, path);
      }
    for (const [id, path] of next) found.set(id, { depth, path });
    level = [...next.keys()];
  }
  return found;
}

/** As PostgreSQL orders by the collation "C". */
function isBefore(one: string, other: string): boolean {
  return Buffer.compare(Buffer.from(one), Buffer.from(other)) < 0;
}

/** A group and those below it that count. */
function below(directory: Directory, id: string, { maxDepth }: Variant, wanted: ReadonlyMap<string, Entry>): string[] {
  const found = new Set([id]);
  for (let level = [id], depth = 1; level.length > 0 && depth <= (maxDepth ?? Number.POSITIVE_INFINITY); depth += 1) {
    level = level
      .flatMap((group) => directory.membersOf(group))
      .filter((child) => wanted.has(child) && !found.has(child));
    for (const child of level) found.add(child);
  }
  return [...found];
}

function isUserWanted(directory: Directory, user: Entry, variant: Variant, readsMailboxes: boolean): boolean {
  const { properties } = user;
  const groups = directory.groupsOf(user.id).flatMap((id) => directory.entry('groups', id) ?? []);
  if (!variant.matches(properties, groups)) return false;
  if (variant.guests === 'exclude' && properties['userType'] === 'Guest') return false;
  const all = addressesOf(properties);
  const judged = all.length > 0 ? all : [String(properties['userPrincipalName'])];
  if (variant.excludeOnMicrosoft && judged.every(isOnMicrosoft)) return false;
  if (variant.domains.length > 0 && !variant.domains.includes(primaryOf(properties)?.split('@').at(-1) ?? ''))
    return false;
  const mailbox = mailboxOf(directory, user, readsMailboxes);
  if (variant.requireLicence && !isLicensed(properties) && !isUnmanned(mailbox.type)) return false;
  if (variant.requireMailbox && mailbox.type === undefined) return false;
  return mailbox.type === undefined || !mailbox.read || variant.mailboxTypes.includes(mailbox.type);
}

function userOf(
  directory: Directory,
  user: Entry,
  {
    variant,
    readsMailboxes,
    here,
    reach,
  }: { variant: Variant; readsMailboxes: boolean; here: ReadonlySet<string>; reach: ReadonlyMap<string, Reached> },
): ExpectedUser {
  const { properties } = user;
  const text = (name: string): string | undefined => (properties[name] as string | null | undefined) ?? undefined;
  const mailbox = mailboxOf(directory, user, readsMailboxes);
  const manager = directory.managerOf(user.id);
  const parts = { familyName: text('surname'), formatted: text('displayName'), givenName: text('givenName') };
  const emails = addressesOf(properties).filter((address) => !(variant.excludeOnMicrosoft && isOnMicrosoft(address)));
  const unmanned = isUnmanned(mailbox.type);
  const ways = directory.groupsOf(user.id).flatMap((id) => reach.get(id) ?? []);
  const [way] = ways.sort((one, other) => one.depth - other.depth || (isBefore(one.path, other.path) ? -1 : 1));
  return {
    userName: properties['userPrincipalName'],
    active: properties['accountEnabled'] !== false || unmanned,
    displayName: text('displayName'),
    name: parts.familyName === undefined && parts.givenName === undefined ? undefined : parts,
    title: text('jobTitle'),
    userType: unmanned
      ? { shared: 'SharedMailbox', room: 'Room', equipment: 'Equipment' }[mailbox.type ?? '']
      : text('userType'),
    emails: emails
      .map((value, index) => ({ value, primary: index === 0 }))
      .sort((one, other) => (one.value < other.value ? -1 : 1)),
    department: text('department'),
    employeeNumber: text('employeeId'),
    manager: manager !== null && here.has(manager) ? manager : undefined,
    licensed: isLicensed(properties),
    mailboxType: mailbox.type,
    affiliationPath: way?.path,
  };
}

function primaryOf(properties: Readonly<Record<string, unknown>>): string | undefined {
  return (
    (properties['mail'] as string | null | undefined) ?? proxiesOf(properties).find(({ primary }) => primary)?.address
  );
}

function proxiesOf(properties: Readonly<Record<string, unknown>>): { address: string; primary: boolean }[] {
  return ((properties['proxyAddresses'] as string[] | undefined) ?? [])
    .filter((text) => /^smtp:/i.test(text))
    .map((text) => ({ address: text.slice(5), primary: text.startsWith('SMTP:') }));
}

/** The primary one first. */
function addressesOf(properties: Readonly<Record<string, unknown>>): string[] {
  const proxies = proxiesOf(properties);
  const primary = primaryOf(properties);
  return [...new Set([...(primary === undefined ? [] : [primary]), ...proxies.map(({ address }) => address)])];
}

const isOnMicrosoft = (address: string): boolean => address.endsWith('.onmicrosoft.com');
const isUnmanned = (type: string | undefined): boolean => ['shared', 'room', 'equipment'].includes(type ?? '');

function isLicensed(properties: Readonly<Record<string, unknown>>): boolean {
  const plans = (properties['assignedPlans'] as { service: string; capabilityStatus: string }[] | undefined) ?? [];
  if (plans.length === 0) return ((properties['assignedLicenses'] as unknown[] | undefined) ?? []).length > 0;
  return plans.some(({ service, capabilityStatus }) => service === 'exchange' && capabilityStatus === 'Enabled');
}

/** Asked of Exchange where the account leaves it open; else what the account suggests. */
function mailboxOf(
  directory: Directory,
  { id, properties }: Entry,
  readsMailboxes: boolean,
): { type: string | undefined; read: boolean } {
  const licensed = isLicensed(properties);
  const guest = properties['userType'] === 'Guest';
  const addressed = proxiesOf(properties).some(({ primary }) => primary);
  const enabled = properties['accountEnabled'] !== false;
  const open = !guest && (!enabled || !licensed) && (licensed || addressed);
  if (open && readsMailboxes) return { type: directory.mailboxes.get(id), read: true };
  if (!licensed && (guest || !addressed)) return { type: undefined, read: false };
  return { type: !licensed && !enabled ? 'sharedOrResource' : 'user', read: false };
}
