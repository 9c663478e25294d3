// What the steps of one read share, and the lines that could not be read in it.
import type { ReadMemory } from '#core/pages.ts';
import { incomplete } from './failures.ts';
import type { CopiedFile, Files } from './fetch-files.ts';
import { badLine, type CsvRecord } from './records.ts';
import type { Row, Table } from './rows.ts';
import type { CsvSettings } from './settings.ts';
import type { Spill } from './spill.ts';

/** Lines that an error names. */
const NAMED = 5;

export interface Reading {
  readonly files: Files;
  readonly columns: CsvSettings['columns'];
  /** What was read before, where the column `active` says who is active. */
  readonly flags: ReadMemory | undefined;
  readonly signal: AbortSignal;
  /** Ids of users. */
  readonly users: Spill;
  /** [member, group, what was said of its kind], by member. */
  readonly loose: Spill;
  /** [group, member, type], by group. */
  readonly members: Spill;
  readonly groupIds: Set<string>;
  /** Lines that could not be read at all. */
  readonly bad: { count: number; readonly first: string[] };
}

export async function* rowsOf({ rows }: Table, signal: AbortSignal): AsyncGenerator<Row> {
  for await (const batch of rows) {
    signal.throwIfAborted();
    yield* batch;
  }
}

export function noteBad({ bad }: Reading, file: CopiedFile, line: number, what: string): CsvRecord {
  bad.count += 1;
  if (bad.first.length < NAMED) bad.first.push(`${file.name} line ${line}`);
  return badLine(file.name, line, 'BadLine', what);
}

export function badLines({ count, first }: Reading['bad']): Error {
  const named = `${first.join(', ')}${count > first.length ? ', …' : ''}`;
  return incomplete(`${count} ${count === 1 ? 'line' : 'lines'} could not be read (${named}), so nobody is removed.`, {
    reason: 'bad-lines',
    remedy: 'Mend the lines, which the run lists one by one; or set format.onBadLine to "skip".',
  });
}
