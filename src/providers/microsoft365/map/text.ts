/**
 * A text that JSON and PostgreSQL can carry: without NUL, lone surrogates replaced. Undefined for what is no text and
 * for one with nothing to read in it. Everything else, outer space included, stays as it is.
 */
export function textOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const clean = isCarriable(value) ? value : value.toWellFormed().replaceAll('\0', '');
  return clean.trim() === '' ? undefined : clean;
}

/** True when the text can be stored as it is. */
export function isCarriable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}
