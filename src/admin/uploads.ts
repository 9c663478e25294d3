// Files for the CSV provider, streamed into the database: a multi-part form with up to three files, or one bare file.
import { createHash, type Hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { type Request, Router } from 'express';
import { z } from 'zod';
import { ConflictError, GatewayError, InputError, MediaTypeError, TooLargeError } from '#core/errors.ts';
import type { StoredFile, Upload } from '#core/files.ts';
import { requireScope } from '#http/auth.ts';
import { parse } from '#http/validate.ts';
import { writeAudit } from '#store/access/audit.ts';
import { addPiece, beginUpload, completeUpload, dropUpload, PIECE_BYTES, uploadsOf } from '#store/source/uploads.ts';
import type { AdminParts } from './parts.ts';
import { actorOf } from './query.ts';

const ROLES = ['users', 'groups', 'memberships'] as const;
const UPLOAD_MAX_BYTES = 512 * 1024 ** 2;
const NAME_MAX = 200;
/** What curl and browsers call a file of which they do not know better. */
const BARE_TYPES = ['text/csv', 'text/plain', 'application/octet-stream', 'application/vnd.ms-excel'];

const Query = z.object({
  name: z.string().min(1).max(NAME_MAX).default('users.csv'),
  sync: z.enum(['true', 'false']).default('false'),
});

export function uploadRoutes(parts: AdminParts): Router {
  const admin = requireScope('admin', 'operator');
  return Router()
    .get('/providers/csv/upload', async (_request, response) => {
      const upload = await uploadsOf(parts.database.knex, 'csv').latest();
      response.json(upload === undefined ? { id: null, uploadedAt: null, files: [] } : upload);
    })
    .post('/providers/csv/upload', admin, async (request, response) => {
      const query = parse(Query, request.query);
      refuseEncoded(request);
      const upload = await takeUpload(parts, request, query.name);
      const run = query.sync === 'true' ? await startRun(parts, actorOf(request)) : null;
      response.status(201).json({ ...upload, runId: run });
    });
}

/** What is compressed on the way would be kept so, and read as a file of no lines. @throws {MediaTypeError} */
function refuseEncoded(request: Request): void {
  const encoding = request.get('content-encoding') || 'identity';
  if (encoding.toLowerCase() === 'identity') return;
  throw new MediaTypeError('The upload has an encoding that is not supported.', {
    remedy: 'Send the file without compression.',
  });
}

/** The files as they came, whole, or an error and nothing kept. */
async function takeUpload(parts: AdminParts, request: Request, name: string): Promise<Upload> {
  const db = parts.database.knex;
  const actor = actorOf(request);
  const id = await beginUpload(db, 'csv', actor);
  try {
    const store = makeStore(parts, id);
    const files = request.is('multipart/form-data')
      ? await takeForm(request, store)
      : [await takeBare(request, { role: 'users', name }, store)];
    if (!files.some(({ role }) => role === 'users')) throw noUsers();
    return await db.transaction(async (tx) => {
      const upload = await completeUpload(tx, { id, provider: 'csv', files });
      await writeAudit(tx, { actor, action: 'provider.upload', object: 'csv', detail: { uploadId: id, files } });
      return upload;
    });
  } catch (error) {
    await dropUpload(db, id);
    throw error instanceof GatewayError || !isCutOff(request, error) ? error : cutOff();
  }
}

type Store = (
  stream: Readable,
  file: { readonly role: string; readonly name: string },
) => Promise<StoredFile & { hash: Hash }>;

/** Writes a stream in pieces of one size. All files of an upload together have a limit. */
function makeStore({ database: { knex } }: AdminParts, uploadId: string): Store {
  let total = 0;
  return async (stream, { role, name }) => {
    const hash = createHash('sha256');
    let waiting: Buffer[] = [];
    let waitingBytes = 0;
    let bytes = 0;
    let seq = 0;
    const flush = async (): Promise<void> => {
      if (waitingBytes === 0) return;
      await addPiece(knex, { uploadId, role, seq, bytes: Buffer.concat(waiting) });
      seq += 1;
      waiting = [];
      waitingBytes = 0;
    };
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      total += chunk.length;
      if (total > UPLOAD_MAX_BYTES) throw tooLarge();
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes >= PIECE_BYTES) await flush();
    }
    await flush();
    return { role, name, bytes, digest: hash.copy().digest('hex'), hash };
  };
}

async function takeBare(
  request: Request,
  file: { readonly role: string; readonly name: string },
  store: Store,
): Promise<StoredFile> {
  if (!request.is(BARE_TYPES))
    throw new MediaTypeError('The upload is neither a multi-part form nor a CSV file.', {
      remedy: 'Send Content-Type: text/csv, or a form (multipart/form-data) with a file named "users".',
    });
  const { hash, ...stored } = await store(request, file);
  if (!request.complete) throw cutOff();
  checkDigest(request, hash);
  return stored;
}

/** RFC 9530: a client may say what the bytes must come to. */
function checkDigest(request: Request, hash: Hash): void {
  const said = /\bsha-256=:([A-Za-z0-9+/=]+):/.exec(request.get('content-digest') ?? request.get('repr-digest') ?? '');
  if (said === null || said[1] === hash.digest('base64')) return;
  throw new InputError('The file is not the one that Content-Digest speaks of.', {
    reason: 'digest-mismatch',
    remedy: 'Send the file again.',
  });
}

/** The files of a form, one after the other; each field is called by what its file is for. */
async function takeForm(request: Request, store: Store): Promise<StoredFile[]> {
  const form = openForm(request);
  const files: StoredFile[] = [];
  const roles = new Set<string>();
  let storing: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    form.on('file', (role, stream, name) => {
      stream.once('error', reject);
      storing = storing.then(async () => {
        if (!(ROLES as readonly string[]).includes(role) || roles.has(role)) throw wrongField(role);
        roles.add(role);
        const { hash: _hash, ...stored } = await store(stream, {
          role,
          name: (name || `${role}.csv`).slice(0, NAME_MAX),
        });
        files.push(stored);
      });
      storing.catch((error) => {
        // What nobody reads any more would hold the request up.
        stream.resume();
        reject(error);
      });
    });
    form.once('filesLimit', () => reject(wrongField('a fourth file')));
    form.once('error', (error) => reject(malformed(error)));
    form.once('finish', () => storing.then(resolve, reject));
    request.once('aborted', () => reject(cutOff()));
    request.once('error', () => reject(cutOff()));
    request.pipe(form);
  }).finally(() => request.unpipe(form));
  return files;
}

/** @throws {InputError} `upload-cut-off`: the head does not say where one file ends and the next begins */
function openForm(request: Request): InstanceType<typeof Busboy> {
  const limits = { files: ROLES.length, fields: 0, fileSize: UPLOAD_MAX_BYTES + 1 };
  try {
    return new Busboy({ headers: request.headers as BusboyHeaders, limits });
  } catch (cause) {
    throw malformed(cause);
  }
}

async function startRun(parts: AdminParts, actor: string): Promise<string> {
  try {
    return (await parts.sync.start({ trigger: 'manual', requestedBy: actor })).id;
  } catch (error) {
    // The files are there; a run that goes on already is no failure of the upload.
    if (error instanceof ConflictError && typeof error.details['runId'] === 'string') return error.details['runId'];
    throw error;
  }
}

function isCutOff(request: Request, error: unknown): boolean {
  return !request.complete || (error instanceof Error && 'code' in error && error.code === 'ECONNRESET');
}

function cutOff(): InputError {
  return new InputError('The upload was cut off, and nothing of it was kept.', {
    reason: 'upload-cut-off',
    remedy: 'Send it again.',
  });
}

function noUsers(): InputError {
  return new InputError('The upload has no file of users.', {
    reason: 'users-missing',
    remedy: 'Send the file of users in a field named "users".',
  });
}

function wrongField(role: string): InputError {
  return new InputError(`The form has a file "${role.slice(0, 40)}" that is not expected, or has it twice.`, {
    reason: 'field-unknown',
    remedy: `Name the fields ${ROLES.join(', ')}, each once.`,
  });
}

function malformed(cause: unknown): InputError {
  return new InputError('The form cannot be read, or was cut off; nothing of it was kept.', {
    reason: 'upload-cut-off',
    remedy: 'Send it again, as multipart/form-data with a boundary.',
    cause,
  });
}

function tooLarge(): TooLargeError {
  return new TooLargeError(`The upload is larger than ${UPLOAD_MAX_BYTES / 1024 ** 2} MB.`, {
    remedy: 'Leave out columns that are not needed, or use a folder or an https URL.',
  });
}
