// Pages of resources in a stable order, from an index or from a place.
import type { ResourceType } from '#core/resource.ts';
import { type Count, type CountQuery, type Counts, type Drift, driftText } from './counts.ts';
import { type Database, queryBounded } from './database.ts';
import { type ServedRow, type ServeOptions, servedColumns, servedJoin, type TextRow, textColumns } from './served.ts';
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

export interface ServedPage<Row extends TextRow = ServedRow> {
  readonly rows: readonly Row[];
  readonly first: Place | undefined;
  readonly last: Place | undefined;
  /** Whether the list goes on, in the direction in which it was read. */
  readonly more: boolean;
  /** How many match in all. */
  readonly count: Count;
}

/**
 * @param textOnly reads no more of each resource than its text takes
 * @throws {InputError} `tooMany`: the filter takes too long
 */
export async function readPage(database: Database, counts: Counts, request: PageRequest): Promise<ServedPage>;
export async function readPage(
  database: Database,
  counts: Counts,
  request: PageRequest,
  textOnly: boolean,
): Promise<ServedPage<TextRow>>;
export async function readPage(
  database: Database,
  counts: Counts,
  request: PageRequest,
  textOnly = false,
): Promise<ServedPage<TextRow>> {
  const { limit, offset = 0, from } = request;
  const counting = countQuery(request);
  const known = counts.known(counting);
  if (limit === 0) {
    const count = await counts.count(counting, known, undefined);
    return { rows: [], first: undefined, last: undefined, more: false, count };
  }
  const found = await readRows(database, request, known?.snapshot, textOnly);
  const more = found.length > limit;
  const rows = more ? found.slice(0, limit) : found;
  if (from?.back === true) rows.reverse();
  // A list that ends here, read from its start, has been counted by reading it.
  const isCounted = from === undefined && !more && (rows.length > 0 || offset === 0);
  const drift = found[0]?.drift;
  const count = isCounted ? { total: offset + rows.length, epoch: 0 } : await counts.count(counting, known, drift);
  return { rows, first: rows[0], last: rows.at(-1), more, count };
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

interface PageRow extends TextRow, Place {
  readonly drift?: Drift | null;
}

/** In the order of reading, with one more than is wanted when there is one. */
async function readRows(
  database: Database,
  request: PageRequest,
  snapshot: string | undefined,
  textOnly: boolean,
): Promise<PageRow[]> {
  const statement = new Statement();
  const type = onlyType(request);
  const { sort, limit, offset = 0, from } = request;
  const columns = textOnly ? textColumns(statement, type, request) : servedColumns(statement, type, request);
  const key = sort === undefined ? 'null' : `(${sort.key})::text`;
  const drift = snapshot === undefined ? '' : `, ${driftText(statement, snapshot, type)} as drift`;
  const onwards = from === undefined ? '' : ` and ${beyond(statement, sort, from)}`;
  const passing = offset === 0 ? '' : ` offset ${statement.bind(offset, 'bigint')}`;
  // The limit is written out, so that a prepared statement has one good plan.
  const text = `select ${columns}, r.pos, ${key} as key${drift}
    from resources r cross join lateral (select r.*) p${servedJoin(type, request)}
    where ${listed(statement, request)}${onwards} order by ${orderOf(sort?.key, isDown(sort, from))} limit ${limit + 1}${passing}`;
  const query = { text, values: statement.values, ...(request.prepare ? { name: nameOf(text) } : {}) };
  return (await queryBounded<PageRow>(database, query, request.odd)).rows;
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
