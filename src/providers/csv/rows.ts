// The lines of one file, in batches. Every line comes with its number; one that has other columns than the header comes
// with what is wrong with it.
import { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { readHeader } from './columns.ts';
import { type Dialect, findDialect } from './dialect.ts';
import { type Encoding, readText } from './encoding.ts';
import { incomplete } from './failures.ts';
import { linesOf, type MixedLines } from './mixed.ts';

/** A stable copy of a file on this machine. */
export interface LocalFile {
  readonly path: string;
  /** What people call it. */
  readonly name: string;
  readonly encoding: Encoding;
  readonly delimiter: string;
  /** Of a file that has everything: which of its lines are meant. */
  readonly lines?: MixedLines;
}

export interface Row {
  /** Where it begins, counted from 1 for the header. */
  readonly line: number;
  readonly cells: readonly string[];
  /** Why it cannot be read. */
  readonly problem?: string;
}

export interface Table {
  /** As the file has them. */
  readonly headings: readonly string[];
  readonly header: readonly (string | undefined)[];
  readonly dialect: Dialect;
  /** Batches of lines, in order. To be read once. */
  readonly rows: AsyncGenerator<readonly Row[]>;
}

/** A line longer than this is a quote that was never closed. */
const LINE_MAX = 1024 * 1024;
const BATCH = 500;
const SAMPLE_CHARACTERS = 64 * 1024;

/**
 * Opens a file and reads its header. Whoever does not read `rows` to the end must call its `return`.
 * @throws {UpstreamError} the file is empty, or cut off
 * @throws {ConfigError} `header-invalid`
 */
export async function openTable(file: LocalFile, signal: AbortSignal): Promise<Table> {
  const text = readText(file.path, file.name, file.encoding, signal);
  const { sample, pieces } = await takeSample(text);
  if (sample.trim() === '')
    throw incomplete(`${file.name} is empty: it has not even a header.`, {
      reason: 'file-empty',
      remedy: 'Bring the file again. A file that means nobody still has its header.',
    });
  const dialect = findDialect(sample, file.delimiter);
  const batches = readRows(pieces, dialect, file);
  const first = await batches.next();
  const [head, ...rest] = first.done === true ? [] : first.value;
  if (head === undefined)
    throw incomplete(`${file.name} has no header.`, { reason: 'file-empty', remedy: 'Bring the file again.' });
  const header = readHeader(head.cells, file.name);
  const rows = checked(rest, batches, header.length);
  const meant = file.lines === undefined ? rows : linesOf(rows, header, file.name, file.lines);
  return { headings: head.cells, header, dialect, rows: meant };
}

async function takeSample(text: AsyncGenerator<string>): Promise<{ sample: string; pieces: AsyncGenerator<string> }> {
  let sample = '';
  while (sample.length < SAMPLE_CHARACTERS) {
    const { done, value } = await text.next();
    if (done === true) break;
    sample += value;
  }
  return { sample, pieces: joined(sample, text) };
}

async function* joined(first: string, rest: AsyncGenerator<string>): AsyncGenerator<string> {
  yield first;
  yield* rest;
}

async function* readRows(
  pieces: AsyncGenerator<string>,
  { delimiter, lineEnds, linesBefore }: Dialect,
  { name }: LocalFile,
): AsyncGenerator<Row[]> {
  const parser = parse({
    delimiter,
    record_delimiter: [...lineEnds],
    from_line: linesBefore + 1,
    relax_column_count: true,
    // A quote within a cell is a character like any other: 5" pipe.
    relax_quotes: true,
    skip_empty_lines: true,
    max_record_size: LINE_MAX,
    info: true,
    raw: true,
  });
  const source = Readable.from(pieces);
  // An error of the source must end the parser too, and `pipe` does not hand it on.
  source.on('error', (error) => parser.destroy(error));
  let batch: Row[] = [];
  let line = 1 + linesBefore;
  try {
    for await (const { record, raw, info } of source.pipe(parser) as AsyncIterable<ParsedRecord>) {
      // Separators alone are what spreadsheets leave of lines that were emptied.
      if (record.some((cell) => cell.trim() !== ''))
        batch.push({ line, cells: record, ...(isWhole(record, raw, delimiter) ? {} : { problem: OPEN_QUOTE }) });
      line = info.lines + 1;
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    if (error instanceof CsvError) throw brokenOff(error, name, line);
    throw error;
  } finally {
    source.destroy();
  }
  if (batch.length > 0) yield batch;
}

interface ParsedRecord {
  readonly record: readonly string[];
  /** As it stands in the file. */
  readonly raw: string;
  /** Lines read so far. */
  readonly info: { readonly lines: number };
}

const OPEN_QUOTE = 'a quote is opened in it that is not closed before its end';

/**
 * A quote within a cell is a character like any other. But one that opens a cell and is taken for closed lines later, by
 * another that stands within a cell as well, has made one line of several.
 */
function isWhole(cells: readonly string[], raw: string, delimiter: string): boolean {
  if (!cells.some((cell) => cell.startsWith('"') && /[\r\n]/.test(cell))) return true;
  const mark = `\\u{${(delimiter.codePointAt(0) ?? 0).toString(16)}}`;
  const quoted = '"[^"]*(?:""[^"]*)*"';
  const cell = new RegExp(`(?:${quoted}|(?!")[^${mark}\\r\\n]*)(?:${mark}|$)`, 'uy');
  const text = raw.replaceAll(/^[\r\n]+|[\r\n]+$/g, '');
  while (cell.lastIndex < text.length) if (!cell.test(text)) return false;
  return true;
}

function brokenOff(error: CsvError, name: string, line: number): Error {
  const open = error.code === 'CSV_QUOTE_NOT_CLOSED' || error.code === 'CSV_MAX_RECORD_SIZE';
  const what = open ? 'a quote is opened and never closed' : `it cannot be read (${error.code})`;
  return incomplete(`${name} breaks off after line ${line - 1}: ${what}.`, {
    reason: 'file-cut-off',
    remedy: `Look at line ${line}; if the file ends there, it was cut off on its way: bring it whole.`,
    cause: error,
  });
}

async function* checked(
  first: readonly Row[],
  rest: AsyncGenerator<Row[]>,
  columns: number,
): AsyncGenerator<readonly Row[]> {
  yield first.map((row) => check(row, columns));
  for await (const batch of rest) yield batch.map((row) => check(row, columns));
}

/** A cell too many that is empty is what spreadsheets leave behind. */
function check(row: Row, columns: number): Row {
  const { length } = row.cells;
  if (length === columns) return row;
  if (length > columns && row.cells.slice(columns).every((cell) => cell.trim() === '')) return row;
  return { ...row, problem: `${length} cells where the header has ${columns}` };
}
