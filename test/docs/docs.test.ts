import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { z } from 'zod';
import { renderReference } from '#admin/api-reference.ts';
import { DEFAULT_GUARD } from '#core/guard.ts';
import { REASONS } from '#core/reasons.ts';
import { PROVIDER_KINDS } from '#core/resource.ts';
import { describeEnvironment } from '#platform/config.ts';
import { Settings as Csv, parseSettings as parseCsv } from '#providers/csv/settings.ts';
import { Settings as Ldap, parseSettings as parseLdap } from '#providers/ldap/settings.ts';
import { Settings as Microsoft365, parseSettings as parseMicrosoft365 } from '#providers/microsoft365/settings.ts';
import { parseSettings as parseScim, Settings as Scim } from '#providers/scim/settings.ts';
import { parseSettings as parsePush } from '#targets/scim-app/settings.ts';
import { KOREAN_ERRORS, KOREAN_REMEDIES } from '../../src/console/app/korean-errors.ts';
import { sentenceInKorean } from '../../src/console/app/korean-sentences.ts';
import { settingName, settingValue } from '../../src/console/pages/setup/setting-words.ts';
import { errorCodes, troubleshooting } from '../../tools/error-codes.ts';
import { findSentences } from '../../tools/find-sentences.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)];
const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** As GitHub names them in links. */
function headingsOf(page: string): string[] {
  const headings = [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text.toLowerCase());
  return headings.map((text) => text.replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'));
}

const DEMANDING = [
  ...['scope/scope', 'explain'].map((name) => `providers/microsoft365/${name}.ts`),
  ...['providers/scim/explain.ts', 'providers/csv/to-scim.ts', 'core/field-records.ts'],
];
const TESTING = [
  ...['checks', 'sign-in/permissions', 'preflight', 'read/selected-groups'].map(
    (name) => `providers/microsoft365/${name}.ts`,
  ),
  ...['providers/ldap/checks.ts', 'providers/csv/checks.ts', 'providers/scim/index.ts'],
  ...['core/check.ts', 'admin/pushed-provider.ts'],
];

/** Of settings, at every depth. */
function namesIn(settings: unknown): string[] {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) return [];
  return Object.entries(settings).flatMap(([name, value]) => [name, ...namesIn(value)]);
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly const?: string;
}

/** What can be set at each path, whatever else is chosen; a list is one setting. */
function leavesOf(
  schema: JsonSchema,
  path = '',
): readonly { readonly path: string; readonly values: readonly string[] }[] {
  const { properties, anyOf = [], oneOf = [], items, enum: choices = [], const: only } = schema;
  const ways = [...anyOf, ...oneOf];
  if (ways.length > 0) return ways.flatMap((way) => leavesOf(way, path));
  if (properties !== undefined)
    return Object.entries(properties).flatMap(([name, below]) =>
      leavesOf(below, path === '' ? name : `${path}.${name}`),
    );
  return [{ path, values: [...(items?.enum ?? []), ...choices, ...(only === undefined ? [] : [only])] }];
}

describe('the documentation', () => {
  it('lists every code that the source can answer (npm run fix writes it)', () => {
    assert.equal(read('docs/troubleshoot.md'), troubleshooting());
  });

  it('finds codes also where a function is handed one, in tables and constants, and each of two with its own words', () => {
    const rows = new Map(
      troubleshooting()
        .split('\n')
        .map((row) => [row.split('`')[1], row]),
    );
    for (const code of ['state-elsewhere', 'client-secret-expired', 'target-conflict', 'request-refused'])
      assert.ok(rows.get(code), code);
    assert.match(rows.get('server-busy') ?? '', /Run again later/);
    assert.doesNotMatch(rows.get('server-failed') ?? 'Run again later', /Run again later/);
  });

  it('has every code in Korean as well, for the console', () => {
    for (const code of errorCodes())
      for (const said of KOREAN_ERRORS[code] ?? ['']) assert.match(said ?? '', /[가-힣].*\.|https?:/, code);
  });

  it('has in Korean what to do about every reason about which something can be done', () => {
    const { remedy: nothing } = REASONS.InScope;
    for (const [code, { remedy }] of Object.entries(REASONS))
      assert.equal(remedy === nothing, KOREAN_REMEDIES[code] === undefined, code);
  });

  it('says in Korean as well what the doctor finds, what a scope demands and what a connection test says', () => {
    // The command says some more, on the command line.
    const found = readdirSync(join(ROOT, 'src/doctor')).filter((name) => name !== 'main.ts');
    const said = [
      ...found.map((name) => findSentences(read(`src/doctor/${name}`), ['detail', 'remedy'])),
      ...DEMANDING.map((name) => findSentences(read(`src/${name}`), ['demands'])),
      ...TESTING.map((name) => findSentences(read(`src/${name}`), ['detail', 'problem', 'remedy'], true)),
    ].flat();
    assert.ok(said.length > 150, `${said.length} sentences`);
    const missing = said.filter((sentence) => !/[가-힣]/.test(sentenceInKorean(sentence) ?? ''));
    assert.deepEqual(missing, []);
  });

  it('finds sentences in every branch of a template, and says what it cannot read', () => {
    const source = `const end = far ? \`\${n} away\` : 'here'; export const x = { detail: \`It is \${end}.\` };`;
    assert.deepEqual(findSentences(source, ['detail']), ['It is 7 away.', 'It is here.']);
    assert.throws(
      () => findSentences(`export const x = { detail: turn('there it is', 2) };`, ['detail']),
      /cannot be told/,
    );
  });

  it('has a name for every setting of a source and words for every value that can be chosen, in both languages', () => {
    for (const [kind, settings] of [
      ['microsoft365', Microsoft365],
      ['ldap', Ldap],
      ['csv', Csv],
      ['scim', Scim],
    ] as const) {
      const schema = z.toJSONSchema(settings, { io: 'input', unrepresentable: 'any' });
      const names = new Map<string, string>();
      for (const { path, values } of leavesOf(schema as JsonSchema)) {
        const [english = '', korean = ''] = settingName(kind, path) ?? [];
        assert.match(english, /[a-z]/, `${kind}: ${path}`);
        assert.match(korean, /[가-힣]/, `${kind}: ${path}`);
        assert.ok([undefined, path].includes(names.get(english)), `${kind}: "${english}" is the name of two settings`);
        names.set(english, path);
        for (const value of values) assert.ok(settingValue(kind, path, value), `${kind}: ${path}: ${value}`);
      }
      assert.ok(names.size > 8, kind);
    }
  });

  it('leads nowhere that is not there, to no heading that is not there either', () => {
    for (const page of PAGES)
      for (const [, link = '', heading] of read(page).matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
        const place = link === '' ? page : join(dirname(page), link);
        assert.ok(existsSync(join(ROOT, place)), `${page}: ${link}`);
        if (heading !== undefined) assert.ok(headingsOf(place).includes(heading), `${page}: ${link}#${heading}`);
      }
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
      const row = table.split('\n').find((line) => line.split('|')[1]?.includes(`\`${name}\``));
      assert.ok(row?.includes(fallback), `${name}: ${fallback}`);
    }
    const { scripts } = JSON.parse(read('package.json'));
    for (const page of PAGES)
      for (const [, script = ''] of read(page).matchAll(/npm run ([a-z]+)/g))
        assert.ok(script in scripts, `${page}: ${script}`);
  });

  it('names every setting of a source and of a push target', () => {
    const account = { tenantId: 'contoso.com', clientId: 'x', credential: { kind: 'clientSecret', secret: 'x' } };
    const shared = `${read('docs/microsoft365.md')}${read('docs/scope.md')}`;
    for (const [page, settings] of [
      ['docs/microsoft365.md', parseMicrosoft365(account)],
      ['docs/ldap.md', parseLdap({ preset: 'openldap', url: 'ldaps://example.com', users: { base: 'dc=example' } })],
      ['docs/csv.md', parseCsv({})],
      ['docs/inbound-scim.md', parseScim({})],
      ['docs/targets.md', parsePush({ baseUrl: 'https://example.com', auth: { kind: 'none' } })],
    ] as const) {
      const said = page === 'docs/targets.md' ? read(page) : `${read(page)}${shared}`;
      for (const name of namesIn(settings))
        assert.match(said, new RegExp(`\`[^\`\\n]*\\b${name}\\b`), `${page}: ${name}`);
    }
  });

  it('says each limit of the guard with its default', () => {
    const rows = read('docs/guard.md').split('\n');
    for (const [name, value] of Object.entries(DEFAULT_GUARD)) {
      const row = rows.find((line) => line.startsWith(`| \`${name}\``));
      if (value === null || typeof value === 'object') assert.ok(row, name);
      else assert.match(row ?? '', new RegExp(`^\\S+ \\S+ +\\| \`?${value}\`? +\\|`), name);
    }
  });
});

describe('the API reference', () => {
  const api = parse(read('openapi.yaml'));
  const page = renderReference(api);

  it('has every call, and leads to each noun', () => {
    for (const [path, calls] of Object.entries<object>(api.paths))
      for (const method of Object.keys(calls))
        if (method !== 'parameters')
          assert.ok(page.includes(`<b>${method.toUpperCase()}</b> ${path}<`), `${method} ${path}`);
    for (const [, noun] of page.matchAll(/<h2 id="([^"]+)"/g)) assert.ok(page.includes(`<a href="#${noun}">`), noun);
  });

  it('says what a call takes and answers, also where the document refers to it', () => {
    const [, call = ''] = page.split('<b>POST</b> /sync-runs<');
    const article = call.slice(0, call.indexOf('</article>'));
    assert.match(article, /<code>mode<\/code><\/td><td>incremental \| full/);
    assert.match(article, /<li>401 No valid bearer token/);
    assert.match(page, /<code>subject<\/code><\/td><td>string, required</);
  });

  it('describes the settings of each source field by field, and leads there from the calls that take them', () => {
    const [, call = ''] = page.split('<b>PUT</b> /providers/{kind}<');
    for (const kind of PROVIDER_KINDS) {
      assert.ok(call.slice(0, call.indexOf('</article>')).includes(`<a href="#settings-of-${kind}">`), kind);
      assert.ok(page.includes(`<article id="settings-of-${kind}">`), kind);
    }
    assert.match(
      page,
      /<code>scope\.onLeaveScope<\/code><\/td><td>deactivate \| delete \| keep<.*Default: &quot;deactivate&quot;/,
    );
    assert.match(page, /<code>credential\.kind<\/code><\/td><td>&quot;clientSecret&quot; or &quot;certificate&quot;/);
    assert.match(page, /<code>destination\.rules\[\]\.filter<\/code>/);
  });

  it('lets no text of the document become markup', () => {
    const text = '<img src=x onerror="alert(1)">';
    const hostile = renderReference({
      paths: {
        [`/${text}`]: {
          get: {
            summary: text,
            parameters: [{ name: text, in: 'query', description: text, schema: { enum: [text], default: text } }],
            requestBody: { content: { a: { schema: { properties: { [text]: { $ref: `#/paths` } } } } } },
            responses: { [text]: { description: text } },
          },
        },
      },
    });
    assert.ok(!hostile.includes('<img'));
  });
});
