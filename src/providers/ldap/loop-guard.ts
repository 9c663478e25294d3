import type { RawEntry } from './connection.ts';
import { endlessList } from './failures.ts';

/** A page may be empty and not be the last; so many in a row lead nowhere. */
const EMPTY_PAGES_MAX = 1_000;
/** An entry that is moved meanwhile may come twice; whole pages that come back again and again are a circle. */
const SAME_PAGE_MAX = 5;

/** Told each page of one list that the server says goes on. Throws once it turns in a circle, or shows nothing any more. */
export function makeLoopGuard(doing: string): (entries: readonly RawEntry[]) => void {
  const seen = new Map<string, number>();
  let empty = 0;
  return (entries) => {
    empty = entries.length === 0 ? empty + 1 : 0;
    if (empty > EMPTY_PAGES_MAX) throw endlessList(doing);
    if (entries.length === 0) return;
    const page = `${entries[0]?.dn}/${entries.at(-1)?.dn}/${entries.length}`;
    const times = (seen.get(page) ?? 0) + 1;
    seen.set(page, times);
    if (times > SAME_PAGE_MAX) throw endlessList(doing);
  };
}
