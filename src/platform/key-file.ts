// The key that embedded storage keeps beside its data, where SECRET_KEY is not set.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Undefined when there is none yet. */
export function readKeyFile(dataDir: string): string | undefined {
  const path = join(dataDir, 'secret.key');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/** Readable by its owner alone. */
export function writeKeyFile(dataDir: string, key: string): void {
  writeFileSync(join(dataDir, 'secret.key'), `${key}\n`, { mode: 0o600 });
}

/** 32 random bytes, base64. */
export function makeSecretKey(): string {
  return randomBytes(32).toString('base64');
}
