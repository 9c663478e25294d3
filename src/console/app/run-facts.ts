// What several pages say of a run.
import type { CountsByType, Run } from '../api/types.ts';
import type { Tone } from '../ui/badge.tsx';

export function isOpen(run: Pick<Run, 'status'>): boolean {
  return run.status === 'queued' || run.status === 'running';
}

/** By time where an estimate is known, else by what is counted. */
export function percentOf(run: Run): number | undefined {
  const { done, total, estimatedSecondsLeft } = run.progress;
  const spentMs = run.cost?.wallMs ?? 0;
  if (estimatedSecondsLeft !== null && spentMs > 0)
    return Math.min(99, Math.floor((spentMs / (spentMs + estimatedSecondsLeft * 1000)) * 100));
  return total === null || total === 0 ? undefined : Math.min(99, Math.floor((done / total) * 100));
}

export function tookMs(run: Run): number | undefined {
  if (run.startedAt === null) return undefined;
  if (run.cost !== null && !isOpen(run)) return run.cost.wallMs;
  return (
    (run.finishedAt === null ? Date.now() : new Date(run.finishedAt).getTime()) - new Date(run.startedAt).getTime()
  );
}

export const STATUS_TONE: Readonly<Record<Run['status'], Tone>> = {
  queued: 'blue',
  running: 'blue',
  held: 'amber',
  succeeded: 'green',
  failed: 'red',
  cancelled: 'grey',
  abandoned: 'grey',
  incomplete: 'amber',
};

/** A link says whose somebody is; it is none of the updates. */
export type Change = 'create' | 'update' | 'link' | 'deactivate' | 'delete' | 'membership' | 'skip';

/** Of one kind of change: so many users, so many groups. They are never added up. */
export interface Sum {
  readonly users: number;
  readonly groups: number;
  /** What is neither, such as a device: only ever skipped. */
  readonly others?: number;
}

export type Sums = Readonly<Record<Change, Sum>> & {
  /** One by one; those that groups win and lose by themselves, or come with. */
  readonly memberships: { readonly added: number; readonly removed: number };
};

const NAMES: readonly (readonly [Change, done: string])[] = [
  ['create', 'created'],
  ['update', 'updated'],
  ['link', 'linked'],
  ['deactivate', 'deactivated'],
  ['delete', 'deleted'],
  ['membership', 'membershipsChanged'],
  ['skip', 'skipped'],
];
const NOTHING: CountsByType = { User: {}, Group: {}, Other: {}, Membership: { added: 0, removed: 0 } };

/** What a plan would do. */
export function plannedSums(counts: CountsByType | null): Sums {
  return sumsBy(counts ?? NOTHING, ([name]) => name);
}

/** What a run did, or would do while its plan waits. */
export function sumsOf(run: Pick<Run, 'status' | 'countsByType' | 'plannedByType'>): Sums {
  if (run.status === 'held' || isOpen(run) || run.status === 'abandoned') return plannedSums(run.plannedByType);
  return doneSums(run.countsByType);
}

/** What was applied. */
export function doneSums(counts: CountsByType | null): Sums {
  return sumsBy(counts ?? NOTHING, ([, done]) => done);
}

function sumsBy(counts: CountsByType, nameOf: (name: (typeof NAMES)[number]) => string): Sums {
  const { User, Group, Other, Membership } = counts;
  const sums = NAMES.map((name) => {
    const of = nameOf(name);
    return [name[0], { users: User[of] ?? 0, groups: Group[of] ?? 0, others: Other[of] ?? 0 }];
  });
  return { ...(Object.fromEntries(sums) as Record<Change, Sum>), memberships: Membership };
}

/** Users and groups that are not as before; who is in a group is counted by memberships. */
export function totalOf({ create, update, link, deactivate, delete: removed }: Sums): Sum {
  const acts = [create, update, link, deactivate, removed];
  const add = (of: 'users' | 'groups'): number => acts.reduce((sum, act) => sum + act[of], 0);
  return { users: add('users'), groups: add('groups') };
}

export const CHANGE_TONE = {
  create: 'green',
  update: 'violet',
  link: 'violet',
  deactivate: 'amber',
  delete: 'red',
  membership: 'blue',
  skip: 'grey',
} as const satisfies Record<Change, Tone>;

/** What an item does, with links apart from other updates. */
export function actOf({ action, reason }: { readonly action: string; readonly reason: string }): Change {
  return action === 'update' && LINKS.has(reason) ? 'link' : (action as Change);
}

const LINKS: ReadonlySet<string> = new Set(['Linked', 'Relinked', 'Adopted']);

/** A preview of which nothing was applied: it is over, and its plan waits for a word. */
export function isPreview({ preview, status, steps }: Pick<Run, 'preview' | 'status' | 'steps'>): boolean {
  return preview && (status === 'held' || status === 'succeeded') && !steps.some(({ name }) => name === 'applying');
}
