import type { Check } from '#core/check.ts';
import { GatewayError } from '#core/errors.ts';
import { findColumn, needColumn } from './columns.ts';
import {
  type CopiedFile,
  copyFiles,
  type FileParts,
  type Files,
  findFiles,
  makeFolder,
  removeFolder,
} from './fetch-files.ts';
import { openTable } from './rows.ts';
import type { CsvSettings } from './settings.ts';

/**
 * Says step by step what works: `find` (the files are there), `read` (they are whole, and their characters are known),
 * `columns` (what the settings name is there). Changes nothing, never throws.
 */
export async function checkFiles(
  settings: CsvSettings,
  parts: FileParts,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const folder = await makeFolder();
  const checks: Check[] = [];
  try {
    const found = await step(checks, 'find', async () => {
      const files = await findFiles(settings, parts);
      return [files, `Files: ${files.map(({ name }) => name).join(', ')}.`];
    });
    const files = await step(checks, 'read', async () => {
      if (found === undefined) return undefined;
      const copies = await copyFiles(found, { folder, settings }, signal);
      const facts = Object.values(copies).map(({ name, size, encoding }) => `${name} (${size} B, ${encoding})`);
      return [copies, `Read: ${facts.join(', ')}.`];
    });
    await step(checks, 'columns', async () => {
      if (files === undefined) return undefined;
      const { header, dialect, rows } = await openTable(files.users, signal);
      await rows.return(undefined);
      needColumn(header, settings.columns.anchor, files.users.name, 'is the stable id of a person');
      await checkOthers(files, settings, signal);
      const names = header.filter((name) => name !== undefined);
      const groups = findColumn(header, settings.columns.groups) === undefined ? '' : ' Groups are a column.';
      return [names, `Columns, set apart by ${JSON.stringify(dialect.delimiter)}: ${names.join(', ')}.${groups}`];
    });
  } finally {
    await removeFolder(folder);
  }
  return checks;
}

/** The columns that files of groups and memberships must have. */
async function checkOthers(
  { groups, memberships }: Files,
  { columns }: CsvSettings,
  signal: AbortSignal,
): Promise<void> {
  const needed: readonly [CopiedFile | undefined, string, string][] = [
    [groups, columns.groupAnchor, 'is the stable id of a group'],
    [memberships, columns.membershipGroup, 'names the group'],
    [memberships, columns.membershipMember, 'names the member'],
  ];
  for (const [file, column, why] of needed) {
    if (file === undefined) continue;
    const { header, rows } = await openTable(file, signal);
    await rows.return(undefined);
    needColumn(header, column, file.name, why);
  }
}

async function step<Found>(
  checks: Check[],
  name: string,
  work: () => Promise<readonly [Found, string] | undefined>,
): Promise<Found | undefined> {
  try {
    const result = await work();
    if (result === undefined) {
      checks.push({ name, ok: false, detail: 'Not tried, since the step before failed.', remedy: null });
      return undefined;
    }
    checks.push({ name, ok: true, detail: result[1], remedy: null });
    return result[0];
  } catch (error) {
    const known = error instanceof GatewayError ? error : undefined;
    checks.push({
      name,
      ok: false,
      detail: known?.message ?? 'The check failed for a reason that is not known.',
      remedy: known?.remedy ?? 'Check that the gateway may read the file, then try again.',
    });
    return undefined;
  }
}
