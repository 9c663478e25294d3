// How many of what: users, groups and memberships each by their own numbers, since a sum of them tells nobody anything.

/** By name, as the counts of a run or a plan are: of users, of groups, and of memberships `added` and `removed`. */
export interface CountsByType {
  readonly User: Readonly<Record<string, number>>;
  readonly Group: Readonly<Record<string, number>>;
  /** Of what is neither, such as a device that is a member: it is only ever skipped. */
  readonly Other: Readonly<Record<string, number>>;
  /** Those that groups win and lose by themselves, and those that new groups come with. */
  readonly Membership: Readonly<Record<'added' | 'removed', number>>;
}

/** So many items of one type that have one name, with the memberships in them. */
export interface Counted {
  readonly name: string;
  readonly type: string;
  readonly count: number;
  readonly added: number;
  readonly removed: number;
}

export interface Sums {
  readonly counts: Readonly<Record<string, number>>;
  readonly byType: CountsByType;
}

/** Adds up by name, whatever the type, and by name and type. */
export function sumUp(rows: readonly Counted[]): Sums {
  const counts: Record<string, number> = {};
  const byType = { User: {}, Group: {}, Other: {} } as Record<'User' | 'Group' | 'Other', Record<string, number>>;
  const Membership = { added: 0, removed: 0 };
  for (const { name, type, count, added, removed } of rows) {
    counts[name] = (counts[name] ?? 0) + count;
    const same = byType[type === 'User' || type === 'Group' ? type : 'Other'];
    same[name] = (same[name] ?? 0) + count;
    Membership.added += added;
    Membership.removed += removed;
  }
  return { counts, byType: { ...byType, Membership } };
}
