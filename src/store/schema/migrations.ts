// The migrations of this release, as files, and what their names say.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Knex } from 'knex';

export const FOLDER = fileURLToPath(new URL('../../../migrations', import.meta.url));

/** As Knex has them. */
export interface Migration {
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/** In the order of their timestamps. */
export function namesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .sort();
}

/** Imports a migration as it is, however the process was started. */
export function readMigration(folder: string, name: string): Promise<Migration> {
  return import(pathToFileURL(join(folder, name)).href);
}

/** `20261201120000_contract_drop_column.ts`: takes something away that an earlier release still uses. */
export function isBreaking(name: string): boolean {
  return /^\d+_contract_/.test(name);
}

/** `20261201120000_online_index_people.ts`: runs without a transaction, while the gateway serves. */
export function isOnline(name: string): boolean {
  return /^\d+_online_/.test(name);
}
