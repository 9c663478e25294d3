/** When a source that has said that something changed is read. All in milliseconds since 1970. */
export interface Mark {
  /** The first thing that no run has seen. */
  readonly firstAt: number;
  readonly lastAt: number;
  /** When a run was last started because of it; null when none was. */
  readonly triedAt: number | null;
  /** When to look once more, after a run that saw all that was told and found nothing; null while none did. */
  readonly followAt?: number | null;
  /** How long after the last try the next is, when it came to no good end and nothing else was told. */
  readonly sweepMs: number;
}

/** Changes come in bursts, and the source itself needs a moment until its changes can be read. */
export const QUIET_MS = 15_000;
/** However long a burst lasts: an on-premises sync may export changes for many minutes. */
export const LATENCY_MAX_MS = 120_000;

/** The instant at which a run is due because of a mark. Pure. */
export function dueAt({ firstAt, lastAt, triedAt, followAt = null, sweepMs }: Mark): number {
  if (followAt !== null) return followAt;
  if (triedAt === null) return Math.min(lastAt + QUIET_MS, firstAt + LATENCY_MAX_MS);
  // Something new since the last try is a burst of its own; else the try failed, and waits for the sweep.
  const burst = lastAt > triedAt ? Math.min(lastAt + QUIET_MS, triedAt + LATENCY_MAX_MS) : Number.POSITIVE_INFINITY;
  return Math.min(burst, triedAt + sweepMs);
}
