/** What a spreadsheet takes for a formula when a cell begins with it. Source: OWASP, CSV injection, checked 2026-11. */
const FORMULA = /^\s*[=+\-@\t\r|%＝＋－＠]/u;

/** One cell: quoted, and never a formula, whoever chose the value. Numbers stay numbers. */
export function csvCell(value: string | number | null): string {
  if (typeof value === 'number') return String(value);
  const text = value ?? '';
  return `"${(FORMULA.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
}

/** One line with its end (RFC 4180). */
export function csvLine(values: readonly (string | number | null)[]): string {
  return `${values.map(csvCell).join(',')}\r\n`;
}
