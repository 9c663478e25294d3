import type { Clock } from '#platform/clock.ts';

export interface TestClock extends Clock {
  set(instant: string): void;
}

/** A clock that stands still until it is moved by hand. Sleeping on it takes no time. */
export function makeClock(instant: string): TestClock {
  let now = new Date(instant);
  return {
    now: () => now,
    elapsed: () => now.getTime(),
    async sleep(ms) {
      now = new Date(now.getTime() + ms);
    },
    set(next) {
      now = new Date(next);
    },
  };
}
