import type { Stats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { incomplete, unusable } from './failures.ts';
import type { FileParts, RemoteFile } from './fetch-files.ts';
import { FILE_ROLES, type FileSource } from './settings.ts';

type FolderSource = Extract<FileSource, { kind: 'folder' }>;

/**
 * The files of a folder below the inbound folder of this machine; a link must not lead out of it.
 * @throws {ConfigError} `folder-missing`
 */
export async function openFolder(source: FolderSource, parts: FileParts): Promise<readonly RemoteFile[]> {
  const folder = await placeOf(join(parts.inboundDir, source.path), parts.inboundDir);
  return FILE_ROLES.flatMap((role): RemoteFile[] => {
    const name = source[role];
    if (name === null) return [];
    return [{ role, name, bytes: (signal) => readStill(join(folder, name), { source, name, parts, folder }, signal) }];
  });
}

interface Reading {
  readonly source: FolderSource;
  readonly name: string;
  readonly parts: FileParts;
  readonly folder: string;
}

/** The bytes of a file that nobody writes to: it is the same before and after, and was let alone for a while. */
async function* readStill(
  path: string,
  { source, name, parts, folder }: Reading,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const before = await look(path, name, folder);
  const age = parts.clock.now().getTime() - before.mtimeMs;
  if (age < source.settleSeconds * 1000)
    throw incomplete(`${name} was written to less than ${source.settleSeconds} seconds ago.`, {
      reason: 'file-not-settled',
      remedy:
        'Nothing: a later run reads it. Write files under another name first, and rename them when they are whole.',
    });
  let bytes = 0;
  for await (const chunk of createReadStream(path, { signal }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    yield chunk;
  }
  const after = await look(path, name, folder);
  if (bytes !== before.size || !isSame(before, after))
    throw incomplete(`${name} changed while it was read.`, {
      reason: 'file-changed',
      remedy: 'Write files under another name first, and rename them when they are whole.',
    });
}

function isSame(one: Stats, other: Stats): boolean {
  return one.size === other.size && one.mtimeMs === other.mtimeMs && one.ino === other.ino && one.dev === other.dev;
}

/** @throws {UpstreamError} `file-missing` @throws {ConfigError} `folder-outside` */
async function look(path: string, name: string, folder: string): Promise<Stats> {
  try {
    const real = await realpath(path);
    if (!isWithin(real, folder)) throw outside();
    const found = await stat(real);
    if (found.isFile()) return found;
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
  }
  throw incomplete(`There is no file "${name}" in the folder.`, {
    reason: 'file-missing',
    remedy: 'Put it there, or correct its name in the settings.',
  });
}

/**
 * A word that changes when any of the files does; undefined while one is missing or was written to just now. Reads none.
 */
export async function folderVersion(source: FolderSource, parts: FileParts): Promise<string | undefined> {
  try {
    const folder = await placeOf(join(parts.inboundDir, source.path), parts.inboundDir);
    const names = FILE_ROLES.flatMap((role) => source[role] ?? []);
    const found = await Promise.all(names.map((name) => look(join(folder, name), name, folder)));
    const newest = Math.max(...found.map(({ mtimeMs }) => mtimeMs));
    if (parts.clock.now().getTime() - newest < source.settleSeconds * 1000) return undefined;
    return found.map(({ size, mtimeMs, ino }) => `${size}-${mtimeMs}-${ino}`).join();
  } catch {
    return undefined;
  }
}

async function placeOf(path: string, root: string): Promise<string> {
  try {
    const [real, realRoot] = await Promise.all([realpath(path), realpath(root)]);
    if (!isWithin(real, realRoot)) throw outside();
    return real;
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw unusable('The folder does not exist below the inbound folder of the gateway.', {
      reason: 'folder-missing',
      remedy: 'Make it below the folder that INBOUND_DIR names, or correct source.path.',
      cause,
    });
  }
}

function isWithin(path: string, root: string): boolean {
  const way = relative(root, path);
  return way === '' || (!way.startsWith(`..${sep}`) && way !== '..' && !way.startsWith(sep));
}

function outside(): Error {
  return unusable('A link leads out of the inbound folder of the gateway.', {
    reason: 'folder-outside',
    remedy: 'Put the files themselves below the folder that INBOUND_DIR names.',
  });
}

function isAbsent(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
