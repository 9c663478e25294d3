import { RETRY_AFTER_MOST_MS } from '#core/backoff.ts';
import { type GatewayError, UpstreamError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';

/** How long we go on trying. */
export interface Limits {
  /** Tries of one request, those that were told to wait not counted. */
  readonly attemptsMax: number;
  /** Waiting of one request on a busy other side, in all; what would take longer ends it. */
  readonly waitMsMax: number;
  /** For one try: sending, and reading the whole answer. */
  readonly timeoutMs: number;
}

/** For a run, which may take hours and should not fail because of a bad minute. */
export const RUN_LIMITS: Limits = { attemptsMax: 8, waitMsMax: 15 * 60_000, timeoutMs: 60_000 };
/** For a question of an administrator, who is looking at the screen. */
export const ASK_LIMITS: Limits = { attemptsMax: 2, waitMsMax: 10_000, timeoutMs: 15_000 };

const BACKOFF_FIRST_MS = 500;
const BACKOFF_MAX_MS = 30_000;
/** Tries while nothing has ever answered: a wrong host stays wrong, and a source that is away is away for everybody. */
const FIRST_CONTACT_ATTEMPTS_MAX = 3;
/** Busy answers to one request, however short the waits. */
const BUSY_ANSWERS_MAX = 60;

/** One try that did not succeed. */
export interface Failed {
  /** What is thrown if this was the last try. */
  readonly error: GatewayError;
  readonly retry: boolean;
  /** Tries are bounded by this too, where another answer is not likely to come. */
  readonly attemptsMax?: number;
  /** What the other side asked for; without it the wait is a back-off. */
  readonly waitMs?: number | undefined;
  /** The other side is busy, not broken: all requests wait, and tries are bounded by the waiting time. */
  readonly busy?: boolean;
}

export type Outcome<Value> = { readonly value: Value } | Failed;

/** Repeats what fails, and keeps one pause for all requests that go through it. */
export interface Pace {
  /**
   * Tries until there is a value. @throws {GatewayError} that of the last try; the signal's own reason when it fires
   */
  run<Value>(attempt: () => Promise<Outcome<Value>>, signal: AbortSignal): Promise<Value>;
  /** All requests wait until then. */
  pause(waitMs: number): void;
  /** Milliseconds since 1970, by the clock of the pauses. */
  now(): number;
  /** Time that requests were kept waiting because the other side asked for it; overlaps count once. */
  throttledMs(): number;
}

/** The pause that all share who ask the same application of the same tenant: a run, and an administrator's question. */
export interface Gate {
  pausedUntil: number;
}

/** @param who is asked, for the words of an error */
export function makePace(
  clock: Clock,
  { attemptsMax, waitMsMax }: Limits,
  gate: Gate = { pausedUntil: 0 },
  who = 'Microsoft Graph',
): Pace {
  let throttledMs = 0;
  let answered = false;

  function attemptsFor({ error, attemptsMax: own = attemptsMax }: Failed): number {
    answered ||= !isUnreachable(error);
    return Math.min(attemptsMax, own, answered ? attemptsMax : FIRST_CONTACT_ATTEMPTS_MAX);
  }

  function pause(waitMs: number): void {
    throttledMs += hold(waitMs);
  }

  /** Lets whoever comes wait until then, and answers how much longer that is than before. */
  function hold(waitMs: number): number {
    const now = clock.elapsed();
    const until = now + Math.min(waitMs, RETRY_AFTER_MOST_MS);
    const longer = until - Math.max(now, gate.pausedUntil);
    if (longer <= 0) return 0;
    gate.pausedUntil = until;
    return longer;
  }

  async function untilFree(signal: AbortSignal): Promise<void> {
    for (;;) {
      const wait = gate.pausedUntil - clock.elapsed();
      if (wait <= 0) break;
      if (wait > waitMsMax) throw tooLong(who, wait);
      await clock.sleep(wait, signal);
    }
    signal.throwIfAborted();
  }

  return {
    pause,
    now: () => clock.now().getTime(),
    throttledMs: () => throttledMs,
    async run(attempt, signal) {
      const tries: Tries = { failures: 0, busy: 0, waitedMs: 0 };
      for (;;) {
        await untilFree(signal);
        const outcome = await attempt();
        if ('value' in outcome) {
          answered = true;
          return outcome.value;
        }
        const wait = waitAfter(outcome, tries);
        const { failures, busy, waitedMs } = tries;
        const over = failures >= attemptsFor(outcome) || busy >= BUSY_ANSWERS_MAX || waitedMs > waitMsMax;
        if (!outcome.retry || over) {
          // Whoever does not wait that long has been told for all the others.
          if (outcome.busy === true) hold(wait);
          throw outcome.error;
        }
        if (outcome.busy === true) pause(wait);
        else if (wait > 0) await clock.sleep(wait, signal);
      }
    },
  };
}

function isUnreachable(error: GatewayError): boolean {
  return error instanceof UpstreamError && error.failure === 'network';
}

/** Whoever cannot wait that long is told at once, and asks nothing. */
function tooLong(who: string, waitMs: number): UpstreamError {
  return new UpstreamError(`${who} has asked to be left alone for another ${Math.ceil(waitMs / 1000)} s.`, {
    failure: 'throttled',
    remedy: 'Try again then.',
    retryAfterMs: waitMs,
  });
}

/** How one request has fared so far. */
interface Tries {
  failures: number;
  busy: number;
  waitedMs: number;
}

/** Counts the try, and says how long to wait before the next. */
function waitAfter({ busy = false, waitMs }: Failed, tries: Tries): number {
  if (busy) tries.busy += 1;
  else tries.failures += 1;
  // Whoever says "wait" and not how long, or zero again and again, is spared by a back-off of our own.
  const spare = waitMs === undefined || (waitMs === 0 && tries.busy > 1);
  const wait = Math.max(waitMs ?? 0, spare ? backoffMs(tries.failures + tries.busy) : 0);
  if (busy) tries.waitedMs += wait;
  return wait;
}

/** Half fixed, half by chance, so that requests that failed together do not come back together. */
function backoffMs(tries: number): number {
  const limit = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(tries - 1, 10));
  return limit / 2 + Math.random() * (limit / 2);
}
