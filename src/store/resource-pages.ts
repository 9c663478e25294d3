// Pages of resources in a stable order, from an index or from a place.
import type { ResourceType } from '#core/resource.ts';
import { type Count, type CountQuery, type Counts, type Drift, driftText } from './counts.ts';
import { type Database, type HotQuery, queryBounded } from './database.ts';
import {
  joinedText,
  joinedTextOf,
  type ServedRow,
  type ServeOptions,
  servedColumns,
  servedJoin,
  textColumns,
} from './served.ts';
import { type Condition, nameOf, Statement } from './statement.ts';

/** The order of a list. Resources without the key come last going up, first going down (RFC 7644 section 3.4.2.3). */
export interface Sort {
  /** An SQL expression on `r`, and its type. */
  readonly key: string;
  readonly type: 'text' | 'timestamptz' | 'numeric' | 'boolean' | 'uuid';
  /** Whether every resource has it: then an index can take up the list anywhere. */
  readonly everywhere: boolean;
  readonly descending: boolean;
}

/** A place in a list, at a resource: its sort key, when there is one, and its position. */
export interface Place {
  readonly key: string | null;
  readonly pos: string;
}

export interface PageRequest extends ServeOptions {
  /** The types listed, each with its own condition. */
  readonly types: readonly { readonly type: ResourceType; readonly filter: Condition | undefined }[];
  readonly sort?: Sort | undefined;
  /** Whether statements of this shape come again and again, and are worth preparing. */
  readonly prepare: boolean;
  /** Whether the filter is of no known shape, and may take too long. */
  readonly odd: boolean;
  readonly limit: number;
  /** How many to pass over. */
  readonly offset?: number;
  /** Where to go on: after this place, or before it. */
  readonly from?: { readonly place: Place; readonly back: boolean } | undefined;
}

export interface ServedPage<Content> {
  readonly content: Content;
  /** How many resources are in it. */
  readonly size: number;
  readonly first: Place | undefined;
  readonly last: Place | undefined;
  /** Whether the list goes on, in the direction in which it was read. */
  readonly more: boolean;
  /** How many match in all. */
  readonly count: Count;
}

/** @throws {InputError} `tooMany`: the filter takes too long */
export async function readPage(
  database: Database,
  counts: Counts,
  request: PageRequest,
): Promise<ServedPage<readonly ServedRow[]>> {
  return readCounted(counts, request, [], async (snapshot) => {
    const found = await readRows(database, request, snapshot);
    const more = found.length > request.limit;
    const within = more ? found.slice(0, request.limit) : found;
    const rows = request.from?.back === true ? within.toReversed() : within;
    const page = { content: rows, size: rows.length, first: rows[0], last: rows.at(-1), more };
    return { page, drift: found[0]?.drift };
  });
}

/**
 * The same page as one text, its resources parted by commas, put together by the database: unpacking 100 rows takes Node
 * longer than all the rest. Undefined when the groups of somebody in it are not stored, so that they are to be made.
 * @throws {InputError} `tooMany`: the filter takes too long
 */
export async function readPageText(
  database: Database,
  counts: Counts,
  request: PageRequest,
): Promise<ServedPage<string> | undefined> {
  let lacking = false;
  const page = await readCounted(counts, request, '', async (snapshot) => {
    const found = await readParts(database, request, snapshot);
    const parts = found.filter(({ size }) => size > 0);
    lacking = parts.some((part) => part.lacking > 0);
    const content = parts.flatMap(({ text }) => (text === null ? [] : joinedTextOf(text, request.base))).join(',');
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const [start, end] = [parts[0], parts.at(-1)];
    const first = start && { pos: start.first ?? '', key: start.firstKey };
    const last = end && { pos: end.last ?? '', key: end.lastKey };
    return { page: { content, size, first, last, more: Number(found[0]?.found ?? 0) > size }, drift: found[0]?.drift };
  });
  return lacking ? undefined : page;
}

type Uncounted<Content> = Omit<ServedPage<Content>, 'count'>;

/** What `read` finds, and how many there are in all. */
async function readCounted<Content>(
  counts: Counts,
  request: PageRequest,
  nothing: Content,
  read: (snapshot: string | undefined) => Promise<{ page: Uncounted<Content>; drift: Drift | null | undefined }>,
): Promise<ServedPage<Content>> {
  const { limit, offset = 0, from } = request;
  const counting = countQuery(request);
  const known = counts.known(counting);
  if (limit === 0) {
    const count = await counts.count(counting, known, undefined);
    return { content: nothing, size: 0, first: undefined, last: undefined, more: false, count };
  }
  const { page, drift } = await read(known?.snapshot);
  // A list that ends here, read from its start, has been counted by reading it.
  const isCounted = from === undefined && !page.more && (page.size > 0 || offset === 0);
  const count = isCounted ? { total: offset + page.size, epoch: 0 } : await counts.count(counting, known, drift);
  return { ...page, count };
}

/** How many of the list come after a place: what a reader who is there has yet to see. */
export async function countAfter(database: Database, request: PageRequest, place: Place): Promise<number> {
  const statement = new Statement();
  const text = `select count(*) as total from resources r where ${listed(statement, request)}
    and ${beyond(statement, request.sort, { place, back: false })}`;
  const query = { text, values: statement.values };
  const { rows } = await queryBounded<{ total: string }>(database, query, request.odd);
  return Number(rows[0]?.total);
}

function countQuery(request: PageRequest): CountQuery {
  const statement = new Statement();
  const condition = listed(statement, request);
  return {
    type: onlyType(request),
    condition,
    values: statement.values,
    plain: request.types.every(({ filter }) => filter === undefined) && request.visible === undefined,
    odd: request.odd,
  };
}

function onlyType({ types }: PageRequest): ResourceType | undefined {
  return types.length === 1 ? types[0]?.type : undefined;
}

function listed(statement: Statement, { types, visible }: PageRequest): string {
  const each = types.map(({ type, filter }) => {
    const scope = statement.where(visible?.condition(type, 'many'));
    return `(r.resource_type = '${type}' and ${scope} and ${statement.where(filter)})`;
  });
  return `r.deleted_at is null and ${each.length === 1 ? each[0] : `(${each.join(' or ')})`}`;
}

interface PageRow extends ServedRow, Place {
  readonly drift?: Drift | null;
}

/** In the order of reading, with one more than is wanted when there is one. */
async function readRows(
  database: Database,
  request: PageRequest,
  snapshot: string | undefined,
): Promise<readonly PageRow[]> {
  const statement = new Statement();
  const type = onlyType(request);
  const drift = snapshot === undefined ? '' : `, ${driftText(statement, snapshot, type)} as drift`;
  const text = rowsText(statement, request, `${servedColumns(statement, type, request)}${drift}`);
  return (await queryBounded<PageRow>(database, queryOf(request, statement, text), request.odd)).rows;
}

/** Some resources of a page that stand together in it. */
interface PagePart {
  readonly text: string | null;
  readonly size: number;
  /** How many of them have no stored groups. */
  readonly lacking: number;
  readonly first: string | null;
  readonly firstKey: string | null;
  readonly last: string | null;
  readonly lastKey: string | null;
  /** How many were found in all, the one beyond the page too. */
  readonly found: string;
  readonly drift?: Drift | null;
}

/** Resources in one text of the database's answer: a longer text is copied as it comes in, a shorter one costs a row. */
const TOGETHER = 16;

/** In the order of the list. */
async function readParts(
  database: Database,
  request: PageRequest,
  snapshot: string | undefined,
): Promise<readonly PagePart[]> {
  const statement = new Statement();
  const type = onlyType(request);
  const { limit, from } = request;
  const drift = snapshot === undefined ? '' : `, ${driftText(statement, snapshot, type)} as drift`;
  const rows = rowsText(statement, request, textColumns(statement, type, request));
  const way = from?.back === true ? 'desc' : 'asc';
  const within = `filter (where t.n <= ${limit})`;
  const list = (column: string): string => `array_agg(t.${column} order by t.n ${way}) ${within}`;
  const ends = (column: string, as: string): string =>
    `(${list(column)})[1] as "first${as}", (${list(column)})[(count(*) ${within})::int] as "last${as}"`;
  const text = `select ${joinedText(`t.n ${way}`, within)} as text, count(*) ${within}::int as size,
      (count(*) filter (where t.n <= ${limit} and t.related is null))::int as lacking, ${ends('pos', '')}, ${ends('key', 'Key')},
      max(max(t.n)) over () as found${drift}
    from (select o.*, row_number() over () as n from (${rows}) o) t group by (t.n - 1) / ${TOGETHER} order by min(t.n) ${way}`;
  return (await queryBounded<PagePart>(database, queryOf(request, statement, text), request.odd)).rows;
}

/** The statement of a page's rows, in the order of reading; `columns` are of the resource in row `p`. */
function rowsText(statement: Statement, request: PageRequest, columns: string): string {
  const { sort, limit, offset = 0, from } = request;
  const key = sort === undefined ? 'null' : `(${sort.key})::text`;
  const onwards = from === undefined ? '' : ` and ${beyond(statement, sort, from)}`;
  const passing = offset === 0 ? '' : ` offset ${statement.bind(offset, 'bigint')}`;
  // The limit is written out, so that a prepared statement has one good plan.
  return `select ${columns}, r.pos, ${key} as key
    from resources r cross join lateral (select r.*) p${servedJoin(onlyType(request), request)}
    where ${listed(statement, request)}${onwards} order by ${orderOf(sort?.key, isDown(sort, from))} limit ${limit + 1}${passing}`;
}

function queryOf(request: PageRequest, { values }: Statement, text: string): HotQuery {
  return { text, values: [...values], ...(request.prepare ? { name: nameOf(text) } : {}) };
}

function isDown(sort: Sort | undefined, from: PageRequest['from']): boolean {
  return (sort?.descending === true) !== (from?.back === true);
}

/** Ties go the way of the key, so that an index serves both ways. Absent keys are where PostgreSQL has them anyway. */
function orderOf(key: string | undefined, down: boolean): string {
  const direction = down ? 'desc' : 'asc';
  return `${key === undefined ? '' : `${key} ${direction}, `}r.pos ${direction}`;
}

function beyond(
  statement: Statement,
  sort: Sort | undefined,
  { place, back }: { place: Place; back: boolean },
): string {
  const down = isDown(sort, { place, back });
  const sign = down ? '<' : '>';
  const pos = statement.bindUnseen(place.pos, 'bigint');
  if (sort === undefined) return `r.pos ${sign} ${pos}`;
  const { key, type, everywhere } = sort;
  if (place.key === null)
    return down ? `(${key} is not null or r.pos < ${pos})` : `(${key} is null and r.pos > ${pos})`;
  const at = `${statement.bindUnseen(place.key, type)}${type === 'text' ? ' collate "C"' : ''}`;
  if (everywhere) return `(${key}, r.pos) ${sign} (${at}, ${pos})`;
  const absent = down ? '' : ` or ${key} is null`;
  return `(${key} ${sign} ${at}${absent} or (${key} = ${at} and r.pos ${sign} ${pos}))`;
}
