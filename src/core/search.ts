import type { ResourceType } from './resource.ts';

/**
 * Case folding, for keys and comparisons alike. Always this function, never SQL's `lower`: the two differ
 * (`İ` is `i` to PostgreSQL and `i̇` here), and a key must mean the same on both sides.
 */
export function foldCase(text: string): string {
  return text.toLowerCase();
}

/**
 * Last names of the attributes that compare case-exactly (RFC 7643: `caseExact` true, and every reference and
 * binary); all other strings compare without case. A test holds this list to the declared schemas.
 */
const CASE_EXACT: ReadonlySet<string> = new Set([
  'id',
  'externalId',
  '$ref',
  'profileUrl',
  'resourceType',
  'location',
  'version',
]);
const CASE_EXACT_PARENTS: ReadonlySet<string> = new Set(['photos', 'x509Certificates', 'manager', 'members', 'groups']);

/** The form that filters read: every case-insensitive string folded. Sub-attribute `value` of ids, photos and certificates stays. */
export function searchForm(resource: object, _resourceType: ResourceType): string {
  return JSON.stringify(fold(resource, '', ''));
}

/** True when the attribute (and, under a parent, its sub-attribute) compares case-exactly. */
export function isCaseExact(attribute: string, parent = ''): boolean {
  return CASE_EXACT.has(attribute) || (attribute === 'value' && CASE_EXACT_PARENTS.has(parent));
}

function fold(value: unknown, name: string, parent: string): unknown {
  if (typeof value === 'string') return isCaseExact(name, parent) ? value : foldCase(value);
  if (Array.isArray(value)) return value.map((item) => fold(item, name, parent));
  if (typeof value !== 'object' || value === null) return value;
  const folded: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    folded[key] = fold(item, key, name);
  }
  return folded;
}
