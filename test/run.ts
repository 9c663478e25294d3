// `npm test`: brings a real PostgreSQL along, makes one migrated template for each database, and runs every test file
// (or those named as arguments: files or folders) with Node's own runner. Settings, all optional:
// TEST_DATABASE_URL  a server on which databases may be created, instead of the one brought along
// TEST_POOL_MAX      connections per pool on PostgreSQL; 1 finds queries outside their transaction
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../src/store/database.ts';
import { migrate } from '../src/store/schema/migrate.ts';
import { createDatabase, dropDatabase } from './support/postgres-databases.ts';
import { startPostgres } from './support/postgres-server.ts';

type Environment = Record<string, string>;

const CONCURRENCY = 2;
/** Of each random test, when they run for minutes. */
const FUZZ_SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 0);
/** A test, or a suite, that has not ended by then never will. */
const TIMEOUT_MS = 1_500_000 + FUZZ_SECONDS * 30_000;
/**
 * Of these V8 dies by itself; a heap that is full ends by SIGABRT. It loses count of WebAssembly's code now and then
 * (nodejs/node#64500), most often where many embedded databases come and go in one process, which only tests do.
 */
const CRASHES = new Set<unknown>(['SIGSEGV', 'SIGTRAP', 'SIGILL']);
/** What Node compiled once, so that some hundred processes need not: half of the time that a gateway takes to start. */
const COMPILED: Environment = { NODE_COMPILE_CACHE: join(import.meta.dirname, '../node_modules/.cache/compiled') };

// As root the server runs as another user, who must get through to its folder.
const home = process.getuid?.() === 0 ? '/tmp' : tmpdir();
const folder = mkdtempSync(join(home, 'sluice-test-'));
chmodSync(folder, 0o711);
const CRASH_REPORTER = join(import.meta.dirname, 'support/crash-reporter.ts');
const FAILURES = join(folder, 'failures');
const undo: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];

/** A migrated folder that a test copies, which takes a twentieth of a second. */
async function embeddedTemplate(): Promise<Environment> {
  const dataDir = join(folder, 'embedded');
  const database = await openDatabase({ dataDir });
  await migrate(database);
  await database.close();
  mkdirSync(join(folder, 'work'));
  return { TEST_EMBEDDED_TEMPLATE: dataDir, TEST_FOLDER: join(folder, 'work') };
}

async function postgresTemplate(): Promise<Environment> {
  const url = process.env['TEST_DATABASE_URL'] || (await bringPostgres());
  if (url === undefined) return { TEST_DATABASE_URL: '' };
  const name = `sluice_test_${process.pid}_template`;
  undo.unshift(() => dropDatabase(url, name));
  const database = await openDatabase({ databaseUrl: await createDatabase(url, name) });
  await migrate(database);
  await database.close();
  return { TEST_DATABASE_URL: url, TEST_POSTGRES_TEMPLATE: name };
}

async function bringPostgres(): Promise<string | undefined> {
  try {
    const server = await startPostgres(folder);
    undo.unshift(() => server.stop());
    return server.url;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (process.env['CI'] === 'true') throw new Error(`PostgreSQL for the tests cannot run here: ${why}`);
    console.error(`\nPostgreSQL cannot run on ${process.platform} ${process.arch} here, its half is skipped: ${why}\n`);
    return undefined;
  }
}

/** Runs what is named. Where nothing failed but that the engine crashed below some files, those run once more, said aloud. */
async function runTests(environment: Environment): Promise<number> {
  const given = process.argv.slice(2);
  const flags = given.filter((argument) => argument.startsWith('-'));
  const named = given.filter((argument) => !argument.startsWith('-')).map(patternOf);
  const code = await runNode([...flags, ...(named.length > 0 ? named : ['test/**/*.test.ts'])], environment);
  const failures = (existsSync(FAILURES) ? readFileSync(FAILURES, 'utf8') : '').split('\n').filter(Boolean);
  const failed: { file?: string; signal?: string }[] = failures.map((line) => JSON.parse(line));
  for (const { file, signal } of failed) if (signal !== undefined) console.error(`\n${file} died of ${signal}.`);
  if (code === 0 || failed.length === 0 || !failed.every(({ signal }) => CRASHES.has(signal))) return code;
  console.error('\nNothing else failed: Node itself crashed. What it left is run once more:\n');
  return await runNode([...flags, ...failed.flatMap(({ file }) => file ?? [])], environment);
}

function runNode(rest: readonly string[], environment: Environment): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      '--disable-proto=delete',
      '--test',
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${CRASH_REPORTER}`, `--test-reporter-destination=${FAILURES}`],
      `--test-concurrency=${CONCURRENCY}`,
      `--test-timeout=${TIMEOUT_MS}`,
      // The timeout is for tests, not for files: one that failed and left a server open would hold the run for ever.
      '--test-force-exit',
      ...rest,
    ],
    { stdio: 'inherit', env: { ...process.env, ...environment } },
  );
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

function patternOf(argument: string): string {
  const isFolder = statSync(argument, { throwIfNoEntry: false })?.isDirectory() === true;
  return isFolder ? `${argument.replace(/\/+$/, '')}/**/*.test.ts` : argument;
}

try {
  const [embedded, postgres] = await Promise.all([embeddedTemplate(), postgresTemplate()]);
  process.exitCode = await runTests({ ...COMPILED, ...embedded, ...postgres });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  for (const step of undo) await step();
}
