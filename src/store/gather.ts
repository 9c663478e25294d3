/** How many look-ups one statement answers: keeps it short, about 10 ms at most. */
const TOGETHER_MAX = 64;

interface Waiting<Found> {
  readonly value: string;
  resolve(found: Found): void;
  reject(error: unknown): void;
}

/**
 * Gathers look-ups: those asked for in one turn of the event loop, and while a statement is on its way, share the next
 * one. A good part of what a statement costs, here and in the database, is the same for one value and for ten. Two on
 * their way at once were tried: each then answered five of 16 and not eight.
 * @param fetch answers what it found, by value
 * @param none the answer where it found nothing
 */
export function gathered<Found>(
  fetch: (values: readonly string[]) => Promise<ReadonlyMap<string, Found>>,
  none: Found,
): (value: string) => Promise<Found> {
  const waiting: Waiting<Found>[] = [];
  let running = false;

  async function run(): Promise<void> {
    const batch = waiting.splice(0, TOGETHER_MAX);
    try {
      const found = await fetch([...new Set(batch.map(({ value }) => value))]);
      for (const { value, resolve } of batch) resolve(found.get(value) ?? none);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    goOn();
  }

  /** Whatever has arrived by the end of this turn is read first: it belongs to the next statement. */
  function goOn(): void {
    running = waiting.length > 0;
    if (running) setImmediate(run);
  }

  return (value) =>
    new Promise((resolve, reject) => {
      waiting.push({ value, resolve, reject });
      if (!running) goOn();
    });
}
