// Groups and reports of those whom a read of changes shows for the first time: an entry that was made, moved into a base, or
// matches the filter now may be a member of groups, and the manager of people, that have not changed and are not among the changes.
import type { ReadMemory } from '#core/pages.ts';
import { hasUids, type Reading } from './everybody.ts';
import { escapeFilter } from './filter.ts';
import { MANAGER, type MembersPage, memberAttributes, type RecordsPage, readMembers, readUsers } from './read.ts';
import { type LdapRecord, valuesOf } from './records.ts';
import type { Resolver } from './resolver.ts';

/** With more of them all groups, or people, are read: that takes fewer searches. */
const FIRST_SHOWN_MAX = 500;
/** Names in one filter. */
const NAMES_AT_ONCE = 50;

export interface FirstShown {
  /** The same pages, of which it keeps who is not known. */
  note(pages: AsyncIterable<RecordsPage>): AsyncGenerator<RecordsPage>;
  /** Everybody who has one of them as manager. */
  reports(reading: Reading, resolver: Resolver): AsyncGenerator<RecordsPage>;
  /** All members of each group that has one of them. */
  groups(reading: Reading, resolver: Resolver): AsyncGenerator<MembersPage>;
}

/** @param memory what was read before; without it nobody is known */
export function makeFirstShown({ plan }: Reading, memory: ReadMemory | undefined): FirstShown {
  const names = new Set<string>();
  const managers = new Set<string>();
  let isNamed = true;

  /** As groups name them; groups that keep uids have no groups in them. */
  function add(record: LdapRecord, type: RecordsPage['resourceType']): void {
    if (type === 'User' && managers.size <= FIRST_SHOWN_MAX) managers.add(record.dn);
    if (hasUids(plan) && type === 'Group') return;
    const own = hasUids(plan) ? valuesOf(record, 'uid') : [record.dn];
    if (own.length === 0) isNamed = false;
    for (const name of own) if (names.size <= FIRST_SHOWN_MAX) names.add(name);
  }

  return {
    async *note(pages) {
      for await (const page of pages) {
        const ids = page.records.map(({ externalId }) => externalId);
        // What a read that broke off has brought is in the mirror, and its groups were not asked for.
        const known = await memory?.settled(page.resourceType, ids);
        for (const record of page.records) if (known?.has(record.externalId) !== true) add(record, page.resourceType);
        yield page;
      }
    },
    async *reports(reading, resolver) {
      if (managers.size > FIRST_SHOWN_MAX) {
        yield* readUsers(reading, resolver);
        return;
      }
      for (const filter of filtersOf([...managers], [MANAGER])) yield* readUsers(reading, resolver, filter);
    },
    async *groups(reading, resolver) {
      if (!isNamed || names.size > FIRST_SHOWN_MAX) {
        yield* readMembers(reading, resolver);
        return;
      }
      for (const filter of filtersOf([...names], memberAttributes(plan))) yield* readMembers(reading, resolver, filter);
    },
  };
}

/** Filters for entries that have one of these names in one of these attributes. */
function filtersOf(names: readonly string[], attributes: readonly string[]): readonly string[] {
  const filters: string[] = [];
  for (let start = 0; start < names.length; start += NAMES_AT_ONCE) {
    const some = names.slice(start, start + NAMES_AT_ONCE);
    const terms = some.flatMap((name) => attributes.map((attribute) => `(${attribute}=${escapeFilter(name)})`));
    filters.push(`(|${terms.join('')})`);
  }
  return filters;
}
