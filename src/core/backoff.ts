// When to try again. All of it is exponential with full jitter: of many who failed together, no two come back together.

/** Between the tries for one object: from half a minute to six hours. */
const OBJECT_FIRST_MS = 30_000;
const OBJECT_MOST_MS = 6 * 3_600_000;
/** For a whole target that asked for rest, or that does not answer, without saying for how long. */
const TARGET_FIRST_MS = 1_000;
const TARGET_MOST_MS = 5 * 60_000;
/** A target that asks for more than this is asked again after this. */
const RETRY_AFTER_MOST_MS = 24 * 3_600_000;
/** Between the probes of a target in quarantine; then daily. */
const PROBES_MS = [60_000, 300_000, 1_800_000, 21_600_000, 43_200_000, 86_400_000] as const;
/** A quarantine that lasts longer turns the target off. */
export const QUARANTINE_MOST_MS = 28 * 86_400_000;

/** Somewhere between nothing and `first` doubled with every attempt, and never above `most`. */
export function fullJitter(attempt: number, first: number, most: number, random: () => number): number {
  return Math.round(random() * Math.min(most, first * 2 ** Math.min(attempt - 1, 30)));
}

/** @param attempt that just failed, from 1 */
export function objectRetryMs(attempt: number, random: () => number): number {
  return Math.max(1_000, fullJitter(attempt, OBJECT_FIRST_MS, OBJECT_MOST_MS, random));
}

/** @param failures in a row, from 1 @param asked what Retry-After said */
export function targetRestMs(failures: number, asked: number | undefined, random: () => number): number {
  if (asked !== undefined) return Math.min(asked, RETRY_AFTER_MOST_MS);
  return Math.max(250, fullJitter(failures, TARGET_FIRST_MS, TARGET_MOST_MS, random));
}

/** @param probes that failed so far */
export function probeGapMs(probes: number): number {
  return PROBES_MS[Math.min(probes, PROBES_MS.length - 1)] ?? PROBES_MS[0];
}
