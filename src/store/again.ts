// Transactions of our own work, beside which others write.
import type { Db } from './database.ts';
import { isRetryable } from './database-errors.ts';
import { standInLine } from './directory/resources.ts';

const TRIES = 5;

/**
 * A transaction that is tried again when it and somebody else locked each other out: it was undone, and stands in line then, as
 * they do. Nothing but its answer may be left of a try.
 */
export async function transactAgain<Result>(db: Db, work: (tx: Db) => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await db.transaction(async (tx) => {
        if (tries > 1) await standInLine(tx);
        return work(tx);
      });
    } catch (error) {
      if (!isRetryable(error) || tries === TRIES) throw error;
    }
  }
}
