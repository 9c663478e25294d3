// Whether anything changed, found without reading the files. There is no reading of changes themselves: what is not the
// same is read whole.
import { CheckpointExpiredError } from '#core/errors.ts';
import type { UploadedFiles } from '#core/files.ts';
import type { ChangeReader, Checkpoint } from '#core/pages.ts';
import type { FileParts } from './fetch-files.ts';
import { folderVersion } from './from-folder.ts';
import { isUnchanged, type Validators } from './from-url.ts';
import type { CsvRecord } from './records.ts';
import type { CsvSettings } from './settings.ts';

/** What the files were when they were read to the end. */
export interface Known {
  readonly version?: string;
  /** By URL. */
  readonly validators?: Readonly<Record<string, Validators>>;
}

export function makeCheckpoint(known: Known): Checkpoint {
  return JSON.stringify(known) as Checkpoint;
}

/** A word that changes when the files do, where that can be told without reading them. */
export async function versionOf({ source }: CsvSettings, parts: FileParts): Promise<string | undefined> {
  if (source.kind === 'folder') return folderVersion(source, parts);
  return source.kind === 'upload' ? uploadVersion(parts.uploads) : undefined;
}

async function uploadVersion(uploads: UploadedFiles): Promise<string | undefined> {
  const upload = await uploads.latest();
  return upload?.files.map(({ role, digest }) => `${role}:${digest}`).join();
}

/** Ends at once where the files are those of the checkpoint; else says that they must be read. */
export function changesOf(settings: CsvSettings, parts: FileParts): ChangeReader<CsvRecord> {
  return {
    async *pages(checkpoint, signal) {
      const known = JSON.parse(checkpoint) as Known;
      const { source } = settings;
      const isSame =
        source.kind === 'url'
          ? await isUnchanged(source, known.validators ?? {}, parts, signal)
          : known.version !== undefined && known.version === (await versionOf(settings, parts));
      if (!isSame) throw new CheckpointExpiredError('The files are others than at the last read.');
      yield { type: 'end', checkpoint };
    },
    merge: (_known, change) => change,
    async *members() {},
  };
}
