import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { type Marks, readHappenings } from '#store/views/happenings.ts';
import type { RunView } from '#store/views/runs.ts';

/** How often is looked while anybody watches: four events a second at most. */
const WATCH_MS = 250;

export interface News {
  readonly runs: readonly RunView[];
  readonly topics: readonly string[];
}

/** Follows everything a console shows, with one query for all who watch. */
export interface HappeningsWatcher {
  /** News at every look, be there any or not; topics add up for whoever is slow. Ends with the signal or the process. */
  watch(signal: AbortSignal): AsyncGenerator<News>;
  /** Ends every watch; resolves when no query is under way. */
  stop(): Promise<void>;
}

interface Listener {
  runs: readonly RunView[] | undefined;
  readonly topics: Set<string>;
  wake(): void;
}

export function makeHappeningsWatcher({ db, clock }: { db: Db; clock: Clock }): HappeningsWatcher {
  const listeners = new Set<Listener>();
  const stopping = new AbortController();
  let polling: Promise<void> | undefined;

  async function poll(): Promise<void> {
    let marks: Marks | undefined;
    while (listeners.size > 0 && !stopping.signal.aborted) {
      // A database that is away for a moment is asked again: the listeners hear nothing until it is back.
      const found = await readHappenings(db, marks).catch(() => undefined);
      if (found !== undefined) {
        marks = found.marks;
        for (const listener of listeners) tell(listener, found);
      }
      await clock.sleep(WATCH_MS, stopping.signal).catch(() => undefined);
    }
    polling = undefined;
    for (const listener of listeners) listener.wake();
  }

  return {
    async *watch(signal) {
      const listener: Listener = { runs: undefined, topics: new Set(), wake: () => undefined };
      const leave = (): void => listener.wake();
      signal.addEventListener('abort', leave);
      listeners.add(listener);
      polling ??= poll();
      try {
        while (!signal.aborted && !stopping.signal.aborted) {
          if (listener.runs === undefined)
            await new Promise<void>((resolve) => {
              listener.wake = resolve;
            });
          if (listener.runs === undefined) continue;
          const news = { runs: listener.runs, topics: [...listener.topics] };
          listener.runs = undefined;
          listener.topics.clear();
          yield news;
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

function tell(listener: Listener, { runs, topics }: News): void {
  listener.runs = runs;
  for (const topic of topics) listener.topics.add(topic);
  listener.wake();
}
