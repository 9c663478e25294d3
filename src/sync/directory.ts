import type { Db } from '#store/database.ts';
import { readSetting } from '#store/source/settings.ts';

/** How the directory answers its clients. */
export interface DirectorySettings {
  /** What becomes of an edit of something that the active provider owns. */
  readonly localEdits: 'reject' | 'overwrite';
}

export const DEFAULT_DIRECTORY: DirectorySettings = { localEdits: 'reject' };

/** What an administrator set, and the defaults for the rest. */
export async function readDirectorySettings(db: Db): Promise<DirectorySettings> {
  return { ...DEFAULT_DIRECTORY, ...(await readSetting<Partial<DirectorySettings>>(db, 'directory')) };
}
