// One target: follows the journal, looks through the directory when asked, and brings the target up to date. Runs on one
// replica at a time, under the lease of the target; no other target waits for it.

import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import { type Exchange, TargetError } from '#core/target.ts';
import type { Fields } from '#core/target-mapping.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database, Db } from '#store/database.ts';
import { askForReferences, LOG_KEPT, type ScopeOf, type SettledDelivery, settleDeliveries } from '#store/deliveries.ts';
import { type Claimed, claimDeliveries, type Due, freeExpiredClaims, nextDue } from '#store/delivery-claims.ts';
import type { HeldLease } from '#store/leased.ts';
import { checkFence } from '#store/leases.ts';
import { changeTarget, readTarget, type TargetRow } from '#store/targets.ts';
import { carryOut, claimMs, giveBack } from './carry-out.ts';
import { makeDeadlines } from './deadlines.ts';
import { guardDepartures } from './departures.ts';
import { followJournal, lookThrough } from './follow.ts';
import { makeHealth } from './health.ts';
import { type OpenedTarget, openTarget, type TargetKinds } from './open-target.ts';
import { drain, makeClaimSize } from './pool.ts';
import { reconcile } from './reconcile.ts';
import { makeWorld } from './world.ts';

export interface PumpParts {
  readonly database: Database;
  readonly kinds: TargetKinds;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  /** Which resources an app's scope lets through. */
  scopeOf(scope: AppScope | null): ScopeOf;
  /** What it leaves of a resource. */
  cutOf(scope: AppScope | null): Cut;
  random?(): number;
  /** Told of what becomes of deliveries, for whoever counts them. */
  readonly metrics?: {
    delivery(app: string, outcome: string): void;
    deprovisioned(app: string, seconds: number): void;
  };
}

export interface Pump {
  /** Does what there is to do, for about a second. Answers how long nothing will be. */
  turn(): Promise<number>;
  close(): Promise<void>;
}

/** How soon a change is seen. */
const POLL_MS = 500;
/** The journal, and the next stretch of the directory, are read as often while there is work, so that leavers who came meanwhile overtake. */
const LOOK_MS = 500;
/** A turn ends after this, for what else there is to do: reconciling, what was learned. */
const TURN_MS = 10_000;
const DISCOVER_EVERY_MS = 24 * 3_600_000;

/** A resource as an app may see it. */
export type Cut = (type: ResourceType, document: Fields) => Fields;

interface Ready extends OpenedTarget {
  readonly version: string;
  readonly world: ReturnType<typeof makeWorld>;
}

export function makePump(parts: PumpParts, appId: string, lease: HeldLease, signal: AbortSignal): Pump {
  const { database, clock, kinds, seal } = parts;
  const db = database.knex;
  const log = parts.log.child({ app: appId });
  /** Of each delivery that is on its way, by its signal. */
  const exchanges = new WeakMap<AbortSignal, Exchange[]>();
  let opened: Ready | undefined;
  const claimSize = makeClaimSize();

  const write = <T>(work: (tx: Db) => Promise<T>, durability: 'durable' | 'soon' = 'durable'): Promise<T> =>
    db.transaction(async (tx) => {
      await checkFence(tx, lease, durability);
      return work(tx);
    });
  const health = makeHealth({ appId, clock, log, write, random: parts.random ?? Math.random });
  const following = { db, clock, appId, write };

  /** Opened anew when its settings have changed; undefined when they cannot be used. */
  async function open(row: TargetRow): Promise<Ready | undefined> {
    if (opened?.version === row.config_version) return opened;
    await opened?.target.close();
    opened = undefined;
    const cut = parts.cutOf(row.scope as AppScope | null);
    try {
      const permit = (): Promise<void> => lease.confirm();
      const trace = (exchange: Exchange, of: AbortSignal): void => {
        const told = exchanges.get(of);
        told?.push(exchange);
        if (told !== undefined && told.length > LOG_KEPT) told.shift();
      };
      const made = openTarget(kinds, row, seal, trace, { permit });
      health.reset(made.policy.concurrency);
      opened = { ...made, version: row.config_version, world: makeWorld({ db, clock, appId }, made, cut) };
    } catch (error) {
      await health.quarantine(error);
    }
    return opened;
  }

  /** With nothing to do it costs three look-ups. */
  async function turn(): Promise<number> {
    const before = await readTarget(db, appId);
    if (before === undefined || before.state === 'disabled') return POLL_MS;
    const scope = parts.scopeOf(before.scope as AppScope | null);
    const hasNews = await followJournal(following, before, scope, signal);
    const followed = hasNews ? ((await readTarget(db, appId)) ?? before) : before;
    const hasLooked = await lookThrough(following, followed, scope);
    const row = hasLooked ? ((await readTarget(db, appId)) ?? followed) : followed;
    const due = await nextDue(db, appId);
    const isAbandoned = due.claimEndsAt !== undefined && due.claimEndsAt < clock.now();
    if (isAbandoned) await write((tx) => freeExpiredClaims(tx, appId, clock.now()));
    const isOff = row.state === 'paused' || row.state === 'disabled';
    const idleMs = isOff ? POLL_MS : await work(row, scope, due);
    return hasLooked || isAbandoned ? 0 : idleMs;
  }

  /** Sends, when the target may be sent to. */
  async function work(row: TargetRow, scope: ScopeOf, { readyAt }: Due): Promise<number> {
    health.begin(row);
    const ready = await open(row);
    if (ready === undefined) return POLL_MS;
    if (row.state === 'quarantined') return (await health.probe(ready.target, signal)) ? 0 : POLL_MS;
    if (health.isResting()) return Math.min(POLL_MS, health.restMs());
    if (!(await discover(row, ready))) return POLL_MS;
    const isReady = readyAt !== undefined && readyAt <= clock.now();
    if (isReady) await write((tx) => guardDepartures(tx, appId, ready.policy.guard, clock.now()));
    const done = isReady ? await send(row, ready, scope) : 0;
    const hasReconciled = row.backfill === null && !health.isResting() && (await reconcileWhenDue(row, ready));
    await keepLearned(row, ready);
    if (done > 0 || hasReconciled) return 0;
    const waitMs = readyAt === undefined ? POLL_MS : readyAt.getTime() - clock.now().getTime();
    return Math.max(1, Math.min(POLL_MS, waitMs));
  }

  async function send(row: TargetRow, ready: Ready, scope: ScopeOf): Promise<number> {
    const started = clock.now().getTime();
    const until = started + TURN_MS;
    const claimedAt = new Map<string, Date>();
    let lookedAt = started;
    let isHalted = false;
    const listen = (own: AbortSignal, to: Exchange[]): void => void exchanges.set(own, to);
    const carrying = { clock, log, health, world: ready.world, deadlines: makeDeadlines(signal), listen };

    /** What came meanwhile is asked for while what is claimed goes on. */
    async function look(): Promise<void> {
      lookedAt = clock.now().getTime();
      const now = await readTarget(db, appId);
      if (now === undefined) return;
      const hasNews = await followJournal(following, now, scope, signal);
      const hasLooked = await lookThrough(following, now, scope);
      if (hasNews || hasLooked) await write((tx) => guardDepartures(tx, appId, ready.policy.guard, clock.now()));
    }

    async function claim(limit: number): Promise<readonly Claimed[]> {
      if (clock.now().getTime() - lookedAt >= LOOK_MS) await look();
      const now = clock.now();
      const claimed = await write(async (tx) => {
        const wanted = { limit, now, until: new Date(now.getTime() + claimMs(ready.policy.timeoutMs)) };
        return claimDeliveries(tx, appId, { ...wanted, configVersion: row.config_version }, scope);
      }, 'soon');
      // Paused, or with other settings.
      if (claimed.length === 0) isHalted = !(await isUnchanged(row));
      for (const { resource_id } of claimed) claimedAt.set(resource_id, now);
      return claimed;
    }

    const pool = {
      size: claimSize,
      concurrency: health.width,
      isStopped: () => isHalted || signal.aborted || health.isResting(),
      claim,
      carryOut: (claimed: Claimed) => carryOut(carrying, claimed, claimedAt.get(claimed.resource_id) ?? clock.now()),
      giveBack: (claimed: Claimed) => giveBack(claimed, clock),
      settle: (settled: readonly SettledDelivery[]) => settle(ready, settled),
    };
    try {
      return await drain(pool, () => clock.now().getTime() >= until);
    } finally {
      carrying.deadlines.close();
    }
  }

  async function isUnchanged(row: TargetRow): Promise<boolean> {
    const now = await readTarget(db, appId);
    return now?.state === 'active' && now.config_version === row.config_version;
  }

  async function settle({ world }: Ready, settled: readonly SettledDelivery[]): Promise<void> {
    const now = clock.now();
    const moved = settled.filter((one) => one.concerns_others).map(({ resource_id }) => resource_id);
    await write(async (tx) => {
      await settleDeliveries(tx, appId, settled, now);
      await askForReferences(tx, appId, moved, now);
    });
    for (const one of settled) count(one, now);
    for (const { resource_id } of settled) world.forgetClaims(resource_id);
  }

  function count({ action, error, done, departed_at }: SettledDelivery, now: Date): void {
    if (done || error !== null) parts.metrics?.delivery(appId, error === null ? action : 'failed');
    if (departed_at !== null) parts.metrics?.deprovisioned(appId, (now.getTime() - departed_at.getTime()) / 1000);
  }

  /** Answers whether the target may be sent to. */
  async function discover(row: TargetRow, { target }: Ready): Promise<boolean> {
    const at = row.capabilities_at?.getTime() ?? 0;
    if (clock.now().getTime() - at < DISCOVER_EVERY_MS) return true;
    try {
      const capabilities = await target.discover(signal);
      await write((tx) => changeTarget(tx, appId, { capabilities, capabilities_at: clock.now() }));
      return true;
    } catch (error) {
      if (!signal.aborted) await health.noteBad(unusable(error), { attempts: 1, maxAttempts: 2 });
      return false;
    }
  }

  async function keepLearned(row: TargetRow, { target }: Ready): Promise<void> {
    const learned = target.learned();
    if (JSON.stringify(learned) !== JSON.stringify(row.learned))
      await write((tx) => changeTarget(tx, appId, { learned }));
  }

  async function reconcileWhenDue(row: TargetRow, ready: Ready): Promise<boolean> {
    const { everyHours } = ready.policy.reconcile;
    const last = row.reconciled_at ?? row.created_at;
    const isDue = everyHours !== null && clock.now().getTime() - last.getTime() >= everyHours * 3_600_000;
    if (!row.reconcile_asked && !isDue) return false;
    try {
      await reconcile({ ...following, ...ready, cut: ready.world.cut }, signal);
      return true;
    } catch (error) {
      if (!signal.aborted) await health.noteBad(error, { attempts: 1, maxAttempts: 2 });
      return false;
    }
  }

  return {
    turn,
    async close() {
      await opened?.target.close();
    },
  };
}

/** A target that fails at everything is as good as not there: it is left alone for a while. */
function unusable(error: unknown): unknown {
  if (!(error instanceof TargetError) || error.kind !== 'server') return error;
  const { message, reason, status, exchange } = error;
  return new TargetError(message, { kind: 'network', reason, status, exchange, cause: error });
}
