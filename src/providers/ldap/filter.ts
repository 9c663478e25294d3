// Filters as they are sent. The library takes an escaped byte for the character of that number; in a filter it is a byte of
// UTF-8, or of a value that is no text, such as an objectGUID. Source: RFC 4515 section 3.
import { AndFilter, EqualityFilter, type Filter, FilterParser, NotFilter, OrFilter } from 'ldapts';

/** Characters that no directory has: each stands for one byte that is no text. */
const BYTES_AT = 0x10ff00;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text as part of a filter. */
export function escapeFilter(text: string): string {
  return text.replaceAll(/[\0()*\\]/g, (one) => hexOf(one.charCodeAt(0)));
}

/** Bytes as part of a filter, whatever they mean. */
export function escapeBytes(bytes: Buffer): string {
  return [...bytes].map(hexOf).join('');
}

function hexOf(byte: number): string {
  return `\\${byte.toString(16).padStart(2, '0')}`;
}

/** @throws {Error} it is no filter, or compares bytes that are no text otherwise than by `=` */
export function parseFilter(text: string): Filter {
  return withBytes(FilterParser.parseString(text.replaceAll(/(?:\\[0-9a-f]{2})+/gi, readable)));
}

/** Escaped bytes as the characters that they are, or as one that stands for each. */
function readable(run: string): string {
  const bytes = Buffer.from(run.replaceAll('\\', ''), 'hex');
  try {
    return escapeFilter(utf8.decode(bytes));
  } catch {
    return [...bytes].map((byte) => (byte < 0x80 ? hexOf(byte) : String.fromCodePoint(BYTES_AT + byte))).join('');
  }
}

function withBytes(filter: Filter): Filter {
  if (filter instanceof AndFilter || filter instanceof OrFilter) for (const one of filter.filters) withBytes(one);
  else if (filter instanceof NotFilter) withBytes(filter.filter);
  else if (filter instanceof EqualityFilter) filter.value = bytesIn(filter.value.toString());
  else if (hasBytes(JSON.stringify(filter))) throw new Error('bytes that are no text can be compared by = only');
  return filter;
}

function hasBytes(text: string): boolean {
  return [...text].some((character) => (character.codePointAt(0) ?? 0) >= BYTES_AT);
}

/** The same text where nothing in it stands for a byte. */
function bytesIn(value: string): string | Buffer {
  if (!hasBytes(value)) return value;
  const parts = [...value].map((character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < BYTES_AT ? Buffer.from(character) : Buffer.from([code - BYTES_AT]);
  });
  return Buffer.concat(parts);
}
