// Works one stream: reads the change log, sends what is due, and goes on until there is nothing to do.
import type { RunError } from '#core/failure.ts';
import type { Log } from '#platform/log.ts';
import type { Db } from '#store/database.ts';
import { claimDeliveries } from '#store/event/event-deliveries.ts';
import {
  type DisabledReason,
  disableStream,
  findStream,
  lockStream,
  type StreamRow,
} from '#store/event/event-streams.ts';
import type { HeldLease } from '#store/leased.ts';
import { checkFence, type Lease } from '#store/leases.ts';
import type { Telling } from './event-messages.ts';
import type { EventViewOf } from './event-view.ts';
import { fillStream } from './fill-stream.ts';
import { fitMessages, isOutdated } from './fit-messages.ts';
import { type SendParts, sendRound } from './send-events.ts';

/** Messages of one stream under way at once; one while its receiver fails. */
const TOGETHER = 8;
/** Between two looks at the change log. */
const ROUNDS = 25;
/** Longer than a message can take: whoever holds a claim that long is dead. */
const CLAIM_MS = 60_000;

export interface EventWorkerParts extends SendParts {
  readonly log: Log;
  readonly viewOf: EventViewOf;
  publicUrl(): string;
  /** A stream was taken out of service; within the transaction that does it, or right after. */
  onDisabled(stream: StreamRow, reason: DisabledReason, error: RunError | null): Promise<void>;
}

/** Until nothing is to be done for it. @throws {LeaseLostError} somebody else works now */
export async function workStream(
  parts: EventWorkerParts,
  id: string,
  lease: HeldLease,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const filled = await fill(parts, id, lease);
    if (filled === undefined) return;
    let round: Round = 'sent';
    for (let rounds = 0; rounds < ROUNDS && round === 'sent' && !signal.aborted; rounds += 1)
      round = await send(parts, id, lease, signal);
    if (!filled.more && round === 'idle') return;
  }
}

/** Something was sent, there is nothing to send, or the change log is to be looked at first. */
type Round = 'sent' | 'idle' | 'outdated';

async function fill(parts: EventWorkerParts, id: string, lease: Lease): Promise<{ more: boolean } | undefined> {
  return parts.database.knex.transaction(async (tx) => {
    await checkFence(tx, lease);
    const stream = await lockStream(tx, id);
    if (stream === undefined) return undefined;
    const filled = await fillStream(tx, tellingOf(parts, stream), parts.clock.now());
    if (filled !== 'fell-behind') return { more: filled === 'more' };
    await disable(tx, parts, stream, 'fell-behind', FELL_BEHIND);
    return undefined;
  });
}

function tellingOf(parts: EventWorkerParts, stream: StreamRow): Telling {
  const issuer = parts.publicUrl();
  return { stream, view: parts.viewOf(stream.app_scope), base: `${issuer}/scim/v2`, issuer };
}

/** One round, with the stream as it is set up now. */
async function send(parts: EventWorkerParts, id: string, lease: HeldLease, signal: AbortSignal): Promise<Round> {
  const { clock, log } = parts;
  const db = parts.database.knex;
  const stream = await findStream(db, id);
  if (stream === undefined || !stream.pushed || !stream.enabled || stream.disabled_at !== null) return 'idle';
  if (isOutdated(stream)) return 'outdated';
  const isFailing = stream.failures > 0;
  const claim = { now: clock.now(), limit: isFailing ? 1 : TOGETHER, claimMs: CLAIM_MS, leastTriedFirst: isFailing };
  const claimed = await claimDeliveries(db, id, lease, claim);
  if (claimed.length === 0) return 'idle';
  await lease.confirm();
  const messages = await fitMessages(db, { stream, view: parts.viewOf(stream.app_scope) }, claimed);
  const disabled = await sendRound(parts, stream, messages, signal);
  log.debug({ stream: id, messages: claimed.length }, 'events sent');
  if (disabled === undefined) return 'sent';
  log.warn({ stream: id, app: stream.app_id, reason: disabled.reason }, 'a stream of events was disabled');
  await parts.onDisabled(stream, disabled.reason, disabled.error);
  return 'idle';
}

async function disable(
  tx: Db,
  parts: EventWorkerParts,
  stream: StreamRow,
  reason: DisabledReason,
  error: RunError,
): Promise<void> {
  parts.log.warn({ stream: stream.id, app: stream.app_id, reason }, 'a stream of events was disabled');
  if (await disableStream(tx, stream.id, { reason, error, now: parts.clock.now() }))
    await parts.onDisabled(stream, reason, error);
}

const FELL_BEHIND: RunError = {
  failure: 'config',
  code: 'fell-behind',
  message: 'The receiver was away for longer than changes are kept.',
  remedy: 'Resume it with a snapshot, or keep changes for longer.',
};
