import { fieldsOf, isUnassigned, needSchema } from '#core/coerce.ts';
import { InputError, type ScimType } from '#core/errors.ts';
import { type AttributePath, type Filter, parseFilter, parsePath } from '#core/filter.ts';
import { foldCase } from '#core/search.ts';
import type { AskedAttributes } from './projection.ts';

export const COUNT_DEFAULT = 100;
export const COUNT_MAX = 1_000;
/** Deeper than any list is long; keeps the offset a number PostgreSQL can hold. */
const START_MAX = 1_000_000_000;
/** As large as the head of a GET may be, which asks the same. */
export const SEARCH_BYTES_MAX = 256 * 1024;
const SEARCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:SearchRequest';
/** What the SCIM validator of scimsandbox.com puts in its place. */
const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** What a list is asked for (RFC 7644 section 3.4.2, RFC 9865). */
export interface ListQuery extends AskedAttributes {
  readonly filter: Filter | undefined;
  readonly sortBy: AttributePath | undefined;
  readonly descending: boolean;
  readonly startIndex: number;
  /** Undefined for paging by index; empty for the first page by cursor. */
  readonly cursor: string | undefined;
  /** As it was asked for, or the usual one; never below 0 nor above `COUNT_MAX`. */
  readonly count: number;
  readonly countGiven: boolean;
  /** The filter and order as they were asked for: two lists with the same are the same list. */
  readonly key: string;
}

/** A query string, parsed: a text, or a list of them where a name is repeated. */
export type Parameters = Readonly<Record<string, unknown>>;

/** The attributes asked for in a query string. @throws {InputError} */
export function readAsked(parameters: Parameters): AskedAttributes {
  return { attributes: all(parameters, 'attributes'), excludedAttributes: all(parameters, 'excludedAttributes') };
}

/**
 * The same where one resource is asked for by its id.
 * @throws {InputError} `invalidFilter`: who filters wants to know whether it matches, which its answer would not say
 */
export function readAskedOfOne(parameters: Parameters): AskedAttributes {
  if (parameters['filter'] !== undefined)
    throw new InputError('A filter is for lists, and not for one resource.', {
      scimType: 'invalidFilter',
      reason: 'invalid-filter',
      remedy: 'Ask the list with a filter that names the id too.',
    });
  return readAsked(parameters);
}

/** @throws {InputError} `invalidFilter`, `invalidPath`, `invalidValue`, `invalidCount` */
export function readQuery(parameters: Parameters): ListQuery {
  const { cursor } = parameters;
  return makeQuery({
    ...readAsked(parameters),
    filter: first(parameters, 'filter') ?? (parameters['filter'] === undefined ? undefined : ''),
    sortBy: first(parameters, 'sortBy'),
    sortOrder: first(parameters, 'sortOrder'),
    startIndex: integer('startIndex', first(parameters, 'startIndex')),
    count: integer('count', first(parameters, 'count'), cursor === undefined ? 'invalidValue' : 'invalidCount'),
    cursor: cursor === undefined ? undefined : (first(parameters, 'cursor') ?? ''),
  });
}

/** The body of a `.search` (RFC 7644 section 3.4.3). @throws {InputError} as `readQuery`, and `invalidSyntax` */
export function readSearch(raw: unknown): ListQuery {
  const body = fieldsOf(raw, 'The body');
  needSchema(body.get('schemas'), SEARCH_SCHEMA, LIST_SCHEMA);
  const text = (name: string): string | undefined => {
    const value = body.get(foldCase(name));
    if (isUnassigned(value)) return undefined;
    if (typeof value === 'string') return value;
    throw new InputError(`"${name}" must be a string.`, { scimType: 'invalidValue' });
  };
  const list = (name: string): string | undefined => {
    const value = body.get(foldCase(name));
    if (!Array.isArray(value)) return text(name);
    if (value.some((item) => typeof item !== 'string'))
      throw new InputError(`"${name}" must be a list of strings.`, { scimType: 'invalidValue' });
    return value.length === 0 ? undefined : value.join(',');
  };
  const number = (name: string): number | undefined => {
    const value = body.get(foldCase(name));
    const scimType = name === 'count' && body.has('cursor') ? 'invalidCount' : 'invalidValue';
    return integer(name, typeof value === 'number' ? String(value) : text(name), scimType);
  };
  return makeQuery({
    attributes: list('attributes'),
    excludedAttributes: list('excludedAttributes'),
    filter: body.get('filter') === '' ? '' : text('filter'),
    sortBy: text('sortBy'),
    sortOrder: text('sortOrder'),
    startIndex: number('startIndex'),
    count: number('count'),
    cursor: body.has('cursor') ? (text('cursor') ?? '') : undefined,
  });
}

interface Given extends AskedAttributes {
  readonly filter: string | undefined;
  readonly sortBy: string | undefined;
  readonly sortOrder: string | undefined;
  readonly startIndex: number | undefined;
  readonly count: number | undefined;
  readonly cursor: string | undefined;
}

function makeQuery(given: Given): ListQuery {
  const { attributes, excludedAttributes, filter, sortBy, sortOrder, startIndex, count, cursor } = given;
  const order = sortOrder?.toLowerCase() ?? 'ascending';
  if (order !== 'ascending' && order !== 'descending')
    throw new InputError('"sortOrder" must be "ascending" or "descending".', { scimType: 'invalidValue' });
  if (cursor !== undefined && startIndex !== undefined)
    throw new InputError('"cursor" and "startIndex" cannot be given together.', { scimType: 'invalidValue' });
  if (cursor !== undefined && count !== undefined && count > COUNT_MAX)
    throw new InputError(`"count" must be at most ${COUNT_MAX} when paging by cursor.`, { scimType: 'invalidCount' });
  return {
    attributes,
    excludedAttributes,
    filter: filter === undefined ? undefined : parseFilter(filter),
    sortBy: sortBy === undefined ? undefined : parsePath(sortBy),
    descending: sortBy !== undefined && order === 'descending',
    startIndex: Math.min(START_MAX, Math.max(1, startIndex ?? 1)),
    count: Math.min(COUNT_MAX, Math.max(0, count ?? COUNT_DEFAULT)),
    countGiven: count !== undefined,
    cursor,
    key: JSON.stringify([filter ?? '', sortBy ?? '', sortBy === undefined ? '' : order]),
  };
}

/** A query parameter; of one that is repeated, the first. Unknown ones are ignored. */
function first(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return typeof one === 'string' && one !== '' ? one : undefined;
}

/** A list that may be given at once or in parts. */
function all(parameters: Parameters, name: string): string | undefined {
  const value = parameters[name];
  const text = Array.isArray(value) ? value.join(',') : value;
  return typeof text === 'string' && text !== '' ? text : undefined;
}

function integer(name: string, text: string | undefined, scimType: ScimType = 'invalidValue'): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text.trim())) throw new InputError(`"${name}" must be a whole number.`, { scimType });
  return Number(text);
}
