// What came while everything at a target is compared, so that a leaver does not wait for the end of that.
import type { ScopeOf } from '#store/target/deliveries.ts';
import { nextDue } from '#store/target/delivery-claims.ts';
import { readTarget, type TargetRow } from '#store/target/targets.ts';
import { type Following, followJournal, lookThrough } from '../push/follow.ts';
import { HaltedError } from '../push/halt.ts';
import type { Health } from '../push/health.ts';

export interface BetweenParts {
  readonly following: Following;
  readonly health: Pick<Health, 'begin' | 'isResting' | 'restMs'>;
  scopeOf(row: TargetRow): ScopeOf;
}

/** How often it is looked at. */
const LOOK_MS = 500;

/**
 * Answers what is called between two requests of a comparison: it asks for what has changed, sends what is due, and waits
 * while the target rests. It throws `HaltedError` once the target is not active any more, or has other settings than it began with.
 */
export function makeBetween({ following, health, scopeOf }: BetweenParts) {
  const { db, clock, appId } = following;
  let nextAt = 0;

  /** Of a target that is as it was; what a person has decided of its rest meanwhile counts. */
  async function current(version: string): Promise<TargetRow> {
    const row = await readTarget(db, appId);
    if (row?.state !== 'active' || row.config_version !== version) throw new HaltedError('the target was changed');
    health.begin(row);
    return row;
  }

  /** Asks for what has changed, by the journal and by a stretch of the directory. */
  async function look(version: string, signal: AbortSignal) {
    const before = await current(version);
    const hasNews = await followJournal(following, before, scopeOf(before), signal);
    const followed = hasNews ? await current(version) : before;
    const hasLooked = await lookThrough(following, followed, scopeOf(followed));
    return { row: hasLooked ? await current(version) : followed, hasLooked };
  }

  return async (
    { config_version: version }: TargetRow,
    send: (row: TargetRow) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void> => {
    if (clock.elapsed() < nextAt && !health.isResting()) return;
    for (;;) {
      signal.throwIfAborted();
      const { row, hasLooked } = await look(version, signal);
      if (!health.isResting()) {
        const { readyAt } = await nextDue(db, appId);
        if (readyAt !== undefined && readyAt <= clock.now()) await send(row);
        // What is left of the directory is looked through after the next request.
        nextAt = hasLooked ? 0 : clock.elapsed() + LOOK_MS;
      }
      if (!health.isResting()) return;
      await clock.sleep(Math.min(LOOK_MS, Math.max(1, health.restMs())), signal);
    }
  };
}
