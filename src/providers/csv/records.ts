/** One line as it was sent: its cells by the name of their column, without empty ones. */
export interface CsvRecord {
  readonly externalId: string;
  readonly fields: Readonly<Record<string, string>>;
  /** For a line that means nobody: why, as a code of core/reasons.ts, and where it stands. */
  readonly problem?: { readonly reason: string; readonly detail: string };
}

/** A line that cannot be used, as a record that is left out: so it is counted and shown like any other. */
export function badLine(file: string, line: number, reason: string, what: string): CsvRecord {
  return {
    externalId: `line:${file}:${line}`,
    fields: {},
    problem: { reason, detail: `${file}, line ${line}: ${what}` },
  };
}

export function fieldsOf(header: readonly (string | undefined)[], cells: readonly string[]): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [index, name] of header.entries()) {
    const cell = cells[index];
    if (name !== undefined && cell !== undefined && cell.trim() !== '') entries.push([name, cell]);
  }
  return Object.fromEntries(entries);
}

/** Longer ones would not fit into an index of the database. */
const ID_MAX = 300;

/** The id in a cell, or what is wrong with it. */
export function readId(cell: string | undefined): { readonly id: string } | { readonly problem: string } {
  const id = cell?.trim() ?? '';
  if (id === '') return { problem: 'it has no id' };
  if (id.length > ID_MAX) return { problem: `its id is longer than ${ID_MAX} characters` };
  if (!id.isWellFormed() || id.includes('\0')) return { problem: 'its id has characters that cannot be stored' };
  if (id.startsWith('line:')) return { problem: 'its id begins with "line:", which is kept for lines without one' };
  return { id };
}

/** Several values of one cell, each once. */
export function valuesOf(cell: string | undefined, separator: string): readonly string[] {
  if (cell === undefined || cell.trim() === '') return [];
  const values = cell.split(separator).map((value) => value.trim());
  return [...new Set(values.filter((value) => value !== ''))];
}

/** The ids that a cell lists, each once, or what is wrong with the first that is none. */
export function readIds(
  cell: string | undefined,
  separator: string,
): { readonly ids: readonly string[] } | { readonly problem: string } {
  const ids = valuesOf(cell, separator);
  const unfit = ids.map(readId).find((found) => 'problem' in found);
  return unfit ?? { ids };
}
