// Lists that a server says go on, and that never end.

/** An object that is moved meanwhile may come twice; whole pages that come back again and again are a circle. */
const SAME_PAGE_MAX = 5;

/**
 * Told the ids of each page of one list. Answers `empty` once more than `emptyMax` in a row show nothing, and `repeated` once
 * the same page has come too often.
 */
export function makePageLoop(emptyMax: number): (ids: readonly string[]) => 'empty' | 'repeated' | undefined {
  const seen = new Map<string, number>();
  let empty = 0;
  return (ids) => {
    empty = ids.length === 0 ? empty + 1 : 0;
    if (empty > emptyMax) return 'empty';
    if (ids.length === 0) return undefined;
    const page = `${ids[0]}/${ids.at(-1)}/${ids.length}`;
    const times = (seen.get(page) ?? 0) + 1;
    seen.set(page, times);
    return times > SAME_PAGE_MAX ? 'repeated' : undefined;
  };
}
