import { foldCase } from './search.ts';

/**
 * Who may have which user name, when several change at once: swaps and chains pass, and of two that want the same
 * name the first does. What is refused keeps the name it has, which may refuse another one in turn.
 */
export interface NameWish {
  readonly id: string;
  /** The name it will have, folded; undefined when it gives its name up. */
  readonly to: string | undefined;
}

/**
 * @param holders folded name to id, for every name wished for that somebody has now
 * @returns ids whose wish stands against somebody else's name
 */
export function refusedNames(wishes: readonly NameWish[], holders: ReadonlyMap<string, string>): ReadonlySet<string> {
  const refused = new Set<string>();
  const byId = new Map(wishes.map((wish) => [wish.id, wish]));
  for (let changed = true; changed; ) {
    changed = false;
    const taken = new Map<string, string>();
    for (const [name, id] of holders) {
      const wish = byId.get(id);
      if (wish === undefined || refused.has(id) || wish.to === name) taken.set(name, id);
    }
    for (const { id, to } of wishes) {
      if (to === undefined || refused.has(id)) continue;
      const holder = taken.get(to);
      if (holder === undefined) taken.set(to, id);
      else if (holder !== id) {
        refused.add(id);
        changed = true;
      }
    }
  }
  return refused;
}

/** The name that somebody who left gets when somebody new needs the old one: as Entra does, the object id in front. */
export function releasedName(externalId: string, userName: string): string {
  return `${externalId.replaceAll('-', '')}${userName}`;
}

/** The key under which a user name is unique. */
export function nameKey(name: string): string {
  return foldCase(name);
}
