// Pages of resources in a stable order, from an index or from a place.
import type { ResourceType } from '#core/resource.ts';
import type { Texts } from '../ask.ts';
import { askBounded, type Costly, queryBounded } from '../bounded.ts';
import type { Database } from '../database.ts';
import { type Condition, nameOf, Statement } from '../statement.ts';
import { type Count, type CountQuery, type Counts, type Drift, driftText } from './counts.ts';
import {
  type ServedRow,
  type ServeOptions,
  servedColumns,
  servedJoin,
  servedRowOf,
  textColumns,
  textOf,
  textRowOf,
} from './served.ts';

/** The order of a list. Resources without the key come last going up, first going down (RFC 7644 section 3.4.2.3). */
export interface Sort {
  /** An SQL expression on `r`, and its type. */
  readonly key: string;
  readonly type: 'text' | 'timestamptz' | 'numeric' | 'boolean' | 'uuid';
  /** Whether every resource has it: then an index can take up the list anywhere. */
  readonly everywhere: boolean;
  /** Whether an index has the resources of one type in this order. */
  readonly indexed: boolean;
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
  /** Set when the filter is of no known shape, or no index has the order, so that it may take too long. */
  readonly costly?: Costly | undefined;
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

/** @throws {InputError} `tooMany`: the filter, or the order, takes too long */
export async function readPage(
  database: Database,
  counts: Counts,
  request: PageRequest,
): Promise<ServedPage<readonly ServedRow[]>> {
  return readCounted(counts, request, [], (snapshot) =>
    readRows(database, { request, snapshot, columns: servedColumns, rowOf: servedRowOf }),
  );
}

/**
 * The same page as one text, its resources parted by commas. Undefined when the groups of somebody in it are not stored,
 * so that they are to be made. The database could put the text together: that took it longer than reading the rows, and
 * saved nothing here.
 * @throws {InputError} `tooMany`: the filter, or the order, takes too long
 */
export async function readPageText(
  database: Database,
  counts: Counts,
  request: PageRequest,
): Promise<ServedPage<string> | undefined> {
  let lacking = false;
  const page = await readCounted(counts, request, '', async (snapshot) => {
    const { page: rows, drift } = await readRows(database, {
      request,
      snapshot,
      columns: textColumns,
      rowOf: textRowOf,
    });
    lacking = rows.content.some(({ related }) => related === null);
    return { page: { ...rows, content: rows.content.map((row) => textOf(row, request.base)).join(',') }, drift };
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
  const { rows } = await queryBounded<{ total: string }>(database, query, request.costly);
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
    costly: request.costly?.by === 'filter' ? request.costly : undefined,
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

interface RowsRequest<Row> {
  readonly request: PageRequest;
  readonly snapshot: string | undefined;
  readonly columns: typeof textColumns;
  /** What these columns make. */
  rowOf(texts: Texts): Row;
}

/** The rows of a page in the order of the list, and what was written since the snapshot. */
async function readRows<Row>(
  database: Database,
  { request, snapshot, columns, rowOf }: RowsRequest<Row>,
): Promise<{ page: Uncounted<readonly Row[]>; drift: Drift | null | undefined }> {
  const statement = new Statement();
  const type = onlyType(request);
  const drift = snapshot === undefined ? 'null' : driftText(statement, snapshot, type);
  const text = rowsText(statement, request, { columns: columns(statement, type, request), drift });
  const query = { text, values: statement.values, ...(request.prepare ? { name: nameOf(text) } : {}) };
  const found = await askBounded(database, query, request.costly);
  // One more than is wanted was asked for, to see whether the list goes on.
  const more = found.length > request.limit;
  const within = more ? found.slice(0, request.limit) : found;
  const rows = request.from?.back === true ? within.toReversed() : within;
  const page = {
    content: rows.map(rowOf),
    size: rows.length,
    first: placeOf(rows[0]),
    last: placeOf(rows.at(-1)),
    more,
  };
  return { page, drift: snapshot === undefined ? undefined : driftOf(found[0]) };
}

function placeOf(row: Texts | undefined): Place | undefined {
  const [pos, key = null] = row?.slice(-TAIL) ?? [];
  return pos == null ? undefined : { pos, key };
}

/** Undefined on an empty page, which cannot tell. */
function driftOf(row: Texts | undefined): Drift | null | undefined {
  const text = row?.at(-1);
  return typeof text === 'string' ? JSON.parse(text) : text;
}

/** The place of a row, and what was written, are its last columns. */
const TAIL = 3;

/** The statement of a page's rows, in the order of reading; `columns` are of the resource in row `p`. */
function rowsText(
  statement: Statement,
  request: PageRequest,
  { columns, drift }: { readonly columns: string; readonly drift: string },
): string {
  const { sort, limit, offset = 0, from } = request;
  const key = sort === undefined ? 'null' : `(${sort.key})::text`;
  const onwards = from === undefined ? '' : ` and ${beyond(statement, sort, from)}`;
  const passing = offset === 0 ? '' : ` offset ${statement.bind(offset, 'bigint')}`;
  // The limit is written out, so that a prepared statement has one good plan.
  return `select ${columns}, r.pos, ${key}, ${drift}
    from resources r cross join lateral (select r.*) p${servedJoin(onlyType(request), request)}
    where ${listed(statement, request)}${onwards} order by ${orderOf(sort?.key, isDown(sort, from))} limit ${limit + 1}${passing}`;
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
