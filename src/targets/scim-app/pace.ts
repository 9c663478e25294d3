// How fast a target is talked to. A bucket for reads and one for writes, and one gate for both: while the target rests,
// nothing goes out, not even the next step of what is on its way.
import { RETRY_AFTER_MOST_MS, retryAfterMs } from '#core/backoff.ts';
import { TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';

export interface Pace {
  /**
   * Waits for its turn.
   * @throws {TargetError} `throttled`: the target rests
   */
  turn(kind: 'read' | 'write', signal: AbortSignal): Promise<void>;
  /** After a turn that was not used at once. @throws {TargetError} `throttled`: the target rests since */
  checkRest(): void;
  /** The target asked to be left alone. */
  rest(ms: number): void;
  /** It is talked to again, whatever it asked for. */
  endRest(): void;
}

/** A token costs this much time, and up to a second of them is kept. */
interface Bucket {
  readonly gapMs: number;
  nextAt: number;
}

export function makePace(
  {
    readsPerSecond,
    writesPerSecond,
  }: { readonly readsPerSecond: number | null; readonly writesPerSecond: number | null },
  clock: Clock,
  askedToRest?: (ms: number) => void,
): Pace {
  const bucket = (perSecond: number | null): Bucket | undefined =>
    perSecond === null ? undefined : { gapMs: 1_000 / perSecond, nextAt: 0 };
  const buckets = { read: bucket(readsPerSecond), write: bucket(writesPerSecond) };
  let restUntil = 0;

  function checkRest(): void {
    const left = restUntil - clock.elapsed();
    if (left > 0) throw resting(left);
  }

  return {
    async turn(kind, signal) {
      checkRest();
      const mine = buckets[kind];
      if (mine === undefined) return;
      const now = clock.elapsed();
      const at = Math.max(now, mine.nextAt);
      mine.nextAt = at + mine.gapMs;
      if (at <= now) return;
      await clock.sleep(at - now, signal);
      checkRest();
    },
    checkRest,
    rest(ms) {
      restUntil = Math.max(restUntil, clock.elapsed() + ms);
      if (ms > 0) askedToRest?.(ms);
    },
    endRest() {
      restUntil = 0;
    },
  };
}

/** Nothing is asked before that is over. */
export function resting(retryAfterMs: number): TargetError {
  return new TargetError('The target asked to be left alone for a while.', {
    kind: 'throttled',
    reason: 'target-resting',
    retryAfterMs,
  });
}

/**
 * What a Retry-After says, or `x-ratelimit-reset`, however it is spelled, beside no remaining requests. Never more than a day: whoever says more is asked again after that.
 */
export function waitAsked(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const asked = saidToWait(headers, now);
  return asked === undefined ? undefined : Math.min(asked, RETRY_AFTER_MOST_MS);
}

const SPELLINGS = ['x-ratelimit-', 'x-rate-limit-', 'ratelimit-'] as const;

function saidToWait(headers: Readonly<Record<string, string>>, now: Date): number | undefined {
  const wait = retryAfterMs({ get: (name) => headers[name] ?? null }, now.getTime());
  if (wait !== undefined) return wait;
  const spelling = SPELLINGS.find((name) => headers[`${name}remaining`] === '0');
  const reset = headers[`${spelling}reset`];
  if (spelling === undefined || reset === undefined || !/^\d{1,12}$/.test(reset)) return undefined;
  // Some say the second of the clock, others how many seconds from now.
  const seconds = Number(reset);
  return seconds > 1_000_000_000 ? Math.max(0, seconds * 1_000 - now.getTime()) : seconds * 1_000;
}
