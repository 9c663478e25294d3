import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { makeInbound } from './support.ts';

/** Less than the records of the larger file take beside the program itself. */
const HEAP_MB = 36;
const SCRIPT = fileURLToPath(new URL('./read-large.ts', import.meta.url));

it('needs no more memory for many lines than for few', async () => {
  for (const lines of [1_000, 60_000]) {
    const options = [`--max-old-space-size=${HEAP_MB}`, SCRIPT, makeInbound(), String(lines)];
    const { stdout } = await promisify(execFile)(process.execPath, options);
    assert.deepEqual(JSON.parse(stdout.split('\n')[0] ?? ''), { users: lines, groups: 500, members: lines });
  }
});
