// Gives every push target a pump of its own, on one replica at a time: a slow or broken target delays no other.
import { randomUUID } from 'node:crypto';
import { sql } from '#store/database.ts';
import { withLease } from '#store/leased.ts';
import { listTargetIds } from '#store/target/targets.ts';
import { makePump, type PumpParts } from './push/pump.ts';

export interface Dispatcher {
  start(): void;
  /** Looks for targets and changes now instead of at the next poll. */
  wake(): void;
  /** Resolves when nothing is being sent any more. What is left goes on at the next start. */
  stop(): Promise<void>;
}

/** How soon a new target, or one that another replica gave up, is taken. */
const LOOK_MS = 2_000;
/** A replica that died is replaced after this long. */
const LEASE_TTL_MS = 10_000;
/** After a failure of our own. */
const STUMBLE_MS = 5_000;

export function makeDispatcher(parts: PumpParts): Dispatcher {
  const { database, clock, log } = parts;
  const owner = randomUUID();
  const stopping = new AbortController();
  const running = new Map<string, Promise<void>>();
  const sleepers = new Set<AbortController>();
  let looking: Promise<void> | undefined;

  async function pause(ms: number, lost?: AbortSignal): Promise<void> {
    const woken = new AbortController();
    sleepers.add(woken);
    const signals = [woken.signal, stopping.signal, ...(lost ? [lost] : [])];
    await clock.sleep(ms, AbortSignal.any(signals)).catch(() => undefined);
    sleepers.delete(woken);
  }

  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for (const id of await listTargetIds(database.knex)) if (!running.has(id)) run(id);
      } catch (error) {
        log.error({ err: error }, 'targets not read');
      }
      await pause(LOOK_MS);
    }
  }

  function run(appId: string): void {
    const work = withLease(database.knex, { name: `target:${appId}`, owner, ttlMs: LEASE_TTL_MS }, (lease, lost) =>
      pumpOn(appId, lease, lost),
    )
      .then(
        () => undefined,
        (error: unknown) => {
          if (!stopping.signal.aborted) log.error({ err: error, app: appId }, 'target failed');
        },
      )
      .finally(() => running.delete(appId));
    running.set(appId, work);
  }

  async function pumpOn(appId: string, lease: Parameters<typeof makePump>[2], lost: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([lost, stopping.signal]);
    const pump = makePump(parts, appId, lease, signal);
    try {
      while (!signal.aborted && (await exists(appId))) {
        const idleMs = await pump.turn().catch((error: unknown) => {
          if (!signal.aborted) log.error({ err: error, app: appId }, 'target stumbled');
          return STUMBLE_MS;
        });
        if (idleMs > 0) await pause(idleMs, lost);
      }
    } finally {
      await pump.close();
    }
  }

  async function exists(appId: string): Promise<boolean> {
    const { rows } = await sql(database.knex, `select 1 from targets where app_id = ? and state <> 'disabled'`, [
      appId,
    ]);
    return rows.length > 0;
  }

  return {
    start() {
      looking ??= look();
    },
    wake() {
      for (const sleeper of sleepers) sleeper.abort();
    },
    async stop() {
      stopping.abort(new Error('the process stops'));
      await looking;
      await Promise.all(running.values());
    },
  };
}
