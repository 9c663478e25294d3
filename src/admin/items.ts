import { z } from 'zod';
import { csvLine } from '#core/csv.ts';
import { parse } from '#http/validate.ts';
import { OUTCOMES } from '#store/plan/plans.ts';
import { eachItem, type ItemsOf, type ItemView, listItems } from '#store/views/items.ts';
import { formatOf, jsonLines, sendLines } from './formats.ts';
import type { Exchange } from './long-work.ts';
import type { AdminParts } from './parts.ts';
import { PageQuery } from './query.ts';

/** Filters of the provisioning log, the same for a run and for a plan. */
const ItemsFilter = z.object({
  action: z.enum(['create', 'update', 'deactivate', 'delete', 'membership', 'skip']).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  reason: z.string().max(80).optional(),
  links: z.stringbool().optional(),
  resourceType: z.enum(['User', 'Group']).optional(),
  attribute: z.string().max(200).optional(),
  group: z.string().max(200).optional(),
  compared: z.enum(['added', 'same', 'dropped']).optional(),
  search: z.string().max(200).optional(),
});

/**
 * Answers the items of a plan: a page of them as JSON, or all of them as CSV or NDJSON, streamed, when `format` or
 * `Accept` asks for it.
 * @param plan undefined when the run made none
 */
export async function answerItems(
  { database, longWork }: Pick<AdminParts, 'database' | 'longWork'>,
  plan: ItemsOf | undefined,
  exchange: Exchange,
): Promise<void> {
  const { request, response } = exchange;
  const db = database.knex;
  const format = formatOf(request);
  const filter = parse(ItemsFilter, request.query);
  if (format === 'json') {
    const page = parse(PageQuery, request.query);
    response.json(
      plan === undefined ? { items: [], nextCursor: null } : await listItems(db, plan, { ...page, ...filter }),
    );
    return;
  }
  const items = plan === undefined ? none() : eachItem(db, plan, filter);
  const lines = format === 'csv' ? csvLines(items) : jsonLines(items);
  await sendLines(longWork, exchange, { name: `changes-${plan?.id ?? 'none'}`, format, lines });
}

async function* none(): AsyncGenerator<ItemView> {}

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
