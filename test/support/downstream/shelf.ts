// The resources that a downstream service holds, and how they looked a while ago.
import type { Manners } from './manners.ts';
import { type Filter, matches } from './paths.ts';
import type { Doc, Kind } from './schema.ts';

export interface Shelf {
  /** As the service knows them now. */
  readonly now: ReadonlyMap<string, Doc>;
  /** As a read shows them: with some services an older state. */
  seen(id: string): Doc | undefined;
  list(filter: Filter | undefined): readonly Doc[];
  write(id: string, doc: Doc | undefined): void;
  rename(id: string, to: string): void;
  /** Another resource with one of the values that must be unique. */
  holderOf(doc: Doc, id: string | undefined): Doc | undefined;
}

interface Past {
  readonly until: number;
  readonly doc: Doc | undefined;
}

export function makeShelf(kind: Kind, { lagMs = 0, filters }: Manners): Shelf {
  const docs = new Map<string, Doc>();
  const past = new Map<string, Past[]>();

  function seen(id: string): Doc | undefined {
    const limit = Date.now() - lagMs;
    // The state that ended last, of those that a read may still show.
    const older = past.get(id)?.find(({ until }) => until > limit);
    return older === undefined ? docs.get(id) : older.doc;
  }

  return {
    now: docs,
    seen,
    list(filter) {
      const ids = new Set([...docs.keys(), ...(lagMs > 0 ? past.keys() : [])]);
      const all = [...ids].map(seen).filter((doc) => doc !== undefined && doc['hidden'] !== true) as readonly Doc[];
      if (filter === undefined || filters === 'ignored') return all;
      return all.filter((doc) => matches(doc, filter, filters === 'caseExact' || filter.path === 'externalId'));
    },
    write(id, doc) {
      if (lagMs > 0) {
        const limit = Date.now() - lagMs;
        const kept = (past.get(id) ?? []).filter(({ until }) => until > limit);
        past.set(id, [...kept, { until: Date.now(), doc: docs.get(id) }]);
      }
      if (doc === undefined) docs.delete(id);
      else docs.set(id, doc);
    },
    rename(id, to) {
      const doc = docs.get(id);
      if (doc === undefined || id === to) return;
      docs.delete(id);
      docs.set(to, { ...doc, id: to });
    },
    holderOf(doc, id) {
      const name = kind === 'User' ? 'userName' : 'displayName';
      const wanted = String(doc[name]).toLowerCase();
      return [...docs.values()].find((other) => other['id'] !== id && String(other[name]).toLowerCase() === wanted);
    },
  };
}
