// Some targets fail on a filter that they do not know, and any target may fail for a moment: what tells the two apart.
import type { ResourceType } from '#core/resource.ts';
import { TargetError } from '#core/target.ts';
import type { ScimClient } from './client.ts';
import { placeOf } from './remote.ts';
import { unlessAborted } from './wait.ts';

export const FAILURE = 500;
/** It is believed when it fails at the filter each time of so many, and answers a list without one after each. */
const FAILURES_MOST = 3;

/** After a failure: whether it was for the filter. */
export type FilterDoubt = (
  type: ResourceType,
  path: string,
  /** Asks with the filter once more. */
  again: () => Promise<unknown>,
  signal: AbortSignal,
) => Promise<boolean>;

/** Of several who failed by the same attribute, one looks for all. */
export function makeFilterDoubt(client: ScimClient): FilterDoubt {
  const looking = new Map<string, Promise<boolean>>();

  async function look(type: ResourceType, again: () => Promise<unknown>, signal: AbortSignal): Promise<boolean> {
    const list = { method: 'GET', path: `${placeOf(type)}?startIndex=1&count=1` } as const;
    for (let failures = 1; ; failures += 1) {
      const isWell = await client.send(list, signal).then(
        () => true,
        () => false,
      );
      if (!isWell || failures === FAILURES_MOST) return isWell;
      const hasFailed = await again().then(
        () => false,
        (error: unknown) => error instanceof TargetError && error.status === FAILURE,
      );
      if (!hasFailed) return false;
    }
  }

  return (type, path, again, signal) => {
    const attribute = `${type} ${path}`;
    const answer = looking.get(attribute) ?? look(type, again, signal).finally(() => looking.delete(attribute));
    looking.set(attribute, answer);
    return unlessAborted(answer, signal);
  };
}
