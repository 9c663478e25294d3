import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { InputError } from '#core/errors.ts';
import { matches, parseFilter, parsePath } from '#core/filter.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { anyFilter, printFilter } from '../support/filters.ts';

const ada = {
  userName: 'Ada@Contoso.example',
  externalId: 'Ext-1',
  active: true,
  title: 'Engineer "first class"',
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [
    { type: 'work', value: 'ada@contoso.example', primary: true },
    { type: 'other', value: 'countess@lovelace.example' },
  ],
  meta: { lastModified: '2026-11-24T09:00:00.000Z', location: 'https://a.example/Users/1' },
  x509Certificates: [{ value: 'QUJD', type: 'work' }],
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': { department: 'Analytical Engine' },
};

const yes = [
  'userName eq "ADA@contoso.EXAMPLE"',
  'externalId eq "Ext-1"',
  'not (externalId eq "ext-1")',
  'active eq TRUE',
  'title eq "engineer \\"first class\\""',
  'name.familyName sw "love" and name.givenName ew "a"',
  '(title pr or nickName pr) and not (nickName pr)',
  'emails[type eq "work" and value co "contoso"]',
  'emails[type eq "other"].value eq "countess@lovelace.example"',
  'emails.type eq "other" and emails.primary eq true',
  'emails co "lovelace"',
  'nickName ne "x"',
  'nickName eq null',
  'title ne null',
  'meta.lastModified gt "2026-11-24T10:00:00+02:00"',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "analytical engine"',
  'urn:ietf:params:scim:schemas:core:2.0:User:userName pr',
  'USERNAME pr and (active eq true)',
  'name[givenName eq "ada"]',
  'EXTERNALID eq "Ext-1"',
  'emails[primary eq false]',
  'emails.primary eq false',
  'emails[type eq "other" and primary ne true]',
  'emails.primary ne true and emails.primary eq true',
  'emails[type eq "other" and not (primary pr)]',
  'x509Certificates.value eq "QUJD"',
  'x509Certificates eq "QUJD"',
  'X509CERTIFICATES[VALUE eq "QUJD" and type eq "WORK"]',
  'meta[location eq "https://a.example/Users/1" and created eq null]',
];
const no = [
  'userName eq "ada"',
  'externalId eq "ext-1"',
  'emails[type eq "other" and primary eq true]',
  'not (active eq true or active eq false)',
  'nickName pr',
  'active eq "true"',
  'userName gt "b"',
  'emails[type eq "work" and primary eq false]',
  'emails[type eq "other" and primary ne false]',
  'phoneNumbers.primary eq false',
  'phoneNumbers[primary eq false]',
  'x509Certificates.value eq "qujd"',
  'x509Certificates eq "qujd"',
  'x509Certificates[value eq "qujd"]',
  'meta[location eq "https://A.example/Users/1"]',
  'emails[type eq "work"].value eq "countess@lovelace.example"',
];
const broken = [
  '',
  'userName',
  'userName eq',
  'userName xx "a"',
  'userName eq "a" "b"',
  'userName pr "a"',
  '(userName pr',
  'userName pr)',
  'userName eq "a',
  'userName eq "\\x"',
  'userName eq a',
  'and userName pr',
  'userName pr and',
  'emails[type eq "work"',
  '()',
  'not userName pr',
  'a.b.c pr',
  '__proto__.x eq "y"',
  'name.__proto__ eq "y"',
  'constructor pr',
  'userName eq "\\u0000"',
  'userName eq "\\ud800"',
];

describe('filters', () => {
  for (const text of yes) it(`matches: ${text}`, () => assert.equal(matches(parseFilter(text), ada), true));
  for (const text of no) it(`does not match: ${text}`, () => assert.equal(matches(parseFilter(text), ada), false));
  for (const text of broken)
    it(`refuses: ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => parseFilter(text),
        (error) => error instanceof InputError && error.scimType === 'invalidFilter',
      );
    });

  it('bounds length, depth and terms', () => {
    for (const text of [
      `userName eq "${'a'.repeat(100_000)}"`,
      `${'('.repeat(200)}a pr${')'.repeat(200)}`,
      Array(10_000).fill('a pr').join(' or '),
    ])
      assert.throws(() => parseFilter(text), InputError);
    assert.throws(() => parseFilter(`a eq "${'\\a'.repeat(8_000)}`), InputError);
  });

  it('throws nothing but InputError, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.stringMatching(/^[a-z ()[\]"\\.:]{0,60}$/), fc.mixedCase(fc.constantFrom(...yes))),
        (text) => {
          try {
            matches(parseFilter(text), ada);
          } catch (error) {
            assert.ok(error instanceof InputError, String(error));
          }
        },
      ),
    );
  });

  it('are read back as they were written, whatever the case and the spaces', () => {
    const literals = { 'meta.created': ['2026-11-25T10:00:00Z'], 'meta.lastModified': ['2026-11-25T10:00:00Z'] };
    fc.assert(
      fc.property(anyFilter(RESOURCE_SCHEMAS.User, literals), fc.infiniteStream(fc.boolean()), (filter, coins) => {
        const toss = (): boolean => coins.next().value === true;
        const text = printFilter(filter, (word) => (toss() ? word.toUpperCase() : word));
        assert.deepEqual(parseFilter(toss() ? `  (\t${text} ) ` : text), filter, text);
      }),
      { numRuns: 500 },
    );
  });

  it('bind "and" closer than "or", and "not" closest', () => {
    const grouped = 'not (title pr) and active eq true or nickName pr and locale pr';
    const explicit = '((not (title pr)) and (active eq true)) or ((nickName pr) and (locale pr))';
    assert.deepEqual(parseFilter(grouped), parseFilter(explicit));
  });

  it('leaves every prototype alone', () => {
    for (const text of broken) assert.throws(() => parseFilter(text));
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
  });
});

describe('paths', () => {
  it('reads a value path with a sub-attribute', () => {
    const path = parsePath('emails[type eq "work"].value');
    assert.equal(path.attribute, 'emails');
    assert.equal(path.sub, 'value');
    assert.equal(path.filter?.kind, 'compare');
  });

  it('refuses what is none', () => {
    for (const text of [
      '',
      'emails[',
      'emails[type eq "work"].',
      'emails.value[type eq "work"]',
      'emails.type[type eq "work"].value',
      'a b',
      '__proto__',
    ])
      assert.throws(
        () => parsePath(text),
        (error) => error instanceof InputError && error.scimType === 'invalidPath',
      );
  });
});
