// One target: follows the journal, looks through the directory when asked, and brings the target up to date. Runs on one
// replica at a time, under the lease of the target; no other target waits for it.
import { probeGapMs, QUARANTINE_MOST_MS } from '#core/backoff.ts';
import { GoneError } from '#core/errors.ts';
import { describeError } from '#core/failure.ts';
import type { AppScope } from '#core/scope.ts';
import { type Exchange, TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import { writeAudit } from '#store/audit.ts';
import { journalEnd, readChanges } from '#store/changes.ts';
import type { Database, Db } from '#store/database.ts';
import {
  askForChanges,
  askForGone,
  askForReferences,
  askForStretch,
  type Claimed,
  claimDeliveries,
  freeExpiredClaims,
  nextReadyAt,
  type ScopeOf,
  type SettledDelivery,
  settleDeliveries,
} from '#store/deliveries.ts';
import { checkFence, type Lease } from '#store/leases.ts';
import { askBackfill, changeTarget, readTarget, type TargetRow } from '#store/targets.ts';
import { deliver, type Progress, startProgress } from './deliver.ts';
import { guardDepartures } from './departures.ts';
import { type OpenedTarget, openTarget, type TargetKinds } from './open-target.ts';
import { settledOf } from './outcome.ts';
import { drain } from './pool.ts';
import { reconcile } from './reconcile.ts';
import { consequenceOf, makeWindow } from './settle.ts';
import { makeWorld } from './world.ts';

export interface PumpParts {
  readonly database: Database;
  readonly kinds: TargetKinds;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly log: Log;
  /** Which resources an app's scope lets through. */
  scopeOf(scope: AppScope | null): ScopeOf;
  random?(): number;
}

export interface Pump {
  /** Does what there is to do, for about a second. Answers how long nothing will be. */
  turn(): Promise<number>;
  close(): Promise<void>;
}

/** How soon a change is seen. */
const POLL_MS = 500;
/** A turn ends after this, so that leavers who came meanwhile are asked for and overtake. */
const TURN_MS = 1_000;
const JOURNAL_PAGE = 1_000;
const STRETCH = 2_000;
/** Longer than any delivery takes; a process that holds a claim for longer is dead. */
const CLAIM_MS = 10 * 60_000;
const DISCOVER_EVERY_MS = 24 * 3_600_000;
/** Kept of each delivery. */
const LOG_KEPT = 6;
/** After so many good answers in a row one more request is on its way at once again. */
const RECOVER_AFTER = 50;

export function makePump(parts: PumpParts, appId: string, lease: Lease, signal: AbortSignal): Pump {
  const { database, clock, kinds, seal } = parts;
  const db = database.knex;
  const log = parts.log.child({ app: appId });
  const random = parts.random ?? Math.random;
  const recent = makeWindow();
  let opened: (OpenedTarget & { readonly version: string; readonly world: ReturnType<typeof makeWorld> }) | undefined;
  /** Of each delivery that is on its way, by its signal. */
  const exchanges = new WeakMap<AbortSignal, Exchange[]>();
  let restUntil: Date | null = null;
  let isOut = false;
  let failures = 0;
  let width = 1;
  let goodInARow = 0;

  const write = <T>(work: (tx: Db) => Promise<T>): Promise<T> =>
    db.transaction(async (tx) => {
      await checkFence(tx, lease);
      return work(tx);
    });

  async function open(row: TargetRow): Promise<NonNullable<typeof opened>> {
    if (opened?.version === row.config_version) return opened;
    await opened?.target.close();
    const made = openTarget(kinds, row, seal, (exchange, of) => exchanges.get(of)?.push(exchange));
    width = made.policy.concurrency;
    recent.clear();
    opened = { ...made, version: row.config_version, world: makeWorld({ db, clock, appId }, made) };
    return opened;
  }

  /** Reads what the journal has, and asks for it. */
  async function follow(row: TargetRow, scope: ScopeOf): Promise<void> {
    let { place } = row;
    if (place === null) {
      const end = await journalEnd(db);
      await write((tx) =>
        changeTarget(tx, appId, { place: end, backfill: row.backfill ?? { mode: 'all', type: 'User', pos: '0' } }),
      );
      place = end;
    }
    for (let more = true; more && !signal.aborted; ) {
      const from = place;
      const page = await readChanges(db, from, JOURNAL_PAGE);
      if (page.changes.length === 0) return;
      await write(async (tx) => {
        const { changes } = page;
        const stretch = { ids: changes.map((c) => c.resource_id), at: changes.map((c) => c.at), now: clock.now() };
        await askForChanges(tx, appId, scope, stretch);
        await changeTarget(tx, appId, { place: page.next });
        const byGroup = (row.scope as AppScope | null)?.groups !== undefined;
        if (byGroup && changes.some((c) => c.resource_type === 'Group')) await askBackfill(tx, appId);
      });
      place = page.next;
      more = page.more;
    }
  }

  /** Too long away: everything is looked through instead, and compared. */
  async function startOver(): Promise<void> {
    const place = await journalEnd(db);
    log.warn('journal trimmed, everything is looked through');
    await write((tx) =>
      changeTarget(tx, appId, { place, backfill: { mode: 'all', type: 'User', pos: '0' }, reconcile_asked: true }),
    );
  }

  /** One stretch. */
  async function lookThrough(row: TargetRow, scope: ScopeOf): Promise<boolean> {
    if (row.backfill === null) return false;
    const { mode, type, pos } = row.backfill;
    const now = clock.now();
    await write(async (tx) => {
      const at = await askForStretch(tx, appId, scope, { mode, type, pos, limit: STRETCH, now });
      const next =
        at !== undefined
          ? { mode, type, pos: at }
          : type === 'User'
            ? { mode, type: 'Group' as const, pos: '0' }
            : null;
      if (next === null) await askForGone(tx, appId, now);
      await changeTarget(tx, appId, { backfill: next });
    });
    return true;
  }

  async function turn(): Promise<number> {
    let row = await readTarget(db, appId);
    if (row === undefined || row.state === 'disabled') return POLL_MS * 10;
    const scope = parts.scopeOf(row.scope as AppScope | null);
    try {
      await follow(row, scope);
    } catch (error) {
      if (!(error instanceof GoneError)) throw error;
      await startOver();
    }
    const looked = await lookThrough((await readTarget(db, appId)) ?? row, scope);
    await write((tx) => freeExpiredClaims(tx, appId, clock.now()));
    row = await readTarget(db, appId);
    if (row === undefined || row.state === 'paused' || row.state === 'disabled') return looked ? 0 : POLL_MS;
    restUntil = row.rest_until;
    failures = row.failures;
    isOut = false;
    let ready: NonNullable<typeof opened>;
    try {
      ready = await open(row);
    } catch (error) {
      await quarantine(row, error);
      return POLL_MS;
    }
    if (row.state === 'quarantined') return (await probe(row, ready)) ? 0 : looked ? 0 : POLL_MS;
    if (restUntil !== null && restUntil > clock.now())
      return looked ? 0 : Math.min(POLL_MS, restUntil.getTime() - clock.now().getTime());
    if (!(await discover(row, ready))) return POLL_MS;
    await write((tx) => guardDepartures(tx, appId, ready.policy.guard, clock.now()));
    const done = await send(row, ready, scope);
    const isDue = row.backfill === null && !isOut && (await reconcileWhenDue(row, ready));
    await keepLearned(row, ready);
    if (done > 0 || looked || isDue) return 0;
    const next = await nextReadyAt(db, appId);
    return next === undefined ? POLL_MS : Math.max(1, Math.min(POLL_MS, next.getTime() - clock.now().getTime()));
  }

  function isResting(): boolean {
    return isOut || signal.aborted || (restUntil !== null && restUntil > clock.now());
  }

  async function send(row: TargetRow, ready: NonNullable<typeof opened>, scope: ScopeOf): Promise<number> {
    const until = clock.now().getTime() + TURN_MS;
    let paused = false;
    const pool = {
      concurrency: () => width,
      isStopped: () => isResting() || paused,
      async claim(limit: number) {
        const now = clock.now();
        return write(async (tx) => {
          const state = await readTarget(tx, appId);
          paused = state?.state !== 'active' || state.config_version !== row.config_version;
          if (paused) return [];
          return claimDeliveries(tx, appId, { limit, now, until: new Date(now.getTime() + CLAIM_MS) }, scope);
        });
      },
      carryOut: (claimed: Claimed) => carryOut(row, ready, claimed),
      giveBack: (claimed: Claimed) => outcomeOf(claimed, startProgress(claimed), [], false),
      async settle(settled: readonly SettledDelivery[]) {
        await write(async (tx) => {
          const now = clock.now();
          await settleDeliveries(tx, appId, settled, now);
          const fresh = settled.filter(({ action }) => action === 'created' || action === 'adopted');
          await askForReferences(
            tx,
            appId,
            fresh.map(({ resource_id }) => resource_id),
            now,
          );
        });
        for (const { resource_id } of settled) ready.world.forgetClaims(resource_id);
      },
    };
    return drain(pool, () => clock.now().getTime() >= until);
  }

  async function carryOut(
    row: TargetRow,
    { world }: NonNullable<typeof opened>,
    claimed: Claimed,
  ): Promise<SettledDelivery> {
    const progress = startProgress(claimed);
    const mine: Exchange[] = [];
    const own = AbortSignal.any([signal]);
    exchanges.set(own, mine);
    try {
      await deliver(world, claimed, progress, own);
      if (failures > 0) await settleDown(row);
      recent.note(true);
      goodInARow += 1;
      if (goodInARow % RECOVER_AFTER === 0) width = Math.min(world.policy.concurrency, width + 1);
      return outcomeOf(claimed, progress, mine, true);
    } catch (thrown) {
      const error = await lookedAt(thrown, world);
      return await failed(row, claimed, progress, error, mine, world.policy.maxAttempts);
    }
  }

  /** A refusal of one object looks like that of a credential: one cheap read tells them apart. */
  async function lookedAt(error: unknown, { target }: { target: OpenedTarget['target'] }): Promise<unknown> {
    if (!(error instanceof TargetError) || isOut) return error;
    const isDoubtful = (error.kind === 'credentials' && error.status === 403) || error.kind === 'contract';
    if (!isDoubtful) return error;
    try {
      await target.probe(signal);
    } catch {
      return error;
    }
    const kind = error.kind === 'contract' ? 'server' : 'refused';
    return new TargetError(error.message, {
      kind,
      reason: error.reason,
      status: error.status,
      exchange: error.exchange,
      cause: error,
    });
  }

  async function failed(
    row: TargetRow,
    claimed: Claimed,
    progress: Progress,
    error: unknown,
    mine: readonly Exchange[],
    maxAttempts: number,
  ): Promise<SettledDelivery> {
    if (signal.aborted) return outcomeOf(claimed, progress, [], false);
    goodInARow = 0;
    const situation = { attempts: claimed.attempts, maxAttempts, failures, now: clock.now(), random };
    const consequence = consequenceOf(error, situation);
    if (!(error instanceof TargetError)) log.error({ err: error, delivery: claimed.id }, 'delivery failed');
    else log.debug({ delivery: claimed.id, code: error.reason, state: consequence.state }, 'delivery failed');
    if (consequence.counts) recent.note(false);
    if (consequence.restUntil !== undefined) await rest(consequence.restUntil);
    if (consequence.quarantine) await quarantine(row, error);
    else if (recent.isFailing())
      await quarantine(
        row,
        new TargetError('Too many of its last answers were failures.', {
          kind: 'server',
          reason: 'too-many-failures',
          remedy: 'Look at the failed deliveries: most have the same cause.',
          cause: error,
        }),
      );
    return {
      ...outcomeOf(claimed, progress, mine, false),
      state: consequence.state,
      ready_at: consequence.readyAt,
      attempts: consequence.attempts,
      error: consequence.error,
    };
  }

  async function rest(until: Date): Promise<void> {
    width = Math.max(1, Math.floor(width / 2));
    if (restUntil !== null && restUntil >= until) return;
    restUntil = until;
    failures += 1;
    await write((tx) => changeTarget(tx, appId, { rest_until: until, failures }));
  }

  async function settleDown(row: TargetRow): Promise<void> {
    failures = 0;
    if (row.failures > 0 || restUntil !== null)
      await write((tx) => changeTarget(tx, appId, { failures: 0, rest_until: null }));
    restUntil = null;
  }

  async function quarantine(row: TargetRow, error: unknown): Promise<void> {
    if (isOut) return;
    isOut = true;
    const now = clock.now();
    const { code, message, remedy } = describeError(error);
    const known = row.quarantine;
    const since = known?.since ?? now.toISOString();
    const probes = known === null ? 0 : known.probes + 1;
    const isOver = now.getTime() - Date.parse(since) >= QUARANTINE_MOST_MS;
    const probeAt = new Date(now.getTime() + probeGapMs(probes)).toISOString();
    log.warn({ code, probes }, isOver ? 'target disabled' : 'target in quarantine');
    await write(async (tx) => {
      const state = isOver ? 'disabled' : 'quarantined';
      await changeTarget(tx, appId, {
        state,
        quarantine: { reason: code, message, remedy: remedy ?? null, since, probes, probeAt },
      });
      if (known?.reason !== code || isOver)
        await writeAudit(tx, {
          actor: 'push',
          action: isOver ? 'target.disabled' : 'target.quarantined',
          object: appId,
          detail: { code, message },
        });
    });
  }

  /** Half open: one cheap read. Answers whether the target is back. */
  async function probe(row: TargetRow, { target }: OpenedTarget): Promise<boolean> {
    if (row.quarantine !== null && Date.parse(row.quarantine.probeAt) > clock.now().getTime()) return false;
    try {
      await target.probe(signal);
    } catch (error) {
      if (!signal.aborted) await quarantine(row, error);
      return false;
    }
    log.info('target is back');
    recent.clear();
    await write(async (tx) => {
      await changeTarget(tx, appId, { state: 'active', quarantine: null, rest_until: null, failures: 0 });
      await writeAudit(tx, { actor: 'push', action: 'target.recovered', object: appId });
    });
    return true;
  }

  async function discover(row: TargetRow, { target }: OpenedTarget): Promise<boolean> {
    const at = row.capabilities_at?.getTime() ?? 0;
    if (clock.now().getTime() - at < DISCOVER_EVERY_MS) return true;
    try {
      const capabilities = await target.discover(signal);
      await write((tx) => changeTarget(tx, appId, { capabilities, capabilities_at: clock.now() }));
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      const { restUntil: until, quarantine: isBad } = consequenceOf(error, {
        attempts: 1,
        maxAttempts: 2,
        failures,
        now: clock.now(),
        random,
      });
      if (isBad) await quarantine(row, error);
      else await rest(until ?? new Date(clock.now().getTime() + 5_000));
      return false;
    }
  }

  async function keepLearned(row: TargetRow, { target }: OpenedTarget): Promise<void> {
    const learned = target.learned();
    if (JSON.stringify(learned) !== JSON.stringify(row.learned))
      await write((tx) => changeTarget(tx, appId, { learned }));
  }

  async function reconcileWhenDue(row: TargetRow, ready: NonNullable<typeof opened>): Promise<boolean> {
    const { everyHours } = ready.policy.reconcile;
    const last = row.reconciled_at ?? row.created_at;
    const isDue = everyHours !== null && clock.now().getTime() - last.getTime() >= everyHours * 3_600_000;
    if (!row.reconcile_asked && !isDue) return false;
    try {
      await reconcile({ db, write, clock, appId, ...ready }, signal);
    } catch (error) {
      if (signal.aborted) return false;
      const { restUntil: until, quarantine: isBad } = consequenceOf(error, {
        attempts: 1,
        maxAttempts: 2,
        failures,
        now: clock.now(),
        random,
      });
      if (isBad) await quarantine(row, error);
      else if (until !== undefined) await rest(until);
      else throw error;
      return false;
    }
    return true;
  }

  function outcomeOf(
    row: Claimed,
    progress: Progress,
    exchangesOfIt: readonly Exchange[],
    isDone: boolean,
  ): SettledDelivery {
    return settledOf(row, progress, { now: clock.now(), exchanges: exchangesOfIt, kept: LOG_KEPT, isDone });
  }

  return {
    turn,
    async close() {
      await opened?.target.close();
    },
  };
}
