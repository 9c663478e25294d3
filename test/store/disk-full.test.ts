// The disk of the embedded database fills up, and there is room again. On a file system of its own, which only root may make.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { UnavailableError } from '#core/errors.ts';
import { openDatabase, sql } from '#store/database.ts';
import { translateDatabaseError } from '#store/database-errors.ts';
import { makeFolder } from '../support/database.ts';

const folder = makeFolder();
// Before the folder is removed, which comes with the end of the process too.
process.prependOnceListener('exit', () => {
  if (skip === false) spawnSync('umount', ['-l', folder]);
});
const mount = (options: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status === 0;
const skip = process.platform === 'linux' && mount('size=100m') ? false : 'no file system can be mounted here';

it('a full disk is said to be full, and nothing acknowledged is lost', { skip }, async () => {
  const dataDir = join(folder, 'data');
  const template = process.env['TEST_EMBEDDED_TEMPLATE'];
  if (template) cpSync(template, dataDir, { recursive: true });
  const database = await openDatabase({ dataDir });
  const db = database.knex;
  await sql(db, 'create table filled (n int primary key, pad text)');
  let acknowledged = 0;
  const insert = async (): Promise<void> => {
    const pad = `(select string_agg(md5(random()::text || i), '') from generate_series(1, 30000) i)`;
    await sql(db, `insert into filled values (?, ${pad})`, [acknowledged + 1]);
    acknowledged += 1;
  };
  const full = async (): Promise<unknown> => {
    for (;;) {
      try {
        await insert();
      } catch (error) {
        return error;
      }
    }
  };
  const unavailable = (error: unknown): undefined => {
    assert.ok(translateDatabaseError(error) instanceof UnavailableError, String(error));
    return undefined;
  };
  const error = await full();
  const told = translateDatabaseError(error);
  assert.ok(told instanceof UnavailableError, String(error));
  assert.ok(acknowledged > 0);
  assert.equal(spawnSync('mount', ['-o', 'remount,size=600m', folder]).status, 0);
  const there = async (): Promise<{ n: number; last: number }> =>
    (await sql(db, 'select count(*)::int as n, max(n) as last from filled')).rows[0];
  // A log that cannot be written is the end of the engine; the next query opens it again.
  let counted = await there().catch(unavailable);
  while (counted === undefined) counted = await there().catch(unavailable);
  assert.ok(counted.n >= acknowledged, `${counted.n} of ${acknowledged}`);
  acknowledged = counted.last;
  await insert();
  assert.equal((await there()).last, acknowledged);
  await database.close();
});
