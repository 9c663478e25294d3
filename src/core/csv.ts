/** What a spreadsheet takes for a formula when a cell begins with it. Source: OWASP, CSV injection, checked 2026-11. */
const FORMULA = /^\s*[=+\-@\t\r\n|%＝＋－＠]/u;
/**
 * Where a cell may begin within a value: some spreadsheets part cells by semicolon or tab, by the language of their reader,
 * and then see no quotes around what stands between commas.
 */
const INNER_FORMULA = /([;\t\r\n][\s"]*)(?=[=+\-@|%＝＋－＠])/gu;

/** One cell: quoted where it must be, and never a formula, whoever chose the value. null is an empty cell. */
export function csvCell(value: string | number | boolean | null): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const text = `${FORMULA.test(value) ? "'" : ''}${value.replaceAll(INNER_FORMULA, "$1'")}`;
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line with its end (RFC 4180). */
export function csvLine(values: readonly (string | number | boolean | null)[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
