// Reading a Bulk request (RFC 7644 section 3.7). Every POST is promised its id before anything is done, so that any
// operation may name any other, earlier or later.
import { randomUUID } from 'node:crypto';
import { type Document, fieldsOf, needSchema } from '#core/coerce.ts';
import { InputError, TooLargeError } from '#core/errors.ts';
import { PATCH_SCHEMA } from '#core/patch.ts';
import type { ResourceType } from '#core/resource.ts';
import { foldCase } from '#core/search.ts';

export const BULK_OPERATIONS_MAX = 1_000;
export const BULK_BYTES_MAX = 1024 * 1024;
const REQUEST_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest';

/** An operation as it was sent, and the id that it makes or changes. */
export interface Operation {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly type: ResourceType;
  /** Of a POST, the id that the resource will have. */
  readonly id: string;
  readonly bulkId: string | undefined;
  readonly version: string | undefined;
  readonly data: unknown;
}

/** What could not even be read fails when its turn comes, as everything else does. */
export type Read = Operation | { readonly error: InputError; readonly raw: Document };

/** @throws {InputError} `invalidSyntax` @throws {TooLargeError} */
export function readBulk(raw: unknown): { operations: readonly Read[]; failOnErrors: number } {
  const body = fieldsOf(raw, 'The body');
  needSchema(body.get('schemas'), REQUEST_SCHEMA);
  const failOnErrors = body.get('failonerrors') ?? 0;
  if (typeof failOnErrors !== 'number' || !Number.isInteger(failOnErrors) || failOnErrors < 0)
    throw new InputError('"failOnErrors" must be a whole number.', { scimType: 'invalidValue' });
  const list = body.get('operations');
  if (!Array.isArray(list)) throw new InputError('"Operations" must be a list.', { scimType: 'invalidSyntax' });
  if (list.length > BULK_OPERATIONS_MAX)
    throw new TooLargeError(`A Bulk request can have at most ${BULK_OPERATIONS_MAX} operations.`);
  return { operations: resolveIds(list), failOnErrors };
}

/** Gives every POST its id, and puts ids where `bulkId:` names them. */
function resolveIds(list: readonly unknown[]): readonly Read[] {
  const ids = new Map<string, string>();
  const doubled = new Set<string>();
  for (const raw of list) {
    const bulkId = isObject(raw) ? raw['bulkId'] : undefined;
    if (typeof bulkId !== 'string') continue;
    if (ids.has(bulkId)) doubled.add(bulkId);
    ids.set(bulkId, randomUUID());
  }
  return list.map((raw) => {
    try {
      return readOperation(fieldsOf(raw, 'An operation'), ids, doubled);
    } catch (error) {
      if (error instanceof InputError) return { error, raw: isObject(raw) ? raw : {} };
      throw error;
    }
  });
}

const PATH = /^\/?(?:scim\/v2\/)?(users|groups)(?:\/([^/?#]+))?$/i;
const METHODS = ['POST', 'PUT', 'PATCH', 'DELETE'] as const;

function readOperation(
  fields: ReadonlyMap<string, unknown>,
  ids: ReadonlyMap<string, string>,
  doubled: ReadonlySet<string>,
): Operation {
  const given = String(fields.get('method')).toUpperCase();
  const method = METHODS.find((known) => known === given);
  if (method === undefined) throw refuse('The "method" of an operation must be POST, PUT, PATCH or DELETE.');
  const [, endpoint, rawId] = PATH.exec(String(fields.get('path'))) ?? [];
  if (endpoint === undefined || (method === 'POST') !== (rawId === undefined))
    throw refuse(
      `The "path" of a ${method} must be ${method === 'POST' ? '"/Users" or "/Groups"' : '"/Users/{id}" or "/Groups/{id}"'}.`,
    );
  const bulkId = fields.get('bulkid');
  if (method === 'POST' && typeof bulkId !== 'string') throw refuse('A POST needs a "bulkId".');
  if (typeof bulkId === 'string' && doubled.has(bulkId))
    throw refuse(`Two operations have the "bulkId" "${bulkId.slice(0, 60)}".`);
  const version = fields.get('version');
  return {
    method,
    type: foldCase(endpoint) === 'users' ? 'User' : 'Group',
    id: rawId === undefined ? (ids.get(String(bulkId)) ?? randomUUID()) : (named(decoded(rawId), ids) ?? rawId),
    bulkId: typeof bulkId === 'string' ? bulkId : undefined,
    version: typeof version === 'string' ? version : undefined,
    data: method === 'DELETE' ? undefined : withIds(dataOf(method, fields.get('data')), ids),
  };
}

/** A PATCH may have its operations alone, as the RFC's own example has them (RFC 7644 section 3.7.3). */
function dataOf(method: Operation['method'], data: unknown): unknown {
  return method === 'PATCH' && Array.isArray(data) ? { schemas: [PATCH_SCHEMA], Operations: data } : data;
}

/** The id behind `bulkId:`; undefined for any other text, and for one that names no operation. */
function named(text: string, ids: ReadonlyMap<string, string>): string | undefined {
  return text.startsWith('bulkId:') ? ids.get(text.slice('bulkId:'.length)) : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Where an id can be: the value of a member or manager, the path of an operation. Other texts stay as they are. */
const HOLDS_ID = /^(value|members|path|.*manager)$/i;

function withIds(value: unknown, ids: ReadonlyMap<string, string>, name = ''): unknown {
  if (typeof value === 'string') {
    if (!HOLDS_ID.test(name)) return value;
    return (
      named(value, ids) ??
      value.replaceAll(/"(bulkId:[^"]*)"/g, (all, text: string) => `"${named(text, ids) ?? all.slice(1, -1)}"`)
    );
  }
  if (Array.isArray(value)) return value.map((item) => withIds(item, ids, name));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIds(item, ids, key)]));
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refuse(message: string): InputError {
  return new InputError(message, { scimType: 'invalidSyntax', reason: 'invalid-bulk' });
}
