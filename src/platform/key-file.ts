// The key that embedded storage keeps beside its data, where SECRET_KEY is not set.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '#core/errors.ts';

const KEY_BYTES = 32;

/** Undefined when there is none yet. @throws {ConfigError} `key-file-broken` */
export function readKeyFile(dataDir: string): string | undefined {
  const path = join(dataDir, 'secret.key');
  if (!existsSync(path)) return undefined;
  const key = readFileSync(path, 'utf8').trim();
  if (Buffer.from(key, 'base64').length === KEY_BYTES) return key;
  throw new ConfigError(`"${path}" holds no key`, {
    reason: 'key-file-broken',
    remedy: 'Put the key from a backup into it. If nothing was set up yet, remove the file, and a new key is made.',
  });
}

/** Readable by its owner alone, and there whole or not at all, whatever happens meanwhile. */
export function writeKeyFile(dataDir: string, key: string): void {
  const path = join(dataDir, 'secret.key');
  writeFileSync(`${path}.new`, `${key}\n`, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}

/** 32 random bytes, base64. */
export function makeSecretKey(): string {
  return randomBytes(KEY_BYTES).toString('base64');
}
