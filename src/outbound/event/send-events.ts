// Sends claimed messages of one stream and writes down what came of it.
import {
  type AnswerVerdict,
  ATTEMPTS_MAX,
  blameMessages,
  judgeSetAnswer,
  judgeWebhookAnswer,
  type MessageOutcome,
  nextHealth,
  retryWaitMs,
  type StreamHealth,
} from '#core/event-retry.ts';
import { describeError, type RunError } from '#core/failure.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingAnswer, OutgoingPolicy } from '#platform/fetch.ts';
import { makeMask } from '#platform/mask.ts';
import type { Seal } from '#platform/seal.ts';
import type { Database } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { type ClaimedDelivery, type Settlement, settleDeliveries } from '#store/event/event-deliveries.ts';
import { disableStream, noteHealth, type StreamRow } from '#store/event/event-streams.ts';
import { countAttempts } from '#store/target/attempt-hours.ts';
import { isTaken, postSet, postWebhook, refusalOf } from '../post-webhook.ts';
import type { SetSigner } from './set-signer.ts';
import {
  NO_SECRETS,
  openSecrets,
  type SetSettings,
  type StreamSecrets,
  signingKeysOf,
  type WebhookSettings,
} from './stream-settings.ts';

export interface SendParts {
  readonly database: Database;
  readonly seal: Seal;
  readonly signer: SetSigner;
  readonly clock: Clock;
  readonly policy: OutgoingPolicy;
  random(): number;
}

/** What is kept of an answer: enough to see what went wrong. */
const ANSWER_MAX = 1_000;

/** A message as its receiver took it. */
export interface Receipt {
  readonly verdict: AnswerVerdict;
  readonly status: number | null;
  /** The beginning of the answer, without secrets. */
  readonly answer: string | null;
  readonly error: RunError | null;
  readonly retryAfterMs: number | undefined;
  /** How long it took. */
  readonly ms: number;
}

export type Message = Pick<ClaimedDelivery, 'message_id' | 'payload'>;

/** Sends one message as it is now: with today's URL and keys. Never throws, but when the signal fires. */
export async function sendMessage(
  parts: SendParts,
  stream: Pick<StreamRow, 'kind' | 'settings' | 'sealed'>,
  { message_id: id, payload }: Message,
  signal?: AbortSignal,
): Promise<Receipt> {
  const { seal, clock, policy, signer } = parts;
  const now = clock.now();
  const began = clock.elapsed();
  const ms = (): number => Math.round(clock.elapsed() - began);
  let secrets = NO_SECRETS;
  try {
    secrets = openSecrets(seal, stream);
    const answer =
      stream.kind === 'webhook'
        ? await postWebhook(
            { url: (stream.settings as WebhookSettings).url, keys: signingKeysOf(secrets, now) },
            { id, at: now, body: payload },
            policy,
            signal,
          )
        : await postSet(
            { url: urlOf(stream.settings as SetSettings), authorization: secrets.authorization },
            await (await signer.open(now))(payload),
            policy,
            signal,
          );
    return { ...receiptOf(stream, secrets, answer), ms: ms() };
  } catch (error) {
    signal?.throwIfAborted();
    const described = describeError(translateDatabaseError(error));
    return { verdict: 'failed', status: null, answer: null, error: described, retryAfterMs: undefined, ms: ms() };
  }
}

function urlOf({ delivery }: SetSettings): string {
  return delivery.method === 'push' ? delivery.url : '';
}

function receiptOf(
  { kind }: Pick<StreamRow, 'kind'>,
  secrets: StreamSecrets,
  answer: OutgoingAnswer,
): Omit<Receipt, 'ms'> {
  const { status, text, retryAfterMs } = answer;
  const verdict = kind === 'webhook' ? judgeWebhookAnswer(status) : judgeSetAnswer(status, text);
  const mask = makeMask([...secrets.keys.map(({ secret }) => secret), secrets.authorization ?? '']);
  const error = isTaken(answer)
    ? null
    : describeError(refusalOf(answer, kind === 'webhook' ? 'the webhook' : 'the tokens'));
  return { verdict, status, answer: mask(text).slice(0, ANSWER_MAX), error, retryAfterMs };
}

function healthOf({ failures, failing_since, retry_at }: StreamRow): StreamHealth {
  return { failures, failingSince: failing_since, retryAt: retry_at };
}

/** The end of a stream. */
export interface Disabled {
  readonly reason: 'gone' | 'gave-up';
  readonly error: RunError | null;
}

/**
 * Sends messages side by side, settles them, and notes how the receiver does; answers when that was the end. Once an
 * administrator has changed the stream meanwhile, it says nothing of the stream, and what was not taken is tried anew.
 */
export async function sendRound(
  parts: SendParts,
  stream: StreamRow,
  claimed: readonly ClaimedDelivery[],
  signal: AbortSignal,
): Promise<Disabled | undefined> {
  const sent = await Promise.all(claimed.map((message) => sendMessage(parts, stream, message, signal)));
  const now = parts.clock.now();
  const random = parts.random();
  const { receipts, health } = blame(stream, claimed, sent);
  const outcomes = receipts.map((receipt, place) => ({ ...receipt, isFirstTry: claimed[place]?.attempts === 1 }));
  const { disable, ...next } = nextHealth(health, outcomes, { now, random });
  const error = receipts.findLast(({ verdict }) => verdict !== 'delivered')?.error ?? null;
  const anyDelivered = receipts.some(({ verdict }) => verdict === 'delivered');
  return parts.database.knex.transaction(async (tx) => {
    const noted = { ...next, error, succeededAt: anyDelivered ? now : undefined };
    const isSame = await noteHealth(tx, stream, noted);
    const settlements = claimed.flatMap((message, place): Settlement[] => {
      const receipt = receipts[place];
      return receipt === undefined ? [] : [settlementOf(message, receipt, { now, random, isSame })];
    });
    await settleDeliveries(tx, stream.id, settlements, now);
    await countAttempts(tx, channelOf(stream), attemptsOf(receipts), now);
    if (disable === undefined || !isSame) return undefined;
    const wasOn = await disableStream(tx, stream.id, { reason: disable, error, now });
    return wasOn ? { reason: disable, error } : undefined;
  });
}

/** The receipts with the verdicts that they have in the light of each other, and how the stream did before. */
function blame(
  stream: StreamRow,
  claimed: readonly ClaimedDelivery[],
  receipts: readonly Receipt[],
): { readonly receipts: readonly Receipt[]; readonly health: StreamHealth } {
  const outcomes = receipts.map(({ verdict, status, retryAfterMs }, place): MessageOutcome => {
    const { attempts = 1, refusals = 0, tried_at = null } = claimed[place] ?? {};
    const isFirstTry = attempts === 1;
    const { last_success_at: success } = stream;
    const wasPassed = !isFirstTry && (refusals > 0 || (success !== null && tried_at !== null && success >= tried_at));
    return { verdict, isFirstTry, wasPassed, asksToWait: status === 429 || retryAfterMs !== undefined };
  });
  const { verdicts, health } = blameMessages(healthOf(stream), outcomes);
  return {
    receipts: receipts.map((receipt, place) => ({ ...receipt, verdict: verdicts[place] ?? receipt.verdict })),
    health,
  };
}

export function channelOf({ app_id, kind }: Pick<StreamRow, 'app_id' | 'kind'>) {
  return { appId: app_id, channel: kind === 'webhook' ? ('webhook' as const) : ('events' as const) };
}

function attemptsOf(receipts: readonly Receipt[]) {
  const delivered = receipts.filter(({ verdict }) => verdict === 'delivered').length;
  return { delivered, failed: receipts.length - delivered, settled: receipts.length };
}

/** A message that is refused while others are taken is tried some times; a receiver that fails altogether is waited for. */
function settlementOf(
  { id, attempts, refusals: before }: ClaimedDelivery,
  { verdict, status, answer, error, ms }: Receipt,
  { now, random, isSame }: { now: Date; random: number; isSame: boolean },
): Settlement {
  const refusals = verdict === 'refused' && isSame ? before + 1 : before;
  const settled = { id, attempts, refusals, status, answer, error, ms };
  if (verdict === 'delivered') return { ...settled, state: 'delivered', nextAt: null };
  if (!isSame) return { ...settled, state: 'pending', nextAt: now };
  if (verdict === 'rejected' || refusals >= ATTEMPTS_MAX) return { ...settled, state: 'dead', nextAt: null };
  const waitMs = verdict === 'refused' ? retryWaitMs(refusals, random) : 0;
  return { ...settled, state: 'pending', nextAt: new Date(now.getTime() + waitMs) };
}
