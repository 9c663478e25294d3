import { randomUUID } from 'node:crypto';
import { DEFAULT_RETENTION, type RetentionSettings, retentionCutoffs } from '#core/retention.ts';
import type { Clock } from '#platform/clock.ts';
import type { Log } from '#platform/log.ts';
import { repeat } from '#platform/repeat.ts';
import { writeAudit } from '#store/access/audit.ts';
import { deleteOldestAudit, sealAudit } from '#store/access/audit-chain.ts';
import { type Database, type Db, sql } from '#store/database.ts';
import { withLease } from '#store/leased.ts';
import { checkFence } from '#store/leases.ts';
import {
  deleteForgottenDeliveries,
  deleteGoneRecords,
  deleteOldDepartures,
  deleteOldestChanges,
  deletePlanRows,
  deletePlans,
  deleteRuns,
  deleteSlots,
  deleteTombstones,
  readServerTime,
  unlinkOldPlans,
} from '#store/run/retention.ts';
import { spellNames } from '#store/schema/spell-names.ts';
import { deleteOldImages } from '#store/source/pushed-images.ts';
import { readSetting } from '#store/source/settings.ts';
import { deleteOldHours } from '#store/target/attempt-hours.ts';

const LEASE = 'retention';
const LEASE_TTL_MS = 15_000;
/** How often it is looked whether today's was done. */
const LOOK_EVERY_MS = 10 * 60_000;
/** Rows of one transaction: keeps one under about 100 ms. */
const BATCH = 5_000;
/** Runs of one transaction; each may bring a log of some megabytes with it. */
const RUNS_BATCH = 50;
const PLANS_BATCH = 100;
/** Names that are spelt anew together. */
const NAMES_BATCH = 500;
/** Two clocks that differ by more show that one of them is wrong; nothing that is deleted comes back. */
const SKEW_MAX_MS = 3_600_000;
/** A schedule looks back one day. */
const SLOTS_KEPT_MS = 30 * 86_400_000;

/** Figures of targets look back 30 days. */
const DEPARTURES_KEPT_MS = 90 * 86_400_000;

export interface RetentionParts {
  readonly database: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** Rows of one transaction. */
  readonly batch?: number;
}

export interface Retention {
  start(): void;
  /**
   * Does today's work (UTC, by the clock of the database), unless it was done, another process does it, or the clocks of
   * this process and of the database are more than an hour apart: then it warns, and looks again later. Never throws.
   */
  tick(): Promise<void>;
  stop(): Promise<void>;
}

/** A transaction that begins with the check that this process still holds the lease. */
type Write = <T>(work: (tx: Db) => Promise<T>) => Promise<T>;

/** Removes once a day what the settings do not keep, in bounded batches, on one replica. */
export function makeRetention({ database, clock, log, batch = BATCH }: RetentionParts): Retention {
  const db = database.knex;
  const owner = randomUUID();

  async function tick(): Promise<void> {
    try {
      const now = await readServerTime(db);
      const skewMs = clock.now().getTime() - now.getTime();
      if (Math.abs(skewMs) > SKEW_MAX_MS) {
        log.warn({ reason: 'clocks-apart', skewMs }, 'retention put off');
        return;
      }
      const today = `${now.toISOString().slice(0, 10)}T00:00:00Z`;
      if (await isDone(today)) return;
      await withLease(db, { name: LEASE, owner, ttlMs: LEASE_TTL_MS }, async (lease, lost) => {
        const signal = AbortSignal.any([lost, repeated.stopping]);
        const write: Write = (work) =>
          db.transaction(async (tx) => {
            await checkFence(tx, lease);
            signal.throwIfAborted();
            return work(tx);
          });
        if (await isDone(today)) return;
        await apply(write, now);
        // Last, so that a day that was cut short is taken up again, here or elsewhere.
        const done = 'insert into schedule_slots (name, slot) values (?, ?) on conflict do nothing';
        await write((tx) => sql(tx, done, [LEASE, today]));
      });
    } catch (error) {
      if (!repeated.stopping.aborted) log.error({ err: error }, 'retention failed');
    }
  }

  async function isDone(slot: string): Promise<boolean> {
    const { rows } = await sql(db, 'select 1 from schedule_slots where name = ? and slot = ?', [LEASE, slot]);
    return rows.length > 0;
  }

  async function apply(write: Write, now: Date): Promise<void> {
    const settings = { ...DEFAULT_RETENTION, ...(await readSetting<Partial<RetentionSettings>>(db, 'retention')) };
    const cutoffs = retentionCutoffs(settings, now);

    /** Repeats until a batch is not full. */
    async function all(before: Date | undefined, limit: number, work: (tx: Db, before: Date) => Promise<number>) {
      let sum = 0;
      if (before === undefined) return sum;
      for (;;) {
        const count = await write((tx) => work(tx, before));
        sum += count;
        if (count < limit) return sum;
      }
    }

    async function removeAudit(): Promise<number> {
      await sealAudit(db);
      return all(cutoffs.audit, batch, (tx, before) => deleteOldestAudit(tx, before, batch));
    }

    const removed = {
      plans: await removePlans(write, { before: cutoffs.plans, now, batch }),
      images: await all(cutoffs.plans, batch, (tx, before) => deleteOldImages(tx, before, batch)),
      runs: await all(cutoffs.runs, RUNS_BATCH, (tx, before) => deleteRuns(tx, before, RUNS_BATCH)),
      tombstones: await all(cutoffs.tombstones, batch, (tx, before) => deleteTombstones(tx, before, batch)),
      records: await all(cutoffs.tombstones, batch, (tx, before) => deleteGoneRecords(tx, before, batch)),
      changes: await all(cutoffs.changes, batch, (tx, before) => deleteOldestChanges(tx, before, batch)),
      // Last: it needs the chain whole up to now, and nothing else depends on that.
      audit: await removeAudit(),
    };
    await all(now, batch, (tx) => deleteForgottenDeliveries(tx, batch));
    const spelt = await all(now, NAMES_BATCH, (tx) => spellNames(tx, NAMES_BATCH));
    if (spelt > 0) log.info({ count: spelt }, 'names spelt anew');
    await all(new Date(now.getTime() - SLOTS_KEPT_MS), batch, (tx, before) => deleteSlots(tx, before, batch));
    const departures = new Date(now.getTime() - DEPARTURES_KEPT_MS);
    await all(departures, batch, (tx, before) => deleteOldDepartures(tx, before, batch));
    await all(departures, batch, (tx, before) => deleteOldHours(tx, before, batch));
    log.info({ removed }, 'retention applied');
    if (Object.values(removed).every((count) => count === 0)) return;
    await write((tx) => writeAudit(tx, { actor: 'retention', action: 'retention.apply', detail: removed }));
    database.maintain();
  }

  const repeated = repeat(clock, LOOK_EVERY_MS, tick);
  return { start: repeated.start, tick, stop: repeated.stop };
}

/** Plans one group at a time: their rows first, in batches, since one plan may have a million. */
async function removePlans(
  write: Write,
  { before, now, batch }: { before: Date | undefined; now: Date; batch: number },
): Promise<number> {
  let removed = 0;
  if (before === undefined) return removed;
  for (;;) {
    const ids = await write((tx) => unlinkOldPlans(tx, before, now, PLANS_BATCH));
    if (ids.length === 0) return removed;
    while ((await write((tx) => deletePlanRows(tx, ids, batch))) === batch);
    removed += await write((tx) => deletePlans(tx, ids));
  }
}
