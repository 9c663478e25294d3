import type { IncomingMessage, ServerResponse } from 'node:http';
import { qualifiedFilter, resolve } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import type { AttributePath, Filter } from '#core/filter.ts';
import { jsonText } from '#core/json.ts';
import { nameKey } from '#core/names.ts';
import type { ResourceType } from '#core/resource.ts';
import type { Costly } from '#store/bounded.ts';
import {
  countAfter,
  type PageRequest,
  readPage,
  readPageText,
  type ServedPage,
  type Sort,
} from '#store/directory/resource-pages.ts';
import { type LookUpKey, SAME_KEY_MAX } from '#store/directory/resource-reader.ts';
import { type Served, servedOf } from '#store/directory/served.ts';
import { compileFilter } from '#store/filter/filter.ts';
import { isIndexed } from '#store/filter/filter-cost.ts';
import { compileSort, joinSorts } from '#store/filter/sort.ts';
import type { Condition } from '#store/statement.ts';
import { send } from './answers.ts';
import type { Position } from './cursor.ts';
import type { ScimParts } from './parts.ts';
import { makeProjection } from './projection.ts';
import { COUNT_DEFAULT, COUNT_MAX, type ListQuery } from './query.ts';
import { RESOURCE_SCHEMAS } from './scimmy.ts';
import { type Projections, sendRows } from './sending.ts';
import type { View } from './view.ts';

const LIST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

/** Who asks for which resources. */
export interface Listing {
  readonly view: View;
  /** The token that asks: of several who page through the same list, each is at a place of its own. */
  readonly reader: string;
  readonly types: readonly ResourceType[];
  readonly query: ListQuery;
  /** Whether whoever asked has left. */
  readonly isGone?: () => boolean;
}

/** Answers a list: the matches of a key at once, everything else page by page. */
export async function answerList(
  parts: ScimParts,
  { view, reader, types, query }: Listing,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const projections: Projections = {
    User: makeProjection(view, 'User', query),
    Group: makeProjection(view, 'Group', query),
  };
  const isGone = (): boolean => response.destroyed;
  const listing = named({ view, reader, types: types.filter((type) => view.types.includes(type)), query, isGone });
  const found = await lookUp(parts, listing, projections);
  if (found !== undefined) {
    const shown = found.slice(0, query.count);
    const head = headOf({ total: found.length, startIndex: 1, size: shown.length });
    await sendRows(parts, { head, rows: shown, projections, view }, request, response);
    return;
  }
  const find = query.cursor === undefined ? byIndex : byCursor;
  if (isWhole(listing.types, projections)) {
    const { head, content } = await find(parts, listing, projections, readText);
    send(request, response, 200, `${head}${content}]}`);
  } else {
    const { head, content } = await find(parts, listing, projections, readServed);
    await sendRows(parts, { head, rows: content, projections, view }, request, response);
  }
}

/** With a filter that names attributes of extensions in full. */
function named(listing: Listing): Listing {
  const { view, types, query } = listing;
  if (query.filter === undefined) return listing;
  const schemas = types.map((type) => view.schemas[type]);
  return { ...listing, query: { ...query, filter: qualifiedFilter(schemas, query.filter) } };
}

/** A page as text; groups that are not stored yet are made, and kept for the next time. */
async function readText(parts: ScimParts, request: PageRequest): Promise<ServedPage<string>> {
  const page = await readPageText(parts.database, parts.counts, request);
  if (page !== undefined) return page;
  const served = await readServed(parts, request);
  return { ...served, content: served.content.map(({ text }) => text).join(',') };
}

async function readServed(
  { database, counts, groups }: ScimParts,
  request: PageRequest,
): Promise<ServedPage<readonly Served[]>> {
  const page = await readPage(database, counts, request);
  const rows = await groups.complete(page.content);
  return { ...page, content: rows.map((row) => servedOf(row, request.base)) };
}

/** Whether the stored text of all of them goes out as it is. */
function isWhole(types: readonly ResourceType[], projections: Projections): boolean {
  return types.every((type) => projections[type].whole) && !(types.includes('Group') && projections.Group.related);
}

interface Head {
  readonly total: number;
  readonly size: number;
  readonly startIndex?: number;
  readonly nextCursor?: string | undefined;
  readonly previousCursor?: string | undefined;
}

/** The list up to its first resource. */
function headOf({ total, size, startIndex, nextCursor, previousCursor }: Head): string {
  const place = startIndex === undefined ? '' : `,"startIndex":${startIndex}`;
  const next = nextCursor === undefined ? '' : `,"nextCursor":"${nextCursor}"`;
  const previous = previousCursor === undefined ? '' : `,"previousCursor":"${previousCursor}"`;
  return `{"schemas":["${LIST_SCHEMA}"],"totalResults":${total}${place},"itemsPerPage":${size}${next}${previous},"Resources":[`;
}

interface Key {
  readonly key: LookUpKey;
  readonly value: string;
}

/** A filter that asks for one key by which resources are looked up: what clients ask most. */
function keyOf(type: ResourceType, filter: Filter | undefined): Key | undefined {
  if (filter?.kind !== 'compare' || filter.operator !== 'eq' || typeof filter.value !== 'string') return undefined;
  const resolved = resolve(RESOURCE_SCHEMAS[type], filter.path);
  if (resolved === undefined || resolved.extension !== undefined || resolved.sub !== undefined) return undefined;
  const { name } = resolved.attribute;
  if (name === 'externalId') return { key: 'externalId', value: filter.value };
  if (name === (type === 'User' ? 'userName' : 'displayName')) return { key: 'name', value: nameKey(filter.value) };
  return undefined;
}

/** Undefined when the list is not one of a key, or has too many with the same. */
async function lookUp(
  { reader, publicUrl }: ScimParts,
  { view, types, query }: Listing,
  projections: Projections,
): Promise<readonly Served[] | undefined> {
  const [type, ...others] = types;
  if (
    type === undefined ||
    others.length > 0 ||
    query.startIndex > 1 ||
    query.cursor !== undefined ||
    query.count === 0
  )
    return undefined;
  if (query.sortBy !== undefined) compileSort(query.sortBy, view.schemas[type], query.descending);
  const key = keyOf(type, query.filter);
  if (key === undefined || query.filter === undefined) return undefined;
  compileFilter(query.filter, view.schemas[type]);
  const serve = {
    base: jsonText(`${publicUrl()}/scim/v2`),
    related: type === 'User' && projections.User.related ? ['User' as const] : [],
    visible: view.visible,
  };
  const found = await reader.lookUp(type, key.key, key.value, serve);
  // Several of one key come as they were made: another order is that of a page.
  return found.length > (query.sortBy === undefined ? SAME_KEY_MAX : 1) ? undefined : found;
}

function pageRequest({ publicUrl }: ScimParts, listing: Listing, projections: Projections): PageRequest {
  const { view, types, query } = listing;
  const isOnly = types.length === 1;
  const base = `${publicUrl()}/scim/v2`;
  const sort = sortOf(listing);
  return {
    types: types.map((type) => ({ type, filter: conditionOf(query.filter, listing, type, base) })),
    sort,
    base: jsonText(base),
    // Members come apart, so that a page of large groups is never in memory at once.
    related: projections.User.related ? ['User'] : [],
    visible: view.visible,
    prepare:
      isOnly && query.sortBy === undefined && isCommon(listing) && isUsual(query.count) && view.visible === undefined,
    costly: costOf(listing, sort),
    limit: query.count,
  };
}

function conditionOf(
  filter: Filter | undefined,
  { view, types }: Listing,
  type: ResourceType,
  base: string,
): Condition | undefined {
  if (filter === undefined) return undefined;
  const compile = (from: number) =>
    compileFilter(filter, view.schemas[type], { from, visible: view.visible, lenient: types.length > 1, base });
  checkKnown(filter, { view, types }, base);
  return compile;
}

/** In a list of several types an attribute may be that of one of them only, but not of none. */
function checkKnown(filter: Filter, { view, types }: Pick<Listing, 'view' | 'types'>, base: string): void {
  if (types.length === 1) return;
  const errors = types.map((type) => {
    try {
      compileFilter(filter, view.schemas[type], { base });
      return undefined;
    } catch (error) {
      return error;
    }
  });
  const isPlain = filter.kind === 'compare' || filter.kind === 'present' || filter.kind === 'element';
  if (isPlain && errors.every((error) => error !== undefined)) throw errors[0];
  if (filter.kind === 'not') checkKnown(filter.term, { view, types }, base);
  if (filter.kind === 'and' || filter.kind === 'or')
    for (const term of filter.terms) checkKnown(term, { view, types }, base);
}

function sortOf({ view, types, query }: Listing): Sort | undefined {
  const { sortBy } = query;
  if (sortBy === undefined) return undefined;
  const sorts = types.map((type) => ({ type, sort: compiledSort(sortBy, view, type, query.descending) }));
  const joined = joinSorts(
    sorts.map(({ type, sort }) => ({ type, sort: sort instanceof InputError ? undefined : sort })),
  );
  const failed = sorts.find(({ sort }) => sort instanceof InputError)?.sort;
  if (joined === undefined && failed instanceof InputError) throw failed;
  return joined;
}

function compiledSort(path: AttributePath, view: View, type: ResourceType, descending: boolean): Sort | InputError {
  try {
    return compileSort(path, view.schemas[type], descending);
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** Filters of these shapes use an index, and there are few of them. */
function isCommon({ view, types, query: { filter } }: Listing): boolean {
  return filter === undefined || types.every((type) => isIndexed(filter, view.schemas[type]));
}

/** What no index answers, or puts in order. */
function costOf(listing: Listing, sort: Sort | undefined): Costly | undefined {
  const { reader, isGone } = listing;
  if (!isCommon(listing)) return { reader, isGone, by: 'filter' };
  return sort === undefined || sort.indexed ? undefined : { reader, isGone, by: 'order' };
}

function isUsual(count: number): boolean {
  return [50, COUNT_DEFAULT, 200, 500, COUNT_MAX].includes(count);
}

interface PageAnswer<Content> {
  readonly head: string;
  readonly content: Content;
}

type Reading<Content> = (parts: ScimParts, request: PageRequest) => Promise<ServedPage<Content>>;

async function byIndex<Content>(
  parts: ScimParts,
  listing: Listing,
  projections: Projections,
  read: Reading<Content>,
): Promise<PageAnswer<Content>> {
  const { startIndex } = listing.query;
  const asked = pageRequest(parts, listing, projections);
  const list = `${listing.reader} ${listKey(listing)}`;
  const reached = startIndex === 1 ? undefined : parts.places.find(list, startIndex);
  const where = reached === undefined ? { offset: startIndex - 1 } : { from: { place: reached.place, back: false } };
  const { content, size, last, more, count } = await read(parts, { ...asked, ...where });
  const { epoch, total } = count;
  let shift = reached?.shift ?? 0;
  if (reached !== undefined && reached.epoch !== epoch) {
    const left = more && last !== undefined ? await countAfter(parts.database, asked, last) : 0;
    shift = startIndex - 1 + size + left - total;
  }
  if (asked.limit > 0) parts.places.tell(list, { startIndex, size, total: total + shift, epoch });
  if (last !== undefined && more) parts.places.note(list, startIndex + size, { place: last, epoch, shift });
  return { head: headOf({ total: total + shift, startIndex, size }), content };
}

async function byCursor<Content>(
  parts: ScimParts,
  listing: Listing,
  projections: Projections,
  read: Reading<Content>,
): Promise<PageAnswer<Content>> {
  const { cursor = '' } = listing.query;
  const list = listKey(listing);
  const from = cursor === '' ? undefined : parts.cursors.read(list, cursor);
  const count = sizeOf(listing.query, from);
  const asked = pageRequest(parts, { ...listing, query: { ...listing.query, count } }, projections);
  const page = await read(parts, { ...asked, from });
  const { content, size, first, last, more } = page;
  const goes = (to: 'on' | 'back'): boolean => ((from?.back === true) === (to === 'back') ? more : from !== undefined);
  const at = (to: 'on' | 'back'): string | undefined => {
    const place = to === 'on' ? last : first;
    return place !== undefined && goes(to)
      ? parts.cursors.make(list, { place, back: to === 'back', count })
      : undefined;
  };
  const head = headOf({ total: page.count.total, size, nextCursor: at('on'), previousCursor: at('back') });
  return { head, content };
}

/** A reader pages on in the size of the first page (RFC 9865 section 2.1). @throws {InputError} `invalidCount` */
function sizeOf({ count, countGiven }: ListQuery, from: Position | undefined): number {
  if (from === undefined || (countGiven && from.count === count)) return count;
  if (!countGiven) return from.count;
  throw new InputError(
    `The cursor is one of pages of ${from.count}: send "count" as at first, or leave it out; for another, start again with an empty cursor.`,
    { scimType: 'invalidCount' },
  );
}

/** What makes two lists the same, so that a place in the one is a place in the other. */
function listKey({ view, types, query }: Listing): string {
  return JSON.stringify([types, view.visible?.key ?? '', query.key]);
}
