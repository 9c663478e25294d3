// Asking for single entries that a whole read has not shown, and for groups that lost somebody. Somebody who is moved while
// the tree is walked may be passed over, and of several servers behind one name one may lag. What is not found is not
// told: whoever the server hides from a list, it hides from a question as well.
import { GatewayError, UpstreamError } from '#core/errors.ts';
import type { SecondLook } from '#core/pages.ts';
import type { ResourceType } from '#core/resource.ts';
import { type Reading, searchOf } from './everybody.ts';
import { isAnswerLate } from './failures.ts';
import { readMembers } from './read.ts';
import { anchorFilter, anchorOf } from './records.ts';
import type { Resolver } from './resolver.ts';

/** A whole read under way. */
export interface Whole {
  readonly reading: Reading;
  /** That of the first reading. */
  readonly first: Pick<Resolver, 'isPartial'>;
  /** For what is read once more. It leaves no name unknown that is somebody's. */
  readonly resolver: Resolver;
}

const GROUPS_AT_ONCE = 50;

/** @param current the read that it goes with; without one nothing is told */
export function secondLook(current: () => Whole | undefined): SecondLook {
  let slow: Reading | undefined;
  /** A server that does not search so says nothing of them; one that is gone does not either, and may be back. */
  function hearNothing(error: unknown, reading: Reading): void {
    if (!(error instanceof GatewayError)) throw error;
    // The next question would wait as long.
    if (isAnswerLate(error)) slow = reading;
    else if (error instanceof UpstreamError && error.failure === 'network') throw error;
  }
  return {
    showsAll: true,
    async isThere(type, ids, signal) {
      const reading = current()?.reading;
      const found = new Map<string, boolean>();
      if (reading === undefined || reading === slow) return found;
      try {
        for (const id of await foundBy(reading, type, ids, signal)) found.set(id, true);
      } catch (error) {
        signal.throwIfAborted();
        hearNothing(error, reading);
      }
      return found;
    },
    isRestorable: async () => new Map(),
    count: async () => undefined,
    async *members(groups, signal) {
      const { reading, resolver, first } = current() ?? {};
      if (reading === undefined || resolver === undefined || first === undefined) return;
      // A first reading that has left names unknown is never believed by itself.
      const mustAnswer = first.isPartial();
      if (reading === slow && !mustAnswer) return;
      try {
        for (let start = 0; start < groups.length; start += GROUPS_AT_ONCE) {
          const filter = anchorFilter(reading.plan.anchor, groups.slice(start, start + GROUPS_AT_ONCE));
          yield* readMembers({ ...reading, signal }, resolver, filter);
        }
      } catch (error) {
        signal.throwIfAborted();
        if (mustAnswer) throw error;
        hearNothing(error, reading);
      }
    },
  };
}

/** Of these ids, those of entries that the search of a read finds. */
async function foundBy(
  reading: Reading,
  type: ResourceType,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { connection, plan } = reading;
  const asked = searchOf(reading, type, [plan.anchor], anchorFilter(plan.anchor, ids));
  if (asked === undefined) return [];
  const found: string[] = [];
  for await (const entries of connection.searchAside(asked, signal))
    found.push(...entries.flatMap((entry) => anchorOf(entry, plan.anchor) ?? []));
  return found.filter((id) => ids.includes(id));
}
