import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, afterEach, describe, it } from 'node:test';
import pg from 'pg';
import { ConfigError } from '#core/errors.ts';
import { type Embedded, type EmbeddedOptions, openEmbedded } from '#store/embedded/embedded.ts';
import { ended, startScript } from '../support/child.ts';
import { makeDataDir, makeFolder } from '../support/database.ts';
import { unprivilegedAccount } from '../support/postgres-server.ts';

const opened: Embedded[] = [];

/** In a folder that was made before, since to make one takes some seconds. */
async function open(options: EmbeddedOptions = {}): Promise<Embedded> {
  const embedded = await openEmbedded({ dataDir: await makeDataDir(), ...options });
  opened.push(embedded);
  return embedded;
}

async function connect(embedded: Embedded): Promise<pg.Client> {
  const client = new pg.Client({ stream: () => embedded.connect(), user: 'postgres', database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const refusal = (reason: string) => (error: unknown) => error instanceof ConfigError && error.reason === reason;

const OPEN = `
  import { openEmbedded } from '#store/embedded/embedded.ts';
  import pg from 'pg';
  const embedded = await openEmbedded({ dataDir: process.env.FOLDER });
  const client = new pg.Client({ stream: () => embedded.connect(), user: 'postgres', database: 'postgres' });
  await client.connect();`;

afterEach(async () => {
  for (const embedded of opened.splice(0)) await embedded.close();
});

describe('the single connection', () => {
  it('answers each of many queries sent at once with its own rows, in memory too', async () => {
    const client = await connect(await open({ dataDir: undefined }));
    const numbers = Array.from({ length: 500 }, (_, index) => index);
    const text = 'x'.repeat(1_000_000);
    const small = numbers.map((n) => client.query('select $1::int as n', [n]));
    const large = client.query('select length($1::text) as n', [text]);
    const more = numbers.map((n) => client.query(`select ${n} as n`));
    const answers = await Promise.all([...small, large, ...more]);
    assert.deepEqual(
      answers.map(({ rows }) => rows[0].n),
      [...numbers, 1_000_000, ...numbers],
    );
    await client.end();
  });

  it('goes on after an error in the middle of a batch', async () => {
    const client = await connect(await open());
    const results = await Promise.allSettled([
      client.query('select $1::int as n', [1]),
      client.query('select $1::int as n', ['no number']),
      client.query('select nothing from nowhere where $1', [1]),
      client.query('select $1::int as n', [2]),
    ]);
    assert.deepEqual(
      results.map((result) => (result.status === 'fulfilled' ? result.value.rows[0].n : result.reason.code)),
      [1, '22P02', '42P01', 2],
    );
    await client.end();
  });

  it('leaves the event loop free while a statement runs', async () => {
    const client = await connect(await open());
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 5);
    // A busy machine gives each tick more than its time, and the statement as well: what holds the loop leaves none.
    const startedAt = performance.now();
    await client.query('select count(*) from generate_series(1, 3000000)');
    const took = performance.now() - startedAt;
    clearInterval(timer);
    assert.ok(ticks >= 10, `${ticks} ticks in ${Math.round(took)} ms`);
    await client.end();
  });

  it('begins clean when a new stream takes over from one in a transaction', async () => {
    const embedded = await open();
    const first = await connect(embedded);
    await first.query('create table kept (n int)');
    await first.query('set application_name = leaked');
    await first.query('begin');
    await first.query('insert into kept values (1)');
    const late = first.query('select 1').catch(() => 'never answered');
    const second = await connect(embedded);
    assert.equal((await second.query('select count(*)::int as n from kept')).rows[0].n, 0);
    assert.notEqual((await second.query('show application_name')).rows[0].application_name, 'leaked');
    await first.end();
    await late;
    assert.equal((await second.query('select 2 as n')).rows[0].n, 2);
    await second.end();
  });
});

describe('upkeep', () => {
  const checkpoint = async (client: pg.Client): Promise<string> =>
    (await client.query('select checkpoint_lsn as lsn from pg_control_checkpoint()')).rows[0].lsn;

  it('checkpoints after the given time', async () => {
    const client = await connect(await open({ checkpointEveryMs: 100 }));
    const before = await checkpoint(client);
    await client.query('create table filled as select generate_series(1, 1000) as n');
    while ((await checkpoint(client)) === before) await new Promise((resolve) => setImmediate(resolve));
    await client.end();
  });

  it('checkpoints after 64 MB of WAL, however soon', async () => {
    const client = await connect(await open({ checkpointEveryMs: 3_600_000 }));
    const before = await checkpoint(client);
    await client.query('create table filled (n int, pad text)');
    while ((await checkpoint(client)) === before)
      await client.query(`insert into filled select n, repeat('x', 900) from generate_series(1, 10000) as n`);
    const { rows } = await client.query('select pg_wal_lsn_diff(pg_current_wal_lsn(), $1)::int as bytes', [before]);
    assert.ok(rows[0].bytes > 64 * 1024 * 1024, `${rows[0].bytes} bytes`);
    await client.end();
  });

  it('frees dead rows when asked, once the transaction has ended', async () => {
    const embedded = await open();
    const client = await connect(embedded);
    await client.query('create table filled as select generate_series(1, 5000) as n');
    await client.query('begin');
    await client.query('delete from filled');
    embedded.vacuum();
    await client.query('commit');
    const { rows } = await client.query(
      `select vacuum_count::int as n from pg_stat_user_tables where relname = 'filled'`,
    );
    assert.deepEqual(rows, [{ n: 1 }]);
    await client.end();
  });

  it('vacuums by itself a table with many dead rows', async () => {
    const client = await connect(await open({ checkpointEveryMs: 100 }));
    await client.query('create table filled as select generate_series(1, 5000) as n');
    await client.query('delete from filled');
    const vacuumed = async (): Promise<boolean> =>
      (await client.query(`select last_vacuum is not null as done from pg_stat_user_tables where relname = 'filled'`))
        .rows[0].done;
    while (!(await vacuumed())) await new Promise((resolve) => setImmediate(resolve));
    await client.end();
  });
});

describe('the folder', () => {
  it('is refused to a second process, and to this one, while it is open', async () => {
    const dataDir = await makeDataDir();
    await open({ dataDir });
    await assert.rejects(openEmbedded({ dataDir }), refusal('data-dir-in-use'));
    // After the attempt above: a lock of POSIX is lost when any descriptor of its file is closed.
    const other = await ended(startScript(OPEN, { FOLDER: dataDir }));
    assert.notEqual(other.code, 0);
    assert.match(other.err, /is in use by another process/);
  });

  it('is free again after close, with its rows', async () => {
    const dataDir = await makeDataDir();
    const first = await open({ dataDir });
    const client = await connect(first);
    await client.query('create table kept as select 7 as n');
    await client.end();
    await first.close();
    const again = await connect(await open({ dataDir }));
    assert.equal((await again.query('select n from kept')).rows[0].n, 7);
    await again.end();
  });

  it('is readable by its owner only', async () => {
    const dataDir = join(makeFolder(), 'new');
    const client = await connect(await open({ dataDir }));
    await client.query('create table filled as select generate_series(1, 1000) as n');
    const entries = readdirSync(dataDir, { recursive: true, encoding: 'utf8' });
    const shared = entries.filter((name) => (lstatSync(join(dataDir, name)).mode & 0o077) !== 0);
    assert.deepEqual(shared, []);
    assert.ok(entries.length > 500);
    await client.end();
  });

  it('that cannot be made is named', async () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    await assert.rejects(openEmbedded({ dataDir: join(file, 'data') }), refusal('data-dir-not-writable'));
  });

  it('that cannot be written is named', async () => {
    const dataDir = join(makeFolder(), 'closed');
    mkdirSync(dataDir, { mode: 0o500 });
    // Root may write anywhere, so it is somebody else for a moment.
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) process.seteuid?.(unprivilegedAccount().uid);
    try {
      await assert.rejects(openEmbedded({ dataDir }), refusal('data-dir-not-writable'));
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it('with a broken database is named, left as it is, and not held', async () => {
    const dataDir = makeFolder();
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '7\n');
    await assert.rejects(openEmbedded({ dataDir }), refusal('data-dir-broken'));
    await assert.rejects(openEmbedded({ dataDir }), refusal('data-dir-broken'));
    assert.ok(existsSync(join(dataDir, 'postgres', 'PG_VERSION')));
  });

  it('left half made by a kill is made again', async () => {
    const dataDir = makeFolder();
    const child = startScript(OPEN, { FOLDER: dataDir });
    after(() => child.kill('SIGKILL'));
    while (!existsSync(join(dataDir, 'postgres', 'PG_VERSION')) && child.exitCode === null)
      await new Promise((resolve) => setImmediate(resolve));
    child.kill('SIGKILL');
    await ended(child);
    const client = await connect(await open({ dataDir }));
    assert.equal((await client.query('select 1 as n')).rows[0].n, 1);
    await client.end();
  });
});

it('loses nothing acknowledged when its writer is killed', async () => {
  const dataDir = await makeDataDir();
  const writer = `${OPEN}
    await client.query('create table if not exists written (n int primary key)');
    const { rows } = await client.query('select coalesce(max(n), 0) as n from written');
    for (let n = rows[0].n + 1; ; n += 1) {
      await client.query('begin');
      await client.query('insert into written values ($1)', [n]);
      await client.query('commit');
      console.log(n);
    }`;
  let acknowledged = 0;
  for (const rounds of [50, 120, 300]) {
    const child = startScript(writer, { FOLDER: dataDir });
    const over = ended(child);
    let seen = 0;
    assert.ok(child.stdout);
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line);
      seen += 1;
      if (seen === rounds) child.kill('SIGKILL');
    }
    await over;
    assert.ok(seen >= rounds, `${seen} rows`);
  }
  const client = await connect(await open({ dataDir }));
  const { rows } = await client.query('select count(*)::int as n, max(n) as last from written');
  assert.ok(rows[0].last >= acknowledged, `${rows[0].last} of ${acknowledged}`);
  assert.equal(rows[0].n, rows[0].last);
  await client.end();
});
