// Carries out what is claimed, several at a time, and settles it in batches, so that neither waits for the other.
import type { Claimed, SettledDelivery } from '#store/deliveries.ts';

export interface PoolParts {
  /** Kept from one drain to the next. */
  readonly size: ClaimSize;
  /** How many at once; asked for before each. */
  concurrency(): number;
  /** Nothing is begun any more: what is claimed is given back. */
  isStopped(): boolean;
  claim(limit: number): Promise<readonly Claimed[]>;
  /** Never throws. */
  carryOut(row: Claimed): Promise<SettledDelivery>;
  giveBack(row: Claimed): SettledDelivery;
  settle(settled: readonly SettledDelivery[]): Promise<void>;
}

/** At least so many are claimed for each that may be on its way. */
const AHEAD = 4;
const CLAIM_MOST = 1_024;
/** As many are claimed as a target takes in about this time: few of a slow one, so that a leaver does not wait for long. */
const CLAIM_WORTH_MS = 250;

/** How many are claimed at once, by how fast the last were gone. */
export interface ClaimSize {
  /** The next claim is made now. */
  next(least: number): number;
  /** Nothing was under way for a while: the time until the next claim says nothing. */
  rested(): void;
  current(least: number): number;
}

export function makeClaimSize(): ClaimSize {
  let size = 0;
  let madeAt: number | undefined;
  const within = (wanted: number, least: number): number => Math.max(1, Math.min(CLAIM_MOST, Math.max(least, wanted)));
  return {
    next(least) {
      const now = performance.now();
      const sinceMs = madeAt === undefined ? CLAIM_WORTH_MS / 2 : now - madeAt;
      madeAt = now;
      // Twice as many when the last were gone soon, half as many when they took long.
      const wanted = sinceMs < CLAIM_WORTH_MS / 2 ? size * 2 : sinceMs > CLAIM_WORTH_MS ? Math.ceil(size / 2) : size;
      size = within(wanted, least);
      return size;
    },
    rested() {
      madeAt = undefined;
    },
    current: (least) => within(size, least),
  };
}

/** Works until nothing is ready, or `isOver`. Answers how many it carried out. */
export async function drain(parts: PoolParts, isOver: () => boolean): Promise<number> {
  const waiting: Claimed[] = [];
  const settled: SettledDelivery[] = [];
  const inFlight = new Set<Promise<void>>();
  let claiming: Promise<void> | undefined;
  let settling: Promise<void> | undefined;
  let isDry = false;
  let failure: unknown;
  let done = 0;
  const least = (): number => parts.concurrency() * AHEAD;
  parts.size.rested();

  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const mayClaim = (): boolean =>
    claiming === undefined &&
    waiting.length < Math.max(parts.concurrency(), parts.size.current(least()) / 2) &&
    !isDry &&
    failure === undefined &&
    !parts.isStopped() &&
    !isOver();

  async function claimMore(): Promise<void> {
    const rows = await parts.claim(parts.size.next(least()));
    if (rows.length === 0) isDry = true;
    waiting.push(...rows);
  }

  function begin(row: Claimed): void {
    const work = parts.carryOut(row).then((outcome) => {
      settled.push(outcome);
      inFlight.delete(work);
      done += 1;
    });
    inFlight.add(work);
  }

  /** Begins whatever can begin now. */
  function pushOn(): void {
    if (parts.isStopped()) settled.push(...waiting.splice(0).map(parts.giveBack));
    for (const row of waiting.splice(0, Math.max(0, parts.concurrency() - inFlight.size))) begin(row);
    if (mayClaim())
      claiming = claimMore()
        .catch(fail)
        .finally(() => {
          claiming = undefined;
        });
    if (settled.length === 0 || settling !== undefined) return;
    settling = parts
      .settle(settled.splice(0))
      .catch(fail)
      .finally(() => {
        settling = undefined;
      });
  }

  for (;;) {
    pushOn();
    const open = [...inFlight, claiming, settling].filter((work) => work !== undefined);
    if (open.length === 0 && (failure !== undefined || waiting.length + settled.length === 0)) break;
    await Promise.race(open);
  }
  if (failure !== undefined) throw failure;
  return done;
}
