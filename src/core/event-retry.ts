// When an event is sent again, and when no more.
import { RETRY_AFTER_MOST_MS } from './backoff.ts';

/** What an answer says: taken, no to this message, no to everything at present, or never come back. */
export type AnswerVerdict = 'delivered' | 'refused' | 'rejected' | 'failed' | 'gone';

/** Statuses that speak of the message and not of the receiver. */
const ABOUT_MESSAGE = new Set([400, 409, 413, 415, 422]);

/** Source: standardwebhooks.com, specification 1.0.0, "Response status code", checked 2026-11. */
export function judgeWebhookAnswer(status: number): AnswerVerdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  return ABOUT_MESSAGE.has(status) ? 'refused' : 'failed';
}

/**
 * A 400 names what is wrong: with the token, which is then not sent again unchanged, or with keys, names and rights,
 * which somebody mends on either side (RFC 8935 sections 2.3, 2.4 and 4).
 */
export function judgeSetAnswer(status: number, text: string): AnswerVerdict {
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  if (status !== 400) return 'failed';
  return MENDABLE.has(setErrorCode(text)) ? 'failed' : 'rejected';
}

const MENDABLE = new Set([
  'invalid_key',
  'invalid_issuer',
  'invalid_audience',
  'authentication_failed',
  'access_denied',
]);

function setErrorCode(text: string): string {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'err' in body ? String(body.err) : '';
  } catch {
    return '';
  }
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;
/** The specification's example: the longest wait before the n-th new try. */
const WAITS_MS = [
  5 * SECOND_MS,
  300 * SECOND_MS,
  1_800 * SECOND_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;
/** Tries of a message that the receiver refuses while it takes others: the first and one after each wait. */
export const ATTEMPTS_MAX = WAITS_MS.length + 1;
/** A receiver that took nothing for this long is not asked any more. */
export const GIVE_UP_MS = 96 * HOUR_MS;
/** So many messages refused in a row, or failing at once, and it is the receiver and not the messages. */
const FAILURES_OF_MESSAGE = 5;

/**
 * Full jitter: anywhere up to the longest wait, so that what failed together does not come back together; never before
 * the receiver said.
 * @param random from 0 up to 1
 */
export function retryWaitMs(failures: number, random: number, retryAfterMs = 0): number {
  const longest = WAITS_MS[Math.min(Math.max(failures, 1), WAITS_MS.length) - 1] ?? 0;
  return Math.max(SECOND_MS, Math.round(longest * random), Math.min(retryAfterMs, RETRY_AFTER_MOST_MS));
}

/** How a stream does. */
export interface StreamHealth {
  /** Rounds in a row in which something failed. One message that is refused again and again counts once. */
  readonly failures: number;
  readonly failingSince: Date | null;
  /** Nothing is sent before. */
  readonly retryAt: Date | null;
}

export interface RoundOutcome {
  readonly verdict: AnswerVerdict;
  /** Whether the message had never been tried before. */
  readonly isFirstTry: boolean;
  readonly retryAfterMs?: number | undefined;
}

/** What came of one message in a round, with what is known of it from before. */
export interface MessageOutcome extends RoundOutcome {
  /** The receiver said that it is busy, or when to come back. */
  readonly asksToWait: boolean;
  /** Whether it failed because of itself before, or others were taken since it failed. */
  readonly wasPassed: boolean;
}

/**
 * The verdicts of a round, where a message that fails while others are taken is refused, however it was answered: a
 * receiver that stumbles over one message must not keep the others waiting. And how the stream did before, without what
 * was that message's fault. While others fail as well, it is the receiver.
 */
export function blameMessages(
  health: StreamHealth,
  outcomes: readonly MessageOutcome[],
): { readonly verdicts: readonly AnswerVerdict[]; readonly health: StreamHealth } {
  const anyDelivered = outcomes.some(({ verdict }) => verdict === 'delivered');
  const failed = outcomes.filter(({ verdict }) => verdict === 'failed');
  const isReceiver =
    !anyDelivered &&
    (health.failures > 1 || failed.length >= FAILURES_OF_MESSAGE || failed.some(({ wasPassed }) => !wasPassed));
  const verdicts = outcomes.map(({ verdict, isFirstTry, asksToWait }) =>
    verdict === 'failed' && !isFirstTry && !asksToWait && !isReceiver ? 'refused' : verdict,
  );
  const isMended = failed.length > 0 && !verdicts.some((verdict) => verdict === 'failed' || verdict === 'gone');
  return { verdicts, health: isMended ? HEALTHY : health };
}

const HEALTHY: StreamHealth = { failures: 0, failingSince: null, retryAt: null };

/** How a stream does after a round of messages, and whether that was the end. */
export function nextHealth(
  health: StreamHealth,
  outcomes: readonly RoundOutcome[],
  { now, random }: { now: Date; random: number },
): StreamHealth & { readonly disable: 'gone' | 'gave-up' | undefined } {
  const anyDelivered = outcomes.some(({ verdict }) => verdict === 'delivered');
  // A token that was rejected for good was at least read.
  const bad = outcomes.filter(({ verdict }) => verdict !== 'delivered' && verdict !== 'rejected');
  const before = anyDelivered ? 0 : health.failures;
  if (bad.length === 0) return { ...HEALTHY, disable: undefined };
  const isDown = bad.some(({ verdict }) => verdict === 'failed' || verdict === 'gone');
  const failures = before + (isDown || bad.some(({ isFirstTry }) => isFirstTry) ? 1 : 0);
  const failingSince = failures === 0 ? null : anyDelivered ? now : (health.failingSince ?? now);
  const waits = isDown || failures >= FAILURES_OF_MESSAGE;
  const asked = Math.max(0, ...bad.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  const retryAt = waits ? new Date(now.getTime() + retryWaitMs(failures, random, asked)) : null;
  const isGone = bad.some(({ verdict }) => verdict === 'gone');
  const gaveUp = waits && failingSince !== null && now.getTime() - failingSince.getTime() >= GIVE_UP_MS;
  return { failures, failingSince, retryAt, disable: isGone ? 'gone' : gaveUp ? 'gave-up' : undefined };
}
