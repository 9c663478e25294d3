/** One attribute that two forms of a resource do not share. A side without it is null. */
export interface Difference {
  /** As a filter would name it: `title`, `name.givenName`, `urn:…:User:department`. Lists are compared whole. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * What differs between two forms of a resource, one level into complex attributes and extensions, ordered by path.
 * `schemas` follows from the rest and is not named. At size `store/plan/plan-figures.ts` states the same rule in SQL.
 */
export function differences(before: object, after: object): Difference[] {
  const found: Difference[] = [];
  eachSide(before, after, (name, old, now) => {
    if (isObject(old) || isObject(now)) within(found, name, old, now);
    else if (name !== 'schemas' && !isSame(old, now)) found.push({ path: name, before: old, after: now });
  });
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** A complex value on one side at least; the other may be anything. */
function within(found: Difference[], name: string, before: unknown, after: unknown): void {
  if (!isObject(before) && before !== null) found.push({ path: name, before, after: null });
  if (!isObject(after) && after !== null) found.push({ path: name, before: null, after });
  eachSide(isObject(before) ? before : NONE, isObject(after) ? after : NONE, (sub, old, now) => {
    if (!isSame(old, now))
      found.push({ path: `${name}${name.startsWith('urn:') ? ':' : '.'}${sub}`, before: old, after: now });
  });
}

const NONE: Record<string, unknown> = {};

/** Shows each name of either, with what both have there: null where that is nothing. */
function eachSide(before: object, after: object, show: (name: string, old: unknown, now: unknown) => void): void {
  const [old, now] = [before as typeof NONE, after as typeof NONE];
  for (const name of Object.keys(now))
    show(name, (Object.hasOwn(old, name) ? old[name] : null) ?? null, now[name] ?? null);
  for (const name of Object.keys(old)) if (!Object.hasOwn(now, name)) show(name, old[name] ?? null, null);
}

/** Equal as JSON, whatever the order of keys. */
function isSame(one: unknown, other: unknown): boolean {
  if (Array.isArray(one) && Array.isArray(other))
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  if (!isObject(one) || !isObject(other)) return one === other;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
