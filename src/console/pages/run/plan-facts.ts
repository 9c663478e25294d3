// What a plan would do, read from its counts and the guard's verdict.
import type { Plan, Verdict } from '../../api/types.ts';
import type { Sum } from '../../app/run-facts.ts';

export function removalsOf(counts: Readonly<Record<string, number>>): number {
  return (counts['deactivate'] ?? 0) + (counts['delete'] ?? 0);
}

/** What becomes of those who go, in a word: their accounts stay disabled, are removed, or some of both. */
export function goingOf(counts: Readonly<Record<string, number>>): 'Disable' | 'Remove' | 'Both' {
  if ((counts['delete'] ?? 0) === 0) return 'Disable';
  return (counts['deactivate'] ?? 0) === 0 ? 'Remove' : 'Both';
}

const CHANGES = ['create', 'update', 'link', 'deactivate', 'delete', 'membership'] as const;

/** Source and directory agree already. */
export function changesNothing({ counts }: Pick<Plan, 'counts'>): boolean {
  return CHANGES.every((name) => (counts[name] ?? 0) === 0);
}

export interface Share {
  readonly count: number;
  readonly total: number;
  /** In percent. */
  readonly limit: number;
  /** Users and groups apart: who would go, and who is here. */
  readonly going: Sum;
  readonly all: Sum;
}

/** The rule about the share of removals, when it was broken: how many, of how many, and the limit in percent. */
export function shareOf(verdict: Verdict | null): Share | undefined {
  const rule = verdict?.reasons.find(
    ({ code, class: of, total }) => code === 'share-exceeded' && of === 'remove' && total !== undefined,
  );
  if (rule?.total === undefined || rule.count === undefined || rule.limit === undefined) return undefined;
  const { count, total, limit, users = { count, total }, groups = { count: 0, total: 0 } } = rule;
  const going = { users: users.count, groups: groups.count };
  return { count, total, limit, going, all: { users: users.total, groups: groups.total } };
}
