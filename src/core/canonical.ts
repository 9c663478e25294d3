/**
 * One spelling of a value, so that equal resources have equal text and equal digests: keys sorted, null, undefined,
 * empty strings, empty arrays and empty objects left out (RFC 7643 section 2.5: unassigned and null are the same),
 * order inside arrays kept.
 */
export function canonical(value: unknown): string {
  return write(value) ?? '{}';
}

/** Keys as they are written: those of resources are few, and quoting one takes longer than looking it up. */
const quoted = new Map<string, string>();
const QUOTED_MAX = 1_000;

function quote(key: string): string {
  const known = quoted.get(key);
  if (known !== undefined) return known;
  const text = `${JSON.stringify(key)}:`;
  if (quoted.size < QUOTED_MAX) quoted.set(key, text);
  return text;
}

function write(value: unknown): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) {
    const items = value.map(write).filter((item) => item !== undefined);
    return items.length === 0 ? undefined : `[${items.join(',')}]`;
  }
  let text = '';
  const record = value as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(record).sort()) {
    const item = write(record[key]);
    if (item !== undefined) text += `${text === '' ? '' : ','}${quote(key)}${item}`;
  }
  return text === '' ? undefined : `{${text}}`;
}
