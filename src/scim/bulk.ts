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
    });
    send(request, response, 200, JSON.stringify({ schemas: [RESPONSE_SCHEMA], Operations: lines }));
  };
}

interface BulkParts {
  readonly writer: Writer;
  readonly base: string;
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
  try {
    checkNamed(read, failed);
    return success(read, await execute(read, parts.writer), parts);
  } catch (error) {
    return failure(read, error, failed, parts);
  }
}

/** Groups that are members of each other: made without members first, then joined. All of them or none. */
async function carryOutCircle(
  operations: readonly Operation[],
  failed: Set<string>,
  parts: BulkParts,
): Promise<readonly Line[]> {
  const { writer } = parts;
  for (const operation of operations) checkNamed(operation, failed);
  const made: Operation[] = [];
  try {
    for (const operation of operations) {
      if (operation.method !== 'POST') continue;
      await writer.create(operation.type, withoutMembers(operation), operation.id);
      made.push(operation);
    }
    const lines: Line[] = [];
    for (const operation of operations) {
      const version = operation.method === 'POST' ? await join(operation, writer) : await execute(operation, writer);
      lines.push(success(operation, version, parts));
    }
    return lines;
  } catch (error) {
    for (const { type, id } of made) await writer.remove({ type, id });
    throw error;
  }
}

function withoutMembers({ type, data }: Operation): unknown {
  if (type !== 'Group' || typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).filter(([name]) => foldCase(name) !== 'members'));
}

/** The second half of a creation in a circle: the whole resource, now that all it names is there. */
async function join({ type, id, data }: Operation, writer: Writer): Promise<string> {
  return (await writer.replace({ type, id }, data)).version;
}

/** Answers the new version; of a deletion, none. */
async function execute(operation: Operation, writer: Writer): Promise<string | undefined> {
  const { method, type, id, version, data } = operation;
  const target = {
    type,
    id,
    ...(version === undefined ? {} : { expects: (present: string) => names(version, present) }),
  };
  switch (method) {
    case 'POST':
      return (await writer.create(type, data, id)).version;
    case 'PUT':
      return (await writer.replace(target, data)).version;
    case 'PATCH':
      return (await writer.patch(target, data)).version;
    case 'DELETE':
      await writer.remove(target);
      return undefined;
  }
}

/** @throws {ConflictError} the operation names one that failed */
function checkNamed({ id, data, method }: Operation, failed: ReadonlySet<string>): void {
  const text = JSON.stringify(data ?? null);
  const named = [...failed].find((other) => text.includes(other) || (method !== 'POST' && other === id));
  if (named !== undefined)
    throw new ConflictError('An operation that this one refers to has failed.', { reason: 'reference-failed' });
}

function success({ method, type, id, bulkId }: Operation, version: string | undefined, { base }: BulkParts): Line {
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
