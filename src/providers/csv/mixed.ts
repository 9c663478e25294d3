// One file that has users, groups and memberships, told apart by a column. It is read as three, each time its other lines
// are passed over: so every line keeps its number, and what reads three files reads this one.
import { foldCase } from '#core/search.ts';
import { needColumn } from './columns.ts';
import type { Row } from './rows.ts';
import { FILE_ROLES, type FileRole } from './settings.ts';

export interface MixedLines {
  /** The heading, or name, of the column that says what a line is. */
  readonly column: string;
  readonly are: FileRole;
}

const WORDS: Readonly<Record<FileRole, readonly string[]>> = {
  users: ['user', 'users', 'person', 'people', 'account', '사용자'],
  groups: ['group', 'groups', '그룹'],
  memberships: ['membership', 'memberships', 'member', '구성원', '멤버'],
};

/** The lines that are meant. One that does not say what it is counts among the users, as a line that cannot be read. */
export async function* linesOf(
  rows: AsyncGenerator<readonly Row[]>,
  header: readonly (string | undefined)[],
  file: string,
  { column, are }: MixedLines,
): AsyncGenerator<readonly Row[]> {
  const at = needColumn(header, column, file, 'says what a line is');
  for await (const batch of rows) yield batch.flatMap((row) => lineAs(row, row.cells[at], are));
}

function lineAs(row: Row, word: string | undefined, are: FileRole): readonly Row[] {
  const role = row.problem === undefined ? roleOf(word) : undefined;
  if (role !== undefined) return role === are ? [row] : [];
  if (are !== 'users') return [];
  const problem = row.problem ?? `it is a "${(word ?? '').slice(0, 40)}", which is none of user, group, membership`;
  return [{ ...row, problem }];
}

function roleOf(word: string | undefined): FileRole | undefined {
  const folded = foldCase(word?.trim() ?? '');
  return FILE_ROLES.find((role) => WORDS[role].includes(folded));
}
