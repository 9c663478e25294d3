// Brings the files of a read onto this machine as copies that do not change any more, from wherever they are.
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { UploadedFiles } from '#core/files.ts';
import type { Clock } from '#platform/clock.ts';
import type { OutgoingPolicy } from '#platform/fetch.ts';
import { findEncoding } from './encoding.ts';
import { incomplete, unusable } from './failures.ts';
import { openFolder } from './from-folder.ts';
import { openUpload } from './from-upload.ts';
import { openUrls, type Validators } from './from-url.ts';
import { type LocalFile, openTable } from './rows.ts';
import type { CsvSettings, FileRole } from './settings.ts';

export interface FileParts {
  readonly clock: Clock;
  readonly uploads: UploadedFiles;
  readonly outgoing: OutgoingPolicy;
  /** The only folder of this machine below which files are read. */
  readonly inboundDir: string;
}

/** A file where it is, before it was copied. */
export interface RemoteFile {
  readonly role: FileRole;
  readonly name: string;
  /** Its bytes, once; throws unless they are all that the file has, and it stayed the same. */
  bytes(signal: AbortSignal): AsyncIterable<Uint8Array>;
}

export interface CopiedFile extends LocalFile {
  readonly role: FileRole;
  readonly size: number;
  /** SHA-256 in hex. */
  readonly digest: string;
}

export type Files = Readonly<Partial<Record<FileRole, CopiedFile>>> & { readonly users: CopiedFile };

/** @throws {UpstreamError} a file is missing, changes while it is read, or breaks off */
export async function findFiles(
  settings: CsvSettings,
  parts: FileParts,
  note?: (url: string, validators: Validators) => void,
): Promise<readonly RemoteFile[]> {
  const { source } = settings;
  switch (source.kind) {
    case 'upload':
      return openUpload(parts.uploads);
    case 'folder':
      return openFolder(source, parts);
    case 'url':
      return openUrls(source, parts, note);
  }
}

/** A folder of this process alone; `removeFolder` when the work is over. */
export function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sluice-csv-'));
}

export function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true });
}

/**
 * Copies all files, then finds out what their bytes mean.
 * @throws {UpstreamError} a file is missing, changes while it is read, or breaks off
 * @throws {ConfigError} `encoding-unknown`, `files-beside-mixed`
 */
export async function copyFiles(
  found: readonly RemoteFile[],
  { folder, settings: { format, columns } }: { readonly folder: string; readonly settings: CsvSettings },
  signal: AbortSignal,
): Promise<Files> {
  const copies: Partial<Record<FileRole, CopiedFile>> = {};
  for (const { role, name, bytes } of found) {
    const path = join(folder, `${role}.csv`);
    const { size, digest } = await copy(bytes(signal), path, signal);
    const encoding = await findEncoding(path, name, format.encoding, signal);
    copies[role] = { role, name, path, encoding, delimiter: format.delimiter, size, digest };
  }
  if (copies.users === undefined)
    throw incomplete('There is no file of users.', { reason: 'file-missing', remedy: 'Bring a file of users.' });
  if (columns.kind === null) return { ...copies, users: copies.users };
  if (copies.groups !== undefined || copies.memberships !== undefined)
    throw unusable('columns.kind is for one file that has everything, and there are others beside it.', {
      reason: 'files-beside-mixed',
      remedy: 'Bring one file; or take columns.kind out of the settings.',
    });
  return mixedFiles(copies.users, columns.kind, signal);
}

/** One file as those that it stands for: of what it has no line, there is none. */
async function mixedFiles(file: CopiedFile, column: string, signal: AbortSignal): Promise<Files> {
  const as = (role: FileRole): CopiedFile => ({ ...file, role, lines: { column, are: role } });
  const has = async (role: FileRole): Promise<boolean> => {
    const { rows } = await openTable(as(role), signal);
    for await (const batch of rows) if (batch.length > 0) return true;
    return false;
  };
  return {
    users: as('users'),
    ...((await has('groups')) ? { groups: as('groups') } : {}),
    ...((await has('memberships')) ? { memberships: as('memberships') } : {}),
  };
}

async function copy(
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  signal: AbortSignal,
): Promise<{ size: number; digest: string }> {
  const hash = createHash('sha256');
  let size = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      size += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(bytes, count, createWriteStream(path, { mode: 0o600 }), { signal });
  return { size, digest: hash.digest('hex') };
}
