// scimmy's filter, resource constructors and PATCH are not safe with text from outside (DECISIONS.md), so they must not
// be within reach of any. Its other parts are used by one file, which hands on plain data.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';

const SOURCES = join(import.meta.dirname, '../../src');
const ONLY = 'scim/scimmy.ts';
const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.[cm]?[jt]sx?$/.test(file))
  .map((file) => ({ file, text: readFileSync(join(SOURCES, file), 'utf8') }));
const door = sources.find(({ file }) => file === ONLY)?.text ?? '';
/** Code without comments and strings. */
const code = door.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\/|'[^']*'/g, '');

it('one file imports scimmy', () => {
  assert.ok(sources.length > 100, 'the sources were found');
  const importing = sources.filter(({ text }) => /['"`]scimmy(-routers)?(\/[^'"`]*)?['"`]/.test(text));
  assert.deepEqual(
    importing.map(({ file }) => file),
    [ONLY],
  );
});

it('that file uses of scimmy what declares and describes, and nothing that reads', () => {
  const taken = /const \{([^}]*)\} = SCIMMY;/
    .exec(code)?.[1]
    ?.split(',')
    .map((name) => name.trim());
  assert.deepEqual(taken, ['Resources', 'Schemas', 'Types']);
  const used = new Set(
    [...code.matchAll(/\b(?:Resources|Schemas|Types|SCIMMY)\s*(?:\.\s*\w+|\[)/g)].map(([name]) => name),
  );
  assert.deepEqual([...used].sort(), [
    'Resources.Group',
    'Resources.User',
    'Resources.declare',
    'Schemas.EnterpriseUser',
    'Schemas.Group',
    'Schemas.User',
    'Types.Attribute',
    'Types.SchemaDefinition',
  ]);
  assert.equal(code.match(/\bSCIMMY\b/g)?.length, 2, 'the import, and what is taken from it');
  const made = [...code.matchAll(/\bnew\s+([\w.]+)/g)].map(([, name]) => name).filter((name) => name !== 'Map');
  assert.deepEqual([...new Set(made)].sort(), ['Types.Attribute', 'Types.SchemaDefinition']);
  assert.equal(/\.(match|coerce|read|write|patch|dispose|apply|ingress|egress|degress)\(/.exec(code), null);
});

it('that file hands on data, and functions that take no text', async () => {
  const handed = Object.entries(await import('#scim/scimmy.ts'));
  assert.deepEqual(
    handed.filter(([, value]) => typeof value === 'function').map(([name]) => name),
    [],
  );
  const plain = (value: unknown): boolean => {
    if (value instanceof Map) return [...value.values()].every(plain);
    if (typeof value !== 'object' || value === null) return typeof value !== 'function';
    const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
    return isPlain && Object.values(value).every(plain);
  };
  for (const [name, value] of handed) assert.ok(plain(value), name);
});

it('no other package that parses SCIM is installed', () => {
  const { dependencies } = JSON.parse(readFileSync(join(SOURCES, '../package.json'), 'utf8'));
  assert.deepEqual(
    Object.keys(dependencies).filter((name) => name.includes('scim')),
    ['scimmy'],
  );
});
