/** One attribute that two forms of a resource do not share. A side without it is null. */
export interface Difference {
  /** As a filter would name it: `title`, `name.givenName`, `urn:…:User:department`. Lists are compared whole. */
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * What differs between two forms of a resource, one level into complex attributes and extensions, ordered by path.
 * `schemas` follows from the rest and is not named. At size `store/plan-figures.ts` states the same rule in SQL.
 */
export function differences(before: object, after: object): Difference[] {
  const found: Difference[] = [];
  for (const [name, old, now] of sides(before, after)) {
    if (!isObject(old) && !isObject(now)) note(found, name, old, now);
    else within(found, name, old, now);
  }
  return found.sort((one, other) => (one.path < other.path ? -1 : 1));
}

/** A complex value on one side at least; the other may be anything. */
function within(found: Difference[], name: string, before: unknown, after: unknown): void {
  const [old, now] = [isObject(before) ? before : NONE, isObject(after) ? after : NONE];
  if (old === NONE) note(found, name, before, undefined);
  if (now === NONE) note(found, name, undefined, after);
  const mark = name.startsWith('urn:') ? ':' : '.';
  for (const [sub, one, other] of sides(old, now)) note(found, `${name}${mark}${sub}`, one, other);
}

const NONE: Record<string, unknown> = {};

/** Each name of either, with what both have there. */
function* sides(before: object, after: object): Iterable<readonly [string, unknown, unknown]> {
  const [old, now] = [before as typeof NONE, after as typeof NONE];
  for (const name of Object.keys(now)) yield [name, Object.hasOwn(old, name) ? old[name] : undefined, now[name]];
  for (const name of Object.keys(old)) if (!Object.hasOwn(now, name)) yield [name, old[name], undefined];
}

function note(found: Difference[], path: string, before: unknown = null, after: unknown = null): void {
  if (path !== 'schemas' && !isSame(before, after)) found.push({ path, before, after });
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
