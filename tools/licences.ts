// `npm run licences`: the licence of every package that ships, from the lock file.
import { readFileSync } from 'node:fs';

export interface Shipped {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  /** Whether the lock file says what its archive hashes to. */
  readonly hasIntegrity: boolean;
}

interface Locked {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
}

/** What `npm ci --omit=dev` installs, by name. */
export function shippedPackages(): readonly Shipped[] {
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  return Object.entries(lock.packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version, license, integrity }]) => ({
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version,
      licence: license ?? 'unknown',
      hasIntegrity: integrity !== undefined,
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}

if (import.meta.main)
  for (const { name, version, licence } of shippedPackages()) console.log(`${name}@${version}\t${licence}`);
