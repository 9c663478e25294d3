import { type ResourceSchema, resolve } from '#core/attributes.ts';
import { InputError } from '#core/errors.ts';
import { type AttributePath, parsePath } from '#core/filter.ts';
import { foldCase } from '#core/search.ts';

/** Which attributes an answer carries (RFC 7644 section 3.9). */
export interface Projection {
  /** True when the stored text can be sent as it is. */
  readonly whole: boolean;
  /** Whether an attribute is in the answer at all, so that it need not be read. */
  wants(attribute: string): boolean;
  apply(resource: Record<string, unknown>): Record<string, unknown>;
}

/** Names outside and inside: an attribute by itself, or only some of its sub-attributes. */
type Chosen = Map<string, Set<string> | true>;

const WHOLE: Projection = { whole: true, wants: () => true, apply: (resource) => resource };

/**
 * @throws {InputError} `invalidValue` when both are given; `invalidPath` when one cannot be read
 */
export function makeProjection(
  schema: ResourceSchema,
  attributes: string | undefined,
  excluded: string | undefined,
): Projection {
  if (attributes !== undefined && excluded !== undefined)
    throw new InputError('"attributes" and "excludedAttributes" cannot be given together.', {
      scimType: 'invalidValue',
    });
  if (attributes !== undefined) return only(schema, choose(schema, attributes));
  if (excluded !== undefined) return without(schema, choose(schema, excluded));
  return WHOLE;
}

/** Names that no schema knows are passed over, as RFC 7644 leaves open. */
function choose(schema: ResourceSchema, list: string): Chosen {
  const chosen: Chosen = new Map();
  for (const name of list
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')) {
    const extension = schema.extensions.find(({ id }) => foldCase(id) === foldCase(name));
    if (extension !== undefined) chosen.set(foldCase(extension.id), true);
    else add(chosen, schema, parsePath(name));
  }
  return chosen;
}

function add(chosen: Chosen, schema: ResourceSchema, path: AttributePath): void {
  const resolved = resolve(schema, path);
  if (resolved === undefined) return;
  const { extension, attribute, sub } = resolved;
  const key = foldCase(extension === undefined ? attribute.name : extension);
  const inner = extension === undefined ? sub?.name : attribute.name;
  const present = chosen.get(key);
  if (inner === undefined || present === true) chosen.set(key, true);
  else chosen.set(key, (present ?? new Set<string>()).add(foldCase(inner)));
}

function isAlways(schema: ResourceSchema, name: string): boolean {
  return schema.core.attributes.get(foldCase(name))?.returned === 'always';
}

function only(schema: ResourceSchema, chosen: Chosen): Projection {
  return {
    whole: false,
    wants: (attribute) => chosen.has(foldCase(attribute)),
    apply(resource) {
      const kept: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(resource)) {
        const choice = chosen.get(foldCase(name));
        if (choice === true || isAlways(schema, name)) kept[name] = value;
        else if (choice !== undefined) kept[name] = pick(value, choice, true);
      }
      return kept;
    },
  };
}

function without(schema: ResourceSchema, chosen: Chosen): Projection {
  return {
    whole: false,
    wants: (attribute) => chosen.get(foldCase(attribute)) !== true,
    apply(resource) {
      const kept: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(resource)) {
        const choice = chosen.get(foldCase(name));
        if (choice === undefined || isAlways(schema, name)) kept[name] = value;
        else if (choice !== true) kept[name] = pick(value, choice, false);
      }
      return kept;
    },
  };
}

/** The named sub-attributes of a complex value, or all but those, in each element of an array. */
function pick(value: unknown, names: ReadonlySet<string>, keep: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, names, keep));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.has(foldCase(name)) === keep));
}
