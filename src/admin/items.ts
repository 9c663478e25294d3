import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { csvLine } from '#core/csv.ts';
import { parse } from '#http/validate.ts';
import type { Db } from '#store/database.ts';
import { eachItem, type ItemsOf, type ItemView, listItems } from '#store/views/items.ts';
import { PageQuery } from './query.ts';

/** Filters of the provisioning log, the same for a run and for a plan. */
const ItemsFilter = z.object({
  action: z.enum(['create', 'update', 'deactivate', 'delete', 'membership', 'skip']).optional(),
  outcome: z.string().max(40).optional(),
  reason: z.string().max(80).optional(),
  resourceType: z.string().max(80).optional(),
  attribute: z.string().max(200).optional(),
  group: z.string().max(200).optional(),
  compared: z.enum(['added', 'same', 'dropped']).optional(),
  search: z.string().max(200).optional(),
});
const FormatQuery = z.object({ format: z.enum(['json', 'csv', 'ndjson']).optional() });

const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

/**
 * Answers the items of a plan: a page of them as JSON, or all of them as CSV or NDJSON, streamed, when `format` or
 * `Accept` asks for it.
 * @param plan undefined when the run made none
 */
export async function answerItems(
  db: Db,
  plan: ItemsOf | undefined,
  request: Request,
  response: Response,
): Promise<void> {
  const format = formatOf(request);
  const filter = parse(ItemsFilter, request.query);
  if (format === 'json') {
    const page = parse(PageQuery, request.query);
    response.json(
      plan === undefined ? { items: [], nextCursor: null } : await listItems(db, plan, { ...page, ...filter }),
    );
    return;
  }
  response.type(`${TYPES[format]}; charset=utf-8`).attachment(`changes-${plan?.id ?? 'none'}.${format}`);
  // What `attachment` guesses from the name's ending is less than what is known.
  response.setHeader('content-type', `${TYPES[format]}; charset=utf-8`);
  const items = plan === undefined ? none() : eachItem(db, plan, filter);
  await pipeline(Readable.from(format === 'csv' ? csvLines(items) : jsonLines(items)), response);
}

function formatOf(request: Request): 'json' | 'csv' | 'ndjson' {
  const { format } = parse(FormatQuery, request.query);
  if (format !== undefined) return format;
  const accepted = request.accepts(['application/json', TYPES.csv, TYPES.ndjson]);
  return accepted === TYPES.csv ? 'csv' : accepted === TYPES.ndjson ? 'ndjson' : 'json';
}

async function* none(): AsyncGenerator<ItemView> {}

async function* jsonLines(items: AsyncIterable<ItemView>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}

const COLUMNS = [
  'seq',
  'action',
  'resourceType',
  'id',
  'externalId',
  'label',
  'outcome',
  'held',
  'heldBy',
  'reason',
  'detail',
  'changes',
  'added',
  'removed',
  'error',
  'outcomeAt',
] as const;

async function* csvLines(items: AsyncIterable<ItemView>): AsyncGenerator<string> {
  yield csvLine(COLUMNS);
  for await (const item of items) yield csvLine(COLUMNS.map((column) => cellOf(item, column)));
}

function cellOf(item: ItemView, column: (typeof COLUMNS)[number]): string | number | boolean | null {
  if (column === 'heldBy') return item.heldBy.join(' ');
  if (column === 'outcomeAt') return item.outcomeAt === null ? null : new Date(item.outcomeAt).toISOString();
  if (column !== 'changes') return item[column];
  return item.diff
    .map(({ path, before, after }) => `${path}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`)
    .join('; ');
}
