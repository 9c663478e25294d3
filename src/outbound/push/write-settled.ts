// What became of deliveries is written together; one that cannot be written holds up nobody else.
import { describeError } from '#core/failure.ts';
import { type PushPolicy, TargetError } from '#core/target.ts';
import type { Db } from '#store/database.ts';
import { askForReferences, isLinkTaken, type SettledDelivery, settleDeliveries } from '#store/target/deliveries.ts';
import { askForHeirs, askForNames } from '#store/target/gone-links.ts';
import { guardDepartures } from './departures.ts';

type Write = (work: (tx: Db) => Promise<void>) => Promise<void>;

/** Writes what became of deliveries, asks for what has to be looked at again for it, and has the guard look at who leaves now. */
export async function writeSettled(
  write: Write,
  { appId, guard }: { readonly appId: string; readonly guard: PushPolicy['guard'] },
  settled: readonly SettledDelivery[],
  now: Date,
): Promise<void> {
  const writeAll = (some: readonly SettledDelivery[]): Promise<void> =>
    write(async (tx) => {
      const isDeparting = await settleDeliveries(tx, appId, some, now);
      const moved = [
        ...some.filter((one) => one.concerns_others).map(({ resource_id }) => resource_id),
        ...some.map(({ predecessor }) => predecessor).filter((id) => id !== null),
      ];
      await askForReferences(tx, appId, moved, now);
      const givers = some.filter((one) => hasLeft(one) || one.gave_up !== null).map(({ resource_id }) => resource_id);
      await askForHeirs(tx, appId, givers, now);
      const free = some.flatMap(({ resource_type: type, gave_up: name }) => (name ? [{ type, name }] : []));
      await askForNames(tx, appId, free, now);
      if (isDeparting) await guardDepartures(tx, appId, guard, now);
    });
  const unlessTaken = (error: unknown): void => {
    if (!isLinkTaken(error)) throw error;
  };
  let isTaken = false;
  await writeAll(settled).catch((error: unknown) => {
    unlessTaken(error);
    isTaken = true;
  });
  if (!isTaken) return;
  // One by one: two may have exchanged ids, and one of two that share an id is told of.
  for (const one of settled)
    await writeAll([one]).catch((error: unknown) => {
      unlessTaken(error);
      return writeAll([withoutLink(one)]);
    });
}

const LEFT: ReadonlySet<string> = new Set(['deactivated', 'deleted', 'kept']);

function hasLeft({ done, action }: SettledDelivery): boolean {
  return done && LEFT.has(action);
}

/** The target has answered with the id of what another resource of ours is linked to. */
function withoutLink(one: SettledDelivery): SettledDelivery {
  const refused = new TargetError(`The target answered with the id "${one.remote_id}" of another resource of ours.`, {
    kind: 'conflict',
    reason: 'already-linked',
    remedy: 'Give the two different values in the matching attribute, or leave one out of the scope.',
  });
  const link = { remote_id: null, remote_etag: null, link: null, sent: null, drift: null } as const;
  const error = { ...describeError(refused), status: null };
  return { ...one, ...link, state: 'dead', action: 'none', error, departed_at: null, done: false };
}
