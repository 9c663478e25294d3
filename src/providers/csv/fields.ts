// What rules and filters may name: the columns that are always understood, and the headings of the users' file.
import { namesField } from '#core/filter.ts';
import { type FieldType, fieldsFrom, OPERATORS_OF, type SourceField } from '#core/source.ts';
import { versionOf } from './changes.ts';
import { KNOWN_COLUMNS } from './columns.ts';
import { copyFiles, type FileParts, findFiles, makeFolder, removeFolder } from './fetch-files.ts';
import { openTable } from './rows.ts';
import type { CsvSettings } from './settings.ts';

export type FindFields = (
  prefix: string,
  settings: CsvSettings | undefined,
  signal: AbortSignal,
) => Promise<readonly SourceField[]>;

/** Headings are read again when the files have changed. Those of a URL are not: it would be read whole for them. */
export function makeFindFields(parts: FileParts): FindFields {
  let last: { readonly of: string; readonly names: readonly string[] } | undefined;

  async function headingsOf(settings: CsvSettings, signal: AbortSignal): Promise<readonly string[]> {
    const version = await versionOf(settings, parts);
    if (version === undefined) return [];
    const of = JSON.stringify([settings.source, settings.format, version]);
    if (last?.of !== of) last = { of, names: await readHeadings(settings, parts, signal) };
    return last.names;
  }

  return async (prefix, settings, signal) => {
    const found = settings === undefined ? [] : await headingsOf(settings, signal);
    const more = found.filter((name) => !KNOWN_COLUMNS.includes(name)).map((name) => fieldOf(name, 'string'));
    const known = KNOWN_COLUMNS.map((name) => fieldOf(name, name === 'active' ? 'boolean' : 'string'));
    return fieldsFrom([...known, ...more], prefix);
  };
}

/** A heading of several words is for rules alone: a filter cannot say it. */
function fieldOf(name: string, type: FieldType): SourceField {
  if (!namesField(name)) return { name, type, operators: [], example: '' };
  const example = type === 'boolean' ? `${name} eq true` : `${name} eq "…"`;
  return { name, type, operators: OPERATORS_OF[type], example };
}

/** None while there is no file that can be read: what is wrong with it, a test of the connection says. */
async function readHeadings(settings: CsvSettings, parts: FileParts, signal: AbortSignal): Promise<readonly string[]> {
  const folder = await makeFolder();
  try {
    const { users } = await copyFiles(await findFiles(settings, parts), { folder, settings }, signal);
    const { header } = await openTable(users, signal);
    return header.filter((name) => name !== undefined);
  } catch {
    signal.throwIfAborted();
    return [];
  } finally {
    await removeFolder(folder);
  }
}
