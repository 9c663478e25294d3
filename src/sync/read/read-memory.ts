import type { ReadMemory } from '#core/pages.ts';
import type { ProviderKindName, ResourceType } from '#core/resource.ts';
import type { Db } from '#store/database.ts';
import { readRecords, readRestorable, readServed, readSettled } from '#store/mirror/mirror.ts';

/** Ids that are asked for together. */
const IDS_PER_PAGE = 5_000;

/** What a provider may ask about its own earlier reads, from the mirror and the directory as they are when it asks. */
export function makeReadMemory(db: Db, provider: ProviderKindName): ReadMemory {
  async function* pages(read: typeof readServed, type: ResourceType): AsyncGenerator<readonly string[]> {
    for (let after = ''; ; ) {
      const ids = await read(db, provider, { type, after, limit: IDS_PER_PAGE });
      const last = ids.at(-1);
      if (last === undefined) return;
      yield ids;
      after = last;
    }
  }

  return {
    async known(type, externalIds) {
      const records = await readRecords(db, provider, type, externalIds);
      return new Map([...records].map(([id, text]) => [id, JSON.parse(text)]));
    },
    settled: async (type, externalIds) => new Set(await readSettled(db, provider, type, externalIds)),
    served: (type) => pages(readServed, type),
    restorable: (type) => pages(readRestorable, type),
  };
}
