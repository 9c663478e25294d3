// Object ids of Graph are GUIDs (RFC 9562), which mean the same in any letter case; here they are kept in small letters.

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Anything else stays as it is. */
export function idInOneCase(id: string): string {
  return /[A-Z]/.test(id) && GUID.test(id) ? id.toLowerCase() : id;
}

/** Where an object has other objects in it, with their ids. */
const NESTED = ['manager', 'members@delta', 'manager@delta'] as const;

/** The same object with its own id and those that it names in one letter case. Pure. */
export function inOneCase<Item extends object>(item: Item): Item {
  const found = item as Item & Readonly<Record<string, unknown>>;
  const changes: Record<string, unknown> = {};
  const id = ownId(found);
  if (id !== found['id']) changes['id'] = id;
  for (const name of NESTED) {
    const value = found[name];
    if (typeof value !== 'object' || value === null) continue;
    const changed = Array.isArray(value) ? value.map(withOwnId) : withOwnId(value);
    if (changed !== value) changes[name] = changed;
  }
  return Object.keys(changes).length === 0 ? item : { ...item, ...changes };
}

function withOwnId(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const id = ownId(value);
  return id === (value as { readonly id?: unknown }).id ? value : { ...value, id };
}

function ownId(object: object): unknown {
  const { id } = object as { readonly id?: unknown };
  return typeof id === 'string' ? idInOneCase(id) : id;
}
