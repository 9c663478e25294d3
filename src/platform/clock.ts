import { setTimeout as wait } from 'node:timers/promises';

/** The only place that reads the time, so that a test can move it by hand. */
export interface Clock {
  now(): Date;
  /** Milliseconds since some instant, which never go back: for whatever is waited for or kept for a while. */
  elapsed(): number;
  /** @throws {Error} `AbortError` when the signal fires first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  elapsed: () => performance.now(),
  async sleep(ms, signal) {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  },
};
