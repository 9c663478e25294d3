import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeInbound } from './support.ts';

/** Several times less than the records of the larger file would take. */
const ALLOWED_MB = 12;
const SCRIPT = fileURLToPath(new URL('./read-large.ts', import.meta.url));

it('needs no more memory for many lines than for few', async () => {
  const few = await aliveFor(1_000);
  const many = await aliveFor(60_000);
  assert.ok(many < few + ALLOWED_MB, `${many} MB were alive instead of ${few}`);
});

/** The most megabytes that were alive while so many lines were read. */
async function aliveFor(lines: number): Promise<number> {
  const options = ['--expose-gc', SCRIPT, makeInbound(), String(lines)];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  const { found, alive } = JSON.parse(stdout.split('\n')[0] ?? '');
  assert.deepEqual(found, { users: lines, groups: 500, members: lines });
  return alive;
}
