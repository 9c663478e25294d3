// Where a benchmark keeps its data: a database on a PostgreSQL server, or a folder of the embedded one.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseOptions } from '../src/store/database.ts';
import { createDatabase, dropDatabase } from '../test/support/postgres-databases.ts';
import { startPostgres } from '../test/support/postgres-server.ts';

export interface Storage {
  readonly options: DatabaseOptions;
  /** Makes a gateway, or a bare server, use it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same data for a second process beside the first: the embedded database lets one in, so there it is a copy. */
  beside(): Storage;
}

export type NewStorage = (name: string) => Promise<Storage>;

/** What BENCH_DATABASE=embedded chooses; otherwise PostgreSQL: BENCH_DATABASE_URL, or a server brought along. */
export async function chooseStorage(
  folder: string,
  closing: (() => Promise<unknown> | unknown)[],
): Promise<{ readonly kind: 'PostgreSQL' | 'embedded'; readonly newStorage: NewStorage }> {
  if (process.env['BENCH_DATABASE'] === 'embedded')
    return { kind: 'embedded', newStorage: async (name) => embedded(join(folder, name)) };
  const given = process.env['BENCH_DATABASE_URL'];
  if (given === undefined || given === '') {
    const server = await startPostgres(folder);
    closing.push(() => server.stop());
    return { kind: 'PostgreSQL', newStorage: async (name) => postgres(await createDatabase(server.url, name)) };
  }
  return {
    kind: 'PostgreSQL',
    newStorage: async (name) => {
      await dropDatabase(given, name);
      closing.push(() => dropDatabase(given, name));
      return postgres(await createDatabase(given, name));
    },
  };
}

function postgres(databaseUrl: string): Storage {
  const storage = { options: { databaseUrl }, environment: { DATABASE_URL: databaseUrl }, beside: () => storage };
  return storage;
}

function embedded(dataDir: string): Storage {
  return {
    options: { dataDir },
    environment: { DATA_DIR: dataDir },
    beside() {
      const copy = `${dataDir}-beside`;
      cpSync(dataDir, copy, { recursive: true });
      return embedded(copy);
    },
  };
}
