// Lists that are also answered whole, as CSV or as NDJSON.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request } from 'express';
import { z } from 'zod';
import { parse } from '#http/validate.ts';
import { answerInTurn, type Exchange, type LongWork } from './long-work.ts';

const FormatQuery = z.object({ format: z.enum(['json', 'csv', 'ndjson']).optional() });
const TYPES = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

/** What `format` says, else what `Accept` prefers. */
export function formatOf(request: Request): 'json' | 'csv' | 'ndjson' {
  const { format } = parse(FormatQuery, request.query);
  if (format !== undefined) return format;
  const accepted = request.accepts(['application/json', TYPES.csv, TYPES.ndjson]);
  return accepted === TYPES.csv ? 'csv' : accepted === TYPES.ndjson ? 'ndjson' : 'json';
}

/** A file of lines, sent as they are made, in turn. @throws {RateError} `too-many-reads` */
export async function sendLines(
  { exports }: LongWork,
  exchange: Exchange,
  { name, format, lines }: { name: string; format: 'csv' | 'ndjson'; lines: AsyncIterable<string> },
): Promise<void> {
  const { response } = exchange;
  await answerInTurn(exports, exchange, async () => {
    response.attachment(`${name}.${format}`);
    // What `attachment` guesses from the name's ending is less than what is known.
    response.setHeader('content-type', `${TYPES[format]}; charset=utf-8`);
    await pipeline(Readable.from(lines), response);
  });
}

export async function* jsonLines(items: AsyncIterable<unknown>): AsyncGenerator<string> {
  for await (const item of items) yield `${JSON.stringify(item)}\n`;
}
