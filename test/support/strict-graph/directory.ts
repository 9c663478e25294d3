// A tenant with a memory: every state that an object ever had can be asked for, since what Graph shows may lag behind
// what is so. Written from Microsoft's documentation; it knows nothing of the gateway.
import type { Random } from './random.ts';

/** `bin`: soft-deleted, and can be restored for 30 days. */
export type Status = 'live' | 'bin' | 'purged';
export type Properties = Readonly<Record<string, unknown>>;

interface Version {
  readonly seq: number;
  readonly status: Status;
  readonly properties: Properties;
  /** Of a user. Stays while the manager is in the recycle bin, unseen. */
  readonly manager: string | null;
}

interface LinkVersion {
  readonly seq: number;
  readonly present: boolean;
}

/** Members that are neither users nor groups never change. */
export type OtherType = 'device' | 'orgContact' | 'servicePrincipal';
export type ListName = 'users' | 'groups';

export interface Entry extends Version {
  readonly id: string;
}

/** What is set on purpose to nothing is null; what was never set is not there. */
export class Directory {
  readonly tenantId: string;
  private readonly random: Random;
  private readonly lists: Record<ListName, Map<string, Version[]>> = { users: new Map(), groups: new Map() };
  private readonly links = new Map<string, Map<string, LinkVersion[]>>();
  /** What a mailbox is for, by user; whoever has none is not here. Outside the directory: no delta tells of it. */
  readonly mailboxes = new Map<string, string>();
  readonly others = new Map<string, OtherType>();
  /** How many changes there were. */
  now = 0;
  /** Told of each change, for notifications. */
  onChange: (list: ListName, id: string, changeType: 'updated' | 'deleted') => void = () => undefined;

  constructor(random: Random) {
    this.random = random;
    this.tenantId = random.uuid();
  }

  // What there is, at a moment of the past.

  entry(list: ListName, id: string, at = this.now): Entry | undefined {
    const version = this.lists[list].get(id)?.findLast(({ seq }) => seq <= at);
    return version && { id, ...version };
  }

  /** In the order of their ids. */
  entries(list: ListName, status: Status, at = this.now): Entry[] {
    return [...this.lists[list].keys()]
      .sort()
      .flatMap((id) => this.entry(list, id, at) ?? [])
      .filter((entry) => entry.status === status);
  }

  isLive(id: string, at = this.now): boolean {
    return this.others.has(id) || [...LISTS].some((list) => this.entry(list, id, at)?.status === 'live');
  }

  kindOf(id: string): 'user' | 'group' | OtherType {
    if (this.lists.users.has(id)) return 'user';
    return this.lists.groups.has(id) ? 'group' : (this.others.get(id) ?? 'device');
  }

  /** All links of a group, those to the recycle bin included. */
  linkedTo(group: string, at = this.now): string[] {
    return [...(this.links.get(group) ?? [])].flatMap(([member, versions]) => (presentAt(versions, at) ? member : []));
  }

  /** Members that Graph shows. */
  membersOf(group: string, at = this.now): string[] {
    return this.linkedTo(group, at).filter((id) => this.isLive(id, at));
  }

  groupsOf(member: string, at = this.now): string[] {
    return [...this.links.keys()].filter(
      (group) => this.isLive(group, at) && presentAt(this.links.get(group)?.get(member), at),
    );
  }

  isLinked(group: string, member: string, at: number): boolean {
    return presentAt(this.links.get(group)?.get(member), at);
  }

  managerOf(user: string, at = this.now): string | null {
    const manager = this.entry('users', user, at)?.manager ?? null;
    return manager !== null && this.isLive(manager, at) ? manager : null;
  }

  /** Objects of a list that changed after one moment and up to another, the latest change last. */
  changedBetween(list: ListName, after: number, upTo: number): string[] {
    const last = new Map<string, number>();
    for (const [id, versions] of this.lists[list]) {
      const seqs = [...versions, ...(list === 'groups' ? this.linkVersions(id) : [])].map(({ seq }) => seq);
      const latest = Math.max(0, ...seqs.filter((seq) => seq > after && seq <= upTo));
      if (latest > 0) last.set(id, latest);
    }
    return [...last].sort(([, one], [, other]) => one - other).map(([id]) => id);
  }

  /** Every state of an object after one moment and up to another. */
  statesBetween(list: ListName, id: string, after: number, upTo: number): Version[] {
    return (this.lists[list].get(id) ?? []).filter(({ seq }) => seq > after && seq <= upTo);
  }

  /** Members whose link to a group changed after one moment and up to another. */
  linksChanged(group: string, after: number, upTo: number): string[] {
    return [...(this.links.get(group) ?? [])].flatMap(([member, versions]) =>
      versions.some(({ seq }) => seq > after && seq <= upTo) ? member : [],
    );
  }

  private linkVersions(group: string): LinkVersion[] {
    return [...(this.links.get(group)?.values() ?? [])].flat();
  }

  // What happens.

  create(list: ListName, properties: Properties): string {
    const id = this.random.uuid();
    this.write(list, id, { status: 'live', properties: { id, ...properties }, manager: null });
    return id;
  }

  update(list: ListName, id: string, properties: Properties): void {
    const entry = this.entry(list, id);
    if (entry?.status !== 'live') return;
    this.write(list, id, { ...entry, properties: { ...entry.properties, ...properties } });
  }

  setManager(user: string, manager: string | null): void {
    const entry = this.entry('users', user);
    if (entry?.status === 'live' && entry.manager !== manager) this.write('users', user, { ...entry, manager });
  }

  /** Users, and groups of Microsoft 365, go to the recycle bin; other groups are gone at once. */
  remove(list: ListName, id: string): void {
    const entry = this.entry(list, id);
    if (entry?.status !== 'live') return;
    const unified = (entry.properties['groupTypes'] as string[] | undefined)?.includes('Unified') === true;
    if (list === 'groups' && !unified) this.purge(list, id);
    else this.write(list, id, { ...entry, status: 'bin' });
  }

  restore(list: ListName, id: string, properties: Properties = {}): void {
    const entry = this.entry(list, id);
    if (entry?.status !== 'bin') return;
    this.write(list, id, { ...entry, status: 'live', properties: { ...entry.properties, ...properties } });
  }

  /** For good: links to it go too. */
  purge(list: ListName, id: string): void {
    const entry = this.entry(list, id);
    if (entry === undefined || entry.status === 'purged') return;
    this.write(list, id, { ...entry, status: 'purged', manager: null });
    for (const group of this.links.keys()) if (this.isLinked(group, id, this.now)) this.unlink(group, id);
    for (const member of this.linkedTo(id)) this.unlink(id, member);
    for (const [user] of this.lists.users) {
      const report = this.entry('users', user);
      if (report?.manager === id) this.write('users', user, { ...report, manager: null });
    }
    this.mailboxes.delete(id);
  }

  link(group: string, member: string): void {
    if (!this.isLive(group) || !this.isLive(member) || this.isLinked(group, member, this.now)) return;
    this.writeLink(group, member, true);
  }

  unlink(group: string, member: string): void {
    if (this.isLinked(group, member, this.now)) this.writeLink(group, member, false);
  }

  addOther(type: OtherType): string {
    const id = this.random.uuid();
    this.others.set(id, type);
    return id;
  }

  private write(list: ListName, id: string, { status, properties, manager }: Omit<Version, 'seq'>): void {
    this.now += 1;
    const versions = this.lists[list].get(id) ?? [];
    versions.push({ seq: this.now, status, properties, manager });
    this.lists[list].set(id, versions);
    this.onChange(list, id, status === 'purged' ? 'deleted' : 'updated');
  }

  private writeLink(group: string, member: string, present: boolean): void {
    this.now += 1;
    const members = this.links.get(group) ?? new Map<string, LinkVersion[]>();
    members.set(member, [...(members.get(member) ?? []), { seq: this.now, present }]);
    this.links.set(group, members);
    this.onChange('groups', group, 'updated');
  }
}

const LISTS = ['users', 'groups'] as const;

function presentAt(versions: readonly LinkVersion[] | undefined, at: number): boolean {
  return versions?.findLast(({ seq }) => seq <= at)?.present === true;
}
