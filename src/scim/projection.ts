import type { Attribute, ResourceSchema } from '#core/attributes.ts';
import { resolve } from '#core/attributes.ts';
import type { Document } from '#core/coerce.ts';
import { InputError } from '#core/errors.ts';
import { type AttributePath, parsePath } from '#core/filter.ts';
import type { ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';
import type { View } from './view.ts';

/** Which attributes an answer carries (RFC 7644 section 3.9). */
export interface Projection {
  /** True when the stored text, with or without memberships, can be sent as it is. */
  readonly whole: boolean;
  /** Whether `groups` of a user or `members` of a group are in the answer, so that they need to be read. */
  readonly related: boolean;
  apply(resource: Document): Document;
}

/** Attributes by the folded name under which they lie: whole, or some of what they hold. */
type Chosen = Map<string, Chosen | true>;

/** The attribute that is joined in, and need not be read when nobody asks for it. */
export const RELATED: Readonly<Record<ResourceType, string>> = { User: 'groups', Group: 'members' };

export interface AskedAttributes {
  readonly attributes?: string | undefined;
  readonly excludedAttributes?: string | undefined;
}

/** As long as a filter may be: longer lists name nothing more, and take long to read. */
const LIST_MAX = 16_384;

/**
 * What the consumer sees, less what it did not ask for. Names that nobody knows are passed over.
 * @throws {InputError} `invalidValue` when both lists are given, or one is too long; `invalidPath` when one cannot be
 * read, or chooses among values, which no attribute notation does (RFC 7644 section 3.10)
 */
export function makeProjection(view: View, type: ResourceType, asked: AskedAttributes): Projection {
  if (asked.attributes === undefined && asked.excludedAttributes === undefined) return defaultOf(view, type);
  return make(view, type, asked);
}

const defaults = new WeakMap<View, Map<ResourceType, Projection>>();

/** The projection of whoever asks for nothing in particular: made once for each view. */
function defaultOf(view: View, type: ResourceType): Projection {
  const known = defaults.get(view)?.get(type);
  if (known !== undefined) return known;
  const projection = make(view, type, {});
  const mine = defaults.get(view) ?? new Map<ResourceType, Projection>();
  defaults.set(view, mine.set(type, projection));
  return projection;
}

function make(view: View, type: ResourceType, { attributes, excludedAttributes }: AskedAttributes): Projection {
  if (attributes !== undefined && excludedAttributes !== undefined)
    throw new InputError('"attributes" and "excludedAttributes" cannot be given together.', {
      scimType: 'invalidValue',
    });
  const schema = view.schemas[type];
  const related = RELATED[type];
  const seen =
    view.isCut || hasUnreturned(schema) ? naming(schema, cutting(schema, defaultsOf(schema), true)) : undefined;
  if (attributes !== undefined) {
    const chosen = choose(schema, attributes);
    return {
      whole: false,
      related: chosen.has(related),
      apply: both(
        view.isCut ? naming(schema, cutting(schema, all(schema), true)) : undefined,
        cutting(schema, chosen, true),
      ),
    };
  }
  const dropped = excludedAttributes === undefined ? new Map() : choose(schema, excludedAttributes);
  const drops = [...dropped.keys()].some((name) => name !== related || dropped.get(name) !== true);
  return {
    whole: seen === undefined && !drops,
    related: schema.core.attributes.has(related) && dropped.get(related) !== true,
    apply: both(seen, drops ? cutting(schema, dropped, false) : undefined),
  };
}

type Apply = (resource: Document) => Document;

function both(first: Apply | undefined, second: Apply | undefined): Apply {
  return (resource) => {
    const once = first?.(resource) ?? resource;
    return second?.(once) ?? once;
  };
}

/** `schemas` names what is left of a resource. */
function naming({ extensions }: ResourceSchema, apply: Apply): Apply {
  return (resource) => {
    const kept = apply(resource);
    const { schemas } = kept;
    if (!Array.isArray(schemas)) return kept;
    return { ...kept, schemas: schemas.filter((urn) => urn in kept || !extensions.some(({ id }) => id === urn)) };
  };
}

/** Whether anything is returned only on request, or never. */
function hasUnreturned({ core, extensions }: ResourceSchema): boolean {
  return [core, ...extensions].some(({ attributes }) => [...attributes.values()].some((one) => !isDefault(one)));
}

function isDefault({ returned }: Attribute): boolean {
  return returned === 'default' || returned === 'always';
}

function defaultsOf(schema: ResourceSchema): Chosen {
  return chosenBy(schema, isDefault);
}

function all(schema: ResourceSchema): Chosen {
  return chosenBy(schema, ({ returned }) => returned !== 'never');
}

function chosenBy(schema: ResourceSchema, isIn: (attribute: Attribute) => boolean): Chosen {
  const chosen: Chosen = new Map();
  for (const attribute of schema.core.attributes.values())
    if (isIn(attribute)) chosen.set(foldCase(attribute.name), subsOf(attribute));
  for (const { id, attributes } of schema.extensions) {
    const inner: Chosen = new Map();
    for (const [name, attribute] of attributes) if (isIn(attribute)) inner.set(name, subsOf(attribute));
    if (inner.size > 0) chosen.set(foldCase(id), inner);
  }
  return chosen;
}

function subsOf({ type, sub }: Attribute): Chosen | true {
  return type === 'complex' ? new Map([...sub.keys()].map((name) => [name, true])) : true;
}

function choose(schema: ResourceSchema, list: string): Chosen {
  const chosen: Chosen = new Map();
  if (list.length > LIST_MAX)
    throw new InputError(`A list of attributes has at most ${LIST_MAX} characters.`, { scimType: 'invalidValue' });
  for (const item of list.split(',')) {
    const name = item.trim();
    if (name === '') continue;
    const urn = [schema.core, ...schema.extensions].find(({ id }) => foldCase(id) === foldCase(name));
    if (urn === undefined) add(chosen, schema, attributePath(name));
    else if (urn !== schema.core) chosen.set(foldCase(urn.id), true);
    else for (const [key, attribute] of urn.attributes) if (isDefault(attribute)) chosen.set(key, true);
  }
  return chosen;
}

/** A filter would be passed over, and more come than was asked for. */
function attributePath(name: string): AttributePath {
  if (!name.includes('[')) return parsePath(name);
  throw new InputError(`"${name.slice(0, 80)}" is no name of an attribute: its values cannot be chosen here.`, {
    scimType: 'invalidPath',
  });
}

function add(chosen: Chosen, schema: ResourceSchema, path: AttributePath): void {
  const resolved = resolve(schema, path);
  if (resolved === undefined) return;
  const { extension, attribute, sub } = resolved;
  if (attribute.returned === 'never' || sub?.returned === 'never') return;
  const steps = [extension, attribute.name, sub?.name].filter((step) => step !== undefined).map(foldCase);
  const last = steps.pop() ?? '';
  let holder = chosen;
  for (const step of steps) {
    const inner = holder.get(step) ?? new Map();
    if (inner === true) return;
    holder.set(step, inner);
    holder = inner;
  }
  holder.set(last, true);
}

function isAlways(schema: ResourceSchema, name: string): boolean {
  return schema.core.attributes.get(foldCase(name))?.returned === 'always';
}

/** With what is chosen and no others, or without it. */
function cutting(schema: ResourceSchema, chosen: Chosen, keep: boolean): Apply {
  return (resource) => pickFields(resource, chosen, keep, (name) => isAlways(schema, name));
}

function pickFields(fields: object, chosen: Chosen, keep: boolean, stays?: (name: string) => boolean): Document {
  const left: Document = {};
  for (const [name, value] of Object.entries(fields)) {
    const choice = chosen.get(foldCase(name));
    if (stays?.(name) === true) left[name] = value;
    else if (choice instanceof Map) keepSome(left, name, pick(value, choice, keep));
    else if ((choice === true) === keep) left[name] = value;
  }
  return left;
}

/** A complex value of which nothing is left is no value. */
function keepSome(into: Document, name: string, value: unknown): void {
  const left = Array.isArray(value) ? value.filter((item) => !isEmpty(item)) : value;
  if (Array.isArray(left) ? left.length > 0 : !isEmpty(left)) into[name] = left;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** In each element of an array. */
function pick(value: unknown, chosen: Chosen, keep: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => pick(item, chosen, keep));
  return typeof value === 'object' && value !== null ? pickFields(value, chosen, keep) : value;
}
