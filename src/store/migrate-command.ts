// `npm run migrate`: brings the schema up to date and exits.
import { GatewayError } from '#core/errors.ts';
import { readConfig } from '#platform/config.ts';
import { openDatabase } from './database.ts';
import { migrate } from './schema/migrate.ts';
import { migrateOnline } from './schema/online-migrations.ts';

async function run(): Promise<void> {
  // Nothing is sealed here, so whoever runs only this needs no key.
  const config = readConfig({ SECRET_KEY: Buffer.alloc(32).toString('base64'), ...process.env });
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  try {
    const names = [...(await migrate(database)), ...(await migrateOnline(database))];
    console.log(names.length === 0 ? 'The schema is up to date.' : `Applied: ${names.join(', ')}`);
  } finally {
    await database.close();
  }
}

try {
  await run();
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  console.error(`${error.message}. ${error.remedy ?? ''}`.trim());
  process.exitCode = 1;
}
