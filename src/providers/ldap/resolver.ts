// From the names of entries to their ids: all at once for a whole read, one by one for the few that a change names.
import { GatewayError } from '#core/errors.ts';
import { dnKey } from './dn.ts';
import { escapeFilter } from './escape.ts';
import { addNames, type Directory, findEverybody, type Reading, searchOf } from './everybody.ts';
import type { Names } from './names.ts';
import { makeNames } from './names.ts';

export interface Resolver {
  /** Knows those of these distinguished names that are users or groups of ours. */
  dns(names: readonly string[]): Promise<Names>;
  /** The same for uids of users. */
  uids(names: readonly string[]): Promise<Names>;
}

export function wholeResolver({ byDn, byUid }: Directory): Resolver {
  return { dns: async () => byDn, uids: async () => byUid };
}

/** More look-ups than this take longer than reading all names at once. */
const LOOKUPS_MAX = 500;
const UIDS_AT_ONCE = 100;
const NO_SUCH_OBJECT = 32;

/** Looks names up when they are asked for, each once, and everybody when there are many. */
export function lazyResolver(reading: Reading): Resolver {
  const found: Directory = { byDn: makeNames(), byUid: makeNames((uid) => uid) };
  const asked = new Set<string>();
  let everybody: Promise<Directory> | undefined;

  async function lookUp(
    names: readonly string[],
    one: (fresh: readonly string[]) => Promise<void>,
  ): Promise<Directory> {
    const fresh = [...new Set(names)].filter((name) => name !== '' && !asked.has(name));
    if (everybody === undefined && asked.size + fresh.length > LOOKUPS_MAX) everybody = findEverybody(reading);
    if (everybody !== undefined) return everybody;
    for (const name of fresh) asked.add(name);
    await one(fresh);
    return found;
  }

  return {
    async dns(names) {
      return (
        await lookUp(names, async (fresh) => {
          for (const name of fresh) await findByDn(name, reading, found);
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

async function findByDn(name: string, reading: Reading, found: Directory): Promise<void> {
  for (const type of ['User', 'Group'] as const) {
    const asked = searchOf(reading, type, [reading.plan.anchor]);
    if (asked === undefined || !isBelow(name, asked.base, asked.scope)) continue;
    try {
      const search = { ...asked, base: name, scope: 'base' as const };
      const [entry] = await reading.connection.first(search, reading.signal);
      if (entry === undefined) continue;
      // By the name that was asked for too: the server may spell its own in another way.
      addNames(found, { ...entry, dn: name }, { plan: reading.plan, type });
      return;
    } catch (error) {
      if (error instanceof GatewayError && error.details['code'] === NO_SUCH_OBJECT) return;
      throw error;
    }
  }
}

function isBelow(name: string, base: string, scope: 'sub' | 'one' | 'base'): boolean {
  const [key, baseKey] = [dnKey(name), dnKey(base)];
  if (key === undefined || baseKey === undefined) return false;
  if (scope === 'base') return key === baseKey;
  if (scope === 'one') return baseKey === parentOf(key);
  return key === baseKey || baseKey === '' || key.endsWith(`,${baseKey}`);
}

/** Keys have no separator that is not one: what belongs to a value is behind a backslash. */
function parentOf(key: string): string {
  return /^(?:\\.|[^,\\])*,(.*)$/s.exec(key)?.[1] ?? '';
}

async function findByUids(uids: readonly string[], reading: Reading, found: Directory): Promise<void> {
  const filter = `(|${uids.map((uid) => `(uid=${escapeFilter(uid)})`).join('')})`;
  const asked = searchOf(reading, 'User', [reading.plan.anchor, 'uid'], filter);
  if (asked === undefined) return;
  for await (const entries of reading.connection.search(asked, reading.signal))
    for (const entry of entries) addNames(found, entry, { plan: reading.plan, type: 'User' });
}
