import { setImmediate as nextTurn } from 'node:timers/promises';

/** How many look-ups one statement answers: keeps it short, about 10 ms at most. */
const TOGETHER_MAX = 64;

interface Waiting<Found> {
  readonly value: string;
  resolve(found: Found | undefined): void;
  reject(error: unknown): void;
}

/** As many as make a second statement worth its cost. */
const ENOUGH = 4;
/** Statements on their way at once: while one is worked on, the answer to the other is unpacked. */
const AT_ONCE = 2;

/**
 * Gathers look-ups: those asked for while statements are on their way share the next one. At 16 connections this almost
 * doubles what one process answers; a single look-up goes out at once.
 * @param fetch answers what it found, by value
 */
export function gathered<Found>(
  fetch: (values: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
): (value: string) => Promise<Found | undefined> {
  const waiting: Waiting<Found>[] = [];
  let running = 0;

  async function run(): Promise<void> {
    running += 1;
    while (waiting.length > 0) {
      const batch = waiting.splice(0, TOGETHER_MAX);
      try {
        const found = await fetch([...new Set(batch.map(({ value }) => value))]);
        for (const { value, resolve } of batch) resolve(found.get(value));
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
      // Whatever has arrived by now is read first: it belongs to the next statement.
      if (waiting.length > 0) await nextTurn();
    }
    running -= 1;
  }

  return (value) =>
    new Promise((resolve, reject) => {
      waiting.push({ value, resolve, reject });
      if (running === 0 || (running < AT_ONCE && waiting.length >= ENOUGH)) void run();
    });
}
