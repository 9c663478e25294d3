// What the settings of a provider say about its runs.
import type { MatchPolicy } from './match.ts';

/** How the first run of a newly activated provider goes. */
export type InitialRun = 'auto' | 'preview' | 'manual';

/** What becomes of an account that leaves. Groups cannot be inactive: they are deleted unless `keep`. */
export type LeavePolicy = 'deactivate' | 'delete' | 'keep';

/** What every provider's settings say about leaving, whatever else they hold. */
export interface RunPolicy {
  readonly initialRun: InitialRun;
  /** Out of scope, or no longer shown without a word why. */
  readonly onLeaveScope: LeavePolicy;
  /** In the provider's recycle bin. */
  readonly onSourceSoftDelete: LeavePolicy;
  /** Deleted in the provider for good. */
  readonly onSourceHardDelete: LeavePolicy;
  /** Days from deactivation by a sync to deletion; null never deletes. */
  readonly deleteAfterDays: number | null;
  /** Absent where the kind leaves it to the defaults. */
  readonly matching?: MatchPolicy;
}

/** What an identity provider that writes to us may do. */
export interface PushPolicy {
  /** The app whose tokens are the identity provider's; null when all tokens that may write are. */
  readonly appId: string | null;
  /** What becomes of a write to somebody made by hand. */
  readonly adoptManual: MatchPolicy['adoptManual'];
  /** The guard's limits on removals count within so many minutes. */
  readonly removalWindowMinutes: number;
}
