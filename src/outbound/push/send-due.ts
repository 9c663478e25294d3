// What is due of one target is claimed and sent until a turn is over, and what came meanwhile is looked for in between.
import type { Exchange } from '#core/target.ts';
import type { Log } from '#platform/log.ts';
import type { ScopeOf, SettledDelivery } from '#store/target/deliveries.ts';
import { type Claimed, claimDeliveries } from '#store/target/delivery-claims.ts';
import { readTarget, type TargetRow } from '#store/target/targets.ts';
import { carryOut, claimMs, giveBack } from './carry-out.ts';
import { makeDeadlines } from './deadlines.ts';
import { guardDepartures } from './departures.ts';
import { type Following, followJournal, lookThrough } from './follow.ts';
import { watchForHalt } from './halt.ts';
import type { Health } from './health.ts';
import type { OpenedTarget } from './open-target.ts';
import { drain, makeClaimSize } from './pool.ts';
import type { makeWorld } from './world.ts';
import { writeSettled } from './write-settled.ts';

export interface Ready extends OpenedTarget {
  readonly world: ReturnType<typeof makeWorld>;
}

export interface SendParts {
  readonly following: Following;
  readonly log: Log;
  readonly health: Health;
  /** Told of what becomes of deliveries, for whoever counts them. */
  readonly metrics?: {
    delivery(app: string, outcome: string): void;
    deprovisioned(app: string, seconds: number): void;
  };
  /** The exchanges that belong to a signal are written into the list. */
  listen(signal: AbortSignal, to: Exchange[]): void;
}

/** Answers how many deliveries came to an end. */
export type SendDue = (row: TargetRow, ready: Ready, scope: ScopeOf, signal: AbortSignal) => Promise<number>;

/** The journal, and the next stretch of the directory, are read as often while there is work, so that leavers who came meanwhile overtake. */
const LOOK_MS = 500;
/** A turn ends after this, for what else there is to do: reconciling, what was learned. */
const TURN_MS = 10_000;

export function makeSendDue({ following, log, health, metrics, listen }: SendParts): SendDue {
  const { db, clock, appId, write } = following;
  const claimSize = makeClaimSize();

  async function settle({ world, policy }: Ready, settled: readonly SettledDelivery[]): Promise<void> {
    const now = clock.now();
    await writeSettled(write, { appId, guard: policy.guard }, settled, now);
    for (const one of settled) count(one, now);
    for (const { resource_id } of settled) world.forgetClaims(resource_id);
  }

  function count({ resource_type: type, action, error, done, departed_at }: SettledDelivery, now: Date): void {
    if (done || error !== null) metrics?.delivery(appId, error === null ? action : 'failed');
    if (departed_at !== null && type === 'User')
      metrics?.deprovisioned(appId, (now.getTime() - departed_at.getTime()) / 1000);
  }

  return async (row, ready, scope, signal) => {
    const started = clock.elapsed();
    const isOver = (): boolean => signal.aborted || clock.elapsed() >= started + TURN_MS;
    const claimedAt = new Map<string, Date>();
    let lookedAt = started;
    const halt = watchForHalt(db, row);
    /** The last look found something. */
    let hasMore = row.backfill !== null || row.scope_moved;
    let looking: Promise<void> | undefined;
    const world = { ...ready.world, mayGoOn: () => !halt.isHalted() };
    const carrying = { clock, log, health, world, deadlines: makeDeadlines(signal), listen };

    /** What came meanwhile is asked for while what is claimed goes on. */
    async function look(): Promise<void> {
      lookedAt = clock.elapsed();
      const now = await readTarget(db, appId);
      // With other settings this ends, and whoever comes next has their scope.
      if (now?.config_version !== row.config_version) return;
      const hasNews = await followJournal(following, now, scope, signal);
      // Following may have begun to look through the directory anew.
      const followed = hasNews ? await readTarget(db, appId) : now;
      if (followed?.config_version !== row.config_version) return;
      const hasLooked = await lookThrough(following, followed, scope);
      hasMore = hasNews || hasLooked;
      if (hasNews || hasLooked) await write((tx) => guardDepartures(tx, appId, ready.policy.guard, clock.now()));
    }

    /** One at a time, beside what goes out. Whoever claims next is told of its failure. */
    function lookBeside(): Promise<void> {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      looking.catch(() => undefined);
      return looking;
    }

    /** Never while somebody looks: the guard comes between what is asked for and what is claimed. */
    async function claim(limit: number): Promise<readonly Claimed[]> {
      if (looking !== undefined || clock.elapsed() - lookedAt >= LOOK_MS) await lookBeside();
      for (;;) {
        const claimed = await take(limit);
        // The next stretch is looked through before this is sent, so that what goes out does not run dry.
        if (hasMore && claimed.length < limit && !halt.isHalted() && !isOver()) void lookBeside();
        if (claimed.length > 0 || looking === undefined) return claimed;
        await looking;
      }
    }

    async function take(limit: number): Promise<readonly Claimed[]> {
      const now = clock.now();
      const claimed = await write(async (tx) => {
        const wanted = { limit, now, until: new Date(now.getTime() + claimMs(ready.policy.timeoutMs)) };
        return claimDeliveries(tx, appId, { ...wanted, configVersion: row.config_version }, scope);
      }, 'soon');
      // Paused, or with other settings.
      if (claimed.length === 0) await halt.look();
      for (const { resource_id } of claimed) claimedAt.set(resource_id, now);
      return claimed;
    }

    const pool = {
      size: claimSize,
      concurrency: health.width,
      isStopped: () => halt.isHalted() || signal.aborted || health.isResting(),
      claim,
      carryOut: (claimed: Claimed) => carryOut(carrying, claimed, claimedAt.get(claimed.resource_id) ?? clock.now()),
      giveBack: (claimed: Claimed) => giveBack(claimed, clock),
      settle: (settled: readonly SettledDelivery[]) => settle(ready, settled),
    };
    try {
      return await drain(pool, isOver);
    } finally {
      await looking?.catch(() => undefined);
      await halt.close();
      carrying.deadlines.close();
    }
  };
}
