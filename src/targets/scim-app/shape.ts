// What of a payload a target declares in its schemas (RFC 7643 sections 6 and 7). Many declare less than they take, so it is
// only held to where a target refuses the rest, or an administrator says so.
import type { ResourceType } from '#core/resource.ts';
import type { Capabilities, Payload } from '#core/target.ts';

type Declared = NonNullable<Capabilities['attributes']>;

const CORE: Readonly<Record<ResourceType, string>> = {
  User: 'urn:ietf:params:scim:schemas:core:2.0:user',
  Group: 'urn:ietf:params:scim:schemas:core:2.0:group',
};
/** Of every resource, whatever its schema says. */
const COMMON: ReadonlySet<string> = new Set(['schemas', 'id', 'externalid', 'meta']);

/**
 * The paths that a target declares as writable, or as its own to write, in lower case: `title`, `name.givenname`,
 * `urn:…:user:department`.
 * @param schemas the answer of its `/Schemas` @param types that of its `/ResourceTypes`
 */
export function declaredAttributes(
  schemas: Payload | undefined,
  types: Payload | undefined,
  which: 'writable' | 'readOnly' = 'writable',
): Declared | undefined {
  const byUrn = new Map(listOf(schemas?.['Resources']).map((schema) => [textOf(schema['id']), schema]));
  if (byUrn.size === 0) return undefined;
  const pathsOf = which === 'writable' ? writablePaths : readOnlyPaths;
  const of = (type: ResourceType): readonly string[] | null => {
    const core = listOf(byUrn.get(CORE[type])?.['attributes']);
    if (core.length === 0) return null;
    const resourceType = listOf(types?.['Resources']).find(({ name }) => name === type);
    const named = listOf(resourceType?.['schemaExtensions']).map(({ schema }) => textOf(schema));
    // Without resource types, whatever is no core schema may be an extension of either.
    const extensions = resourceType === undefined ? [...byUrn.keys()].filter((urn) => !urn.includes(':core:')) : named;
    const paths = extensions.flatMap((urn) => pathsOf(listOf(byUrn.get(urn)?.['attributes']), `${urn}:`));
    return [...pathsOf(core, ''), ...(which === 'writable' ? extensions : []), ...paths];
  };
  return { User: of('User'), Group: of('Group') };
}

function writablePaths(attributes: readonly Payload[], prefix: string): readonly string[] {
  return attributes.flatMap(({ name, mutability, subAttributes }) => {
    if (mutability === 'readOnly') return [];
    const path = `${prefix}${textOf(name)}`;
    return [path, ...writablePaths(listOf(subAttributes), `${path}.`)];
  });
}

function readOnlyPaths(attributes: readonly Payload[], prefix: string): readonly string[] {
  return attributes.flatMap(({ name, mutability, subAttributes }) => {
    const path = `${prefix}${textOf(name)}`;
    return mutability === 'readOnly' ? [path] : readOnlyPaths(listOf(subAttributes), `${path}.`);
  });
}

/** Of every target, whatever it declares (RFC 7643 sections 3.1 and 4). */
const NEVER_OURS: readonly string[] = [
  'meta',
  'groups',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:user:manager.displayname',
];
/** What is written whole is told by these, whatever a target declares. */
const ALWAYS_WRITTEN: ReadonlySet<string> = new Set([
  'schemas',
  'id',
  'externalid',
  'members',
  'members.value',
  'members.type',
]);

/** What a target showed, without what it writes itself and what has no value. */
export function writablePart(document: Payload, type: ResourceType, readOnly: Declared | undefined): Payload {
  const paths = new Set([...NEVER_OURS, ...(readOnly?.[type] ?? [])].filter((path) => !ALWAYS_WRITTEN.has(path)));
  return without(document, '', paths);
}

function without(fields: Payload, prefix: string, paths: ReadonlySet<string>): Payload {
  const part: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    const path = `${prefix}${name.toLowerCase()}`;
    if (paths.has(path) || value === null) continue;
    const inner = path.startsWith('urn:') && prefix === '' ? `${path}:` : `${path}.`;
    part[name] = Array.isArray(value)
      ? value.map((item) => (isFields(item) ? without(item, inner, paths) : item))
      : isFields(value)
        ? without(value, inner, paths)
        : value;
  }
  return part;
}

/** The part of a payload that is declared; undefined when that is all of it, or the target does not say. */
export function declaredPart(
  payload: Payload,
  type: ResourceType,
  declared: Declared | undefined,
): Payload | undefined {
  const paths = declared?.[type];
  if (paths == null) return undefined;
  const known = new Set(paths);
  const part: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(payload)) {
    const path = name.toLowerCase();
    if (COMMON.has(path)) part[name] = value;
    else if (known.has(path)) part[name] = within(value, name.startsWith('urn:') ? `${path}:` : `${path}.`, known);
  }
  const schemas = listOfText(payload['schemas']).filter((urn) => !isExtension(urn, type) || part[urn] !== undefined);
  const kept = { ...part, ...(payload['schemas'] === undefined ? {} : { schemas }) };
  return JSON.stringify(kept) === JSON.stringify(payload) ? undefined : kept;
}

/** A complex value, or a list of them, without the parts that are not declared. One without declared parts stays whole. */
function within(value: unknown, prefix: string, known: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => within(item, prefix, known));
  if (typeof value !== 'object' || value === null) return value;
  if (![...known].some((path) => path.startsWith(prefix))) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => known.has(`${prefix}${name.toLowerCase()}`)));
}

function isExtension(urn: string, type: ResourceType): boolean {
  return urn.toLowerCase() !== CORE[type];
}

function listOf(value: unknown): readonly Payload[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'object' && item !== null) : [];
}

function listOfText(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function textOf(value: unknown): string {
  return String(value ?? '').toLowerCase();
}

function isFields(value: unknown): value is Payload {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
