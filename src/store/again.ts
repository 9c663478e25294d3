// Transactions that are tried again, since others write beside them.
import { type Db, sql } from './database.ts';
import { isRetryable } from './database-errors.ts';

/** Any number that no other advisory lock uses. */
const LINE_LOCK = '7340032, 3';
const TRIES = 20;
/** By this much at most a writer steps back before it tries again. */
const PAUSE_MS = 50;

/**
 * A transaction that is tried again when it and another writer locked each other out: it was undone, and nothing but its
 * answer may be left of a try.
 *
 * PostgreSQL needs a second to see a deadlock, so whoever met one stands in line from then on: of many who would meet
 * each other again, one writes at a time.
 * @param first the first try, where that is simpler than the transaction
 * @throws the last error where each of twenty tries was undone; any other error at once
 */
export async function transactAgain<Result>(
  db: Db,
  work: (tx: Db) => Promise<Result>,
  first: () => Promise<Result> = () => db.transaction(work),
): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await (tries === 1 ? first() : inLine(db, work));
    } catch (error) {
      if (!isRetryable(error) || tries === TRIES) throw error;
      // Who tries at once meets the same writer at the same place.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * PAUSE_MS));
    }
  }
}

function inLine<Result>(db: Db, work: (tx: Db) => Promise<Result>): Promise<Result> {
  return db.transaction(async (tx) => {
    await sql(tx, `select pg_advisory_xact_lock(${LINE_LOCK})`);
    return work(tx);
  });
}
