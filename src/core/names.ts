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

/** Somebody whose user name somebody else has now. */
export interface NameClaim {
  readonly id: string;
  /** The claim of whoever has the name, if that one is to change as well. */
  readonly holder: string | undefined;
  /** Whether the name cannot be had, whatever becomes of others. */
  readonly taken: boolean;
}

/** Whose name stays with somebody else: taken, or kept by one whose own new name is. Claims that wait for each other swap. */
export function waitingForNames(claims: readonly NameClaim[]): ReadonlySet<string> {
  const heirs = new Map<string, string[]>();
  for (const { id, holder } of claims) if (holder !== undefined) heirs.set(holder, [...(heirs.get(holder) ?? []), id]);
  const waiting = new Set<string>();
  const left = claims.filter(({ taken }) => taken).map(({ id }) => id);
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (waiting.has(id)) continue;
    waiting.add(id);
    left.push(...(heirs.get(id) ?? []));
  }
  return waiting;
}

/** The name that somebody who left gets when somebody new needs the old one: as Entra does, the object id in front. */
export function releasedName(externalId: string, userName: string): string {
  return `${externalId.replaceAll('-', '')}${userName}`;
}

const ASCII = /^[\0-\x7f]*$/;
/** Characters of double and of half width, and the space of double width. */
const WIDE = /[\u3000\uff01-\uffee]/g;

/**
 * The key under which a user name is unique, and a name is looked up: two spellings that look the same have the same
 * (RFC 7644 section 5: width, case and composition of RFC 8265 section 3.3). Whatever the characters, a name is taken.
 */
export function nameKey(name: string): string {
  const folded = foldCase(name);
  if (ASCII.test(folded)) return folded;
  return folded.replaceAll(WIDE, (sign) => sign.normalize('NFKC')).normalize('NFC');
}
