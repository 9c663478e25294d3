import { createHash, randomBytes } from 'node:crypto';

/** A new bearer token of 256 random bits, with a prefix that secret scanners can know. */
export function makeToken(): string {
  return `sluice_${randomBytes(32).toString('base64url')}`;
}

/**
 * What is stored of a token: SHA-256, 32 bytes. Tokens are random, so no salt or slow hash is needed, and looking a
 * hash up by index tells an attacker nothing about the token.
 */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

/** The last four characters, enough for a person to tell tokens apart. */
export function tokenHint(token: string): string {
  return token.slice(-4);
}
