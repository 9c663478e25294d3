import type { Clock } from './clock.ts';

export interface Repeated {
  /** Does nothing when it was started before. */
  start(): void;
  /** Fires when it is stopped: for work that waits. */
  readonly stopping: AbortSignal;
  /** Resolves when the work that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does something over and over, `everyMs` after it was done, the first time `everyMs` after the start.
 * @param work must not throw
 */
export function repeat(clock: Clock, everyMs: number, work: () => Promise<unknown>): Repeated {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;

  async function loop(): Promise<void> {
    for (;;) {
      await clock.sleep(everyMs, stopping.signal).catch(() => undefined);
      if (stopping.signal.aborted) return;
      await work();
    }
  }

  return {
    start() {
      running ??= loop();
    },
    stopping: stopping.signal,
    async stop() {
      stopping.abort(new Error('the process stops'));
      await running;
    },
  };
}
