import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { shippedPackages } from '../tools/licences.ts';

/** Those that ask no more than to be named. */
const FREE = new Set([
  'MIT',
  'ISC',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  '0BSD',
  'MIT-0',
  'BlueOak-1.0.0',
  'Unlicense',
]);

describe('what ships', () => {
  const shipped = shippedPackages();

  it('has a licence that a company may use', () => {
    assert.ok(shipped.length > 50);
    for (const { name, licence } of shipped)
      assert.ok(
        licence
          .replace(/[()]/g, '')
          .split(' OR ')
          .some((one) => FREE.has(one)),
        `${name}: ${licence}`,
      );
  });

  it('is the archive that was looked at', () => {
    for (const { name, hasIntegrity } of shipped) assert.ok(hasIntegrity, name);
    const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies }))
      assert.match(String(version), /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${name} is pinned`);
  });

  it('runs in its image as nobody special, without scripts of packages', () => {
    const file = readFileSync('Dockerfile', 'utf8');
    assert.match(file, /^USER node$/m);
    for (const line of file.match(/^RUN npm ci.*$/gm) ?? []) assert.match(line, /--ignore-scripts/);
  });
});
