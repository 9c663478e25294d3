// Reads whose condition or order anybody may have written: they are interrupted when they take too long, and nobody has
// more than a few at a time, so that whoever else asks, or writes, finds a connection.
import type { Knex } from 'knex';
import type pg from 'pg';
import { InputError } from '#core/errors.ts';
import type { HotQuery, Texts } from './ask.ts';
import { askOn, type Database, queryOn } from './database.ts';

/** A read that may take too long. */
export interface Costly {
  /** Who asks: what one asks more than `TOGETHER_MAX` times at once waits for its turn. */
  readonly reader: string;
  /** What makes it so: a filter that no index answers, or an order that none has. */
  readonly by: 'filter' | 'order';
}

/** How long a statement that anybody may have written the condition of runs before it is given up. */
const BOUNDED_MS = 10_000;
/** Less than half of the connections. */
const TOGETHER_MAX = 3;

/**
 * A read that, when it is costly, waits for its turn and is interrupted after a while. PGlite cannot interrupt: there its
 * size is the bound.
 * @throws {InputError} `too-costly` or `order-too-costly`, `tooMany`
 */
export async function queryBounded<Row extends pg.QueryResultRow>(
  database: Database,
  query: HotQuery,
  costly: Costly | undefined,
  withinMs = BOUNDED_MS,
): Promise<pg.QueryResult<Row>> {
  if (costly === undefined || database.kind === 'embedded') return database.query<Row>(query);
  return inTurn(database, costly, (tx) => queryOn<Row>(tx, query), withinMs);
}

/** The same with rows as texts. @throws {InputError} as `queryBounded` */
export async function askBounded(
  database: Database,
  query: HotQuery,
  costly: Costly | undefined,
): Promise<readonly Texts[]> {
  if (costly === undefined || database.kind === 'embedded') return database.ask(query);
  return inTurn(database, costly, (tx) => askOn(tx, query), BOUNDED_MS);
}

/** What one reader asks: how many of its reads are under way, and who waits for one to end. */
interface Lane {
  running: number;
  readonly waiting: (() => void)[];
}

const lanes = new WeakMap<Knex, Map<string, Lane>>();

async function inTurn<Result>(
  { knex }: Database,
  costly: Costly,
  read: (tx: Knex.Transaction) => Promise<Result>,
  withinMs: number,
): Promise<Result> {
  const byReader = lanes.get(knex) ?? new Map<string, Lane>();
  lanes.set(knex, byReader);
  const lane = byReader.get(costly.reader) ?? { running: 0, waiting: [] };
  byReader.set(costly.reader, lane);
  if (lane.running < TOGETHER_MAX) lane.running += 1;
  else await new Promise<void>((resolve) => lane.waiting.push(resolve));
  try {
    return await interrupted(knex, costly, read, withinMs);
  } finally {
    const next = lane.waiting.shift();
    // Whoever waited longest has the turn that ends.
    if (next !== undefined) next();
    else {
      lane.running -= 1;
      if (lane.running === 0) byReader.delete(costly.reader);
    }
  }
}

async function interrupted<Result>(
  knex: Knex,
  { by }: Costly,
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
    throw by === 'filter' ? tooCostly(error) : orderTooCostly(error);
  }
}

function tooCostly(cause: Error): InputError {
  return new InputError('The filter takes too long to answer.', {
    scimType: 'tooMany',
    reason: 'too-costly',
    remedy: 'Ask for less: compare with "eq" where you can, or join another condition with "and".',
    cause,
  });
}

function orderTooCostly(cause: Error): InputError {
  return new InputError('The list takes too long to be put in this order.', {
    scimType: 'tooMany',
    reason: 'order-too-costly',
    remedy: 'Ask for less with a filter, or sort by userName, the displayName of groups, or meta.lastModified.',
    cause,
  });
}
