// What several pages say of a run.
import type { Run } from '../api/types.ts';
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

export interface ChangeCounts {
  readonly create: number;
  readonly update: number;
  /** Whose somebody is changes; none of the updates. */
  readonly link: number;
  readonly deactivate: number;
  readonly delete: number;
  readonly membership: number;
  readonly skip: number;
}

/** What a run did, or would do while its plan waits. */
export function changesOf(run: Run): ChangeCounts {
  const of = (name: string, planned: string): number =>
    run.status === 'held' || isOpen(run) || run.status === 'abandoned'
      ? (run.planned?.[planned] ?? 0)
      : (run.counts[name] ?? 0);
  return {
    create: of('created', 'create'),
    update: of('updated', 'update'),
    link: of('linked', 'link'),
    deactivate: of('deactivated', 'deactivate'),
    delete: of('deleted', 'delete'),
    membership: of('membershipsChanged', 'membership'),
    skip: of('skipped', 'skip'),
  };
}

export const CHANGE_TONE = {
  create: 'green',
  update: 'violet',
  link: 'violet',
  deactivate: 'amber',
  delete: 'red',
  membership: 'blue',
  skip: 'grey',
} as const satisfies Record<keyof ChangeCounts, Tone>;

/** What an item does, with links apart from other updates. */
export function actOf({ action, reason }: { readonly action: string; readonly reason: string }): keyof ChangeCounts {
  return action === 'update' && LINKS.has(reason) ? 'link' : (action as keyof ChangeCounts);
}

const LINKS: ReadonlySet<string> = new Set(['Linked', 'Relinked', 'Adopted']);

/** A preview of which nothing was applied: it is over, and its plan waits for a word. */
export function isPreview({ preview, status, steps }: Pick<Run, 'preview' | 'status' | 'steps'>): boolean {
  return preview && (status === 'held' || status === 'succeeded') && !steps.some(({ name }) => name === 'applying');
}
