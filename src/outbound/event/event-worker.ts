// Fills streams from the change log and sends their messages. One process works at a time; within it every stream goes its
// own pace, so that a receiver that is slow or gone delays nobody else. What was not settled when a process died is sent
// again by the next, with the same id.
import { randomUUID } from 'node:crypto';
import { freeClaims, pruneDeliveries } from '#store/event/event-deliveries.ts';
import { listBusyStreams } from '#store/event/event-streams.ts';
import { type HeldLease, type Leased, withLease } from '#store/leased.ts';
import { checkFence } from '#store/leases.ts';
import { BATCH, WINDOW } from './fill-stream.ts';
import { type EventWorkerParts, workStream } from './work-stream.ts';

const LEASE_TTL_MS = 15_000;
/** How soon a change is noticed. */
const POLL_MS = 1_000;
const PRUNE_EVERY_MS = 3_600_000;
/** Settled messages kept of each stream at most. */
const KEPT_MAX = 10_000;

export interface EventWorker {
  start(): void;
  /** Looks now instead of at the next poll. */
  wake(): void;
  /** Does what there is to do, unless another process does. Never throws. */
  tick(): Promise<void>;
  /** Resolves when nothing is being sent any more. */
  stop(): Promise<void>;
}

export function makeEventWorker(parts: EventWorkerParts): EventWorker {
  const { database, clock, log } = parts;
  const db = database.knex;
  const leased: Leased = { name: 'events', owner: randomUUID(), ttlMs: LEASE_TTL_MS };
  const stopping = new AbortController();
  let looping: Promise<void> | undefined;
  let ticking: Promise<void> | undefined;
  let wakeUp: () => void = () => undefined;
  let look: () => void = () => undefined;
  let prunedAt = Number.NEGATIVE_INFINITY;

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const woken = new AbortController();
      wakeUp = () => woken.abort();
      if (ticking === undefined) void tick();
      else look();
      await clock.sleep(POLL_MS, AbortSignal.any([woken.signal, stopping.signal])).catch(() => undefined);
    }
  }

  function tick(): Promise<void> {
    ticking ??= work()
      .catch((error: unknown) => log.error({ err: error }, 'events failed'))
      .finally(() => {
        ticking = undefined;
      });
    return ticking;
  }

  async function work(): Promise<void> {
    if (stopping.signal.aborted) return;
    const busy = await listBusyStreams(db, { now: clock.now(), window: WINDOW - BATCH });
    if (busy.length === 0 && !isPruneDue()) return;
    await withLease(db, leased, async (lease, lost) => {
      await db.transaction(async (tx) => {
        await checkFence(tx, lease);
        await freeClaims(tx);
      });
      await workStreams(lease, AbortSignal.any([lost, stopping.signal]));
    });
  }

  /** Until nothing is to be done any more: each stream by itself, and those that become busy meanwhile as well. */
  async function workStreams(lease: HeldLease, signal: AbortSignal): Promise<void> {
    const running = new Map<string, Promise<void>>();
    /** Each is worked once until somebody says to look again: what comes meanwhile waits for that. */
    const worked = new Set<string>();
    for (;;) {
      await prune();
      const called = new Promise<void>((resolve) => {
        look = () => {
          worked.clear();
          resolve();
        };
      });
      const busy = signal.aborted ? [] : await listBusyStreams(db, { now: clock.now(), window: WINDOW - BATCH });
      for (const id of busy.filter((one) => !running.has(one) && !worked.has(one))) {
        worked.add(id);
        const working = workStream(parts, id, lease, signal).catch((error: unknown) => {
          if (!signal.aborted) log.error({ err: error, stream: id }, 'a stream of events failed');
        });
        running.set(
          id,
          working.finally(() => running.delete(id)),
        );
      }
      if (running.size === 0) return;
      await Promise.race([called, ...running.values()]);
    }
  }

  function isPruneDue(): boolean {
    return clock.elapsed() >= prunedAt + PRUNE_EVERY_MS;
  }

  async function prune(): Promise<void> {
    if (!isPruneDue()) return;
    prunedAt = clock.elapsed();
    await pruneDeliveries(db, clock.now(), KEPT_MAX);
  }

  return {
    start() {
      looping ??= loop();
    },
    wake: () => wakeUp(),
    tick,
    async stop() {
      stopping.abort();
      await looping;
      await ticking;
    },
  };
}
