// Before people are believed to have left groups that decide who is in scope: lists of members are read one after the other,
// so whoever moves from one to another meanwhile may be in neither. They are asked themselves.
import type { MemberRef, MembersChange, SecondLook } from '#core/pages.ts';

/** More who seem to have left groups are not asked for: to take so many away the guard asks a person. */
export const ASKED_MAX = 2_000;

/** Somebody who is in a group no more. */
export interface Loss extends MemberRef {
  readonly group: string;
}

export interface Movers {
  note(losses: readonly Loss[]): void;
  /**
   * The other groups in which they are by their own account; none where the source does not say. Of a group that has lost
   * them its list is believed. @throws what `SecondLook.groupsOf` throws
   */
  find(signal: AbortSignal): Promise<readonly MembersChange[]>;
}

export function makeMovers(groupsOf: NonNullable<SecondLook['groupsOf']>): Movers {
  const lost = { User: new Map<string, Set<string>>(), Group: new Map<string, Set<string>>() };
  const isMany = (): boolean => lost.User.size + lost.Group.size > ASKED_MAX;
  return {
    note(losses) {
      for (const { type, externalId, group } of losses) {
        if (isMany()) return;
        lost[type].set(externalId, (lost[type].get(externalId) ?? new Set()).add(group));
      }
    },
    async find(signal) {
      if (isMany()) return [];
      const won = new Map<string, MemberRef[]>();
      for (const type of ['User', 'Group'] as const) {
        const ids = [...lost[type].keys()];
        if (ids.length === 0) continue;
        for (const [externalId, groups] of await groupsOf(type, ids, signal))
          for (const group of new Set(groups).difference(lost[type].get(externalId) ?? new Set()))
            won.set(group, [...(won.get(group) ?? []), { externalId, type }]);
      }
      return [...won].map(([group, added]) => ({ group, added, skipped: [], removed: [] }));
    },
  };
}
