import type { Log } from '#platform/log.ts';
import { type Database, sql } from './database.ts';
import { madeGroups } from './served.ts';

/** Stores the groups of users who were read, so that the next read need not make them. */
export interface GroupsFiller {
  /** Never waited for: it is done when there is time, or not at all. */
  note(ids: readonly string[]): void;
  /** Resolves when nothing is under way. */
  stop(): Promise<void>;
}

/** The lock that the triggers of the memberships share, and that filling needs for itself. */
const FILL_LOCK = '7340032, 1';
/** Keeps one transaction, for which every writer of memberships waits, under about 10 ms. */
const TOGETHER_MAX = 100;
const WAITING_MAX = 10_000;

export function makeGroupsFiller(database: Database, log: Pick<Log, 'warn'>): GroupsFiller {
  const waiting = new Set<string>();
  let running: Promise<void> | undefined;
  let stopped = false;

  async function run(): Promise<void> {
    while (waiting.size > 0 && !stopped) {
      const ids = [...waiting].slice(0, TOGETHER_MAX);
      for (const id of ids) waiting.delete(id);
      if (!(await fill(database, ids))) waiting.clear();
    }
  }

  return {
    note(ids) {
      if (stopped || waiting.size > WAITING_MAX) return;
      for (const id of ids) waiting.add(id);
      running ??= run()
        .catch((error: unknown) => log.warn({ err: error }, 'groups not stored'))
        .finally(() => {
          running = undefined;
        });
    },
    async stop() {
      stopped = true;
      await running;
    },
  };
}

/** False while a membership is being written: what would be stored then might not hold after it. */
async function fill(database: Database, ids: readonly string[]): Promise<boolean> {
  return database.knex.transaction(async (tx) => {
    const { rows } = await sql<{ free: boolean }>(tx, `select pg_try_advisory_xact_lock(${FILL_LOCK}) as free`);
    if (rows[0]?.free !== true) return false;
    await sql(
      tx,
      `insert into served_groups (user_id, text) select p.id, ${madeGroups('chr(1)', 'true')}
       from unnest(?::uuid[]) as p(id) on conflict do nothing`,
      [ids],
    );
    return true;
  });
}
