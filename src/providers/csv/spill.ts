// Pairs and lists that may be longer than the memory: written to files by the hash of a key, and read back a part at a
// time. All entries of one key are in one part.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A million entries make parts of about 16,000: a megabyte each. */
export const PARTS = 64;
/** Written at once. */
const BLOCK_CHARACTERS = 32 * 1024;

export type Entry = readonly (string | number)[];

export interface Spill {
  /** Adds an entry to the part of its key. */
  add(key: string, entry: Entry): void;
  /** The entries of one part in the order in which they were added. No more can be added afterwards. */
  part(index: number): Entry[];
  /** Removes the files. */
  close(): void;
}

export function partOf(key: string): number {
  return (createHash('sha1').update(key).digest()[0] ?? 0) % PARTS;
}

export function makeSpill(folder: string, name: string): Spill {
  const paths = Array.from({ length: PARTS }, (_, index) => join(folder, `${name}-${index}`));
  const files = new Map<number, number>();
  const blocks = Array.from({ length: PARTS }, () => '');
  const write = (index: number): void => {
    const block = blocks[index] ?? '';
    if (block === '') return;
    const file = files.get(index) ?? openSync(paths[index] ?? '', 'a', 0o600);
    files.set(index, file);
    writeSync(file, block);
    blocks[index] = '';
  };
  return {
    add(key, entry) {
      const index = partOf(key);
      blocks[index] += `${JSON.stringify(entry)}\n`;
      if ((blocks[index]?.length ?? 0) >= BLOCK_CHARACTERS) write(index);
    },
    part(index) {
      write(index);
      if (!files.has(index)) return [];
      const lines = readFileSync(paths[index] ?? '', 'utf8').split('\n');
      return lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Entry]));
    },
    close() {
      for (const [index, file] of files) {
        closeSync(file);
        unlinkSync(paths[index] ?? '');
      }
      files.clear();
    },
  };
}
