import type { Db } from './database.ts';
import { giveBackLease, type Lease, LeaseLostError, renewLease, takeLease } from './leases.ts';

export interface Leased {
  readonly name: string;
  /** The same for the whole life of a process. */
  readonly owner: string;
  /** How long a process that died keeps others waiting; the lease is renewed three times as often. */
  readonly ttlMs: number;
}

/** A lease while it is worked under. */
export interface HeldLease extends Lease {
  /**
   * The last look before something that cannot be undone and that no fence guards, such as a request to another system.
   * Costs nothing while the lease was renewed lately; a process that was paused asks the database first.
   * @throws {LeaseLostError} somebody else has it; the signal of the work has fired then
   */
  confirm(): Promise<void>;
}

/**
 * Works while this process holds the lease, renews it meanwhile, and gives it back. Answers undefined, and does
 * nothing, while another process holds it. The signal fires when the lease is lost.
 */
export async function withLease<Result>(
  db: Db,
  { name, owner, ttlMs }: Leased,
  work: (lease: HeldLease, signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  // By a clock that nobody sets, and from before the question: never later than what the database knows.
  let goodUntil = performance.now() + ttlMs;
  const lease = await takeLease(db, name, owner, ttlMs);
  if (lease === undefined) return undefined;
  const lost = new AbortController();
  let renewing: Promise<void> | undefined;

  async function renew(): Promise<void> {
    const until = performance.now() + ttlMs;
    if (await renewLease(db, lease as Lease, ttlMs)) goodUntil = until;
    else lost.abort(new LeaseLostError(name));
  }

  const heartbeat = setInterval(() => {
    // The next beat tries again; if none gets through, whoever takes over is told by the fence.
    renewing ??= renew()
      .catch(() => undefined)
      .finally(() => {
        renewing = undefined;
      });
  }, ttlMs / 3);

  async function confirm(): Promise<void> {
    lost.signal.throwIfAborted();
    if (performance.now() < goodUntil) return;
    await renew();
    lost.signal.throwIfAborted();
  }

  try {
    return await work({ ...lease, confirm }, lost.signal);
  } finally {
    clearInterval(heartbeat);
    await renewing;
    await giveBackLease(db, lease);
  }
}
