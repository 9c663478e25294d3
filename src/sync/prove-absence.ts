// Before anybody is believed to be gone because a list did not show them: the source is asked for them by id.
import { UpstreamError } from '#core/errors.ts';
import type { SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';

/** Ids that are asked for together; the first of them who is there ends the asking. */
const ASKED_AT_ONCE = 200;
/** Of more than this some are asked for, evenly spread: a list that lacks pages shows in any of them. */
const ASKED_MAX = 10_000;

export interface Absence {
  readonly type: ResourceType;
  /** Whom the read did not show, and nobody said that they are gone. */
  readonly unseen: readonly string[];
  /** How many the read has shown. */
  readonly shown: number;
}

/**
 * Answers of whom the source says that they are not there. Where it does not tell of single objects, their number
 * decides; where it does not tell that either, the read is believed.
 * @throws {UpstreamError} `list-short`: somebody is there whom the read did not show, so it proves no absence
 */
export async function proveAbsence(
  look: SecondLook,
  { type, unseen, shown }: Absence,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const asked = spread(unseen, ASKED_MAX);
  const gone: string[] = [];
  let untold = 0;
  for (let start = 0; start < asked.length; start += ASKED_AT_ONCE) {
    const some = asked.slice(start, start + ASKED_AT_ONCE);
    const told = await look.isThere(type, some, signal);
    const there = some.filter((id) => told.get(id) === true).length;
    if (there > 0)
      throw short(type, `at least ${there} of those whom it did not show ${there === 1 ? 'is' : 'are'} still there`);
    gone.push(...some.filter((id) => told.get(id) === false));
    untold += some.length - told.size;
  }
  if (untold === 0) return gone;
  const total = await look.count(type, signal);
  if (total !== undefined && total > shown) throw short(type, `it showed ${shown} where the source counts ${total}`);
  return gone;
}

function short(type: ResourceType, why: string): UpstreamError {
  return new UpstreamError(
    `The source sent a list of ${type === 'User' ? 'users' : 'groups'} that was too short: ${why}.`,
    {
      failure: 'source-incomplete',
      reason: 'list-short',
      remedy:
        'Nobody is removed because of it, and the next run reads again. If it repeats, ask the support of the source.',
    },
  );
}

/** At most so many of a list, with equal steps in between. */
function spread(ids: readonly string[], most: number): readonly string[] {
  if (ids.length <= most) return ids;
  return Array.from({ length: most }, (_, index) => ids[Math.floor((index * ids.length) / most)] ?? '');
}
