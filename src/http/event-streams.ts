// Answers that go on and on (server-sent events, HTML section 9.2): how many at once, and what becomes of readers who stopped
// reading. Each costs a connection and looks at the database as long as it lasts.
import { once } from 'node:events';
import type { Request, Response } from 'express';
import { RateError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import { principalOf } from './auth.ts';

/** Of one token or one person: more than all the tabs that anybody looks at. */
const OF_ONE_MAX = 100;
/** Of one process. */
const OF_ALL_MAX = 500;
/** A comment after this long without an event, so that nobody between takes the connection for dead. */
const HEARTBEAT_MS = 15_000;
/** How soon a reader who lost the connection comes back. */
const RETRY_MS = 2_000;
/** A reader who takes nothing for so long has gone without saying so. */
const TAKEN_WITHIN_MS = 30_000;

export interface EventStreams {
  /**
   * Begins to answer with events. The place is free again when the connection ends, by whichever side. A reader who has
   * gone already takes none, and is sent nothing; nor is one who asks for the head of the answer alone.
   * @throws {RateError} `too-many-streams`
   */
  open(request: Request, response: Response): EventStream;
}

export interface EventStream {
  /** Fires when the reader has gone. */
  readonly gone: AbortSignal;
  /** Milliseconds since it began, by a clock that nobody sets. */
  age(): number;
  /** Sends lines, and waits while the reader is behind. */
  send(text: string): Promise<void>;
  /** Says that we are still here, when nothing was said for a while. */
  beat(): Promise<void>;
}

export interface EventStreamLimits {
  readonly ofOne?: number;
  readonly ofAll?: number;
}

export function makeEventStreams(
  clock: Clock,
  { ofOne = OF_ONE_MAX, ofAll = OF_ALL_MAX }: EventStreamLimits = {},
): EventStreams {
  const open = new Map<string, number>();
  let all = 0;

  function take(who: string): () => void {
    const own = open.get(who) ?? 0;
    if (own >= ofOne) throw tooMany('of yours');
    if (all >= ofAll) throw tooMany('on this gateway');
    open.set(who, own + 1);
    all += 1;
    return () => {
      const left = (open.get(who) ?? 1) - 1;
      if (left === 0) open.delete(who);
      else open.set(who, left);
      all -= 1;
    };
  }

  return {
    open(request, response) {
      const { actor, tokenId } = principalOf(request);
      const gone = new AbortController();
      // Of one who left while it was looked up who asks, `close` does not come again; and who asks for the head alone has all.
      if (response.destroyed || request.method === 'HEAD') gone.abort();
      else {
        const giveBack = take(actor ?? `token:${tokenId}`);
        response.once('close', () => {
          giveBack();
          gone.abort();
        });
      }
      const began = clock.elapsed();
      let quietSince = began;
      response.status(200).set({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
      if (!gone.signal.aborted) response.write(`retry: ${RETRY_MS}\n\n`);

      async function send(text: string): Promise<void> {
        if (gone.signal.aborted) return;
        quietSince = clock.elapsed();
        if (response.write(text)) return;
        const late = new AbortController();
        const signal = AbortSignal.any([gone.signal, late.signal]);
        void clock.sleep(TAKEN_WITHIN_MS, signal).then(
          () => response.destroy(),
          () => undefined,
        );
        await once(response, 'drain', { signal }).catch(() => undefined);
        late.abort();
      }

      return {
        gone: gone.signal,
        age: () => clock.elapsed() - began,
        send,
        async beat() {
          if (clock.elapsed() - quietSince > HEARTBEAT_MS) await send(': still here\n\n');
        },
      };
    },
  };
}

function tooMany(whose: string): RateError {
  return new RateError(`Too many event streams ${whose} are open.`, {
    reason: 'too-many-streams',
    retryAfterMs: 30_000,
    remedy: 'Close those that nobody reads; one stream tells of everything.',
  });
}
