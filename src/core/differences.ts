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
  const old = flatten(before);
  const now = flatten(after);
  const paths = [...new Set([...old.keys(), ...now.keys()])].filter((path) => path !== 'schemas').sort();
  return paths.flatMap((path) => {
    const [one = null, other = null] = [old.get(path), now.get(path)];
    return isSame(one, other) ? [] : [{ path, before: one, after: other }];
  });
}

function flatten(resource: object): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  for (const [name, value] of Object.entries(resource)) {
    if (!isObject(value)) flat.set(name, value);
    else
      for (const [sub, item] of Object.entries(value))
        flat.set(`${name}${name.startsWith('urn:') ? ':' : '.'}${sub}`, item);
  }
  return flat;
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
