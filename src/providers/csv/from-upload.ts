import type { UploadedFiles } from '#core/files.ts';
import { incomplete } from './failures.ts';
import type { RemoteFile } from './fetch-files.ts';
import { FILE_ROLES } from './settings.ts';

/** The files of the newest whole upload. @throws {UpstreamError} `file-missing`: nothing was uploaded yet */
export async function openUpload(uploads: UploadedFiles): Promise<readonly RemoteFile[]> {
  const upload = await uploads.latest();
  if (upload === undefined)
    throw incomplete('No file was uploaded yet.', {
      reason: 'file-missing',
      remedy: 'POST a file to /api/v1/providers/csv/upload.',
    });
  return FILE_ROLES.flatMap((role): RemoteFile[] => {
    const file = upload.files.find((one) => one.role === role);
    if (file === undefined) return [];
    return [{ role, name: file.name, bytes: (signal) => wholeUpload(uploads.read(upload, role, signal), file) }];
  });
}

async function* wholeUpload(
  chunks: AsyncIterable<Uint8Array>,
  { name, bytes }: { readonly name: string; readonly bytes: number },
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const chunk of chunks) {
    read += chunk.length;
    yield chunk;
  }
  if (read !== bytes)
    throw incomplete(`${name} was replaced while it was read.`, {
      reason: 'file-changed',
      remedy: 'Run again: the newer upload is read then.',
    });
}
