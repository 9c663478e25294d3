import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { describeEnvironment } from '#platform/config.ts';
import { troubleshooting } from '../../tools/error-codes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

describe('the documentation', () => {
  it('lists every code that the source can answer (npm run fix writes it)', () => {
    assert.equal(read('docs/troubleshoot.md'), troubleshooting());
  });

  it('leads nowhere that is not there', () => {
    for (const page of PAGES)
      for (const [, link = ''] of read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g))
        assert.ok(existsSync(join(ROOT, dirname(page), link)), `${page}: ${link}`);
  });

  it('has an index that leads to every page, and README leads to the index', () => {
    const index = read('docs/README.md');
    for (const page of PAGES.filter((one) => one.startsWith('docs/') && one !== 'docs/README.md'))
      assert.ok(index.includes(`(${page.slice(5)})`), page);
    assert.ok(read('README.md').includes('(docs/README.md)'));
  });

  it('names every variable with its default, and every command that it names is there', () => {
    const table = read('README.md');
    for (const { name, fallback } of describeEnvironment()) {
      const row = table.split('\n').find((line) => line.startsWith('|') && line.includes(`\`${name}\``));
      assert.ok(row?.includes(fallback), `${name}: ${fallback}`);
    }
    const { scripts } = JSON.parse(read('package.json'));
    for (const page of PAGES)
      for (const [, script = ''] of read(page).matchAll(/npm run ([a-z]+)/g))
        assert.ok(script in scripts, `${page}: ${script}`);
  });
});
