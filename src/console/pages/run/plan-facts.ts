// What a plan would do, read from its counts and the guard's verdict.
import type { Plan, Verdict } from '../../api/types.ts';

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

/** The rule about the share of removals, when it was broken: how many, of how many, and the limit in percent. */
export function shareOf(
  verdict: Verdict | null,
): { readonly count: number; readonly total: number; readonly limit: number } | undefined {
  const rule = verdict?.reasons.find(
    ({ code, class: of, total }) => code === 'share-exceeded' && of === 'remove' && total !== undefined,
  );
  if (rule?.total === undefined || rule.count === undefined || rule.limit === undefined) return undefined;
  return { count: rule.count, total: rule.total, limit: rule.limit };
}
