// Security event tokens for a receiver that asks (RFC 8936): what it has not taken yet, oldest first, until it says so.
import type { PolledSets, SetPoll } from '#core/events.ts';
import type { RunError } from '#core/failure.ts';
import { isUuid } from '#core/ids.ts';
import type { Clock } from '#platform/clock.ts';
import { makeMask } from '#platform/mask.ts';
import type { Db } from '#store/database.ts';
import { listWaiting, noteHandedOut, takeAnswers } from '#store/event/event-deliveries.ts';
import { findStream, notePoll, readStream, type StreamRow } from '#store/event/event-streams.ts';
import { countAttempts } from '#store/target/attempt-hours.ts';
import type { EventViewOf } from './event-view.ts';
import { fitMessages, isOutdated } from './fit-messages.ts';
import { channelOf } from './send-events.ts';
import type { SetSigner } from './set-signer.ts';

/** How long a receiver that waits is kept waiting, and how soon it learns of something new. */
const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
/** Receivers that wait at once; more are answered at once. */
const WAITING_MAX = 200;
const DEFAULT_SETS = 100;
const SETS_MAX = 500;

export interface SetPolling {
  /**
   * Undefined when the app's tokens are not asked for: it has none, or they are sent to it. Whoever was kept waiting is
   * given nothing before `stay` has resolved once more; what it throws ends the poll.
   */
  poll(appId: string, request: SetPoll, waiting: WaitingPoll): Promise<PolledSets | undefined>;
  /** From now on nobody is kept waiting, and whoever is gets an answer within a moment. */
  stop(): Promise<void>;
}

/** Whoever asks, for as long as the answer takes. */
export interface WaitingPoll {
  /** Nobody waits any more. */
  readonly signal: AbortSignal;
  /** Throws when whoever asks may not any more. */
  stay(): Promise<void>;
}

export interface SetPollingParts {
  readonly db: Db;
  readonly clock: Clock;
  readonly signer: SetSigner;
  readonly viewOf: EventViewOf;
}

export function makeSetPolling({ db, clock, signer, viewOf }: SetPollingParts): SetPolling {
  const stopping = new AbortController();
  let waiting = 0;

  async function collect(id: string, max: number): Promise<PolledSets> {
    const rows = await listWaiting(db, id, max + 1);
    if (rows.length === 0 || max === 0) return { sets: {}, moreAvailable: rows.length > 0 };
    const stream = await findStream(db, id);
    // A receiver that waits is told nothing of a stream that was paused, or is sent to another place, meanwhile.
    if (stream === undefined || !stream.enabled || stream.pushed) return { sets: {}, moreAvailable: false };
    if (isOutdated(stream)) return { sets: {}, moreAvailable: stream.disabled_at === null };
    const fitted = await fitMessages(db, { stream, view: viewOf(stream.app_scope) }, rows.slice(0, max));
    const now = clock.now();
    const sign = await signer.open(now);
    const sets: Record<string, string> = {};
    for (const { message_id, payload } of fitted) sets[message_id] = await sign(payload);
    await noteHandedOut(db, id, Object.keys(sets), now);
    return { sets, moreAvailable: rows.length > max };
  }

  async function take(stream: StreamRow, answers: Parameters<typeof takeAnswers>[2], now: Date): Promise<void> {
    const { delivered, failed } = await takeAnswers(db, stream.id, answers, now);
    await countAttempts(db, channelOf(stream), { delivered, failed, settled: delivered + failed }, now);
  }

  return {
    async stop() {
      stopping.abort();
    },
    async poll(
      appId,
      { maxEvents = DEFAULT_SETS, returnImmediately = false, ack = [], setErrs = {} },
      { signal, stay },
    ) {
      const stream = await readStream(db, appId, 'set');
      if (stream === undefined || stream.pushed) return undefined;
      const now = clock.now();
      await take(stream, { taken: ack.filter(isUuid), refused: refusedOf(setErrs) }, now);
      await notePoll(db, stream.id, now);
      const max = Math.min(maxEvents, SETS_MAX);
      const until = clock.elapsed() + WAIT_MS;
      const over = AbortSignal.any([signal, stopping.signal]);
      if (!stream.enabled) return { sets: {}, moreAvailable: false };
      const mayWait = max > 0 && !returnImmediately && waiting < WAITING_MAX;
      waiting += 1;
      try {
        for (;;) {
          const found = await collect(stream.id, max);
          const isOver = Object.keys(found.sets).length > 0 || !mayWait || clock.elapsed() >= until;
          if (isOver || over.aborted) return found;
          await clock.sleep(LOOK_EVERY_MS, over).catch(() => undefined);
          await stay();
        }
      } finally {
        waiting -= 1;
      }
    },
  };
}

const REASON_MAX = 300;

function refusedOf(setErrs: NonNullable<SetPoll['setErrs']>): { messageId: string; error: RunError }[] {
  const mask = makeMask([]);
  return Object.entries(setErrs)
    .filter(([messageId]) => isUuid(messageId))
    .map(([messageId, { err, description = '' }]) => ({
      messageId,
      error: {
        failure: 'server',
        code: 'set-refused',
        message: `The receiver refused the token (${mask(err).slice(0, 60)})${description === '' ? '.' : `: ${mask(description).slice(0, REASON_MAX)}`}`,
        remedy: 'Correct what it names, and replay the token.',
      },
    }));
}
