// `npm run reseal`: seals every stored credential with SECRET_KEY, opening with SECRET_KEYS_ACCEPTED, and exits. Gateways
// on the same PostgreSQL go on working. Embedded storage has one process: there, ask the gateway itself. `-- --key-lost`
// lets gateways start with SECRET_KEY although the key of before is gone, and what it sealed with it.
import { parseArgs } from 'node:util';
import { ConfigError, GatewayError } from '#core/errors.ts';
import { readConfig } from '#platform/config.ts';
import { readKeyFile } from '#platform/key-file.ts';
import { makeSeal } from '#platform/seal.ts';
import { writeAudit } from './access/audit.ts';
import { forgetKey } from './access/key-check.ts';
import { reseal } from './access/reseal.ts';
import { openDatabase } from './database.ts';
import { needKept } from './embedded/need-kept.ts';
import { readSchemaState } from './schema/migrate.ts';

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { 'key-lost': { type: 'boolean', default: false } } });
  const config = readConfig(process.env);
  const key = config.SECRET_KEY ?? readKeyFile(config.DATA_DIR);
  if (key === undefined)
    throw new ConfigError('SECRET_KEY is not set', {
      reason: 'secret-key-missing',
      remedy: 'Set SECRET_KEY to the new key and SECRET_KEYS_ACCEPTED to the old one',
    });
  if (config.DATABASE_URL === undefined) needKept(config.DATA_DIR);
  const database = await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR });
  try {
    const { pending, breaking } = await readSchemaState(database);
    if (pending.length + breaking.length > 0)
      throw new ConfigError('the schema is not the one of this release', {
        reason: 'not-migrated',
        remedy: 'Run "npm run migrate" first',
      });
    const seal = makeSeal(key, config.SECRET_KEYS_ACCEPTED);
    const done = await database.knex.transaction(async (tx) => {
      if (values['key-lost']) {
        await forgetKey(tx, seal);
        await writeAudit(tx, { actor: 'reseal', action: 'secrets.forget' });
      }
      const sealed = await reseal(tx, seal);
      if (sealed.resealed > 0)
        await writeAudit(tx, { actor: 'reseal', action: 'secrets.reseal', detail: { ...sealed } });
      return sealed;
    });
    console.log(`Sealed anew: ${done.resealed}. Already sealed with SECRET_KEY: ${done.current}.`);
    for (const { place, key } of done.unopened) console.error(`No key opens ${place} "${key}".`);
    if (done.unopened.length > 0) process.exitCode = 1;
  } finally {
    await database.close();
  }
}

try {
  await run();
} catch (error) {
  if (!(error instanceof GatewayError)) throw error;
  const remedy =
    error.reason === 'data-dir-in-use'
      ? 'A gateway is running on it: POST /api/v1/secrets/reseal to it instead.'
      : (error.remedy ?? '');
  console.error(`${error.message}. ${remedy}`.trim());
  process.exitCode = 1;
}
