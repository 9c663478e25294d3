/**
 * Case folding, for keys and comparisons alike. Always this function, never SQL's `lower`: the two differ
 * (`İ` is `i` to PostgreSQL and `i̇` here), and a key must mean the same on both sides.
 */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/**
 * The attributes whose strings compare case-exactly; all others compare without case (RFC 7643 sections 3.1 and 8.7.1).
 * A test holds this list to the declared schemas.
 */
const CASE_EXACT: ReadonlySet<string> = new Set(['id', 'externalId', 'resourceType', 'location', 'version']);

/** The form that filters read: every case-insensitive string folded. */
export function searchForm(resource: object): string {
  return JSON.stringify(fold(resource, ''));
}

/** True when the attribute, by its last name, compares case-exactly. */
export function isCaseExact(attribute: string): boolean {
  return CASE_EXACT.has(attribute);
}

function fold(value: unknown, name: string): unknown {
  if (typeof value === 'string') return isCaseExact(name) ? value : foldCase(value);
  if (Array.isArray(value)) return value.map((item) => fold(item, name));
  if (typeof value !== 'object' || value === null) return value;
  const folded: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) folded[key] = fold(item, key);
  return folded;
}
