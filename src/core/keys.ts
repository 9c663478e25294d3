import { foldCase } from './search.ts';

/**
 * How many bytes a text may have by which resources are found. An index of PostgreSQL holds 2,704 bytes in an entry, and
 * that of the mirror three of these texts: externalId, name and the externalId of the manager.
 */
export const KEY_BYTES_MAX = 768;

/** The attributes with such texts; of complex ones the `value`. */
const KEYS: ReadonlySet<string> = new Set(['externalid', 'username', 'displayname', 'emails.value']);

/** @param path of an attribute of the core schemas, as `emails.value` */
export function isKey(path: string): boolean {
  return KEYS.has(foldCase(path));
}

/** Whether the text, or its folded form, is too long to be found by. */
export function isTooLongForKey(text: string): boolean {
  if (text.length * 3 <= KEY_BYTES_MAX) return false;
  return Math.max(Buffer.byteLength(text), Buffer.byteLength(foldCase(text))) > KEY_BYTES_MAX;
}
