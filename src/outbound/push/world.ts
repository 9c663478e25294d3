import type { PushPolicy, Target, TargetError } from '#core/target.ts';
import type { Clock } from '#platform/clock.ts';
import type { Db } from '#store/database.ts';
import { touchedSince } from '#store/target/deliveries.ts';
import { freeLink, holderOf } from '#store/target/gone-links.ts';
import {
  doubtMembers,
  forgetMembers,
  hasDoubtedMembers,
  isTaken,
  knownMembers,
  lackingMembers,
  madeSince,
  noteMembers,
  renameMember,
  replaceKnownMembers,
  surplusMembers,
  wantedMembers,
} from '#store/target/target-members.ts';
import type { Delivering } from './delivering.ts';

/** What one delivery needs, from the database. Links that are about to be written are remembered in between. */
export function makeWorld(
  { db, clock, appId }: { db: Db; clock: Clock; appId: string },
  { target, policy }: { target: Target; policy: PushPolicy },
  cut: Delivering['cut'],
): Delivering & { forgetClaims(resourceId: string): void } {
  const claimed = new Map<string, string>();
  /** Of groups that are not done yet. */
  const refused = new Map<string, Map<string, TargetError>>();

  function refusedOf(groupId: string): Map<string, TargetError> {
    const known = refused.get(groupId) ?? new Map<string, TargetError>();
    refused.set(groupId, known);
    return known;
  }

  return {
    target,
    policy,
    cut,
    mayGoOn: () => true,
    now: clock.now,
    sleep: clock.sleep,
    async isTaken({ resource_type: type, resource_id: by }, remoteId) {
      const key = `${type} ${remoteId}`;
      const holder = claimed.get(key);
      if (holder !== undefined && holder !== by) return true;
      claimed.set(key, by);
      return isTaken(db, { appId, type, remoteId, by });
    },
    holderOf: ({ resource_type: type, resource_id: by }, remoteId) => holderOf(db, { appId, type, remoteId, by }),
    async takeOver({ resource_type: type, resource_id: by }, remoteId) {
      const freed = await freeLink(db, { appId, type, remoteId, by });
      if (freed !== undefined) claimed.set(`${type} ${remoteId}`, by);
      return freed;
    },
    async touchedSince({ resource_id: id, resource_type: type, delivered }) {
      return [...(await touchedSince(db, id, delivered)), ...policy.mapping[type].map(({ to }) => to)];
    },
    forgetClaims(resourceId) {
      if (refused.get(resourceId)?.size === 0) refused.delete(resourceId);
      for (const [key, by] of claimed) if (by === resourceId) claimed.delete(key);
    },
    membersOf({ resource_id: groupId, resource_type }) {
      const place = { appId, groupId };
      return {
        surplus: (after, except) => surplusMembers(db, place, { limit: policy.membersPerRequest, after, except }),
        lacking: (after, except) => lackingMembers(db, place, { limit: policy.membersPerRequest, after, except }),
        get refused() {
          return refusedOf(groupId);
        },
        note: (done) => noteMembers(db, place, done),
        known: () => knownMembers(db, place),
        doubt: (ids) => doubtMembers(db, place, ids),
        hasDoubts: () => hasDoubtedMembers(db, place),
        madeSince: (since, ids) => madeSince(db, appId, since, ids),
        wanted: () => wantedMembers(db, place),
        rename: (remoteId, to) => renameMember(db, appId, remoteId, to),
        replaceKnown: (ids) => replaceKnownMembers(db, place, ids),
        forget: (remoteId) => forgetMembers(db, appId, resource_type === 'Group' ? { groupId } : { remoteId }),
      };
    },
  };
}
