import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Attribute, AttributeType } from '#core/attributes.ts';
import { coerceResource, coerceValue, type Document, finish, memberIds } from '#core/coerce.ts';
import { InputError, type ScimType } from '#core/errors.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { anyDocument, assertConforms } from '../support/documents.ts';

const { User, Group } = RESOURCE_SCHEMAS;
const writable = anyDocument(User, { withReadOnly: false });

function user(fields: object): Document {
  const {
    schemas: _schemas,
    userName: _userName,
    ...rest
  } = coerceResource(User, {
    schemas: [USER_SCHEMA],
    userName: 'ada',
    ...fields,
  });
  return rest;
}

function isRefused(scimType: ScimType): (error: unknown) => boolean {
  return (error) => error instanceof InputError && error.scimType === scimType;
}

function recased(value: unknown, pick: () => boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => recased(item, pick));
  if (typeof value !== 'object' || value === null) return value;
  const renamed = Object.entries(value).map(([name, inner]) => [
    pick() ? name.toUpperCase() : name.toLowerCase(),
    recased(inner, pick),
  ]);
  return Object.fromEntries(renamed);
}

describe('a resource from outside', () => {
  it('that is in our form stays as it is', () => {
    fc.assert(
      fc.property(writable, (document) => {
        assertConforms(User, document);
        assert.deepEqual(coerceResource(User, document), document);
        assert.deepEqual(finish(User, document), document);
      }),
    );
  });

  it('may spell every name in any case', () => {
    fc.assert(
      fc.property(writable, fc.infiniteStream(fc.boolean()), (document, coins) => {
        const spelled = recased(document, () => coins.next().value === true);
        assert.deepEqual(coerceResource(User, spelled), document);
      }),
    );
  });

  it('cannot set what only the service sets, and leaves out what nobody declares', () => {
    fc.assert(
      fc.property(anyDocument(User, { withReadOnly: true }), writable, (theirs, ours) => {
        const own = {
          id: 'x',
          meta: { version: 'x' },
          groups: [{ value: 'x' }],
          shoeSize: 44,
          'urn:unknown': { a: 1 },
        };
        const { [GATEWAY_SCHEMA]: gateway } = theirs;
        const given = { ...ours, ...own, ...(gateway === undefined ? {} : { [GATEWAY_SCHEMA]: gateway }) };
        assert.deepEqual(coerceResource(User, given), ours);
      }),
    );
  });

  it('is refused as invalidValue or invalidSyntax, or is valid, whatever lies in any attribute', () => {
    const names = [...User.core.attributes.values()].map(({ name }) => name);
    const anyField = fc.tuple(
      fc.constantFrom(...names, ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, '__proto__', 'constructor'),
      fc.oneof(
        fc.jsonValue({ maxDepth: 3 }),
        fc.array(fc.dictionary(fc.constantFrom('value', 'type', 'primary', 'manager', 'x'), fc.jsonValue())),
        fc.dictionary(fc.constantFrom('value', 'givenName', 'manager', 'department', '__proto__'), fc.jsonValue()),
      ),
    );
    fc.assert(
      fc.property(fc.array(anyField, { minLength: 1, maxLength: 4 }), (fields) => {
        const body: unknown = JSON.parse(
          JSON.stringify(Object.fromEntries([['userName', 'ada'], ...fields, ['schemas', [USER_SCHEMA]]])),
        );
        try {
          assertConforms(User, coerceResource(User, body));
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
          assert.ok(error.scimType === 'invalidValue' || error.scimType === 'invalidSyntax', error.message);
        }
        assert.equal(({} as Document)['value'], undefined);
      }),
      { numRuns: 1_000 },
    );
  });

  const taken: readonly [what: string, given: object, is: object][] = [
    ['null, empty texts, lists and objects as unassigned', { title: null, nickName: '', emails: [], name: {} }, {}],
    ['booleans as Entra ID writes them', { active: 'False' }, { active: false }],
    ['booleans in a list', { emails: [{ value: 'a', primary: 'True' }] }, { emails: [{ value: 'a', primary: true }] }],
    ['one object where a list belongs', { emails: { value: 'a' } }, { emails: [{ value: 'a' }] }],
    ['a list of one where an object belongs', { name: [{ givenName: 'Ada' }] }, { name: { givenName: 'Ada' } }],
    ['each value once', { emails: [{ value: 'a' }, { value: 'a' }] }, { emails: [{ value: 'a' }] }],
    [
      'values that say nothing as none',
      { emails: [{ type: 'work', primary: true }, { value: 'a' }] },
      { emails: [{ value: 'a' }] },
    ],
    [
      'any type, whatever the canonical values',
      { roles: [{ value: 'a', type: 'App' }] },
      { roles: [{ value: 'a', type: 'App' }] },
    ],
    [
      'a value that is there twice as one, as it is first',
      {
        emails: [
          { value: 'a@b', type: 'work' },
          { value: 'A@b', type: 'Work', display: 'A', primary: true },
          { value: 'a@b', type: 'home' },
          { value: 'a@b' },
        ],
        photos: [{ value: 'https://a/B' }, { value: 'https://a/b' }],
        addresses: [
          { type: 'work', locality: 'Seoul' },
          { type: 'work', locality: 'Busan' },
        ],
      },
      {
        emails: [
          { value: 'a@b', type: 'work', display: 'A', primary: true },
          { value: 'a@b', type: 'home' },
          { value: 'a@b' },
        ],
        photos: [{ value: 'https://a/B' }, { value: 'https://a/b' }],
        addresses: [
          { type: 'work', locality: 'Seoul' },
          { type: 'work', locality: 'Busan' },
        ],
      },
    ],
  ];
  for (const [what, given, is] of taken) it(`takes ${what}`, () => assert.deepEqual(user(given), is));

  it('takes a manager as text, as object and as a list of one', () => {
    for (const manager of ['42', { value: '42' }, [{ value: '42', displayName: 'read-only' }]])
      assert.deepEqual(user({ [ENTERPRISE_SCHEMA]: { manager } }), {
        [ENTERPRISE_SCHEMA]: { manager: { value: '42' } },
      });
    assert.deepEqual(user({ [ENTERPRISE_SCHEMA]: { manager: null } }), {});
  });

  const refused: readonly [what: string, given: object, scimType: ScimType][] = [
    ['a text of a wrong type', { title: 5 }, 'invalidValue'],
    ['a boolean that is none', { active: 'yes' }, 'invalidValue'],
    ['a number as a boolean', { active: 1 }, 'invalidValue'],
    ['a text where objects belong', { emails: 'a@b' }, 'invalidValue'],
    ['texts where objects belong', { emails: ['a@b'] }, 'invalidValue'],
    ['a list of two where one object belongs', { name: [{ givenName: 'a' }, { givenName: 'b' }] }, 'invalidValue'],
    [
      'two primary values',
      {
        emails: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
      'invalidValue',
    ],
    ['NUL', { displayName: 'a\0b' }, 'invalidValue'],
    ['half of a surrogate pair', { displayName: 'a\ud800' }, 'invalidValue'],
    ['NUL deep inside', { emails: [{ value: 'a\0' }] }, 'invalidValue'],
    ['a certificate that is no base64', { x509Certificates: [{ value: 'ä' }] }, 'invalidValue'],
    ['an empty userName', { userName: '' }, 'invalidValue'],
    ['no userName', { userName: undefined }, 'invalidValue'],
    ['the same name in two cases', { USERNAME: 'grace' }, 'invalidSyntax'],
    ['the same name in two cases, inside', { name: { givenName: 'a', GIVENNAME: 'b' } }, 'invalidSyntax'],
    ['an extension that is no object', { [ENTERPRISE_SCHEMA]: 'x' }, 'invalidSyntax'],
    ['schemas of a group', { schemas: [GROUP_SCHEMA] }, 'invalidSyntax'],
    ['schemas that is no list', { schemas: USER_SCHEMA }, 'invalidSyntax'],
    ['no schemas', { schemas: undefined }, 'invalidSyntax'],
  ];
  for (const [what, given, scimType] of refused)
    it(`refuses ${what} as ${scimType}`, () => assert.throws(() => user(given), isRefused(scimType)));

  it('must be an object', () => {
    for (const body of [null, [], 'x', 5, true, undefined])
      assert.throws(() => coerceResource(User, body), isRefused('invalidSyntax'));
  });

  it('may name schemas that nobody knows beside its own', () => {
    const schemas = ['http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group', GROUP_SCHEMA];
    assert.deepEqual(coerceResource(Group, { schemas, displayName: 'Staff', members: [{ value: 'x' }] }), {
      schemas: [GROUP_SCHEMA],
      displayName: 'Staff',
    });
  });
});

describe('a value', () => {
  const attribute = (type: AttributeType): Attribute => ({
    name: 'value',
    type,
    multiValued: false,
    caseExact: false,
    required: false,
    returned: 'default',
    mutability: 'readWrite',
    sub: new Map(),
  });
  const cases: Readonly<Record<Exclude<AttributeType, 'complex'>, { yes: unknown[]; no: unknown[] }>> = {
    string: { yes: ['a', ' '], no: [1, true, {}, ['a']] },
    reference: { yes: ['https://a.example/x', '../Users/1'], no: [1, {}] },
    boolean: { yes: [true, false], no: ['on', 0, {}] },
    integer: { yes: [0, -5, 2 ** 53 - 1], no: [1.5, 2 ** 53, '1', true] },
    decimal: { yes: [0, 1.5, 1, -1e300], no: ['1.5', true] },
    dateTime: { yes: ['2026-11-25T10:00:00Z', '2026-11-25T10:00:00+02:00'], no: ['yesterday', 5] },
    binary: { yes: ['QWRh', 'QQ==', 'a-_b'], no: ['ä', 5, 'Q=Q='] },
  };
  for (const [type, { yes, no }] of Object.entries(cases))
    it(`of the type ${type} is what the type says`, () => {
      for (const value of yes) assert.deepEqual(coerceValue(attribute(type as AttributeType), value), value);
      for (const value of no)
        assert.throws(() => coerceValue(attribute(type as AttributeType), value), isRefused('invalidValue'));
    });
});

describe('members', () => {
  it('are objects with a value, or bare ids, each once', () => {
    assert.deepEqual(memberIds([{ value: 'a', type: 'User' }, { Value: 'b' }, 'c', { value: 'a' }]), ['a', 'b', 'c']);
    assert.deepEqual(memberIds({ value: 'a' }), ['a']);
    for (const none of [undefined, null, '', []]) assert.deepEqual(memberIds(none), []);
  });

  it('need an id', () => {
    for (const wrong of [[{}], [{ value: 5 }], [{ value: '' }], [null], [5], [{ display: 'x' }], [[]]])
      assert.throws(() => memberIds(wrong), isRefused('invalidValue'), JSON.stringify(wrong));
  });
});
