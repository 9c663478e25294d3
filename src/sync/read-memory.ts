import type { ReadMemory } from '#core/provider.ts';
import type { ProviderKindName } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { readRecords, readServed } from '#store/mirror.ts';

/** Ids that are asked for together. */
const IDS_PER_PAGE = 5_000;

/** What a provider may ask about its own earlier reads, from the mirror and the directory as they are when it asks. */
export function makeReadMemory(db: Db, provider: ProviderKindName): ReadMemory {
  return {
    async known(type, externalIds) {
      const records = await readRecords(db, provider, type, externalIds);
      return new Map([...records].map(([id, text]) => [id, JSON.parse(text)]));
    },
    async *served(type) {
      for (let after = ''; ; ) {
        const ids = await readServed(db, provider, { type, after, limit: IDS_PER_PAGE });
        const last = ids.at(-1);
        if (last === undefined) return;
        yield ids;
        after = last;
      }
    },
  };
}
