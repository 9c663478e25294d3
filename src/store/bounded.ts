// Reads whose condition or order anybody may have written: they are interrupted when they take too long, and nobody has
// more than a few at a time, so that whoever else asks, or writes, finds a connection.
import type { Knex } from 'knex';
import type pg from 'pg';
import { InputError } from '#core/errors.ts';
import { type Asker, makeTurns, type TurnLimits, type Turns } from '#platform/turns.ts';
import type { HotQuery, Texts } from './ask.ts';
import { askOn, type Database, queryOn } from './database.ts';

/** A read that may take too long. What one reader asks more than `TOGETHER_MAX` times at once waits for its turn. */
export interface Costly extends Asker {
  /** What makes it so: a filter that no index answers, or an order that none has. */
  readonly by: 'filter' | 'order';
  /** Fires when nobody waits for the answer any more: what is not begun is not, and what is under way is interrupted. */
  readonly left?: AbortSignal | undefined;
}

/** How long a statement that anybody may have written the condition of runs before it is given up. */
const BOUNDED_MS = 10_000;
/** Less than half of the connections. */
const TOGETHER_MAX = 3;
/** Connections that no such reads have, of whomever: for what everybody else asks and writes. */
const LEFT_FREE = 2;
/** Of one reader. */
const WAITING_MAX = 20;
/** How long one waits for its turn, in times of what a read may take: longer, and the one who asked has left. */
const WAIT_TIMES = 2;

/**
 * A read that, when it is costly, waits for its turn and is interrupted after a while. PGlite cannot interrupt: there its
 * size is the bound.
 * @throws {InputError} `too-costly` or `order-too-costly`, `tooMany`
 * @throws {RateError} `too-many-reads`
 * @throws the reason of `left`
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

/** The same with rows as texts, and the same errors. */
export async function askBounded(
  database: Database,
  query: HotQuery,
  costly: Costly | undefined,
): Promise<readonly Texts[]> {
  if (costly === undefined || database.kind === 'embedded') return database.ask(query);
  return inTurn(database, costly, (tx) => askOn(tx, query), BOUNDED_MS);
}

const turnsOf = new WeakMap<Knex, Turns>();

async function inTurn<Result>(
  { knex }: Database,
  costly: Costly,
  read: (tx: Knex.Transaction) => Promise<Result>,
  withinMs: number,
): Promise<Result> {
  const turns = turnsOf.get(knex) ?? makeTurns(limitsOf(knex));
  turnsOf.set(knex, turns);
  const { reader, left, isGone = () => left?.aborted === true } = costly;
  const end = await turns.take({ reader, isGone }, WAIT_TIMES * withinMs);
  try {
    return await interrupted(knex, costly, read, withinMs);
  } finally {
    end();
  }
}

function limitsOf(knex: Knex): TurnLimits {
  const connections: number = knex.client.pool.max;
  return { ofAll: Math.max(1, connections - LEFT_FREE), ofOne: TOGETHER_MAX, waiting: WAITING_MAX };
}

async function interrupted<Result>(
  knex: Knex,
  { by, left }: Costly,
  read: (tx: Knex.Transaction) => Promise<Result>,
  withinMs: number,
): Promise<Result> {
  try {
    return await knex.transaction(async (tx) => {
      await tx.raw(`set local statement_timeout = ${withinMs}`);
      return left === undefined ? read(tx) : whileWanted(knex, tx, left, read);
    });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === '57014')) throw error;
    left?.throwIfAborted();
    throw by === 'filter' ? tooCostly(error) : orderTooCostly(error);
  }
}

/** Until whoever asked has left. The connection goes to nobody else before what interrupts it has arrived. */
async function whileWanted<Result>(
  knex: Knex,
  tx: Knex.Transaction,
  left: AbortSignal,
  read: (tx: Knex.Transaction) => Promise<Result>,
): Promise<Result> {
  const { rows } = await tx.raw('select pg_backend_pid() as pid');
  let interrupting: Promise<unknown> | undefined;
  const interrupt = (): void => {
    // Where nobody has a connection to spare, it ends by itself.
    if (knex.client.pool.numUsed() < knex.client.pool.max)
      interrupting = knex.raw('select pg_cancel_backend(?)', [rows[0].pid]).catch(() => undefined);
  };
  left.throwIfAborted();
  left.addEventListener('abort', interrupt, { once: true });
  try {
    return await read(tx);
  } finally {
    left.removeEventListener('abort', interrupt);
    await interrupting;
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
