import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { ConfigError } from '#core/errors.ts';
import type { Secrets } from '#core/secrets.ts';

/** Seals and opens stored credentials. Sealed text is `v1.<key id>.<nonce>.<tag>.<data>`, base64url parts. */
export interface Seal {
  seal(plain: string): string;
  /** Whether it was sealed with the key that seals now. */
  isCurrent(sealed: string): boolean;
  /** @throws {ConfigError} the text was sealed with a key that is not known here, or was changed */
  open(sealed: string): string;
}

/** Said aloud, since Node would otherwise take a tag of four bytes, which can be guessed. */
const TAG_BYTES = 16;

interface Key {
  readonly id: string;
  readonly bytes: Buffer;
}

function readKey(text: string): Key {
  const bytes = Buffer.from(text, 'base64');
  const id = createHash('sha256').update('sluice key id').update(bytes).digest('base64url').slice(0, 8);
  return { id, bytes };
}

/**
 * @param key 32 bytes, base64: seals, and opens what it sealed
 * @param accepted more keys, which only open: those of before, or the one to come
 */
export function makeSeal(key: string, accepted: readonly string[] = []): Seal {
  const current = readKey(key);
  const keys = new Map([current, ...accepted.map(readKey)].map(({ id, bytes }) => [id, bytes]));
  return {
    seal(plain) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.bytes, nonce);
      const data = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      const parts = [nonce, cipher.getAuthTag(), data].map((part) => part.toString('base64url'));
      return ['v1', current.id, ...parts].join('.');
    },
    isCurrent: (sealed) => sealed.startsWith(`v1.${current.id}.`),
    open(sealed) {
      const [version, sealedWith = '', nonce = '', tag = '', data = '', ...more] = sealed.split('.');
      const bytes = keys.get(sealedWith);
      if (version !== 'v1' || bytes === undefined || more.length > 0) throw wrongKey();
      // The last character of base64 may differ without its bytes differing; what was changed in any way is not ours.
      if ([nonce, tag, data].some((part) => Buffer.from(part, 'base64url').toString('base64url') !== part))
        throw wrongKey();
      try {
        const decipher = createDecipheriv('aes-256-gcm', bytes, Buffer.from(nonce, 'base64url'), {
          authTagLength: TAG_BYTES,
        });
        decipher.setAuthTag(Buffer.from(tag, 'base64url'));
        return decipher.update(Buffer.from(data, 'base64url'), undefined, 'utf8') + decipher.final('utf8');
      } catch (cause) {
        throw wrongKey(cause);
      }
    },
  };
}

/**
 * What is sealed, for whoever shows it or puts something new in its place; undefined when no key that is known here opens
 * it. What is lost must not keep anybody from entering it again.
 */
export function openKept(seal: Pick<Seal, 'open'>, sealed: string): string | undefined {
  try {
    return seal.open(sealed);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

/** Sealed secrets by their names, so opened: none where nothing is sealed, or no key opens it. */
export function keptSecrets(seal: Pick<Seal, 'open'>, sealed: string | null | undefined): Secrets {
  return sealed == null ? {} : JSON.parse(openKept(seal, sealed) ?? '{}');
}

function wrongKey(cause?: unknown): ConfigError {
  return new ConfigError('a stored credential cannot be opened with this SECRET_KEY', {
    reason: 'secret-key-wrong',
    remedy:
      'Start with the SECRET_KEY that sealed it, or name that key in SECRET_KEYS_ACCEPTED, or enter the credential again.',
    cause,
  });
}
