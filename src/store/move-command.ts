// `npm run move`: everything of the embedded database in DATA_DIR into the PostgreSQL of DATABASE_URL.
import { join } from 'node:path';
import { ConfigError, GatewayError } from '#core/errors.ts';
import { readConfig } from '#platform/config.ts';
import { readKeyFile } from '#platform/key-file.ts';
import { makeSeal } from '#platform/seal.ts';
import { eachSealed } from './access/sealed.ts';
import { type Database, openDatabase } from './database.ts';
import { needKept } from './embedded/need-kept.ts';
import { migrate } from './schema/migrate.ts';
import { moveDatabase } from './schema/move.ts';

async function run(): Promise<void> {
  const folder = process.env['DATA_DIR'] || './data';
  const key = process.env['SECRET_KEY'] || keyIn(folder);
  const config = readConfig({ ...process.env, SECRET_KEY: key });
  if (config.DATABASE_URL === undefined)
    throw new ConfigError('DATABASE_URL is not set', {
      reason: 'target-missing',
      remedy: 'Set it to the new, empty PostgreSQL database that everything is to be moved to.',
    });
  needKept(folder);
  const from = await openDatabase({ dataDir: folder });
  try {
    await migrate(from);
    await checkKey(from, makeSeal(key, config.SECRET_KEYS_ACCEPTED).open);
    const to = await openDatabase({ databaseUrl: config.DATABASE_URL });
    try {
      await migrate(to);
      const tables = await moveDatabase(from, to, ({ name, rows }) => {
        if (rows > 0) console.log(`${String(rows).padStart(10)}  ${name}`);
      });
      await to.knex.raw('analyze');
      const rows = tables.reduce((sum, table) => sum + table.rows, 0);
      console.log(`Moved ${rows} rows of ${tables.length} tables; counts and checksums are the same on both sides.`);
      console.log(
        `Start the gateway with DATABASE_URL, and with SECRET_KEY set to what ${join(folder, 'secret.key')} holds,`,
      );
      console.log('or to the key that it has had. Keep the folder as a backup, and start no gateway on it.');
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

function keyIn(folder: string): string {
  const kept = readKeyFile(folder);
  if (kept !== undefined) return kept;
  throw new ConfigError(`there is no secret.key in "${folder}", and SECRET_KEY is not set`, {
    reason: 'secret-key-missing',
    remedy: 'Set SECRET_KEY to the key that the gateway has used.',
  });
}

/** What was sealed must be opened by the key that goes along: a wrong one would be found out when it is too late. */
async function checkKey(from: Database, open: (sealed: string) => string): Promise<void> {
  for await (const { sealed } of eachSealed(from.knex)) open(sealed);
}

try {
  await run();
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  console.error(`${error.message}. ${error.remedy ?? ''}`.trim());
  process.exitCode = 1;
}
