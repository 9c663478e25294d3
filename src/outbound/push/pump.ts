// One target: follows the journal, looks through the directory when asked, and brings the target up to date. Runs on one
// replica at a time, under the lease of the target; no other target waits for it.
import type { ResourceType } from '#core/resource.ts';
import type { AppScope } from '#core/scope.ts';
import type { Exchange } from '#core/target.ts';
import type { Fields } from '#core/target-mapping.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import type { Seal } from '#platform/seal.ts';
import { transactAgain } from '#store/again.ts';
import type { Database } from '#store/database.ts';
import type { HeldLease } from '#store/leased.ts';
import { checkFence } from '#store/leases.ts';
import { LOG_KEPT, type ScopeOf } from '#store/target/deliveries.ts';
import { type Due, freeExpiredClaims, nextDue } from '#store/target/delivery-claims.ts';
import { readTarget, type TargetRow } from '#store/target/targets.ts';
import { makeBetween } from '../compare/between.ts';
import { guardDepartures } from './departures.ts';
import { type Following, followJournal, lookThrough } from './follow.ts';
import { makeHealth } from './health.ts';
import { openTarget, type TargetKinds } from './open-target.ts';
import { makeSendDue, type Ready, type SendParts } from './send-due.ts';
import { targetScope } from './target-scope.ts';
import { makeUpkeep } from './upkeep.ts';
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
  readonly metrics?: SendParts['metrics'];
}

export interface Pump {
  /** Does what there is to do, for about a second. Answers how long nothing will be. */
  turn(): Promise<number>;
  close(): Promise<void>;
}

/** How soon a change is seen. */
const POLL_MS = 500;

/** A resource as an app may see it. */
export type Cut = (type: ResourceType, document: Fields) => Fields;

export function makePump(parts: PumpParts, appId: string, lease: HeldLease, signal: AbortSignal): Pump {
  const { database, clock, kinds, seal } = parts;
  const db = database.knex;
  const log = parts.log.child({ app: appId });
  /** Of each delivery that is on its way, by its signal. */
  const exchanges = new WeakMap<AbortSignal, Exchange[]>();
  let opened: (Ready & { readonly version: string }) | undefined;

  const write: Following['write'] = (work, durability = 'durable') =>
    transactAgain(db, async (tx) => {
      await checkFence(tx, lease, durability);
      return work(tx);
    });
  const endRest = (): void => opened?.target.endRest();
  const health = makeHealth({ appId, clock, log, write, endRest, random: parts.random ?? Math.random });
  const following = { db, clock, appId, write };
  const upkeep = makeUpkeep(following, health, signal);
  const scopeOf = (row: TargetRow): ScopeOf => targetScope(row, parts.scopeOf);
  const between = makeBetween({ following, health, scopeOf });
  const listen = (own: AbortSignal, to: Exchange[]): void => void exchanges.set(own, to);
  const { metrics } = parts;
  const sendDue = makeSendDue({ following, log, health, listen, ...(metrics && { metrics }) });

  /** Whatever is still read there ends. */
  async function release(): Promise<void> {
    const was = opened;
    opened = undefined;
    await was?.target.close();
  }

  /** Opened anew when its settings have changed; undefined when they cannot be used. */
  async function open(row: TargetRow): Promise<Ready | undefined> {
    if (opened?.version === row.config_version) return opened;
    // Settings that cannot be used are a failed probe as well: no other is made before it is due.
    if (row.state === 'quarantined' && !health.isProbeDue()) return undefined;
    await release();
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
    if (before === undefined || isOff(before)) await release();
    if (before === undefined || before.state === 'disabled') return POLL_MS;
    const hasNews = await followJournal(following, before, scopeOf(before), signal);
    const followed = hasNews ? ((await readTarget(db, appId)) ?? before) : before;
    const hasLooked = await lookThrough(following, followed, scopeOf(followed));
    const row = hasLooked ? ((await readTarget(db, appId)) ?? followed) : followed;
    const due = await nextDue(db, appId);
    const isAbandoned = due.claimEndsAt !== undefined && due.claimEndsAt < clock.now();
    if (isAbandoned) await write((tx) => freeExpiredClaims(tx, appId, clock.now()));
    const idleMs = isOff(row) ? POLL_MS : await work(row, due);
    return hasLooked || isAbandoned ? 0 : idleMs;
  }

  /** Sends, when the target may be sent to. */
  async function work(row: TargetRow, { readyAt }: Due): Promise<number> {
    health.begin(row);
    const ready = await open(row);
    if (ready === undefined) return POLL_MS;
    if (row.state === 'quarantined') return (await health.probe(ready.target, signal)) ? 0 : POLL_MS;
    if (health.isResting()) return Math.min(POLL_MS, health.restMs());
    if (!(await upkeep.discover(row, ready))) return POLL_MS;
    const done = readyAt !== undefined && readyAt <= clock.now() ? await sendGuarded(row, ready) : 0;
    const hasReconciled = await reconcile(row, ready);
    await upkeep.keepLearned(row, ready);
    if (done > 0 || hasReconciled) return 0;
    const waitMs = readyAt === undefined ? POLL_MS : readyAt.getTime() - clock.now().getTime();
    return Math.max(1, Math.min(POLL_MS, waitMs));
  }

  async function reconcile(row: TargetRow, ready: Ready): Promise<boolean> {
    if (row.backfill !== null || row.scope_moved || health.isResting()) return false;
    const send = (now: TargetRow): Promise<number> => sendGuarded(now, ready);
    return upkeep.reconcileWhenDue(row, ready, () => between(row, send, signal));
  }

  async function sendGuarded(row: TargetRow, ready: Ready): Promise<number> {
    await write((tx) => guardDepartures(tx, appId, ready.policy.guard, clock.now()));
    return sendDue(row, ready, scopeOf(row), signal);
  }

  return { turn, close: release };
}

function isOff({ state }: Pick<TargetRow, 'state'>): boolean {
  return state === 'paused' || state === 'disabled';
}
