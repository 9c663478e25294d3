import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeSecretKey, readKeyFile, writeKeyFile } from '#platform/key-file.ts';
import { makeFolder } from '../support/database.ts';

it('the key beside the data is there whole, for its owner alone, and what is none is said to be none', () => {
  const folder = makeFolder();
  const path = join(folder, 'secret.key');
  assert.equal(readKeyFile(folder), undefined);
  const key = makeSecretKey();
  writeKeyFile(folder, key);
  assert.equal(readKeyFile(folder), key);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.deepEqual(readdirSync(folder), ['secret.key']);
  for (const broken of ['', '\n', key.slice(0, 20)]) {
    // As a disk that is full leaves it.
    writeFileSync(path, broken);
    assert.throws(() => readKeyFile(folder), { reason: 'key-file-broken' });
  }
});
