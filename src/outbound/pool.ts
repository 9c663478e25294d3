// Carries out what is claimed, several at a time, and settles it in batches, so that neither waits for the other.
import type { Claimed, SettledDelivery } from '#store/deliveries.ts';

export interface PoolParts {
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

/** At first so many are claimed for each that may be on its way. */
const AHEAD = 4;
const CLAIM_MOST = 256;
/** As many are claimed as a target takes in about this time: few of a slow one, so that a leaver does not wait for long. */
const CLAIM_WORTH_MS = 200;

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
  let limit = parts.concurrency() * AHEAD;
  let claimedAt = performance.now();

  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const mayClaim = (): boolean =>
    claiming === undefined &&
    waiting.length < Math.max(parts.concurrency(), limit / 2) &&
    !isDry &&
    failure === undefined &&
    !parts.isStopped() &&
    !isOver();

  async function claimMore(): Promise<void> {
    const now = performance.now();
    limit = nextLimit(limit, now - claimedAt, parts.concurrency() * AHEAD);
    claimedAt = now;
    const rows = await parts.claim(limit);
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

/** Twice as many when the last were gone soon, half as many when they took long. */
function nextLimit(limit: number, sinceMs: number, least: number): number {
  const next = sinceMs < CLAIM_WORTH_MS / 2 ? limit * 2 : sinceMs > CLAIM_WORTH_MS ? Math.ceil(limit / 2) : limit;
  return Math.max(1, Math.min(CLAIM_MOST, Math.max(least, next)));
}
