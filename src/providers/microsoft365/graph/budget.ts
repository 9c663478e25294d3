import type { Clock } from '#platform/clock.ts';
import type { Pace } from './pace.ts';

/** Resource units of one application in one tenant are counted over this time. Source: see `makeBudget`. */
const WINDOW_MS = 10_000;
/** Four fifths of what a tenant of more than 500 users allows; smaller ones say so by the headers below. */
const UNITS_MAX = 6_400;
const UNITS_MIN = 400;
/** What a request costs that does not say it. */
const UNITS_UNSAID = 1;
/** After a 429 the budget shrinks, and grows again a little with every window that went well. */
const SHRINK = 0.7;
const GROW = 1.05;
/** Graph speaks of the limit once this share of it is used. */
const SPEAKS_FROM = 0.8;
const SLOW_FIRST_MS = 500;
/** For each tenth of the limit above that. */
const SLOW_MORE_MS = 1_000;
const SLOW_MAX_MS = 5_000;

export interface Budget {
  /** Takes account of one answer; all requests wait where it would be too much to go on. */
  spend(status: number, headers: Pick<Headers, 'get'>): void;
}

/**
 * Keeps what requests cost below what Graph allows: a budget of resource units for each ten seconds, smaller after a 429,
 * and a slower pace as soon as `x-ms-throttle-limit-percentage` says that the limit is near.
 * Source: learn.microsoft.com/graph/throttling-limits, "Identity and access", checked 2026-11.
 */
export function makeBudget(clock: Clock, pace: Pick<Pace, 'pause'>): Budget {
  let limit = UNITS_MAX;
  let windowStart = Number.NEGATIVE_INFINITY;
  let used = 0;
  let refused = false;

  function turnWindow(now: number): void {
    if (now - windowStart < WINDOW_MS) return;
    if (used > 0 && !refused) limit = Math.min(UNITS_MAX, limit * GROW);
    windowStart = now;
    used = 0;
    refused = false;
  }

  return {
    spend(status, headers) {
      const now = clock.elapsed();
      turnWindow(now);
      used += Number(headers.get('x-ms-resource-unit')) || UNITS_UNSAID;
      if (status === 429 && !refused) {
        refused = true;
        limit = Math.max(UNITS_MIN, limit * SHRINK);
      }
      if (used >= limit) pace.pause(windowStart + WINDOW_MS - now);
      const slower = slowdownMs(headers);
      if (slower > 0) pace.pause(slower);
    },
  };
}

/** How long to wait because of how near the limit is: 0.8 to 1.8, where 1 is the limit itself. */
export function slowdownMs(headers: Pick<Headers, 'get'>): number {
  const share = Number(headers.get('x-ms-throttle-limit-percentage'));
  if (!(share >= SPEAKS_FROM)) return 0;
  return Math.round(Math.min(SLOW_MAX_MS, SLOW_FIRST_MS + (share - SPEAKS_FROM) * 10 * SLOW_MORE_MS));
}
