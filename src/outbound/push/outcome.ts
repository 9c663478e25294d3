import { RANKS } from '#core/order.ts';
import type { Exchange } from '#core/target.ts';
import type { SettledDelivery } from '#store/target/deliveries.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import { isOffThere, type Progress, sentOf } from './delivering.ts';

export interface Ending {
  readonly now: Date;
  readonly exchanges: readonly Exchange[];
  /** False when something is left to do. */
  readonly isDone: boolean;
}

/** What is written of a delivery: done, or left as it is to be taken up again at once. */
export function settledOf(row: Claimed, progress: Progress, { now, exchanges, isDone }: Ending): SettledDelivery {
  // Whatever else of it is left to do.
  const hasLeft = progress.action === 'deactivated' || progress.action === 'deleted';
  // Whoever was kept there until now leaves now.
  const isDeparture = hasLeft && (row.gone_since === null || !isOffThere(sentOf(row)));
  const cameOrWent = (row.gone_since === null) !== (progress.goneSince === null);
  const hasMoved = row.remote_id !== null && row.remote_id !== progress.remoteId;
  const lines = exchanges.map((exchange) => ({ ...(isDone ? inShort(exchange) : exchange), at: now.toISOString() }));
  return {
    resource_id: row.resource_id,
    resource_type: row.resource_type,
    fence: row.fence,
    asks: row.asks,
    state: isDone && progress.again === undefined ? 'idle' : 'pending',
    ready_at: progress.again ?? now,
    attempts: isDone ? 0 : row.attempts - 1,
    version: row.version,
    remote_id: progress.remoteId,
    remote_etag: progress.etag,
    link: progress.link,
    sent: isDone && progress.remoteId === null ? null : progress.sent,
    gone_since: progress.goneSince,
    drift: progress.drift,
    action: progress.action,
    error: null,
    awaits: null,
    log: lines,
    departed_at: isDeparture ? row.changed_at : null,
    rank: progress.leaves ? RANKS.leaver : row.rank,
    done: isDone,
    predecessor: progress.predecessor,
    gave_up: givenUp(row, progress),
    concerns_others: progress.action === 'created' || progress.action === 'adopted' || hasMoved || cameOrWent,
  };
}

const SHORT = 300;

/** What went well is told of in short: rows stay small, and what was sent is kept beside. */
function inShort(exchange: Exchange): Exchange {
  const { method, path, status, ms, request } = exchange;
  const cut = request === null || request.length <= SHORT ? request : `${request.slice(0, SHORT)}…`;
  return { method, path, status, ms, request: cut, response: null };
}

/** The name that was sent last, and is another now, or is gone; empty where it is not known, since an answer was lost. */
function givenUp(row: Claimed, { action, sent }: Progress): string | null {
  if (action === 'none' || action === 'kept' || action === 'skipped') return null;
  const name = row.resource_type === 'User' ? 'userName' : 'displayName';
  const before = sentOf(row)?.[name];
  if (before === undefined || before === sent?.[name]) return null;
  return typeof before === 'string' ? before : '';
}
