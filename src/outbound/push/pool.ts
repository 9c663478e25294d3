// Carries out what is claimed, several at a time, and settles it in batches, so that neither waits for the other.
import type { SettledDelivery } from '#store/target/deliveries.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';

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

/** What is done is written after this, or as soon as it is so many: what a killed process had not written is looked at again. */
const SETTLE_WITHIN_MS = 50;
const SETTLE_MOST = 256;

/** How many are claimed at once: as many as go out while the next are claimed, and a little more. */
export interface ClaimSize {
  /** @param least whatever was seen so far */
  now(least: number): number;
  /** A claim took so long; since the one before so many were carried out, in so much time with any on their way. */
  note(seen: { readonly claimMs: number; readonly done: number; readonly busyMs: number }): void;
}

export function makeClaimSize(): ClaimSize {
  let perMs = 0;
  let claimMs = 0;
  return {
    now: (least) => Math.min(CLAIM_MOST, Math.max(1, least, Math.ceil(perMs * (CLAIM_WORTH_MS + 2 * claimMs)))),
    note(seen) {
      claimMs = (claimMs + seen.claimMs) / 2;
      if (seen.done > 0 && seen.busyMs > 0)
        perMs = perMs === 0 ? seen.done / seen.busyMs : (perMs + seen.done / seen.busyMs) / 2;
    },
  };
}

/** Works until nothing is ready, or `isOver`. Answers how many it carried out. */
export async function drain(parts: PoolParts, isOver: () => boolean): Promise<number> {
  const waiting: Claimed[] = [];
  const settled: SettledDelivery[] = [];
  let inFlight = 0;
  let claiming: Promise<void> | undefined;
  let settling: Promise<void> | undefined;
  let isDry = false;
  let failure: unknown;
  let done = 0;
  let hurry: () => void = () => undefined;
  /** Something has ended. */
  let wake: () => void = () => undefined;
  const least = (): number => parts.concurrency() * AHEAD;
  const size = (): number => parts.size.now(least());
  let doneBefore = 0;
  let busyMs = 0;
  let busySince = 0;

  const fail = (error: unknown): void => {
    failure ??= error;
  };
  const mayClaim = (): boolean =>
    claiming === undefined &&
    waiting.length < Math.max(parts.concurrency(), size() / 2) &&
    !isDry &&
    failure === undefined &&
    !parts.isStopped() &&
    !isOver();

  async function claimMore(): Promise<void> {
    const began = performance.now();
    const rows = await parts.claim(size());
    const now = performance.now();
    const sinceMs = inFlight > 0 ? now - busySince : 0;
    parts.size.note({ claimMs: now - began, done: done - doneBefore, busyMs: busyMs + sinceMs });
    [doneBefore, busyMs, busySince] = [done, 0, now];
    if (rows.length === 0) isDry = true;
    waiting.push(...rows);
  }

  async function begin(row: Claimed): Promise<void> {
    if (inFlight === 0) busySince = performance.now();
    inFlight += 1;
    await parts.carryOut(row).then((outcome) => settled.push(outcome), fail);
    inFlight -= 1;
    done += 1;
    if (inFlight === 0) busyMs += performance.now() - busySince;
    wake();
  }

  /** Some are settled together, unless nothing more comes. */
  function gather(): Promise<void> {
    if (settled.length >= SETTLE_MOST || inFlight + waiting.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SETTLE_WITHIN_MS);
      hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Begins whatever can begin now. */
  function pushOn(): void {
    if (parts.isStopped()) settled.push(...waiting.splice(0).map(parts.giveBack));
    for (const row of waiting.splice(0, Math.max(0, parts.concurrency() - inFlight))) void begin(row);
    if (mayClaim())
      claiming = claimMore()
        .catch(fail)
        .finally(() => {
          claiming = undefined;
          wake();
        });
    if (settled.length >= SETTLE_MOST || inFlight + waiting.length === 0) hurry();
    if (settled.length === 0 || settling !== undefined) return;
    settling = gather()
      .then(() => parts.settle(settled.splice(0)))
      .catch(fail)
      .finally(() => {
        settling = undefined;
        wake();
      });
  }

  for (;;) {
    pushOn();
    const isOpen = inFlight > 0 || claiming !== undefined || settling !== undefined;
    if (!isOpen && (failure !== undefined || waiting.length + settled.length === 0)) break;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  if (failure !== undefined) throw failure;
  return done;
}
