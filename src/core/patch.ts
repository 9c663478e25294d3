/**
 * PATCH as RFC 7644 section 3.5.2 has it, on plain documents, driven by the schemas. Members of a group are never
 * opened: what an operation does to them is answered as a list, for rows to be changed one by one.
 *
 * Entra ID spells its operations `Add`, `Replace` and `Remove`, and replaces values that are not there yet; an operation
 * spelled so creates them. Spelled as the RFC does, the same is `noTarget`.
 */
import { type Attribute, qualified, type Resolved, type ResourceSchema, resolve, type Schema } from './attributes.ts';
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
  opened,
  sameness,
  withoutDuplicates,
} from './coerce.ts';
import { TooLargeError } from './errors.ts';
import { type Filter, matches, type PatchPath, parsePath } from './filter.ts';
import { checkFilter, elementFrom, idsNamed, refuse, typed } from './patch-filter.ts';
import { PatchWork } from './patch-work.ts';
import { foldCase } from './search.ts';
import { refuseGrown } from './value-limit.ts';

export const PATCH_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const OPERATIONS_MAX = 1_000;

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
  // The RFC wants at least one; the SCIM validator of Microsoft sends none, and so nothing is done.
  if (!Array.isArray(operations)) throw refuse('invalidSyntax', '"Operations" must be a list.');
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
 * @throws {TooLargeError} the operations would read or compare too many values, or leave more than a resource has
 */
export function applyPatch(
  schema: ResourceSchema,
  document: Document,
  operations: readonly PatchOperation[],
  id?: string,
): Patched {
  const patch = new Patch(schema, JSON.parse(JSON.stringify(document)), id);
  for (const operation of operations) patch.apply(operation);
  refuseGrown(document, patch.document);
  return { document: finish(schema, patch.document), members: patch.members };
}

/** What a client repeats of an answer of ours without meaning to change it. */
function isOurs(path: string, value: unknown, id: string | undefined): boolean {
  const name = foldCase(path);
  return name === 'meta' || name === 'schemas' || (name === 'id' && value === id);
}

function isReadOnly({ attributes }: Schema): boolean {
  return [...attributes.values()].every(({ mutability }) => mutability === 'readOnly');
}

class Patch {
  readonly document: Document;
  readonly members: MemberChange[] = [];
  private readonly schema: ResourceSchema;
  private readonly id: string | undefined;
  private readonly work = new PatchWork();

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
    const value = opened(operation.value);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw refuse('invalidValue', 'An operation without "path" needs an object as its "value".');
    this.work.lookUp(Object.keys(value).length);
    for (const [path, inner] of Object.entries(value)) {
      const whole = this.extension(path);
      if (whole === undefined) this.inBody(path, { ...operation, value: inner });
      else if (!isReadOnly(whole)) this.wholeSchema(whole, { ...operation, value: inner });
    }
  }

  /**
   * An attribute that a value names: nobody asked to change what is only repeated, an answer of ours sent back, so that
   * what is read-only is passed over as PUT does. Another `id` means another resource.
   */
  private inBody(path: string, operation: PatchOperation): void {
    const resolved = this.resolved(path);
    if (resolved === undefined || isOurs(path, operation.value, this.id)) return;
    const { attribute, sub } = resolved;
    const isFixed = attribute.mutability === 'readOnly' || sub?.mutability === 'readOnly';
    if (!isFixed || attribute.name === 'id') this.at(path, { ...operation, path });
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
      if (isReadOnly(whole)) throw refuse('mutability', `"${whole.id}" is read-only.`);
      this.wholeSchema(whole, operation);
      return;
    }
    const path = qualified([this.schema], parsePath(text));
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
      delete this.document[schema.id];
      return;
    }
    const fields = fieldsOf(value, `"${schema.id}"`);
    this.work.lookUp(fields.size);
    for (const [name, inner] of fields)
      this.inBody(isCore ? name : `${schema.id}:${name}`, { ...rest, op, value: inner });
  }

  private change(path: PatchPath, { extension, attribute, sub }: Resolved, operation: PatchOperation): void {
    const holder = this.holder(extension);
    const isEach = path.filter !== undefined || sub !== undefined;
    if (attribute.multiValued)
      this.work.compare(listOf(holder[attribute.name]), path.filter, isEach ? operation.value : undefined);
    if (attribute.multiValued && !isEach) this.work.read(opened(operation.value));
    if (path.filter !== undefined) this.changeElements(holder, attribute, sub, path.filter, operation);
    else if (sub !== undefined) changeSub(holder, attribute, sub, operation);
    else if (attribute.multiValued) changeList(holder, attribute, operation);
    else changeSingle(holder, attribute, operation);
    if (extension !== undefined && Object.keys(holder).length === 0) delete this.document[extension];
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
    checkFilter(filter, attribute);
    const values = listOf(holder[attribute.name]);
    const chosen = new Set(values.filter((value) => matches(typed(filter, attribute), value, attribute.name)));
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
      checkFilter(filter, attribute);
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
    else this.members.push(isEverything(value) ? { kind: 'replace', ids: [] } : { kind: 'remove', ids });
  }
}

/**
 * An empty text is a value (RFC 7643 section 2.5), and so a wrong one where one is required, and of what is true or false:
 * a mapping that finds nothing must enable nobody. Null is none.
 */
function changeSingle(holder: Document, attribute: Attribute, { op, value: given }: PatchOperation): void {
  const value = attribute.type === 'complex' ? given : unwrapped(given);
  const isNothing = attribute.type === 'complex' && op === 'replace' && isEmptyObject(value);
  const isCleared = op === 'remove' || isUnassigned(value) || isNothing;
  const coerced = isCleared ? undefined : coerceValue(attribute, value);
  if (value === '' && op !== 'remove' && (attribute.required || attribute.type === 'boolean'))
    throw refuse('invalidValue', `"${attribute.name}" cannot be empty.`);
  if (isCleared) removeSingle(holder, attribute);
  else if (attribute.type !== 'complex') holder[attribute.name] = coerced;
  else mergeSingle(holder, attribute, { ...(coerced as Document | undefined), ...unassignedIn(attribute, value) });
}

/** Some clients write a simple value as a list of one object that has it, as they do a member. */
function unwrapped(value: unknown): unknown {
  const [only, ...others] = Array.isArray(value) ? (value as unknown[]) : [];
  const isWrapped = typeof only === 'object' && only !== null && 'value' in only && others.length === 0;
  return isWrapped ? only.value : value;
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

/** To remove without naming values is to remove all of them; to name none is to remove none. */
function isEverything(value: unknown): boolean {
  return value === undefined || value === null;
}

function changeList(holder: Document, attribute: Attribute, { op, value }: PatchOperation): void {
  const present = Array.isArray(holder[attribute.name]) ? (holder[attribute.name] as unknown[]) : [];
  if (op === 'remove' && isEverything(value)) {
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
function without(attribute: Attribute, present: readonly unknown[], removed: readonly unknown[]): unknown[] {
  const keys = new Set(removed.map((wanted) => sameness(attribute, wanted)));
  return present.filter((item) => {
    if (keys.has(sameness(attribute, item))) return false;
    if (typeof item !== 'object' || item === null || !('value' in item)) return true;
    const { type: _any, ...untyped } = item as Document;
    return !keys.has(sameness(attribute, untyped));
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
