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
  /** To be told of every page: what was noted and is not so any more, by what it says, is no place to go on from. */
  tell(list: string, page: Told): void;
}

/** What a page says of where is what. */
export interface Told {
  readonly startIndex: number;
  readonly size: number;
  readonly total: number;
  /** As of a place: nothing was written since the places of the same. */
  readonly epoch: number;
}

interface Reading {
  /** As the reader was told last: behind them there is nowhere to go on, though there was once. */
  total: number;
  readonly at: Map<number, Reached & { readonly until: number }>;
}

/** Some megabytes, whatever the filters: of a list its digest is kept, and no place at a longer text. */
const PLACES_MAX = 5_000;
const KEY_MAX = 1_000;
const PLACE_MS = 600_000;

/** @param now in milliseconds that never go back */
export function makePlaces(now: () => number): Places {
  const readings = new Map<string, Reading>();
  let count = 0;
  return {
    find(list, startIndex) {
      const reading = readings.get(keyOf(list));
      const found = reading?.at.get(startIndex);
      if (reading === undefined || found === undefined || found.until <= now()) return undefined;
      return startIndex > reading.total ? undefined : found;
    },
    note(list, startIndex, reached) {
      if ((reached.place.key?.length ?? 0) > KEY_MAX) return;
      const key = keyOf(list);
      const reading = readings.get(key) ?? { total: startIndex, at: new Map() };
      readings.delete(key);
      readings.set(key, reading);
      if (!reading.at.delete(startIndex)) count += 1;
      reading.at.set(startIndex, { ...reached, until: now() + PLACE_MS });
      if (count <= PLACES_MAX) return;
      dropOldest(readings);
      count -= 1;
    },
    tell(list, { startIndex, size, total, epoch }) {
      const key = readings.size === 0 ? '' : keyOf(list);
      const reading = readings.get(key);
      if (reading === undefined) return;
      reading.total = total;
      for (let inside = startIndex + 1; inside < startIndex + size; inside += 1) {
        const place = reading.at.get(inside);
        if (place === undefined || place.epoch === epoch) continue;
        reading.at.delete(inside);
        count -= 1;
      }
      if (reading.at.size === 0) readings.delete(key);
    },
  };
}

function dropOldest(readings: Map<string, Reading>): void {
  const [oldest] = readings;
  if (oldest === undefined) return;
  const [key, { at }] = oldest;
  const [first] = at.keys();
  if (first !== undefined) at.delete(first);
  if (at.size === 0) readings.delete(key);
}

function keyOf(list: string): string {
  return digestOf(list).toString('base64');
}
