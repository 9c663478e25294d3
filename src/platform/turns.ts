// Turns at something of which there is little: so many at once, of which nobody has more than a few, and a line in which
// nobody waits long.
import { RateError } from '#core/errors.ts';

export interface Turns {
  /**
   * Waits for a turn; what it resolves to ends it. Whoever has the fewest turns comes first, then whoever waited longest.
   * @throws {RateError} `too-many-reads`: too many wait already, it took too long, or who asked has gone
   */
  take(asker: Asker, waitMs: number): Promise<() => void>;
}

export interface Asker {
  /** Whose turn it is. */
  readonly reader: string;
  /** Whether nobody waits for the answer any more. */
  readonly isGone?: (() => boolean) | undefined;
}

export interface TurnLimits {
  readonly ofAll: number;
  readonly ofOne: number;
  /** How many of one may wait. */
  readonly waiting: number;
}

interface Waiter extends Asker {
  go(): void;
  refuse(): void;
}

export function makeTurns({ ofAll, ofOne, waiting: waitingMax }: TurnLimits): Turns {
  const turnsOf = new Map<string, number>();
  /** In the order in which they came. Of those who may have a turn, none is in it. */
  const waiting = new Set<Waiter>();
  let running = 0;

  const countOf = (reader: string): number => turnsOf.get(reader) ?? 0;
  const mayGo = (reader: string): boolean => running < ofAll && countOf(reader) < ofOne;

  function begin(reader: string): () => void {
    running += 1;
    turnsOf.set(reader, countOf(reader) + 1);
    return () => {
      running -= 1;
      if (countOf(reader) === 1) turnsOf.delete(reader);
      else turnsOf.set(reader, countOf(reader) - 1);
      callNext();
    };
  }

  function callNext(): void {
    dropGone();
    for (let next = first(); next !== undefined; next = first()) next.go();
  }

  function first(): Waiter | undefined {
    let found: Waiter | undefined;
    for (const waiter of waiting)
      if (mayGo(waiter.reader) && (found === undefined || countOf(waiter.reader) < countOf(found.reader)))
        found = waiter;
    return found;
  }

  function dropGone(): void {
    for (const waiter of waiting) if (waiter.isGone?.() === true) waiter.refuse();
  }

  return {
    async take(asker, waitMs) {
      const { reader } = asker;
      if (mayGo(reader)) return begin(reader);
      dropGone();
      if ([...waiting].filter((waiter) => waiter.reader === reader).length >= waitingMax) throw tooMany(waitMs);
      return new Promise((resolve, reject) => {
        const leave = (): void => {
          clearTimeout(timer);
          waiting.delete(waiter);
        };
        const waiter: Waiter = {
          ...asker,
          go() {
            leave();
            resolve(begin(reader));
          },
          refuse() {
            leave();
            reject(tooMany(waitMs));
          },
        };
        const timer = setTimeout(() => waiter.refuse(), waitMs);
        waiting.add(waiter);
      });
    },
  };
}

function tooMany(retryAfterMs: number): RateError {
  return new RateError('Too many reads that take long are waiting for their turn.', {
    reason: 'too-many-reads',
    retryAfterMs,
    remedy: 'Wait for the answer of one before you ask for the next, and ask for less.',
  });
}
