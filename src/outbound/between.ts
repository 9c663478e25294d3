// What came while everything at a target is compared, so that a leaver does not wait for the end of that.
import type { ScopeOf } from '#store/deliveries.ts';
import { nextDue } from '#store/delivery-claims.ts';
import { readTarget, type TargetRow } from '#store/targets.ts';
import { type Following, followJournal } from './follow.ts';
import { HaltedError } from './halt.ts';
import type { Health } from './health.ts';

export interface BetweenParts {
  readonly following: Following;
  readonly health: Pick<Health, 'isResting' | 'restMs'>;
  scopeOf(row: TargetRow): ScopeOf;
}

/** How often it is looked at. */
const LOOK_MS = 500;

/**
 * Answers what is called between two requests of a comparison: it sends what is due, and waits while the target rests. It
 * throws `HaltedError` once the target is not active any more, or has other settings than it began with.
 */
export function makeBetween({ following, health, scopeOf }: BetweenParts) {
  const { db, clock, appId } = following;
  let nextAt = 0;

  return async (
    { config_version: version }: TargetRow,
    send: (row: TargetRow, scope: ScopeOf) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> => {
    if (clock.elapsed() < nextAt && !health.isResting()) return;
    for (;;) {
      signal.throwIfAborted();
      const row = await readTarget(db, appId);
      if (row?.state !== 'active' || row.config_version !== version) throw new HaltedError('the target was changed');
      if (!health.isResting()) {
        const scope = scopeOf(row);
        await followJournal(following, row, scope, signal);
        const { readyAt } = await nextDue(db, appId);
        if (readyAt !== undefined && readyAt <= clock.now()) await send(row, scope);
        nextAt = clock.elapsed() + LOOK_MS;
      }
      if (!health.isResting()) return;
      await clock.sleep(Math.min(LOOK_MS, Math.max(1, health.restMs())), signal);
    }
  };
}
