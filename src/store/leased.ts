import type { Db } from './database.ts';
import { giveBackLease, type Lease, LeaseLostError, takeLease } from './leases.ts';

export interface Leased {
  readonly name: string;
  /** The same for the whole life of a process. */
  readonly owner: string;
  /** How long a process that died keeps others waiting; the lease is renewed three times as often. */
  readonly ttlMs: number;
}

/**
 * Works while this process holds the lease, renews it meanwhile, and gives it back. Answers undefined, and does
 * nothing, while another process holds it. The signal fires when the lease is lost.
 */
export async function withLease<Result>(
  db: Db,
  { name, owner, ttlMs }: Leased,
  work: (lease: Lease, signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const lease = await takeLease(db, name, owner, ttlMs);
  if (lease === undefined) return undefined;
  const lost = new AbortController();
  let renewing: Promise<void> = Promise.resolve();
  const heartbeat = setInterval(() => {
    renewing = takeLease(db, name, owner, ttlMs).then(
      (kept) => {
        if (kept?.fence !== lease.fence) lost.abort(new LeaseLostError(name));
      },
      // The next beat tries again; if none gets through, whoever takes over is told by the fence.
      () => undefined,
    );
  }, ttlMs / 3);
  try {
    return await work(lease, lost.signal);
  } finally {
    clearInterval(heartbeat);
    await renewing;
    await giveBackLease(db, lease);
  }
}
