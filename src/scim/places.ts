import { digestOf } from '#core/digest.ts';
import type { Place } from '#store/directory/resource-pages.ts';

/** Where the page before ended, for a reader who pages by index. */
export interface Reached {
  readonly place: Place;
  /** Of the count at that time: the same means that nothing was written since. */
  readonly epoch: number;
  /** How many more this reader has counted so far than there are now; negative when fewer. */
  readonly shift: number;
}

/**
 * Remembers where pages ended. The next page goes on from there instead of passing over as many as the index says: so
 * a deep page costs what the first one costs, and a reader who pages while others write misses nobody who stays. In
 * memory only: on another replica, after a while, or behind a resource whose sort key is very long, the index alone counts.
 */
export interface Places {
  find(list: string, startIndex: number): Reached | undefined;
  note(list: string, startIndex: number, reached: Reached): void;
  /** How many there are, as the reader was told last: behind them there is nowhere to go on, though there was once. */
  tell(list: string, total: number): void;
}

/** Some megabytes, whatever the filters: of a list its digest is kept, and no place at a longer text. */
const PLACES_MAX = 5_000;
const KEY_MAX = 1_000;
const PLACE_MS = 600_000;

/** @param now in milliseconds that never go back */
export function makePlaces(now: () => number): Places {
  const places = new Map<string, Reached & { readonly until: number }>();
  /** Of lists that places were noted of, and of no others. */
  const totals = new Map<string, number>();
  return {
    find(list, startIndex) {
      const found = places.get(keyOf(list, startIndex));
      if (found === undefined || found.until <= now()) return undefined;
      return startIndex > (totals.get(keyOf(list)) ?? startIndex) ? undefined : found;
    },
    note(list, startIndex, reached) {
      if ((reached.place.key?.length ?? 0) > KEY_MAX) return;
      putLast(places, keyOf(list, startIndex), { ...reached, until: now() + PLACE_MS });
      putLast(totals, keyOf(list), startIndex);
    },
    tell(list, total) {
      if (totals.size === 0) return;
      const key = keyOf(list);
      if (totals.has(key)) putLast(totals, key, total);
    },
  };
}

/** The oldest goes when there are too many. */
function putLast<Value>(into: Map<string, Value>, key: string, value: Value): void {
  into.delete(key);
  into.set(key, value);
  if (into.size <= PLACES_MAX) return;
  const [oldest] = into.keys();
  if (oldest !== undefined) into.delete(oldest);
}

function keyOf(list: string, startIndex = 0): string {
  return digestOf(`${startIndex} ${list}`).toString('base64');
}
