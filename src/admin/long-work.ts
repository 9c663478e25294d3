// What takes long whoever asks for it: nobody has more than a few at a time, and nothing goes on for a reader who has left.
import type { Request, Response } from 'express';
import { makeTurns, type Turns } from '#platform/turns.ts';
import { actorOf } from './query.ts';

/** Turns at what takes long, those of one process. */
export interface LongWork {
  /** Files of lines: as slow as whoever takes them, and no connection of the database is theirs between two pages. */
  readonly exports: Turns;
  /** What goes through everything there is, such as the whole audit log. */
  readonly looks: Turns;
}

/** How long somebody waits for a turn. */
const WAIT_MS = 30_000;

export function makeLongWork(): LongWork {
  return {
    exports: makeTurns({ ofAll: 20, ofOne: 3, waiting: 10 }),
    // Less than half of the connections of the database.
    looks: makeTurns({ ofAll: 3, ofOne: 1, waiting: 5 }),
  };
}

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

/**
 * Answers when it is the turn of whoever asks, and only as long as they wait.
 * @throws {RateError} `too-many-reads`
 */
export async function answerInTurn(
  turns: Turns,
  { request, response }: Exchange,
  answer: (left: AbortSignal) => Promise<void>,
): Promise<void> {
  const asker = { reader: actorOf(request), isGone: () => response.destroyed };
  const end = await turns.take(asker, WAIT_MS);
  try {
    await answerWhileWanted(response, answer);
  } finally {
    end();
  }
}

/**
 * Answers as long as somebody waits for it.
 * @param answer may stop with the reason of `left`, which fires when they have left
 */
export async function answerWhileWanted(
  response: Response,
  answer: (left: AbortSignal) => Promise<void>,
): Promise<void> {
  const leaving = new AbortController();
  if (response.destroyed) leaving.abort();
  response.once('close', () => leaving.abort());
  try {
    await answer(leaving.signal);
  } catch (error) {
    if (!isLeaving(error, leaving.signal)) throw error;
  }
}

function isLeaving(error: unknown, left: AbortSignal): boolean {
  if (!left.aborted) return false;
  return (
    error === left.reason || (error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE')
  );
}
