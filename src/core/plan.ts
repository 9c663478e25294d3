/** One object on either side of a plan: the provider's (in scope) or the directory's. */
export interface Entry {
  readonly externalId: string;
  readonly digest: string;
}

export interface Change {
  readonly action: 'create' | 'update' | 'remove';
  readonly externalId: string;
}

/**
 * What must change so that `current` becomes `desired`. Pure and total: same inputs, same plan, same order. Creates
 * come first and removals last, so that a run cut short has taken nothing away. After an incomplete read `desired`
 * proves no absence, and nothing is removed. What is pinned by `isPinned` is left as it is.
 *
 * At size `store/plan/planning.ts` states this rule in SQL; a property test holds the two together.
 */
export function planChanges(
  current: ReadonlyMap<string, Entry>,
  desired: ReadonlyMap<string, Entry>,
  complete = true,
  isPinned: (change: Change) => boolean = () => false,
): Change[] {
  const created: Change[] = [];
  const updated: Change[] = [];
  for (const [externalId, wanted] of desired) {
    const existing = current.get(externalId);
    if (existing === undefined) created.push({ action: 'create', externalId });
    else if (existing.digest !== wanted.digest) updated.push({ action: 'update', externalId });
  }
  const removed = complete
    ? [...current.keys()]
        .filter((externalId) => !desired.has(externalId))
        .map((externalId): Change => ({ action: 'remove', externalId }))
    : [];
  return [...created, ...updated, ...removed].filter((change) => !isPinned(change));
}

/**
 * True when an item carries the provider's form of a resource, which names a manager by the provider's id. A
 * deactivation, a released name, a lost link, a revert and a restore carry the directory's own row, changed.
 */
export function isSourceForm({ action, reason }: { readonly action: string; readonly reason: string }): boolean {
  return action !== 'deactivate' && !['NameReleased', 'LinkLost', 'Reverted', 'Restored'].includes(reason);
}
