/** Files that were brought to the gateway whole. What is half brought is seen by nobody. */

export interface StoredFile {
  /** What the file is for: `users`, `groups`, `memberships`. */
  readonly role: string;
  /** As the sender calls it. */
  readonly name: string;
  readonly bytes: number;
  /** SHA-256, in hex. */
  readonly digest: string;
}

/** The files of one upload: they belong together and replace those of the one before together. */
export interface Upload {
  readonly id: string;
  readonly uploadedAt: Date;
  readonly files: readonly StoredFile[];
}

export interface UploadedFiles {
  /** The newest whole upload. */
  latest(): Promise<Upload | undefined>;
  /** The bytes of one of its files. May end early where a newer upload took its place: compare with `bytes`. */
  read(upload: Upload, role: string, signal: AbortSignal): AsyncGenerator<Uint8Array>;
}
