// Pages of resources in a stable order, from an index or from a place. A page that goes out as it is stored comes as
// one text, joined inside the database; one that is to be cut down, or has large groups, row by row.
import type { ResourceType } from '#core/resource.ts';
import { type Count, type CountQuery, type Counts, type Drift, driftText } from './counts.ts';
import { type Database, queryBounded } from './database.ts';
import type { Served } from './resource-reader.ts';
import { madeNow, SERVED_COLUMNS, type ServeOptions, servedJoin, servedText } from './served.ts';
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
  /** True to get one text for the page instead of rows. */
  readonly joined: boolean;
}

export interface ServedPage {
  /** Filled unless `joined`. */
  readonly rows: readonly Served[];
  /** Filled when `joined`: the resources with commas between. */
  readonly text: string;
  readonly size: number;
  readonly first: Place | undefined;
  readonly last: Place | undefined;
  /** Whether the list goes on, in the direction in which it was read. */
  readonly more: boolean;
  /** Users whose groups had to be made. */
  readonly made: readonly string[];
  /** How many match in all. */
  readonly count: Count;
}

interface Rows extends Pick<ServedPage, 'rows' | 'text' | 'size' | 'first' | 'last' | 'more' | 'made'> {
  readonly drift: Drift | undefined;
}

/** @throws {InputError} `tooMany`: the filter takes too long */
export async function readPage(database: Database, counts: Counts, request: PageRequest): Promise<ServedPage> {
  const counting = countQuery(request);
  const known = counts.known(counting);
  const read = request.limit === 0 ? NOTHING : await readRows(database, request, known?.snapshot);
  const { drift, ...page } = read;
  const { offset = 0, from } = request;
  // A list that ends here, read from its start, has been counted by reading it.
  const isCounted = from === undefined && !page.more && (page.size > 0 || (offset === 0 && request.limit > 0));
  const count = isCounted ? { total: offset + page.size, epoch: 0 } : await counts.count(counting, known, drift);
  return { ...page, count };
}

const NOTHING: Rows = {
  rows: [],
  text: '',
  size: 0,
  first: undefined,
  last: undefined,
  more: false,
  made: [],
  drift: undefined,
};

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

async function readRows(database: Database, request: PageRequest, snapshot: string | undefined): Promise<Rows> {
  const statement = new Statement();
  const type = onlyType(request);
  const page = pageText(statement, request);
  const text = servedText(statement, type, request);
  const drift = snapshot === undefined ? 'null::json' : driftText(statement, snapshot, type);
  const { joined, limit } = request;
  const selected = joined ? joinedText(text, drift, request, type) : rowsText(text, drift, request, type);
  const query = { text: `with page as materialized (${page}) ${selected}`, values: statement.values };
  const named = request.prepare ? { ...query, name: nameOf(query.text) } : query;
  if (!joined) {
    const { rows: found } = await queryBounded<PageRow>(database, named, request.odd);
    const rows = found.filter(({ m }) => Number(m) <= limit);
    return {
      rows,
      text: '',
      size: rows.length,
      first: rows[0],
      last: rows.at(-1),
      more: found.length > rows.length,
      made: rows.filter((row) => row.made).map(({ id }) => id),
      drift: found[0]?.drift ?? undefined,
    };
  }
  const [row] = (await queryBounded<JoinedPage>(database, named, request.odd)).rows;
  if (row === undefined) throw new Error('a page without an answer');
  return {
    ...row,
    rows: [],
    text: row.text ?? '',
    first: row.first ?? undefined,
    last: row.last ?? undefined,
    drift: row.drift ?? undefined,
  };
}

interface PageRow extends Served, Place {
  readonly m: string;
  readonly made: boolean;
  readonly drift: Drift | null;
}

interface JoinedPage {
  readonly text: string | null;
  readonly size: number;
  readonly more: boolean;
  readonly first: Place | null;
  readonly last: Place | null;
  readonly made: readonly string[];
  readonly drift: Drift | null;
}

/** `m` counts in the order of reading, up to one more than is wanted. */
function joinedText(text: string, drift: string, request: PageRequest, type: ResourceType | undefined): string {
  const { limit, from } = request;
  const [first, last] = from?.back ? ['last_m', '1'] : ['1', 'last_m'];
  const place = (m: string): string =>
    `(select json_build_object('key', key, 'pos', pos::text) from page, size where m = ${m})`;
  return `, size as (select least(count(*), ${limit}) as last_m, count(*) > ${limit} as more from page)
    select string_agg(${text}, ',' order by p.m${from?.back ? ' desc' : ''}) as text, (select last_m::int from size) as size,
      (select more from size) as more, ${drift} as drift,
      coalesce(json_agg(p.id) filter (where ${madeNow(type, request)}), '[]') as made, ${place(first ?? '1')} as first, ${place(last ?? '1')} as last
    from page p${servedJoin(type, request)} where p.m <= ${limit}`;
}

function rowsText(text: string, drift: string, request: PageRequest, type: ResourceType | undefined): string {
  const { from } = request;
  return `select p.m, p.id, p.resource_type, p.version, p.member_count, ${text} as text, p.key, p.pos::text as pos,
      case when p.m = 1 then ${drift} end as drift, ${madeNow(type, request)} as made from page p${servedJoin(type, request)} order by p.m${from?.back ? ' desc' : ''}`;
}

/** The limit is written out, so that a prepared statement has one good plan. */
function pageText(statement: Statement, request: PageRequest): string {
  const { sort, limit, offset = 0, from } = request;
  const down = isDown(sort, from);
  const onwards = from === undefined ? '' : ` and ${beyond(statement, sort, from)}`;
  const passing = offset === 0 ? '' : ` offset ${statement.bind(offset, 'bigint')}`;
  const rows = `select ${SERVED_COLUMNS}, r.pos, ${sort?.key ?? 'null::text'} as sort_key from resources r
    where ${listed(statement, request)}${onwards} order by ${orderOf(sort?.key, down)} limit ${limit + 1}${passing}`;
  return `select row_number() over (order by ${orderOf(sort && 'sort_key', down)}) as m, sort_key::text as key, r.* from (${rows}) r`;
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
