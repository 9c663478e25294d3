import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { isOver, type RunView, readRuns } from '#store/views/runs.ts';

/** How often watched runs are looked at. The row is the truth, whichever replica works on it. */
const WATCH_MS = 200;

/** Follows runs for any number of listeners, with one query for all of them. */
export interface RunWatcher {
  /**
   * The run at every look, a fifth of a second apart, changed or not; whoever is slow gets the newest only. Ends with
   * the run, when it is gone, when the signal fires, or when the process stops.
   * @throws {Error} what the query threw
   */
  watch(runId: string, signal: AbortSignal): AsyncGenerator<RunView>;
  /** Ends every watch; resolves when no query is under way. */
  stop(): Promise<void>;
}

interface Listener {
  readonly runId: string;
  /** Not taken yet; a newer one takes its place. */
  latest: RunView | undefined;
  end: { readonly error?: unknown } | undefined;
  wake(): void;
}

export function makeRunWatcher({ db, clock }: { db: Db; clock: Clock }): RunWatcher {
  const listeners = new Set<Listener>();
  const stopping = new AbortController();
  let polling: Promise<void> | undefined;

  async function poll(): Promise<void> {
    for (;;) {
      await clock.sleep(WATCH_MS, stopping.signal).catch(() => undefined);
      if (listeners.size === 0 || stopping.signal.aborted) break;
      await look();
    }
    for (const listener of listeners) end(listener, {});
    polling = undefined;
  }

  async function look(): Promise<void> {
    const watching = [...listeners];
    try {
      const runs = await readRuns(db, [...new Set(watching.map(({ runId }) => runId))]);
      const byId = new Map(runs.map((run) => [run.id, run]));
      for (const listener of watching) {
        listener.latest = byId.get(listener.runId);
        if (listener.latest === undefined) end(listener, {});
        else listener.wake();
      }
    } catch (error) {
      for (const listener of watching) end(listener, { error });
    }
  }

  return {
    async *watch(runId, signal) {
      const listener: Listener = { runId, latest: undefined, end: undefined, wake: () => undefined };
      const leave = (): void => end(listener, {});
      if (signal.aborted || stopping.signal.aborted) return;
      signal.addEventListener('abort', leave);
      listeners.add(listener);
      polling ??= poll();
      try {
        for (;;) {
          const run = await next(listener);
          if (run === undefined || signal.aborted) return;
          yield run;
          if (isOver(run)) return;
        }
      } finally {
        listeners.delete(listener);
        signal.removeEventListener('abort', leave);
      }
    },
    async stop() {
      stopping.abort();
      await polling;
    },
  };
}

function end(listener: Listener, how: { error?: unknown }): void {
  listener.end ??= how;
  listener.wake();
}

/** The newest look that was not taken yet; undefined at the end. */
async function next(listener: Listener): Promise<RunView | undefined> {
  while (listener.latest === undefined && listener.end === undefined)
    await new Promise<void>((resolve) => {
      listener.wake = resolve;
    });
  const run = listener.latest;
  listener.latest = undefined;
  if (run === undefined && listener.end !== undefined && 'error' in listener.end) throw listener.end.error;
  return run;
}
