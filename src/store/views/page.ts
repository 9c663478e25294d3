/** A page of a list as the admin API answers it. `nextCursor` is null on the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface PageQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** @param rows one more than `limit` when there is a further page */
export function pageOf<Item>(rows: readonly Item[], limit: number, cursorOf: (item: Item) => string): Page<Item> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(last) : null };
}

/** Where a page begins whose cursor is the number of rows before it. */
export function rowsBefore(cursor: string | undefined): number {
  return Number(cursor ?? 0);
}

/** @param rows those from `from` on, one more than `limit` when there is a further page */
export function pageFrom<Item>(rows: readonly Item[], limit: number, from: number): Page<Item> {
  return { items: rows.slice(0, limit), nextCursor: rows.length > limit ? String(from + limit) : null };
}
