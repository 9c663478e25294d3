import { setTimeout as wait } from 'node:timers/promises';

/** The only place that reads the time, so that a test can move it by hand. */
export interface Clock {
  now(): Date;
  /** @throws {Error} `AbortError` when the signal fires first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => new Date(),
  async sleep(ms, signal) {
    await wait(ms, undefined, signal === undefined ? {} : { signal });
  },
};
