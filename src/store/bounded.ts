// Reads whose condition anybody may have written: they are interrupted when they take too long.
import type { Knex } from 'knex';
import type pg from 'pg';
import { InputError } from '#core/errors.ts';
import type { HotQuery, Texts } from './ask.ts';
import { askOn, type Database, queryOn } from './database.ts';

/** How long a statement that anybody may have written the condition of runs before it is given up. */
const BOUNDED_MS = 10_000;

/**
 * A read that, when `bound` is set, is interrupted after a while. PGlite cannot interrupt: there its size is the bound.
 * @throws {InputError} `too-costly`, `tooMany`
 */
export async function queryBounded<Row extends pg.QueryResultRow>(
  database: Database,
  query: HotQuery,
  bound: boolean,
  withinMs = BOUNDED_MS,
): Promise<pg.QueryResult<Row>> {
  if (!bound || database.kind === 'embedded') return database.query<Row>(query);
  return interrupted(database, (tx) => queryOn<Row>(tx, query), withinMs);
}

/** The same with rows as texts. @throws {InputError} `too-costly`, `tooMany` */
export async function askBounded(database: Database, query: HotQuery, bound: boolean): Promise<readonly Texts[]> {
  if (!bound || database.kind === 'embedded') return database.ask(query);
  return interrupted(database, (tx) => askOn(tx, query), BOUNDED_MS);
}

async function interrupted<Result>(
  { knex }: Database,
  read: (tx: Knex.Transaction) => Promise<Result>,
  withinMs: number,
): Promise<Result> {
  try {
    return await knex.transaction(async (tx) => {
      await tx.raw(`set local statement_timeout = ${withinMs}`);
      return read(tx);
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '57014')) throw error;
    throw new InputError('The filter takes too long to answer.', {
      scimType: 'tooMany',
      reason: 'too-costly',
      remedy: 'Ask for less: compare with "eq" where you can, or join another condition with "and".',
      cause: error,
    });
  }
}
