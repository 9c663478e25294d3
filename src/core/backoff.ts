// When to try again. All of it is exponential with full jitter: of many who failed together, no two come back together.

/** Between the tries for one object: up to half a minute, then four times as long each, and never above six hours. */
const OBJECT_FIRST_MS = 30_000;
const OBJECT_GROWTH = 4;
const OBJECT_MOST_MS = 6 * 3_600_000;
/** For a whole target that asked for rest, or that does not answer, without saying for how long. */
const TARGET_FIRST_MS = 1_000;
const TARGET_MOST_MS = 5 * 60_000;
/** Whoever asks to be left alone for longer is asked again after this. */
export const RETRY_AFTER_MOST_MS = 24 * 3_600_000;
const MINUTE_MS = 60_000;
/** Between the probes of a target in quarantine, so that it is found about as long after an outage as that took; then daily. */
const PROBES_MS = [1, 2, 5, 15, 30, 60, 120, 360, 720, 1_440].map((minutes) => minutes * MINUTE_MS);
/** A quarantine that lasts longer turns the target off. */
export const QUARANTINE_MOST_MS = 28 * 86_400_000;

/** Somewhere between nothing and `first`, which grows `growth` times with every attempt, but never above `most`. */
export function fullJitter(attempt: number, first: number, most: number, random: () => number, growth = 2): number {
  return Math.round(random() * Math.min(most, first * growth ** Math.min(attempt - 1, 30)));
}

/** @param attempt that just failed, from 1 */
export function objectRetryMs(attempt: number, random: () => number): number {
  return Math.max(1_000, fullJitter(attempt, OBJECT_FIRST_MS, OBJECT_MOST_MS, random, OBJECT_GROWTH));
}

/** @param failures in a row, from 1 @param asked what Retry-After said; nothing, or a moment that is over, says nothing */
export function targetRestMs(failures: number, asked: number | undefined, random: () => number): number {
  if (asked !== undefined && asked > 0) return Math.min(asked, RETRY_AFTER_MOST_MS);
  return Math.max(250, fullJitter(failures, TARGET_FIRST_MS, TARGET_MOST_MS, random));
}

/**
 * Retry-After in milliseconds: seconds, or an HTTP date (RFC 9110 section 10.2.3), which is measured against the
 * answer's own `Date` where it has one, so that a wrong clock here does not matter. Undefined when absent or unreadable.
 */
export function retryAfterMs(headers: Pick<Headers, 'get'>, now: number): number | undefined {
  const header = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(\.\d+)?$/.test(header)) return Math.ceil(Number(header) * 1000);
  // Date.parse makes a date of "-1" too; an HTTP date has a time of day.
  const date = /\d\d:\d\d/.test(header) ? Date.parse(header) : Number.NaN;
  if (Number.isNaN(date)) return undefined;
  const sent = Date.parse(headers.get('date') ?? '');
  return Math.max(0, date - (Number.isNaN(sent) ? now : sent));
}

/** @param probes that failed so far */
export function probeGapMs(probes: number): number {
  return PROBES_MS[Math.min(probes, PROBES_MS.length - 1)] ?? MINUTE_MS;
}
