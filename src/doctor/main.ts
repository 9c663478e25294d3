// `npm run doctor`: looks at everything that a gateway needs, with the environment that the gateway has, and says what is
// wrong and what to do. `-- --json` for machines, `-- --bundle file.tar.gz` for whoever helps. Exit code 1 when there is a
// problem.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GatewayError } from '#core/errors.ts';
import { type Config, readConfig, VERSION } from '#platform/config.ts';
import { readKeyFile } from '#platform/key-file.ts';
import { type Database, openDatabase } from '#store/database.ts';
import { writeBundle } from './bundle.ts';
import { type Examined, examineDatabase } from './examine.ts';
import { lookAtProcess } from './process.ts';
import { type Finding, reportOf, textOf } from './report.ts';

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, bundle: { type: 'string' } } });
  const read = readConfiguration();
  const findings: Finding[] = [read.finding];
  let database: Database | undefined;
  let examined: Examined = { findings: [], secrets: [] };
  if (read.config !== undefined) {
    findings.push(...(await lookAtProcess(read.config)));
    const opened = await open(read.config);
    database = opened.database;
    if (opened.finding !== undefined) findings.push(opened.finding);
    if (database !== undefined) examined = await examineDatabase(database, read.config, secretKeyOf(read.config));
  }
  try {
    const report = reportOf(VERSION, [...findings, ...examined.findings]);
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
    if (values.bundle !== undefined) {
      const parts = { report, environment: process.env, database, secrets: examined.secrets };
      const names = await writeBundle(values.bundle, parts);
      process.stderr.write(`${values.bundle} has ${names.join(', ')}; look through it before you send it.\n`);
    }
    process.exitCode = report.ok ? 0 : 1;
  } finally {
    await database?.close();
  }
}

/** A missing key is found out where it is needed: the doctor looks at the rest all the same. */
function readConfiguration(): { readonly config?: Config; readonly finding: Finding } {
  const about = { area: 'Configuration', name: 'environment' };
  try {
    const config = readConfig(process.env);
    return { config, finding: { ...about, level: 'ok', detail: 'Every variable is as it should be.' } };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return { finding: { ...about, level: 'problem', detail: error.message, remedy: error.remedy } };
  }
}

async function open(config: Config): Promise<{ readonly database?: Database; readonly finding?: Finding }> {
  const about = { area: 'Database', name: 'connection' };
  if (config.DATABASE_URL === undefined && !existsSync(join(config.DATA_DIR, 'postgres'))) {
    const detail = `There is no embedded database in "${config.DATA_DIR}" yet.`;
    return {
      finding: { ...about, level: 'warning', detail, remedy: 'Start the gateway, or set DATABASE_URL or DATA_DIR.' },
    };
  }
  try {
    return { database: await openDatabase({ databaseUrl: config.DATABASE_URL, dataDir: config.DATA_DIR }) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const isInUse = error.reason === 'data-dir-in-use';
    const remedy = isInUse
      ? 'Stop the gateway to have its database looked at; embedded storage is for one process.'
      : error.remedy;
    return { finding: { ...about, level: isInUse ? 'skipped' : 'problem', detail: error.message, remedy } };
  }
}

function secretKeyOf({ SECRET_KEY, DATA_DIR }: Config): string | undefined {
  return SECRET_KEY ?? readKeyFile(DATA_DIR);
}

try {
  await run();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 2;
}
