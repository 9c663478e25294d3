// Who is behind a name: the external id of every entry that was found, by its distinguished name (or uid). Kept are 15
// bytes of a hash for each name, not the name, so a million entries take about 130 MB.
import { createHash } from 'node:crypto';
import type { ResourceType } from '#core/resource.ts';
import { dnKey } from './dn.ts';

export interface Found {
  readonly externalId: string;
  readonly type: ResourceType;
}

export interface Names {
  add(name: string, found: Found): void;
  find(name: string): Found | undefined;
  readonly size: () => number;
}

const HASH_BYTES = 15;

/** @param keyOf the spelling in which two names of the same entry are equal */
export function makeNames(keyOf: (name: string) => string | undefined = dnKey): Names {
  const users = new Map<string, string>();
  const groups = new Map<string, string>();
  const hashOf = (name: string): string | undefined => {
    const key = keyOf(name);
    if (key === undefined) return undefined;
    return createHash('sha256').update(key).digest().toString('latin1', 0, HASH_BYTES);
  };
  return {
    add(name, { externalId, type }) {
      const hash = hashOf(name);
      if (hash !== undefined) (type === 'User' ? users : groups).set(hash, externalId);
    },
    find(name) {
      const hash = hashOf(name);
      if (hash === undefined) return undefined;
      const user = users.get(hash);
      if (user !== undefined) return { externalId: user, type: 'User' };
      const group = groups.get(hash);
      return group === undefined ? undefined : { externalId: group, type: 'Group' };
    },
    size: () => users.size + groups.size,
  };
}
