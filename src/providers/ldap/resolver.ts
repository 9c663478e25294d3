// From the names of entries to their ids: all at once for a whole read, one by one for the few that a change names.
import { GatewayError } from '#core/errors.ts';
import { isBelow } from './dn.ts';
import { addNames, type Directory, findEverybody, type Reading, searchOf } from './everybody.ts';
import { escapeFilter } from './filter.ts';
import { type Found, makeNames, type Names } from './names.ts';

export type KnownNames = Pick<Names, 'find'>;

export interface Resolver {
  /** Knows those of these distinguished names that are users or groups of ours. */
  dns(names: readonly string[]): Promise<KnownNames>;
  /** The same for uids of users. */
  uids(names: readonly string[]): Promise<KnownNames>;
  /** Whether names were left unknown that may be somebody's. */
  isPartial(): boolean;
  /** Whether there was no entry of this distinguished name when it was looked up. */
  isVanished(name: string): boolean;
}

/** What becomes of names to look up when there are too many to look up each. */
export type Beyond = 'everybody' | 'unknown';

/**
 * Knows everybody who was found when the read began. Names that are not among them are looked up: whoever was renamed, or
 * moved, since is still a member by the new name, and of groups that do not count as changed.
 * @param beyond `unknown` for a reading that is confirmed before anybody loses something: many names of a usual directory
 * lie below a base and are nobody's who is read (computers, contacts, whom the filter leaves out)
 */
export function wholeResolver({ byDn, byUid }: Directory, reading: Reading, beyond: Beyond): Resolver {
  const late = lazyResolver(reading, beyond);
  const first = async (known: Names, names: readonly string[], look: Resolver['dns']): Promise<KnownNames> => {
    const found = new Map<string, Found>();
    const unknown: string[] = [];
    for (const name of names) {
      const one = known.find(name);
      if (one === undefined) unknown.push(name);
      else found.set(name, one);
    }
    if (unknown.length === 0) return { find: (name) => found.get(name) };
    const later = await look(unknown);
    return { find: (name) => found.get(name) ?? later.find(name) };
  };
  return {
    dns: (names) => first(byDn, names, late.dns),
    uids: (names) => first(byUid, names, late.uids),
    isPartial: late.isPartial,
    isVanished: late.isVanished,
  };
}

/** More look-ups than this take longer than reading all names at once. */
const LOOKUPS_MAX = 500;
const UIDS_AT_ONCE = 100;
/**
 * How servers say that a name is none of theirs to show: a referral to the domain that has it, no such object, no name,
 * and no right to see it. Source: RFC 4511 appendix A.
 */
const NOT_OURS: ReadonlySet<unknown> = new Set([10, 32, 34, 50]);
const NO_SUCH_ENTRY = 32;

/** Looks names up when they are asked for, each once; when there are many, everybody, or no more of them. */
export function lazyResolver(reading: Reading, beyond: Beyond = 'everybody'): Resolver {
  const found: Directory = { byDn: makeNames(), byUid: makeNames((uid) => uid) };
  const asked = new Set<string>();
  const vanished = new Set<string>();
  let everybody: Promise<Directory> | undefined;
  let isPartial = false;
  const places = (['User', 'Group'] as const).flatMap((type) => searchOf(reading, type, []) ?? []);
  const mayBeOurs = (name: string): boolean => places.some(({ base, scope }) => isBelow(name, base, scope));

  async function lookUp(
    names: readonly string[],
    one: (fresh: readonly string[]) => Promise<void>,
  ): Promise<Directory> {
    const unasked = [...new Set(names)].filter((name) => name !== '' && !asked.has(name));
    const fresh = unasked.slice(0, LOOKUPS_MAX - asked.size);
    if (fresh.length < unasked.length) {
      if (beyond === 'everybody') everybody ??= findEverybody(reading);
      else isPartial = true;
    }
    if (everybody !== undefined) return everybody;
    for (const name of fresh) asked.add(name);
    await one(fresh);
    return found;
  }

  return {
    isPartial: () => isPartial,
    isVanished: (name) => vanished.has(name),
    async dns(names) {
      return (
        await lookUp(names.filter(mayBeOurs), async (fresh) => {
          for (const name of fresh) if (await isNoEntry(name, reading, found)) vanished.add(name);
        })
      ).byDn;
    },
    async uids(names) {
      return (
        await lookUp(names, async (fresh) => {
          for (let start = 0; start < fresh.length; start += UIDS_AT_ONCE)
            await findByUids(fresh.slice(start, start + UIDS_AT_ONCE), reading, found);
        })
      ).byUid;
    },
  };
}

/** Looks one name up, and answers whether there is no entry of it at all. */
async function isNoEntry(name: string, reading: Reading, found: Directory): Promise<boolean> {
  for (const type of ['User', 'Group'] as const) {
    const asked = searchOf(reading, type, [reading.plan.anchor]);
    if (asked === undefined || !isBelow(name, asked.base, asked.scope)) continue;
    try {
      const search = { ...asked, base: name, scope: 'base' as const };
      const [entry] = await reading.connection.first(search, reading.signal);
      if (entry === undefined) continue;
      // By the name that was asked for too: the server may spell its own in another way.
      addNames(found, { ...entry, dn: name }, { plan: reading.plan, type });
      return false;
    } catch (error) {
      const code = error instanceof GatewayError ? error.details['code'] : undefined;
      if (NOT_OURS.has(code)) return code === NO_SUCH_ENTRY;
      throw error;
    }
  }
  return false;
}

async function findByUids(uids: readonly string[], reading: Reading, found: Directory): Promise<void> {
  const filter = `(|${uids.map((uid) => `(uid=${escapeFilter(uid)})`).join('')})`;
  const asked = searchOf(reading, 'User', [reading.plan.anchor, 'uid'], filter);
  if (asked === undefined) return;
  for await (const entries of reading.connection.search(asked, reading.signal))
    for (const entry of entries) addNames(found, entry, { plan: reading.plan, type: 'User' });
}
