import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '#core/errors.ts';

/**
 * For what works on a database that is there: opening one makes it where there is none.
 * @throws {ConfigError} `source-missing`: the folder has no embedded database
 */
export function needKept(folder: string): void {
  if (existsSync(join(folder, 'postgres'))) return;
  throw new ConfigError(`there is no embedded database in "${folder}"`, {
    reason: 'source-missing',
    remedy: 'Set DATA_DIR to the folder that the gateway has used.',
  });
}
