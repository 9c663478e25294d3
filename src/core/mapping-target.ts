/** Where a rule of a mapping puts its value: a path of RFC 7644 section 3.5.2, held against the declared schemas. */
import { type Attribute, type ResourceSchema, resolve } from './attributes.ts';
import { coerceValue, type Document } from './coerce.ts';
import { InputError } from './errors.ts';
import { type Filter, matches, type PatchPath, parsePath } from './filter.ts';
import { GATEWAY_SCHEMA } from './resource.ts';
import { foldCase } from './search.ts';

/** What the gateway sets itself, whoever the provider is. */
const OURS: ReadonlySet<string> = new Set(['id', 'meta', 'schemas', 'externalId', 'members', 'groups']);

export interface MappingTarget {
  /** Its one spelling: names as the schemas have them, extensions by their URN. */
  readonly path: string;
  /** The attribute that it is, or lies in, in the same spelling. */
  readonly whole: string;
  /** What a value must be. */
  readonly attribute: Attribute;
  /** The value there; undefined when there is none. */
  read(document: Document): unknown;
  /** The document with this value there, or without one. The document given stays as it is. */
  write(document: Document, value: unknown): Document;
}

/** @throws {InputError} `mapping-target`, in one sentence: there is no such attribute, or it is not for a mapping */
export function resolveTarget(text: string, schema: ResourceSchema): MappingTarget {
  const path = parseTarget(text);
  const resolved = resolve(schema, path);
  if (resolved === undefined) throw wrong(`a ${schema.resourceType} has no attribute "${text.slice(0, 120)}"`);
  const { extension, attribute, sub } = resolved;
  if (extension === GATEWAY_SCHEMA || OURS.has(attribute.name)) throw wrong(`"${text}" is set by the gateway itself`);
  if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly') throw wrong(`"${text}" is read-only`);
  const whole = extension === undefined ? attribute.name : `${extension}:${attribute.name}`;
  const place = placeOf(path, attribute, sub);
  return {
    path: `${whole}${place.suffix}`,
    whole,
    attribute: sub ?? attribute,
    read: (document) => place.read(holderOf(document, extension)[attribute.name]),
    write(document, value) {
      const holder = holderOf(document, extension);
      const next = withField(holder, attribute.name, place.write(holder[attribute.name], value));
      if (extension === undefined) return next;
      return withField(document, extension, Object.keys(next).length === 0 ? undefined : next);
    },
  };
}

function parseTarget(text: string): PatchPath {
  try {
    return parsePath(text);
  } catch (error) {
    if (error instanceof InputError) throw wrong(`"${text.slice(0, 120)}" is no attribute path`);
    throw error;
  }
}

interface Place {
  readonly suffix: string;
  read(present: unknown): unknown;
  write(present: unknown, value: unknown): unknown;
}

function placeOf({ filter }: PatchPath, attribute: Attribute, sub: Attribute | undefined): Place {
  if (filter !== undefined) return elementPlace(attribute, sub, filter);
  if (sub === undefined) return { suffix: '', read: (present) => present, write: (_present, value) => value };
  if (attribute.multiValued)
    throw wrong(
      `"${attribute.name}" has several values: say which, as in ${attribute.name}[type eq "work"].${sub.name}`,
    );
  return {
    suffix: `.${sub.name}`,
    read: (present) => (present as Document | undefined)?.[sub.name],
    write: (present, value) => orNothing(withField((present as Document | undefined) ?? {}, sub.name, value)),
  };
}

/** `emails[type eq "work"].value`: of the first element that is so, or of a new one. */
function elementPlace(attribute: Attribute, sub: Attribute | undefined, filter: Filter): Place {
  if (!attribute.multiValued || attribute.type !== 'complex') throw wrong(`"${attribute.name}" has one value only`);
  if (sub === undefined)
    throw wrong(`say which part of "${attribute.name}" is meant, as in ${attribute.name}[…].value`);
  const chosenBy = equalities(filter, attribute);
  const text = Object.entries(chosenBy).map(([name, value]) => `${name} eq ${JSON.stringify(value)}`);
  const isMeant = (element: unknown): boolean => matches(filter, element, attribute.name);
  const listOf = (present: unknown): readonly Document[] => (Array.isArray(present) ? present : []);
  return {
    suffix: `[${text.join(' and ')}].${sub.name}`,
    read: (present) => listOf(present).find(isMeant)?.[sub.name],
    write(present, value) {
      const elements = listOf(present);
      const at = elements.findIndex(isMeant);
      if (at < 0) return value === undefined ? present : [...elements, { ...chosenBy, [sub.name]: value }];
      const changed = withField(elements[at] ?? {}, sub.name, value);
      // An element that has lost what it was for says nothing any more.
      const kept = Object.keys(changed).some((name) => !(name in chosenBy) && name !== 'primary');
      const next = elements.flatMap((element, index) => (index !== at ? element : kept ? changed : []));
      return next.length === 0 ? undefined : next;
    },
  };
}

function equalities(filter: Filter, attribute: Attribute): Document {
  const chosen: Document = {};
  for (const term of filter.kind === 'and' ? filter.terms : [filter]) {
    const name = term.kind === 'compare' && term.operator === 'eq' ? term.path.attribute : '';
    const sub = attribute.sub.get(foldCase(name));
    if (term.kind !== 'compare' || sub === undefined)
      throw wrong(`choose a value of "${attribute.name}" by equality, as in ${attribute.name}[type eq "work"]`);
    chosen[sub.name] = coerceValue(sub, term.value);
  }
  return chosen;
}

function holderOf(document: Document, extension: string | undefined): Document {
  return extension === undefined ? document : ((document[extension] as Document | undefined) ?? {});
}

function withField(document: Document, name: string, value: unknown): Document {
  if (value !== undefined) return { ...document, [name]: value };
  const { [name]: _gone, ...rest } = document;
  return rest;
}

function orNothing(document: Document): Document | undefined {
  return Object.keys(document).length === 0 ? undefined : document;
}

function wrong(what: string): InputError {
  return new InputError(`The target cannot be used: ${what}.`, {
    reason: 'mapping-target',
    remedy: 'GET /scim/v2/Schemas lists the attributes.',
  });
}
