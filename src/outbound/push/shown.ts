// What a target has made is shown, and taken for a member, only after a while by some.
import type { ResourceType } from '#core/resource.ts';
import type { Claimed } from '#store/target/delivery-claims.ts';
import type { Delivering, Progress } from './delivering.ts';

/** What was made may be found only after a while. */
export const LOOK_AGAIN_MS = [0, 500, 2_000] as const;
/** After this it is not there. */
const SHOWN_WITHIN_MS = 60_000;

/** Whether a resource that the target does not show is there after all. One that was made before that time is not waited for. */
export async function isThereYet(
  world: Delivering,
  row: Claimed,
  { action, remoteId }: Progress,
  signal: AbortSignal,
): Promise<boolean> {
  const age = action === 'created' ? 0 : world.now().getTime() - (row.settled_at?.getTime() ?? 0);
  if (age > SHOWN_WITHIN_MS || remoteId === null) return false;
  return isShown(world, { type: row.resource_type, remoteId }, [...LOOK_AGAIN_MS], signal);
}

/** Takes of the waits as many as it needs. */
async function isShown(
  world: Delivering,
  { type, remoteId }: { readonly type: ResourceType; readonly remoteId: string },
  waits: number[],
  signal: AbortSignal,
): Promise<boolean> {
  for (let wait = waits.shift(); wait !== undefined; wait = waits.shift()) {
    if (wait > 0) await world.sleep(wait, signal);
    if ((await world.target.read(type, remoteId, signal)) !== undefined) return true;
  }
  return false;
}

/**
 * Answers, of members whom the target refuses, whether it may take them now: some of them were made a moment ago, and are
 * shown meanwhile. One delivery waits for that once, however many are refused.
 */
export function makeMemberWait(
  world: Delivering,
  row: Claimed,
  signal: AbortSignal,
): (remoteIds: readonly string[]) => Promise<boolean> {
  const waits: number[] = [...LOOK_AGAIN_MS];
  let hasTried = false;
  return async (remoteIds) => {
    if (hasTried && waits.length === 0) return false;
    const since = new Date(world.now().getTime() - SHOWN_WITHIN_MS);
    const made = await world.membersOf(row).madeSince(since, remoteIds);
    for (const one of made) {
      if ((await world.target.read(one.type, one.remoteId, signal)) === undefined)
        return isShown(world, one, waits, signal);
    }
    // All are shown, maybe since the request.
    const mayTry = made.length > 0 && !hasTried;
    hasTried ||= mayTry;
    return mayTry;
  };
}
