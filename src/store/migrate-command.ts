// `npm run migrate`: brings the schema up to date and exits.
import { GatewayError } from '#core/errors.ts';
import { readConfig } from '#platform/config.ts';
import { openDatabase } from './database.ts';
import { migrate } from './migrate.ts';

try {
  const config = readConfig({ SECRET_KEY: Buffer.alloc(32).toString('base64'), ...process.env });
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  const names = await migrate(database);
  await database.close();
  console.log(names.length === 0 ? 'The schema is up to date.' : `Applied: ${names.join(', ')}`);
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  console.error(`${error.message}. ${error.remedy ?? ''}`);
  process.exitCode = 1;
}
