// Bulk (RFC 7644 section 3.7). What an operation names is done before it; what names each other in a circle is done
// together. The answer keeps the order of the request.
import type { RequestHandler } from 'express';
import { ConflictError } from '#core/errors.ts';
import { foldCase } from '#core/search.ts';
import { principalOf } from '#http/auth.ts';
import { etagOf, names } from '#http/etag.ts';
import { send } from './answers.ts';
import { readBody } from './body.ts';
import { planBulk } from './bulk-order.ts';
import { BULK_BYTES_MAX, type Operation, type Read, readBulk } from './bulk-request.ts';
import { scimError } from './errors.ts';
import type { ScimParts } from './parts.ts';
import { type Writer, writerFor } from './writes.ts';

const RESPONSE_SCHEMA = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

/** One line of the answer. */
type Line = Readonly<Record<string, unknown>> & { readonly status: string };

export function bulkHandler(parts: ScimParts): RequestHandler {
  return async (request, response) => {
    const writer = writerFor(parts, principalOf(request));
    const { operations, failOnErrors } = readBulk(readBody(request, BULK_BYTES_MAX));
    const lines = await carryOut(operations, failOnErrors, {
      writer,
      translate: (error) => scimError(error).body,
      base: `${parts.publicUrl()}/scim/v2`,
      known: new Map(),
    });
    send(request, response, 200, JSON.stringify({ schemas: [RESPONSE_SCHEMA], Operations: lines }));
  };
}

interface BulkParts {
  readonly writer: Writer;
  readonly base: string;
  /** Of a creation that meant somebody who is here already: the id that was promised, and the one that it has. */
  readonly known: Map<string, string>;
  translate(error: unknown): object;
}

async function carryOut(all: readonly Read[], failOnErrors: number, parts: BulkParts): Promise<readonly Line[]> {
  const lines: (Line | undefined)[] = all.map(() => undefined);
  const failed = new Set<string>();
  let errors = 0;
  const readable = all.map((read) => ('error' in read ? undefined : read));
  for (const step of planBulk(readable)) {
    if (failOnErrors > 0 && errors >= failOnErrors) break;
    const done = await carryOutStep(
      step.map((place) => all[place]),
      failed,
      parts,
    );
    for (const [index, place] of step.entries()) {
      const line = done[index];
      lines[place] = line;
      if (line !== undefined && Number(line.status) >= 400) errors += 1;
    }
  }
  return lines.filter((line) => line !== undefined);
}

/** One operation, or several that name each other in a circle. */
async function carryOutStep(
  step: readonly (Read | undefined)[],
  failed: Set<string>,
  parts: BulkParts,
): Promise<readonly Line[]> {
  const reads = step.filter((read) => read !== undefined);
  const [only] = reads;
  if (only !== undefined && reads.length === 1) return [await carryOutOne(only, failed, parts)];
  const operations = reads.filter((read): read is Operation => !('error' in read));
  try {
    return await carryOutCircle(operations, failed, parts);
  } catch (error) {
    return operations.map((operation) => failure(operation, error, failed, parts));
  }
}

async function carryOutOne(read: Read, failed: Set<string>, parts: BulkParts): Promise<Line> {
  if ('error' in read) return failure(read, read.error, failed, parts);
  const operation = withKnownIds(read, parts.known);
  try {
    checkNamed(operation, failed);
    return success(operation, await execute(operation, parts), parts);
  } catch (error) {
    return failure(operation, error, failed, parts);
  }
}

/** The operation with the ids that others have, where it names them by what was promised. */
function withKnownIds(operation: Operation, known: ReadonlyMap<string, string>): Operation {
  if (known.size === 0) return operation;
  let data = JSON.stringify(operation.data ?? null);
  for (const [promised, id] of known) data = data.replaceAll(promised, id);
  return { ...operation, id: known.get(operation.id) ?? operation.id, data: JSON.parse(data) as unknown };
}

/**
 * Groups that are members of each other: made without members first, then joined. All of them or none, but for what was
 * here already, which stays.
 */
async function carryOutCircle(
  operations: readonly Operation[],
  failed: Set<string>,
  parts: BulkParts,
): Promise<readonly Line[]> {
  const { writer, known } = parts;
  for (const operation of operations) checkNamed(operation, failed);
  const made: Operation[] = [];
  try {
    for (const operation of operations) {
      if (operation.method !== 'POST') continue;
      const { type, id, data } = withKnownIds(operation, known);
      const edited = await writer.create(type, withoutMembers({ type, data }), { id, isBare: true });
      if (edited.id !== id) known.set(id, edited.id);
      if (edited.found !== true) made.push({ ...operation, id: edited.id });
    }
    const lines: Line[] = [];
    for (const named of operations) {
      const operation = withKnownIds(named, known);
      const done = operation.method === 'POST' ? await join(operation, writer) : await execute(operation, parts);
      lines.push(success(operation, done, parts));
    }
    return lines;
  } catch (error) {
    for (const { type, id } of made) await writer.remove({ type, id });
    throw error;
  }
}

function withoutMembers({ type, data }: Pick<Operation, 'type' | 'data'>): unknown {
  if (type !== 'Group' || typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => foldCase(name) !== 'members'));
}

/** The second half of a creation in a circle: the whole resource, now that all it names is there. */
async function join({ type, id, data }: Operation, writer: Writer): Promise<Done> {
  return { id, version: (await writer.replace({ type, id }, data)).version };
}

/** The resource that an operation was about, and its new version; after a deletion there is none. */
interface Done {
  readonly id: string;
  readonly version?: string;
}

async function execute(operation: Operation, { writer, known }: BulkParts): Promise<Done> {
  const { method, type, id, version, data } = operation;
  const target = {
    type,
    id,
    ...(version === undefined ? {} : { expects: (present: string) => names(version, present) }),
  };
  switch (method) {
    case 'POST': {
      const edited = await writer.create(type, data, { id });
      if (edited.id !== id) known.set(id, edited.id);
      return edited;
    }
    case 'PUT':
      return { id, version: (await writer.replace(target, data)).version };
    case 'PATCH':
      return { id, version: (await writer.patch(target, data)).version };
    case 'DELETE':
      await writer.remove(target);
      return { id };
  }
}

/** @throws {ConflictError} the operation names one that failed */
function checkNamed({ id, data, method }: Operation, failed: ReadonlySet<string>): void {
  const text = JSON.stringify(data ?? null);
  const named = [...failed].find((other) => text.includes(other) || (method !== 'POST' && other === id));
  if (named !== undefined)
    throw new ConflictError('An operation that this one refers to has failed.', { reason: 'reference-failed' });
}

function success({ method, type, bulkId }: Operation, { id, version }: Done, { base }: BulkParts): Line {
  return {
    ...(bulkId === undefined ? {} : { bulkId }),
    method,
    location: `${base}/${type}s/${id}`,
    ...(version === undefined ? {} : { version: etagOf(version) }),
    status: method === 'POST' ? '201' : method === 'DELETE' ? '204' : '200',
  };
}

function failure(read: Read, error: unknown, failed: Set<string>, { base, translate }: BulkParts): Line {
  const response = translate(error) as { status: string };
  if ('error' in read) {
    const { method, bulkId } = read.raw;
    return {
      ...(bulkId === undefined ? {} : { bulkId }),
      ...(method === undefined ? {} : { method }),
      response,
      status: response.status,
    };
  }
  const { method, type, id, bulkId } = read;
  if (method === 'POST') failed.add(id);
  return {
    ...(bulkId === undefined ? {} : { bulkId }),
    method,
    ...(method === 'POST' ? {} : { location: `${base}/${type}s/${id}` }),
    response,
    status: response.status,
  };
}
