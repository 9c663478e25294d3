import { InputError } from './errors.ts';
import type { AttributePath, Filter } from './filter.ts';
import type { ResourceType } from './resource.ts';
import { foldCase } from './search.ts';

export type AttributeType =
  | 'string'
  | 'boolean'
  | 'decimal'
  | 'integer'
  | 'dateTime'
  | 'reference'
  | 'binary'
  | 'complex';

/** One attribute as its schema declares it (RFC 7643 section 7). */
export interface Attribute {
  readonly name: string;
  readonly type: AttributeType;
  readonly multiValued: boolean;
  readonly caseExact: boolean;
  readonly required: boolean;
  readonly returned: 'always' | 'never' | 'default' | 'request';
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly';
  /** Set where resources are found by its text, which may have no more than `KEY_BYTES_MAX` bytes then. */
  readonly isKey?: boolean;
  /** By folded name; empty unless `complex`. */
  readonly sub: ReadonlyMap<string, Attribute>;
}

export interface Schema {
  readonly id: string;
  /** By folded name. */
  readonly attributes: ReadonlyMap<string, Attribute>;
}

/** All that a resource of one type may have. */
export interface ResourceSchema {
  readonly resourceType: ResourceType;
  /** Core attributes and the common ones: id, externalId, meta, schemas. */
  readonly core: Schema;
  readonly extensions: readonly Schema[];
  /** Set for a consumer who sees some of the attributes only: `schemas` then names what is seen of a resource. */
  readonly isCut?: boolean;
}

/** What users and groups may have, by type. */
export type ResourceSchemas = Readonly<Record<ResourceType, ResourceSchema>>;

/** A path with what it names. `extension` is the URN under which the value lies. */
export interface Resolved {
  readonly extension?: string;
  readonly attribute: Attribute;
  readonly sub?: Attribute;
}

/** Undefined when the schemas know no such attribute. Names and URNs compare without case. */
export function resolve(schema: ResourceSchema, path: AttributePath): Resolved | undefined {
  const urn = path.schema === undefined ? undefined : foldCase(path.schema);
  const found =
    urn === undefined || urn === foldCase(schema.core.id)
      ? schema.core
      : schema.extensions.find(({ id }) => foldCase(id) === urn);
  const attribute = found?.attributes.get(foldCase(path.attribute));
  if (found === undefined || attribute === undefined) return undefined;
  const extension = found === schema.core ? {} : { extension: found.id };
  if (path.sub === undefined) return { ...extension, attribute };
  const sub = attribute.sub.get(foldCase(path.sub));
  return sub === undefined ? undefined : { ...extension, attribute, sub };
}

/** The path with the URN that it lacks: some clients name `manager` without. Where one extension alone has the name, that is meant. */
export function qualified<Path extends AttributePath>(schemas: readonly ResourceSchema[], path: Path): Path {
  const name = foldCase(path.attribute);
  if (path.schema !== undefined || schemas.some(({ core }) => core.attributes.has(name))) return path;
  const [only, ...others] = schemas.flatMap(({ extensions }) => extensions.filter((one) => one.attributes.has(name)));
  return only === undefined || others.length > 0 ? path : { ...path, schema: only.id };
}

/** The filter with all its paths so. */
export function qualifiedFilter(schemas: readonly ResourceSchema[], filter: Filter): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { kind: filter.kind, terms: filter.terms.map((term) => qualifiedFilter(schemas, term)) };
    case 'not':
      return { kind: 'not', term: qualifiedFilter(schemas, filter.term) };
    default:
      return { ...filter, path: qualified(schemas, filter.path) };
  }
}

/** @throws {InputError} `invalidFilter`: an attribute that no schema declares can never match, so it is a mistake */
export function resolveInFilter(schema: ResourceSchema, path: AttributePath): Resolved {
  const resolved = resolve(schema, path);
  if (resolved !== undefined) return resolved;
  const name = path.sub === undefined ? path.attribute : `${path.attribute}.${path.sub}`;
  throw new InputError(`The filter names "${name.slice(0, 80)}", which a ${schema.resourceType} does not have.`, {
    scimType: 'invalidFilter',
    reason: 'invalid-filter',
  });
}
