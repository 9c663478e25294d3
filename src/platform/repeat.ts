import type { Clock } from './clock.ts';

export interface Repeated {
  /** Does nothing when it was started before. */
  start(): void;
  /** Does it now instead of when its time comes; asked for while it is being done, it is done once more. */
  wake(): void;
  /** Fires when it is stopped: for work that waits. */
  readonly stopping: AbortSignal;
  /** Resolves when the work that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does something over and over, `everyMs` after it was done.
 * @param work must not throw
 * @param atOnce whether the first time is at the start, and not `everyMs` after it
 */
export function repeat(clock: Clock, everyMs: number, work: () => Promise<unknown>, atOnce = false): Repeated {
  const stopping = new AbortController();
  let woken = new AbortController();
  let running: Promise<void> | undefined;

  async function loop(): Promise<void> {
    for (let waits = !atOnce; ; waits = true) {
      const either = AbortSignal.any([woken.signal, stopping.signal]);
      if (waits) await clock.sleep(everyMs, either).catch(() => undefined);
      if (stopping.signal.aborted) return;
      woken = new AbortController();
      await work();
    }
  }

  return {
    start() {
      running ??= loop();
    },
    wake: () => woken.abort(),
    stopping: stopping.signal,
    async stop() {
      stopping.abort(new Error('the process stops'));
      await running;
    },
  };
}
