// Fills streams from the change log and sends their messages. One process works at a time; within it every stream goes its
// own pace, so that a receiver that is slow or gone delays nobody else. What was not settled when a process died is sent
// again by the next, with the same id.
import { randomUUID } from 'node:crypto';
import type { StreamHealth } from '#core/event-retry.ts';
import type { RunError } from '#core/failure.ts';
import type { Log } from '#platform/log.ts';
import type { Db } from '#store/database.ts';
import { claimDeliveries, pruneDeliveries } from '#store/event-deliveries.ts';
import {
  type DisabledReason,
  disableStream,
  listBusyStreams,
  lockStream,
  type StreamRow,
} from '#store/event-streams.ts';
import { type Leased, withLease } from '#store/leased.ts';
import { checkFence, type Lease } from '#store/leases.ts';
import type { EventViewOf } from './event-view.ts';
import { BATCH, fillStream, WINDOW } from './fill-stream.ts';
import { healthOf, type SendParts, sendRound } from './send-events.ts';

const LEASE_TTL_MS = 15_000;
/** How soon a change is noticed. */
const POLL_MS = 1_000;
/** Messages of one stream under way at once; one while its receiver fails. */
const TOGETHER = 8;
/** Between two looks at the change log. */
const ROUNDS = 25;
/** Longer than a message can take: whoever holds a claim that long is dead. */
const CLAIM_MS = 60_000;
const PRUNE_EVERY_MS = 3_600_000;
/** Settled messages kept of each stream at most. */
const KEPT_MAX = 10_000;

export interface EventWorkerParts extends SendParts {
  readonly log: Log;
  readonly viewOf: EventViewOf;
  publicUrl(): string;
  /** A stream was taken out of service; within the transaction that does it, or right after. */
  onDisabled(stream: StreamRow, reason: DisabledReason, error: RunError | null): Promise<void>;
}

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
  let prunedAt = 0;

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
    if (
      stopping.signal.aborted ||
      (await listBusyStreams(db, { now: clock.now(), window: WINDOW - BATCH })).length === 0
    )
      return;
    await withLease(db, leased, async (lease, lost) => {
      await prune();
      await workStreams(lease, AbortSignal.any([lost, stopping.signal]));
    });
  }

  /** Until nothing is to be done any more: each stream by itself, and those that become busy meanwhile as well. */
  async function workStreams(lease: Lease, signal: AbortSignal): Promise<void> {
    const running = new Map<string, Promise<void>>();
    /** Each is worked once until somebody says to look again: what comes meanwhile waits for that. */
    const worked = new Set<string>();
    for (;;) {
      const called = new Promise<void>((resolve) => {
        look = () => {
          worked.clear();
          resolve();
        };
      });
      const busy = signal.aborted ? [] : await listBusyStreams(db, { now: clock.now(), window: WINDOW - BATCH });
      for (const id of busy.filter((one) => !running.has(one) && !worked.has(one))) {
        worked.add(id);
        const working = workOne(id, lease, signal).catch((error: unknown) => {
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

  async function workOne(id: string, lease: Lease, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const filled = await fill(id, lease);
      if (filled === undefined) return;
      let health: StreamHealth | undefined = healthOf(filled.stream);
      let rounds = 0;
      for (; rounds < ROUNDS && health !== undefined && !signal.aborted; rounds += 1)
        health = await send(filled.stream, health, signal);
      if (!filled.more && rounds < ROUNDS) return;
    }
  }

  async function fill(id: string, lease: Lease): Promise<{ stream: StreamRow; more: boolean } | undefined> {
    return db.transaction(async (tx) => {
      await checkFence(tx, lease);
      const stream = await lockStream(tx, id);
      if (stream === undefined) return undefined;
      const filled = await fillStream(tx, tellingOf(stream), clock.now());
      if (filled !== 'fell-behind') return { stream, more: filled === 'more' };
      await disable(tx, stream, 'fell-behind', FELL_BEHIND);
      return undefined;
    });
  }

  function tellingOf(stream: StreamRow) {
    const issuer = parts.publicUrl();
    return { stream, view: parts.viewOf(stream.app_scope), base: `${issuer}/scim/v2`, issuer };
  }

  /** One round; answers how the stream does then, and undefined when there is nothing to send any more. */
  async function send(stream: StreamRow, health: StreamHealth, signal: AbortSignal): Promise<StreamHealth | undefined> {
    if (!stream.pushed) return undefined;
    const isFailing = health.failures > 0;
    const claim = { now: clock.now(), limit: isFailing ? 1 : TOGETHER, claimMs: CLAIM_MS, leastTriedFirst: isFailing };
    const claimed = await claimDeliveries(db, stream.id, claim);
    if (claimed.length === 0) return undefined;
    const { health: next, disabled } = await sendRound(parts, stream, { claimed, health }, signal);
    log.debug({ stream: stream.id, messages: claimed.length }, 'events sent');
    if (disabled === undefined) return next;
    log.warn({ stream: stream.id, app: stream.app_id, reason: disabled.reason }, 'a stream of events was disabled');
    await parts.onDisabled(stream, disabled.reason, disabled.error);
    return undefined;
  }

  async function disable(tx: Db, stream: StreamRow, reason: DisabledReason, error: RunError): Promise<void> {
    log.warn({ stream: stream.id, app: stream.app_id, reason }, 'a stream of events was disabled');
    if (await disableStream(tx, stream.id, { reason, error, now: clock.now() }))
      await parts.onDisabled(stream, reason, error);
  }

  async function prune(): Promise<void> {
    const now = clock.now();
    if (now.getTime() < prunedAt + PRUNE_EVERY_MS) return;
    prunedAt = now.getTime();
    await pruneDeliveries(db, now, KEPT_MAX);
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

const FELL_BEHIND: RunError = {
  failure: 'config',
  code: 'fell-behind',
  message: 'The receiver was away for longer than changes are kept.',
  remedy: 'Resume it with a snapshot, or keep changes for longer.',
};
