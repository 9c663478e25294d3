/**
 * Case folding, for keys and comparisons alike. Always this function, never SQL's `lower`: the two differ
 * (`İ` is `i` to PostgreSQL and `i̇` here), and a key must mean the same on both sides.
 */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/**
 * The attributes whose strings compare case-exactly, by what they lie in; all others compare without case (RFC 7643
 * sections 3.1, 4.1.2 and 8.7.1). A test holds this list to the declared schemas.
 */
const CASE_EXACT: Readonly<Record<string, readonly string[]>> = {
  '': ['id', 'externalid'],
  meta: ['resourcetype', 'location', 'version'],
  x509certificates: ['value'],
};

/** The form that filters read: every case-insensitive string folded. */
export function searchForm(resource: object): string {
  return JSON.stringify(folded(resource, ''));
}

/** True when the attribute compares case-exactly: of a complex one the sub-attribute, lying in `within`. */
export function isCaseExact(attribute: string, within = ''): boolean {
  return exactIn(within)?.includes(foldCase(attribute)) === true;
}

function exactIn(within: string): readonly string[] | undefined {
  const name = foldCase(within);
  return Object.hasOwn(CASE_EXACT, name) ? CASE_EXACT[name] : undefined;
}

function folded(fields: object, within: string): object {
  const exact = exactIn(within);
  const form: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields))
    form[name] = typeof value === 'string' && exact?.includes(foldCase(name)) === true ? value : fold(value, name);
  return form;
}

/** @param name of the attribute that has the value */
function fold(value: unknown, name: string): unknown {
  if (typeof value === 'string') return foldCase(value);
  if (Array.isArray(value)) return value.map((item) => fold(item, name));
  return typeof value === 'object' && value !== null ? folded(value, name) : value;
}
