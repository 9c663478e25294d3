import { randomUUID } from 'node:crypto';
import type { ProviderKind } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { withLease } from '#store/leased.ts';
import { checkFence, type Lease } from '#store/leases.ts';
import { listUnasked } from '#store/source/connections.ts';
import { readProvider } from '#store/source/settings.ts';
import { type LookOptions, lookAtSource } from '../provider/connect.ts';

const LEASE = 'connections';
const LEASE_TTL_MS = 15_000;
/** How soon changed settings are looked at. */
const LOOK_EVERY_MS = 60_000;
/** How old an answer of a source may be. */
const ASK_EVERY_MS = 6 * 60 * 60_000;

export interface ConnectionWatchParts {
  readonly database: Database;
  readonly kinds: ReadonlyMap<ProviderKindName, ProviderKind>;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
}

export interface ConnectionWatch {
  start(): void;
  /** Asks the sources that are due, unless another process does. Never throws. */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** Asks each source a few times a day, and after a change of its settings, what it says of itself and of the credential. */
export function makeConnectionWatch(parts: ConnectionWatchParts): ConnectionWatch {
  const { database, kinds, clock, log } = parts;
  const db = database.knex;
  const owner = randomUUID();

  async function tick(): Promise<void> {
    try {
      const due = await listUnasked(db, new Date(clock.now().getTime() - ASK_EVERY_MS));
      const asked = due.filter((name) => kinds.get(name)?.connect !== undefined);
      if (asked.length === 0) return;
      await withLease(db, { name: LEASE, owner, ttlMs: LEASE_TTL_MS }, async (lease, lost) => {
        for (const name of asked) await look(name, lease, AbortSignal.any([lost, repeated.stopping]));
      });
    } catch (error) {
      if (!repeated.stopping.aborted) log.error({ err: error }, 'connections not looked at');
    }
  }

  async function look(name: ProviderKindName, lease: Lease, signal: AbortSignal): Promise<void> {
    const kind = kinds.get(name);
    const row = await readProvider(db, name);
    if (kind === undefined || row === undefined) return;
    // A process that was paused may have an answer of long ago, and another process a newer one.
    const write: LookOptions['write'] = (work) =>
      db.transaction(async (tx) => {
        await checkFence(tx, lease);
        return work(tx);
      });
    const problem = await lookAtSource(parts, kind, row, { signal, write });
    if (problem !== undefined)
      log.warn({ provider: name, code: problem.code, reason: problem.reason }, 'source not reached');
  }

  const repeated = repeat(clock, LOOK_EVERY_MS, tick);
  return { start: repeated.start, tick, stop: repeated.stop };
}
