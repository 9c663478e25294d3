/**
 * A resource from outside in the form that its schemas declare: attribute names in the schemas' spelling, values of the
 * declared types, without what nobody declares and without what only the service may set (RFC 7643 section 2,
 * RFC 7644 section 3.3). Only names that the schemas know are ever read, so no key from outside becomes a key of ours.
 */
import type { Attribute, ResourceSchema, Schema } from './attributes.ts';
import { canonical } from './canonical.ts';
import { InputError } from './errors.ts';
import { instantOf } from './instant.ts';
import { parseJson } from './json.ts';
import { isTooLongForKey, KEY_BYTES_MAX } from './keys.ts';
import { foldCase } from './search.ts';
import { countValues, type ValueCount } from './value-limit.ts';

export type Document = Record<string, unknown>;

/** Sub-attributes that say something about a value, and nothing without one. */
const ABOUT: ReadonlySet<string> = new Set(['type', 'primary', 'display', '$ref']);

/**
 * Members of a group are not opened here: they travel beside the document, one row each.
 * @returns a new document; unassigned values (null, empty string, empty array) are left out
 * @throws {InputError} `invalidSyntax`: no object, or `schemas` without the resource's own;
 * `invalidValue`: a value that its attribute cannot have, or a required one that is missing
 * @throws {TooLargeError} more values than any resource has
 */
export function coerceResource(schema: ResourceSchema, raw: unknown): Document {
  const given = resourceFields(schema, raw);
  needSchema(given.get('schemas'), schema.core.id);
  const count = countValues();
  const document = coerceFields(schema.core, given, count);
  for (const extension of schema.extensions) {
    const inner = given.get(foldCase(extension.id));
    if (isUnassigned(inner)) continue;
    const fields = coerceFields(extension, fieldsOf(inner, `"${extension.id}"`), count);
    if (Object.keys(fields).length > 0) document[extension.id] = fields;
  }
  return finish(schema, document);
}

/**
 * The fields of a resource by folded name. Those under the URN of the core schema count too: some clients write them as
 * they would an extension's, and a path may name them so.
 * @throws {InputError} `invalidSyntax`
 */
export function resourceFields({ core }: ResourceSchema, raw: unknown): ReadonlyMap<string, unknown> {
  const given = fieldsOf(raw, 'The body');
  const inner = given.get(foldCase(core.id));
  return isUnassigned(inner) ? given : new Map([...fieldsOf(inner, `"${core.id}"`), ...given]);
}

/**
 * Makes a document whole after a change: without values that say nothing, with `schemas` naming what is there.
 * @throws {InputError} `invalidValue`: a required attribute is missing, or two values are primary
 */
export function finish(schema: ResourceSchema, document: Document): Document {
  const whole: Document = { schemas: [] };
  for (const attribute of schema.core.attributes.values())
    if (attribute.name !== 'schemas') keep(whole, attribute, document[attribute.name]);
  const extensions: string[] = [];
  for (const extension of schema.extensions) {
    const inner = document[extension.id] as Document | undefined;
    const fields: Document = {};
    for (const attribute of extension.attributes.values()) keep(fields, attribute, inner?.[attribute.name]);
    if (Object.keys(fields).length === 0) continue;
    whole[extension.id] = fields;
    extensions.push(extension.id);
  }
  whole['schemas'] = [schema.core.id, ...extensions];
  for (const { name, required } of schema.core.attributes.values())
    if (required && whole[name] === undefined)
      throw new InputError(`"${name}" is required.`, { scimType: 'invalidValue', reason: 'attribute-missing' });
  return whole;
}

/**
 * One value of an attribute; undefined when it is unassigned.
 * @throws {InputError} `invalidValue`
 */
export function coerceValue(attribute: Attribute, given: unknown): unknown {
  const raw = attribute.type === 'complex' ? opened(given) : given;
  if (isUnassigned(raw)) return undefined;
  if (!attribute.multiValued) return coerceOne(attribute, raw);
  if (typeof raw !== 'object' && attribute.type === 'complex') throw wrong(attribute, 'a list of objects');
  const values = (Array.isArray(raw) ? raw : [raw]).flatMap((item) => coerceElement(attribute, item) ?? []);
  return withoutDuplicates(attribute, values);
}

/**
 * A value that is JSON as text, as what it says: clients whose mappings know only texts send complex values so. Any other
 * stays as it is.
 */
export function opened(raw: unknown): unknown {
  if (typeof raw !== 'string' || !/^\s*[[{]/.test(raw)) return raw;
  try {
    return parseJson(raw);
  } catch {
    return raw;
  }
}

/** One element of a multi-valued attribute, or the value of a single one. @throws {InputError} `invalidValue` */
export function coerceElement(attribute: Attribute, raw: unknown): unknown {
  return isUnassigned(raw) ? undefined : coerceOne(attribute, raw);
}

export function isUnassigned(value: unknown): boolean {
  return value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0);
}

/** Each value once. Of those that are the same, the first stays, with what only a later one says of it. */
export function withoutDuplicates(attribute: Attribute, values: readonly unknown[]): unknown[] {
  const kept = new Map<string, unknown>();
  for (const value of values) {
    const key = sameness(attribute, value);
    kept.set(key, kept.has(key) ? merged(kept.get(key), value) : value);
  }
  return [...kept.values()];
}

/**
 * Two values with the same are the same value of an attribute: those with the same `value` and `type` (RFC 7643 section
 * 2.4), by the case rules of the schema; where there is no `value`, those that are the same in everything.
 */
export function sameness({ sub }: Attribute, value: unknown): string {
  const named = sub.get('value');
  if (named === undefined || typeof value !== 'object' || value === null || !('value' in value))
    return canonical(value);
  const { type } = value as Document;
  return JSON.stringify([spelled(named, value.value), type === undefined ? null : spelled(sub.get('type'), type)]);
}

/** The first with what only the other says of it; primary when either is. */
function merged(value: unknown, other: unknown): unknown {
  if (typeof value !== 'object' || typeof other !== 'object') return value;
  return { ...other, ...value, ...(isPrimary(other) ? { primary: true } : {}) };
}

function spelled(attribute: Attribute | undefined, value: unknown): unknown {
  const folds = attribute?.type === 'string' && !attribute.caseExact;
  return folds && typeof value === 'string' ? foldCase(value) : value;
}

/** The fields of an object by folded name. @throws {InputError} `invalidSyntax` */
export function fieldsOf(raw: unknown, what: string): Map<string, unknown> {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw new InputError(`${what} must be a JSON object.`, { scimType: 'invalidSyntax', reason: 'not-an-object' });
  const fields = new Map<string, unknown>();
  for (const [name, value] of Object.entries(raw)) {
    const key = foldCase(name);
    if (fields.has(key))
      throw new InputError(`${what} has "${name.slice(0, 60)}" twice.`, {
        scimType: 'invalidSyntax',
        reason: 'duplicate-key',
      });
    fields.set(key, value);
  }
  return fields;
}

/**
 * The ids of members as they are given: objects with `value`, or bare ids. Each once.
 * @throws {InputError} `invalidValue`
 */
export function memberIds(given: unknown): readonly string[] {
  const raw = opened(given);
  if (isUnassigned(raw)) return [];
  const ids = (Array.isArray(raw) ? raw : [raw]).map((item) => (typeof item === 'object' ? valueIn(item) : item));
  if (ids.some((id) => typeof id !== 'string' || id === ''))
    throw new InputError('A member needs a "value", the id of a user or group.', {
      scimType: 'invalidValue',
      reason: 'invalid-value',
    });
  return [...new Set(ids as string[])];
}

function valueIn(member: object | null): unknown {
  if (member === null) return undefined;
  if ('value' in member) return member.value;
  return Object.entries(member).find(([name]) => foldCase(name) === 'value')?.[1];
}

/**
 * Checks that `schemas` names what a body has to be. Others beside it are passed over: Entra ID adds an URN of its own.
 * @param alike what may stand in its place
 * @throws {InputError} `invalidSyntax`
 */
export function needSchema(schemas: unknown, uri: string, ...alike: readonly string[]): void {
  const wanted = [uri, ...alike].map(foldCase);
  const uris = Array.isArray(schemas) ? schemas : [];
  if (!uris.some((one) => typeof one === 'string' && wanted.includes(foldCase(one))))
    throw new InputError(`"schemas" must name "${uri}".`, { scimType: 'invalidSyntax', reason: 'schema-missing' });
}

function coerceFields({ attributes }: Schema, given: ReadonlyMap<string, unknown>, count: ValueCount): Document {
  const fields: Document = {};
  for (const [key, attribute] of attributes) {
    if (attribute.mutability === 'readOnly' || attribute.name === 'schemas' || attribute.name === 'members') continue;
    const raw = attribute.type === 'complex' ? opened(given.get(key)) : given.get(key);
    count.add(raw);
    const value = coerceValue(attribute, raw);
    if (value !== undefined) fields[attribute.name] = value;
  }
  return fields;
}

function coerceOne(attribute: Attribute, raw: unknown): unknown {
  switch (attribute.type) {
    case 'complex':
      return coerceComplex(attribute, raw);
    case 'boolean':
      return coerceBoolean(attribute, raw);
    case 'integer':
    case 'decimal':
      return coerceNumber(attribute, raw);
    case 'dateTime':
      if (instantOf(coerceText(attribute, raw)) === undefined) throw wrong(attribute, 'a date and time');
      return raw;
    case 'binary':
      if (!BASE64.test(coerceText(attribute, raw))) throw wrong(attribute, 'base64');
      return raw;
    default:
      return coerceText(attribute, raw);
  }
}

/** RFC 4648 section 4, and section 5 too; white space as PEM has it. */
const BASE64 = /^[A-Za-z0-9+/_\s-]*={0,2}\s*$/;

/** A bare text stands for the `value` of a single complex attribute: Entra ID sends `manager` so. */
function coerceComplex(attribute: Attribute, raw: unknown): Document | undefined {
  const isBare = !attribute.multiValued && attribute.sub.has('value') && typeof raw !== 'object';
  const value = isBare ? { value: raw } : raw;
  if (typeof value !== 'object' || Array.isArray(value)) {
    const [only] = Array.isArray(value) ? value : [];
    // A single complex value in a list of one: some clients send `manager` and `name` so.
    if (Array.isArray(value) && value.length === 1 && !Array.isArray(only)) return coerceComplex(attribute, only);
    throw wrong(attribute, 'an object');
  }
  const given = fieldsOf(value, `"${attribute.name}"`);
  const fields: Document = {};
  for (const [key, sub] of attribute.sub) {
    if (sub.mutability === 'readOnly') continue;
    const inner = coerceValue(sub, given.get(key));
    if (inner !== undefined) fields[sub.name] = inner;
  }
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** Entra ID sends booleans as "True" and "False". */
function coerceBoolean(attribute: Attribute, raw: unknown): boolean {
  if (typeof raw === 'boolean') return raw;
  const text = typeof raw === 'string' ? raw.toLowerCase() : '';
  if (text === 'true' || text === 'false') return text === 'true';
  throw wrong(attribute, 'true or false');
}

function coerceNumber(attribute: Attribute, raw: unknown): number {
  const isFit = typeof raw === 'number' && (attribute.type === 'decimal' || Number.isSafeInteger(raw));
  if (!isFit) throw wrong(attribute, attribute.type === 'integer' ? 'a whole number' : 'a number');
  return raw;
}

function coerceText(attribute: Attribute, raw: unknown): string {
  if (typeof raw !== 'string') throw wrong(attribute, 'a string');
  if (!raw.isWellFormed() || raw.includes('\0')) throw wrong(attribute, 'well-formed Unicode text without NUL');
  if (attribute.isKey === true && isTooLongForKey(raw))
    throw wrong(attribute, `text of at most ${KEY_BYTES_MAX} bytes in UTF-8`);
  return raw;
}

function keep(into: Document, attribute: Attribute, value: unknown): void {
  const kept = attribute.multiValued && Array.isArray(value) ? keepElements(attribute, value) : value;
  if (isUnassigned(kept) || isEmptyObject(kept)) return;
  into[attribute.name] = kept;
}

function keepElements(attribute: Attribute, values: readonly unknown[]): unknown[] {
  const kept = withoutDuplicates(
    attribute,
    values.filter((value) => saysSomething(attribute, value)),
  );
  if (kept.filter(isPrimary).length > 1)
    throw new InputError(`Only one of "${attribute.name}" can be primary.`, {
      scimType: 'invalidValue',
      reason: 'two-primaries',
    });
  return kept;
}

function saysSomething(attribute: Attribute, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return !isUnassigned(value);
  const names = Object.keys(value);
  return attribute.sub.has('value') ? names.some((name) => !ABOUT.has(name)) : names.length > 0;
}

export function isPrimary(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'primary' in value && value.primary === true;
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function wrong({ name }: Attribute, wanted: string): InputError {
  return new InputError(`"${name}" must be ${wanted}.`, { scimType: 'invalidValue', reason: 'invalid-value' });
}
