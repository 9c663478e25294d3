// What people ask of a target by hand, beside its Retry-After: nothing is asked during it, and one that comes is noted.
import { ConflictError } from '#core/errors.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { restUntil, type TargetRow } from '#store/target/targets.ts';

/** @throws {ConflictError} `target-asked-for-rest`; our own back-off is no reason */
export function checkAskedRest({ rest_asked_until: until }: Pick<TargetRow, 'rest_asked_until'>, now: Date): void {
  if (until === null || until <= now) return;
  throw new ConflictError(`The target asked to be left alone until ${until.toISOString()}.`, {
    reason: 'target-asked-for-rest',
    remedy: 'Try again after that; resume the target first if whoever runs it says that it may be asked.',
    details: { restUntil: until.toISOString() },
  });
}

/** Takes what a target asks for while it is talked to by hand. */
export interface RestNote {
  askedToRest(ms: number): void;
  /** So that it holds for everybody. */
  save(db: Db, appId: string): Promise<void>;
}

export function noteRest(clock: Pick<Clock, 'now'>): RestNote {
  let until = 0;
  return {
    askedToRest(ms) {
      until = Math.max(until, clock.now().getTime() + ms);
    },
    async save(db, appId) {
      if (until > 0) await restUntil(db, appId, new Date(until));
    },
  };
}
