// Before anybody is believed to be gone because a list did not show them: the source is asked for them by id.
import { UpstreamError } from '#core/errors.ts';
import type { SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';

/** Ids that are asked for together. */
const ASKED_AT_ONCE = 200;
/** Of more than this some are asked for, evenly spread: a list that lacks pages shows in any of them. */
const ASKED_MAX = 10_000;
/** More than so many who are there are no oddity of the source: that is about half a page, so the list lacks some. */
const THERE_MAX = 500;

export interface Absence {
  readonly type: ResourceType;
  /** Whom the read did not show, and nobody said that they are gone. */
  readonly unseen: readonly string[];
  /** How many the read has shown. */
  readonly shown: number;
}

export interface Proven {
  /** Of whom the source says that they are not there. */
  readonly gone: readonly string[];
  /** Of whom it says that they are. If there are any, everybody who was not shown was asked for. */
  readonly there: readonly string[];
}

/**
 * Tells those who are gone from those whom the read left out. Where the source does not tell of single objects, their
 * number decides; where it does not tell that either, the read is believed.
 * @throws {UpstreamError} `list-short`: so many are there, or not all could be asked for, that the read proves no absence
 */
export async function proveAbsence(
  look: SecondLook,
  { type, unseen, shown }: Absence,
  signal: AbortSignal,
): Promise<Proven> {
  const asked = spread(unseen, ASKED_MAX);
  const most = asked.length === unseen.length && look.read !== undefined ? THERE_MAX : 0;
  const gone: string[] = [];
  const there: string[] = [];
  let untold = 0;
  for (let start = 0; start < asked.length; start += ASKED_AT_ONCE) {
    const some = asked.slice(start, start + ASKED_AT_ONCE);
    const told = await look.isThere(type, some, signal);
    there.push(...some.filter((id) => told.get(id) === true));
    if (there.length > most) throw stillThere(type, there.length);
    gone.push(...some.filter((id) => told.get(id) === false));
    untold += some.length - told.size;
  }
  if (untold === 0) return { gone, there };
  const total = await look.count(type, signal);
  if (total !== undefined && total > shown + there.length)
    throw short(type, `it showed ${shown} where the source counts ${total}`);
  return { gone, there };
}

/** @returns what to throw: so many whom a list did not show are there, by their ids */
export function stillThere(type: ResourceType, count: number): UpstreamError {
  return short(type, `at least ${count} of those whom it did not show ${count === 1 ? 'is' : 'are'} still there`);
}

function short(type: ResourceType, why: string): UpstreamError {
  return new UpstreamError(
    `The source sent a list of ${type === 'User' ? 'users' : 'groups'} that was too short: ${why}.`,
    {
      failure: 'source-incomplete',
      reason: 'list-short',
      remedy:
        'Nobody is removed because of it, and the next run reads again; whom its list leaves out too is read by id then. If it repeats, ask the support of the source.',
    },
  );
}

/** At most so many of a list, with equal steps in between. */
function spread(ids: readonly string[], most: number): readonly string[] {
  if (ids.length <= most) return ids;
  return Array.from({ length: most }, (_, index) => ids[Math.floor((index * ids.length) / most)] ?? '');
}
