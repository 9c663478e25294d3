// The first rows of each file, what was found out about it, and what would become of a person: for whoever sets up the
// columns, before anything is saved.
import type { ResourceSchemas } from '#core/attributes.ts';
import type { FilePreview, SourcePreview } from '#core/source.ts';
import { findColumn } from './columns.ts';
import { copyFiles, type FileParts, type Files, findFiles, makeFolder, removeFolder } from './fetch-files.ts';
import { type CsvRecord, fieldsOf, readId } from './records.ts';
import { openTable, type Row } from './rows.ts';
import { type CsvSettings, FILE_ROLES, type FileRole } from './settings.ts';
import { makeMapping } from './to-scim.ts';

/** Long values are cut: a preview is to look at. */
const CELL_MAX = 200;

/** @throws {UpstreamError} {ConfigError} what a read throws */
export async function previewFiles(
  settings: CsvSettings,
  { parts, schemas, rows }: { readonly parts: FileParts; readonly schemas: ResourceSchemas; readonly rows: number },
  signal: AbortSignal,
): Promise<SourcePreview> {
  const folder = await makeFolder();
  try {
    const files = await copyFiles(await findFiles(settings, parts), { folder, settings }, signal);
    const previews: FilePreview[] = [];
    for (const role of FILE_ROLES)
      if (files[role] !== undefined) previews.push(await previewFile(files, role, rows, signal));
    return { files: previews, resources: await previewPeople(settings, files, { schemas, rows }, signal) };
  } finally {
    await removeFolder(folder);
  }
}

async function previewFile(files: Files, role: FileRole, rows: number, signal: AbortSignal): Promise<FilePreview> {
  const file = files[role] ?? files.users;
  const { header, headings, dialect, first } = await firstRows(file, rows, signal);
  return {
    role,
    name: file.name,
    bytes: file.size,
    encoding: file.encoding,
    delimiter: dialect.delimiter,
    columns: headings.map((heading, index) => ({ heading: cut(heading), name: header[index] ?? null })),
    rows: first.map(({ line, cells, problem }) => ({ line, cells: cells.map(cut), problem: problem ?? null })),
  };
}

async function previewPeople(
  settings: CsvSettings,
  { users }: Files,
  { schemas, rows }: { readonly schemas: ResourceSchemas; readonly rows: number },
  signal: AbortSignal,
): Promise<SourcePreview['resources']> {
  const { header, first } = await firstRows(users, rows, signal);
  const anchor = findColumn(header, settings.columns.anchor);
  const mapping = makeMapping(settings, schemas);
  return first.map(({ line, cells, problem }) => {
    const found = problem === undefined ? readId(anchor === undefined ? undefined : cells[anchor]) : { problem };
    if ('problem' in found) return { line, outcome: { skip: 'BadLine', detail: found.problem } };
    const record: CsvRecord = { externalId: found.id, fields: fieldsOf(header, cells) };
    return { line, outcome: mapping.normalise(record, 'User') };
  });
}

async function firstRows(file: Files['users'], rows: number, signal: AbortSignal) {
  const table = await openTable(file, signal);
  const first: Row[] = [];
  for await (const batch of table.rows) {
    first.push(...batch.slice(0, rows - first.length));
    if (first.length >= rows) break;
  }
  return { ...table, first };
}

function cut(text: string): string {
  return text.length > CELL_MAX ? `${text.slice(0, CELL_MAX)}…` : text;
}
