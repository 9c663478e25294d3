/**
 * PATCH as RFC 7644 section 3.5.2 has it, on plain documents, driven by the schemas. Members of a group are never
 * opened: what an operation does to them is answered as a list, for rows to be changed one by one.
 *
 * Entra ID spells its operations `Add`, `Replace` and `Remove`, and replaces values that are not there yet; an operation
 * spelled so creates them. Spelled as the RFC does, the same is `noTarget`.
 */
import { type Attribute, type Resolved, type ResourceSchema, resolve, type Schema } from './attributes.ts';
import {
  coerceElement,
  coerceValue,
  type Document,
  fieldsOf,
  finish,
  isPrimary,
  isUnassigned,
  memberIds,
  needSchema,
  sameness,
  withoutDuplicates,
} from './coerce.ts';
import { TooLargeError } from './errors.ts';
import { type Filter, matches, type PatchPath, parsePath } from './filter.ts';
import { checkNames, elementFrom, idsNamed, refuse, typed } from './patch-filter.ts';
import { foldCase } from './search.ts';

export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const OPERATIONS_MAX = 1_000;
/**
 * Values that the operations of one PATCH look at, all together: about a second. What resources have, some dozens each,
 * times the operations that there may be, is far less.
 */
const LOOKS_MAX = 500_000;
/** A filter in a path costs as much as it is long. */
const CHARACTERS_A_LOOK = 50;

export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path?: string;
  readonly value?: unknown;
  /** Whether a value that is replaced may be missing. */
  readonly tolerant: boolean;
}

export interface NamedMembers {
  readonly kind: 'add' | 'remove' | 'replace';
  readonly ids: readonly string[];
}

export interface ChosenMembers {
  /** A member cannot be changed: `refuseWhere` is `mutability` where there is one to change, and else `noTarget`. */
  readonly kind: 'removeWhere' | 'refuseWhere';
  readonly filter: Filter;
}

/** What happens to the members of a group, in the order of the operations. */
export type MemberChange = NamedMembers | ChosenMembers;

export interface Patched {
  readonly document: Document;
  readonly members: readonly MemberChange[];
}

/**
 * @throws {InputError} `invalidSyntax`
 * @throws {TooLargeError} more than 1,000 operations
 */
export function parsePatch(raw: unknown): readonly PatchOperation[] {
  const body = fieldsOf(raw, 'The body');
  needSchema(body.get('schemas'), PATCH_SCHEMA);
  const operations = body.get('operations');
  if (!Array.isArray(operations) || operations.length === 0)
    throw refuse('invalidSyntax', '"Operations" must be a list of at least one operation.');
  if (operations.length > OPERATIONS_MAX)
    throw new TooLargeError(`A PATCH can have at most ${OPERATIONS_MAX} operations.`);
  return operations.map(parseOperation);
}

function parseOperation(raw: unknown): PatchOperation {
  const fields = fieldsOf(raw, 'An operation');
  const given = fields.get('op');
  const op = typeof given === 'string' ? given.toLowerCase() : undefined;
  if (op !== 'add' && op !== 'remove' && op !== 'replace')
    throw refuse('invalidSyntax', 'The "op" of an operation must be "add", "remove" or "replace".');
  const path = fields.get('path');
  if (path !== undefined && path !== null && typeof path !== 'string')
    throw refuse('invalidPath', 'The "path" of an operation must be a string.');
  const value = fields.get('value');
  if (op !== 'remove' && value === undefined) throw refuse('invalidValue', `An operation "${op}" needs a "value".`);
  return { op, value, tolerant: given !== op, ...(path === null || path === undefined || path === '' ? {} : { path }) };
}

/**
 * The document after all operations; the one given stays as it is.
 * @param id of the resource: a pathless value may repeat it
 * @throws {InputError} `invalidPath`, `noTarget`, `mutability`, `invalidValue`, `invalidFilter`
 * @throws {TooLargeError} the operations go through lists of many values again and again
 */
export function applyPatch(
  schema: ResourceSchema,
  document: Document,
  operations: readonly PatchOperation[],
  id?: string,
): Patched {
  const patch = new Patch(schema, JSON.parse(JSON.stringify(document)), id);
  for (const operation of operations) patch.apply(operation);
  return { document: finish(schema, patch.document), members: patch.members };
}

/** What a client repeats of an answer of ours without meaning to change it. */
function isOurs(path: string, value: unknown, id: string | undefined): boolean {
  const name = foldCase(path);
  return name === 'meta' || name === 'schemas' || (name === 'id' && value === id);
}

class Patch {
  readonly document: Document;
  readonly members: MemberChange[] = [];
  private readonly schema: ResourceSchema;
  private readonly id: string | undefined;
  private looks = 0;

  constructor(schema: ResourceSchema, document: Document, id: string | undefined) {
    this.schema = schema;
    this.document = document;
    this.id = id;
  }

  apply(operation: PatchOperation): void {
    if (operation.path === undefined) this.pathless(operation);
    else this.at(operation.path, operation);
  }

  /** Each key of the value is a path of its own. What nobody declares is passed over; Entra ID and Okta send such. */
  private pathless(operation: PatchOperation): void {
    if (operation.op === 'remove') throw refuse('noTarget', 'An operation "remove" needs a "path".');
    const { value } = operation;
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw refuse('invalidValue', 'An operation without "path" needs an object as its "value".');
    for (const [path, inner] of Object.entries(value)) {
      if (isOurs(path, inner, this.id)) continue;
      if (this.extension(path) === undefined && this.resolved(path) === undefined) continue;
      this.at(path, { ...operation, path, value: inner });
    }
  }

  private resolved(path: string): Resolved | undefined {
    try {
      return resolve(this.schema, parsePath(path));
    } catch {
      return undefined;
    }
  }

  private extension(path: string): Schema | undefined {
    const urn = foldCase(path);
    return [this.schema.core, ...this.schema.extensions].find(({ id }) => foldCase(id) === urn);
  }

  private at(text: string, operation: PatchOperation): void {
    const whole = this.extension(text);
    if (whole !== undefined) {
      this.wholeSchema(whole, operation);
      return;
    }
    const path = parsePath(text);
    const resolved = resolve(this.schema, path);
    if (resolved === undefined)
      throw refuse(
        'invalidPath',
        `The path "${text.slice(0, 80)}" names nothing that a ${this.schema.resourceType} has.`,
      );
    const { attribute, sub } = resolved;
    if (attribute.name === 'schemas') {
      this.checkSchemas(operation);
      return;
    }
    if (attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly')
      throw refuse('mutability', `"${text.slice(0, 80)}" is read-only.`);
    if (attribute.name === 'members' && this.schema.resourceType === 'Group')
      this.changeMembers(path, resolved, operation);
    else this.change(path, resolved, operation);
  }

  /** `schemas` follows from what a resource has, so that there is nothing to change; clients repeat what is there. */
  private checkSchemas({ op, value }: PatchOperation): void {
    const core = this.schema.core.id;
    if (op === 'remove' || isUnassigned(value)) throw refuse('mutability', '"schemas" follows from what is there.');
    const given: readonly unknown[] = Array.isArray(value) ? value : [value];
    const unknown = given.find((urn) => typeof urn !== 'string' || this.extension(urn) === undefined);
    if (unknown !== undefined)
      throw refuse(
        'invalidValue',
        `A ${this.schema.resourceType} has no schema ${JSON.stringify(unknown)?.slice(0, 80)}.`,
      );
    if (op === 'replace' && !given.some((urn) => foldCase(String(urn)) === foldCase(core)))
      throw refuse('mutability', `A ${this.schema.resourceType} is always of the schema "${core}".`);
  }

  /** The URN of an extension as path, or as key of a pathless value. */
  private wholeSchema(schema: Schema, { op, value, ...rest }: PatchOperation): void {
    const isCore = schema === this.schema.core;
    if (op === 'remove') {
      if (isCore) throw refuse('noTarget', 'A whole resource cannot be removed by PATCH.');
      if ([...schema.attributes.values()].every(({ mutability }) => mutability === 'readOnly'))
        throw refuse('mutability', `"${schema.id}" is read-only.`);
      delete this.document[schema.id];
      return;
    }
    for (const [name, inner] of fieldsOf(value, `"${schema.id}"`)) {
      const path = isCore ? name : `${schema.id}:${name}`;
      if (this.resolved(path) !== undefined) this.at(path, { ...rest, op, path, value: inner });
    }
  }

  private change(path: PatchPath, { extension, attribute, sub }: Resolved, operation: PatchOperation): void {
    const holder = this.holder(extension);
    this.countLooks(holder[attribute.name], operation);
    if (path.filter !== undefined) this.changeElements(holder, attribute, sub, path.filter, operation);
    else if (sub !== undefined) changeSub(holder, attribute, sub, operation);
    else if (attribute.multiValued) changeList(holder, attribute, operation);
    else changeSingle(holder, attribute, operation);
    if (extension !== undefined && Object.keys(holder).length === 0) delete this.document[extension];
  }

  private countLooks(values: unknown, { path = '' }: PatchOperation): void {
    if (!Array.isArray(values)) return;
    this.looks += values.length * (1 + path.length / CHARACTERS_A_LOOK);
    if (this.looks > LOOKS_MAX)
      throw new TooLargeError('The operations go through too many values, all together.', {
        remedy: 'Send fewer operations at a time, or replace the whole attribute.',
      });
  }

  private holder(extension: string | undefined): Document {
    if (extension === undefined) return this.document;
    const present = (this.document[extension] as Document | undefined) ?? {};
    this.document[extension] = present;
    return present;
  }

  /** `emails[type eq "work"]` and `emails[type eq "work"].value`. */
  private changeElements(
    holder: Document,
    attribute: Attribute,
    sub: Attribute | undefined,
    filter: Filter,
    operation: PatchOperation,
  ): void {
    if (!attribute.multiValued || attribute.type !== 'complex')
      throw refuse('invalidPath', `"${attribute.name}" has no values to choose from.`);
    checkNames(filter, attribute);
    const values = listOf(holder[attribute.name]);
    const wanted = values.length === 0 ? filter : typed(filter, attribute);
    const chosen = new Set(values.filter((value) => matches(wanted, value, attribute.name)));
    if (operation.op === 'remove') {
      if (sub === undefined) holder[attribute.name] = values.filter((value) => !chosen.has(value));
      else for (const value of chosen) delete value[sub.name];
      return;
    }
    if (chosen.size === 0) {
      const made = operation.op === 'add' || operation.tolerant ? elementFrom(filter, attribute) : undefined;
      if (made === undefined) throw refuse('noTarget', `No value of "${attribute.name}" matches the path.`);
      values.push(made);
      chosen.add(made);
    }
    for (const value of chosen) setElement(value, attribute, sub, operation);
    holder[attribute.name] = values;
    onePrimary(values, chosen);
  }

  private changeMembers(path: PatchPath, { attribute, sub }: Resolved, { op, value }: PatchOperation): void {
    const { filter } = path;
    if (filter !== undefined) {
      checkNames(filter, attribute);
      const ids = idsNamed(filter);
      if (op !== 'remove' || sub !== undefined) this.members.push({ kind: 'refuseWhere', filter });
      else this.members.push(ids === undefined ? { kind: 'removeWhere', filter } : { kind: 'remove', ids });
      return;
    }
    if (sub !== undefined)
      throw refuse('mutability', `"members.${sub.name}" cannot be changed; add or remove the member.`);
    const ids = memberIds(value);
    if (op === 'add') this.members.push({ kind: 'add', ids });
    else if (op === 'replace') this.members.push({ kind: 'replace', ids });
    else this.members.push(isUnassigned(value) ? { kind: 'replace', ids: [] } : { kind: 'remove', ids });
  }
}

/** An empty text is a value (RFC 7643 section 2.5), and so a wrong one where one is required; null is none. */
function changeSingle(holder: Document, attribute: Attribute, { op, value }: PatchOperation): void {
  const isNothing = attribute.type === 'complex' && op === 'replace' && isEmptyObject(value);
  const isCleared = op === 'remove' || isUnassigned(value) || isNothing;
  const coerced = isCleared ? undefined : coerceValue(attribute, value);
  if (value === '' && attribute.required && op !== 'remove')
    throw refuse('invalidValue', `"${attribute.name}" is required and cannot be empty.`);
  if (isCleared) removeSingle(holder, attribute);
  else if (attribute.type !== 'complex') holder[attribute.name] = coerced;
  else mergeSingle(holder, attribute, { ...(coerced as Document | undefined), ...unassignedIn(attribute, value) });
}

/** What a complex value does not name stays; what it names without a value goes. */
function mergeSingle(holder: Document, { name }: Attribute, changes: Document): void {
  const merged = { ...(holder[name] as Document | undefined), ...changes };
  const left = Object.entries(merged).filter(([, inner]) => inner !== undefined);
  if (left.length === 0) delete holder[name];
  else holder[name] = Object.fromEntries(left);
}

/** The sub-attributes that a value names as null or empty, each as undefined. */
function unassignedIn({ name, sub }: Attribute, value: unknown): Document {
  const only: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof only !== 'object' || only === null) return {};
  const given = fieldsOf(only, `"${name}"`);
  const named = [...sub].filter(([key, { mutability }]) => mutability !== 'readOnly' && given.has(key));
  return Object.fromEntries(
    named.filter(([key]) => isUnassigned(given.get(key))).map(([, inner]) => [inner.name, undefined]),
  );
}

function isEmptyObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

function removeSingle(holder: Document, attribute: Attribute): void {
  if (attribute.required) throw refuse('mutability', `"${attribute.name}" is required and cannot be removed.`);
  delete holder[attribute.name];
}

function changeSub(holder: Document, attribute: Attribute, sub: Attribute, operation: PatchOperation): void {
  if (attribute.multiValued) {
    changeEverySub(holder, attribute, sub, operation);
    return;
  }
  const inner: Document = { ...(holder[attribute.name] as Document | undefined) };
  changeSingle(inner, sub, operation);
  if (Object.keys(inner).length === 0) delete holder[attribute.name];
  else holder[attribute.name] = inner;
}

/** `emails.value` without a filter names that of every value. */
function changeEverySub(holder: Document, attribute: Attribute, sub: Attribute, operation: PatchOperation): void {
  const values = listOf(holder[attribute.name]);
  // What is replaced and is not there is added (RFC 7644 section 3.5.2.3).
  if (values.length === 0 && operation.op !== 'remove') values.push({});
  for (const value of values) {
    if (operation.op === 'remove') delete value[sub.name];
    else setElement(value, attribute, sub, operation);
  }
  holder[attribute.name] = values;
}

function changeList(holder: Document, attribute: Attribute, { op, value }: PatchOperation): void {
  const present = Array.isArray(holder[attribute.name]) ? (holder[attribute.name] as unknown[]) : [];
  if (op === 'remove' && isUnassigned(value)) {
    delete holder[attribute.name];
    return;
  }
  const given = (coerceValue(attribute, value) as unknown[] | undefined) ?? [];
  if (op === 'remove') holder[attribute.name] = without(attribute, present, given);
  else if (op === 'replace') {
    onePrimary(given, new Set(given));
    holder[attribute.name] = given;
  } else {
    const all = new Map(withoutDuplicates(attribute, present).map((item) => [sameness(attribute, item), item]));
    const added = new Set<unknown>();
    for (const item of given) {
      const key = sameness(attribute, item);
      const known = all.get(key);
      const newest = known === undefined ? item : enriched(known, item);
      all.set(key, newest);
      added.add(newest);
    }
    const values = [...all.values()];
    onePrimary(values, added);
    holder[attribute.name] = values;
  }
}

/** A value that is there, with what is added about it; itself it is the same, and stays as it is spelled. */
function enriched(known: unknown, item: unknown): unknown {
  if (typeof known !== 'object' || typeof item !== 'object') return known;
  const { value: _same, type: _too, ...about } = item as Document;
  return { ...known, ...about };
}

/** A value to be removed is named by its `value`, whatever its type is, or by both (RFC 7643 section 2.4). */
function without(attribute: Attribute, present: readonly unknown[], given: readonly unknown[]): unknown[] {
  const isNamed = (wanted: unknown): boolean =>
    typeof wanted === 'object' && wanted !== null && 'value' in wanted && !('type' in wanted);
  const keysOf = (values: readonly unknown[]): Set<string> =>
    new Set(values.map((value) => sameness(attribute, value)));
  const named = keysOf(given.filter(isNamed));
  const whole = keysOf(given.filter((wanted) => !isNamed(wanted)));
  return present.filter((item) => {
    const { type: _any, ...untyped } = (typeof item === 'object' ? (item ?? {}) : {}) as Document;
    return !named.has(sameness(attribute, untyped)) && !whole.has(sameness(attribute, item));
  });
}

function setElement(
  element: Document,
  attribute: Attribute,
  sub: Attribute | undefined,
  { op, value }: PatchOperation,
): void {
  if (sub !== undefined) {
    const coerced = coerceValue(sub, value);
    if (coerced === undefined) delete element[sub.name];
    else element[sub.name] = coerced;
    return;
  }
  const coerced = coerceElement(attribute, value) as Document | undefined;
  if (op === 'replace')
    for (const name of Object.keys(element)) if (coerced === undefined || !(name in coerced)) delete element[name];
  Object.assign(element, coerced);
}

/** Of several values that are primary, the one just set stays it. */
function onePrimary(values: readonly unknown[], newest: ReadonlySet<unknown>): void {
  const winner = values.findLast((value) => newest.has(value) && isPrimary(value));
  if (winner === undefined) return;
  for (const value of values) if (value !== winner && isPrimary(value)) (value as Document)['primary'] = false;
}

function listOf(value: unknown): Document[] {
  return Array.isArray(value) ? (value as Document[]) : [];
}
