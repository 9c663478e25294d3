// What the console may weigh (bars of the design): measured on what the gateway serves.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const DIST = fileURLToPath(new URL('../../dist/console/', import.meta.url));
const KB = 1000;
const FIRST_SCREEN_MAX = 200 * KB;
const CHUNK_MAX = 25 * KB;
const CSS_MAX = 15 * KB;
const FORMS = ['microsoft365', 'scim', 'ldap', 'csv'].map((kind) => `pages/setup/${kind}.tsx`);
const FIRST_VISIT_MAX = 280 * KB;

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
  readonly dynamicImports?: readonly string[];
}

const manifestPath = `${DIST}.vite/manifest.json`;
const built = existsSync(manifestPath);
const missing = !built && process.env['CI'] !== 'true' ? 'the console is not built' : false;

describe('the weight of the console', { skip: missing }, () => {
  const manifest: Readonly<Record<string, Chunk>> = built ? JSON.parse(readFileSync(manifestPath, 'utf8')) : {};
  const zipped = (file: string): number => gzipSync(readFileSync(`${DIST}${file}`), { level: 9 }).length;
  const sum = (files: Iterable<string>): number => [...files].reduce((total, file) => total + zipped(file), 0);

  /** A chunk and everything that must be there before it runs. */
  function closure(name: string, found = new Set<string>()): Set<string> {
    const chunk = manifest[name];
    if (chunk === undefined || found.has(chunk.file)) return found;
    found.add(chunk.file);
    for (const needed of chunk.imports ?? []) closure(needed, found);
    return found;
  }

  const entry = Object.entries(manifest).find(([, { isEntry }]) => isEntry === true)?.[0] ?? '';
  const css = Object.values(manifest).flatMap(({ file }) => (file.endsWith('.css') ? [file] : []));

  it('loads at most 200 kB of script before any first screen', () => {
    const start = closure(entry);
    for (const page of manifest[entry]?.dynamicImports ?? []) {
      const own = closure(page, new Set(start));
      // Settings of a source cannot be shown without the forms of its kind: the largest of them counts.
      const forms = page.startsWith('pages/setup/') ? FORMS.map((kind) => sum(closure(kind, new Set(own)))) : [];
      const needed = Math.max(sum(own), ...forms);
      assert.ok(needed <= FIRST_SCREEN_MAX, `${page} needs ${needed} bytes`);
    }
  });

  it('adds at most 25 kB for any page', () => {
    // Libraries that pages share come after the first screen and count as none of them.
    for (const page of (manifest[entry]?.dynamicImports ?? []).filter((name) => name.startsWith('pages/'))) {
      const file = manifest[page]?.file ?? '';
      assert.ok(zipped(file) <= CHUNK_MAX, `${file} has ${zipped(file)} bytes`);
    }
  });

  it('has at most 15 kB of style', () => {
    assert.ok(css.length > 0);
    assert.ok(sum(css) <= CSS_MAX, `${sum(css)} bytes`);
  });

  it('needs at most 280 kB for a first visit, with the font', () => {
    const font = Object.values(manifest).find(({ file }) => /inter-latin-wght.*\.woff2$/.test(file))?.file ?? '';
    const total =
      sum(closure('pages/overview/overview.tsx', closure(entry))) + sum(css) + readFileSync(`${DIST}${font}`).length;
    assert.ok(total <= FIRST_VISIT_MAX, `${total} bytes`);
  });

  it('loads nothing from anywhere else', () => {
    const page = readFileSync(`${DIST}index.html`, 'utf8');
    assert.doesNotMatch(page, /https?:|style=|<style|<script(?![^>]*\ssrc=)/);
  });
});
