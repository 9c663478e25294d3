import { hash } from 'node:crypto';

/** SHA-256 of a text, 32 bytes. */
export function digestOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

const SPACE = 1n << 256n;

/**
 * Digest of a set of distinct ids, whatever their order: the sum of their digests modulo 2^256, so that an id can be
 * added or taken away without knowing the others.
 */
export function digestOfSet(ids: Iterable<string>): Buffer {
  return addToSet(Buffer.alloc(32), ids, []);
}

/** The digest of a set that has won and lost these ids. */
export function addToSet(digest: Buffer, added: Iterable<string>, removed: Iterable<string>): Buffer {
  let sum = BigInt(`0x${digest.toString('hex')}`);
  for (const id of added) sum += numberOf(id);
  for (const id of removed) sum -= numberOf(id);
  return Buffer.from((((sum % SPACE) + SPACE) % SPACE).toString(16).padStart(64, '0'), 'hex');
}

function numberOf(id: string): bigint {
  return BigInt(`0x${hash('sha256', id)}`);
}
