import { createHash } from 'node:crypto';

/** SHA-256 of a text, 32 bytes. */
export function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Digest of a set of ids, whatever their order. Sorts `ids` in place. */
export function digestOfSet(ids: string[]): Buffer {
  const hash = createHash('sha256');
  for (const id of ids.sort()) hash.update(id).update('\n');
  return hash.digest();
}
