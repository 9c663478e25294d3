import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { coerceResource, type Document } from '#core/coerce.ts';
import { InputError, type ScimType, TooLargeError } from '#core/errors.ts';
import { applyPatch, parsePatch } from '#core/patch.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, GROUP_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';
import { assertConforms } from '../support/documents.ts';
import { MESSAGES, patchBody } from '../support/scim.ts';

const { User, Group } = RESOURCE_SCHEMAS;
type Operation = { op: string; path?: string; value?: unknown };

const ada = { schemas: [USER_SCHEMA], userName: 'ada' };

/** The user after the operations, without what every user has. */
function patched(before: object, ...operations: readonly Operation[]): Document {
  const { document } = applyPatch(
    User,
    coerceResource(User, { ...ada, ...before }),
    parsePatch(patchBody(...operations)),
    'me',
  );
  assertConforms(User, document);
  const { schemas: _schemas, userName, ...rest } = document;
  return userName === 'ada' ? rest : { userName, ...rest };
}

const work = { type: 'work', value: 'ada@work' };
const home = { type: 'home', value: 'ada@home', primary: true };
const ENT = ENTERPRISE_SCHEMA;

const cases: readonly [before: object, operations: readonly Operation[], after: object][] = [
  // A single attribute.
  [{}, [{ op: 'add', path: 'title', value: 'Dr' }], { title: 'Dr' }],
  [{ title: 'Mx' }, [{ op: 'add', path: 'title', value: 'Dr' }], { title: 'Dr' }],
  [{}, [{ op: 'replace', path: 'title', value: 'Dr' }], { title: 'Dr' }],
  [{ title: 'Mx' }, [{ op: 'replace', path: 'TITLE', value: 'Dr' }], { title: 'Dr' }],
  [{ title: 'Mx' }, [{ op: 'remove', path: 'title' }], {}],
  [{ title: 'Mx' }, [{ op: 'replace', path: 'title', value: null }], {}],
  [{ title: 'Mx' }, [{ op: 'replace', path: 'title', value: '' }], {}],
  [{}, [{ op: 'remove', path: 'title' }], {}],
  [{ title: 'Mx' }, [{ op: 'replace', path: `${USER_SCHEMA}:title`, value: 'Dr' }], { title: 'Dr' }],
  [{}, [{ op: 'Replace', path: 'active', value: 'False' }], { active: false }],
  [{}, [{ op: 'replace', path: 'userName', value: 'grace' }], { userName: 'grace' }],
  // What does not say that it is primary is not, and certificates compare by case.
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails[primary eq false].type', value: 'other' }],
    { emails: [{ ...work, type: 'other' }, home] },
  ],
  [
    { x509Certificates: [{ value: 'QUJD' }, { value: 'qujd' }] },
    [{ op: 'remove', path: 'x509Certificates[value eq "qujd"]' }],
    { x509Certificates: [{ value: 'QUJD' }] },
  ],
  // A complex one: what is not named stays.
  [
    { name: { givenName: 'A', familyName: 'B' } },
    [{ op: 'replace', path: 'name', value: { givenName: 'C' } }],
    { name: { givenName: 'C', familyName: 'B' } },
  ],
  [
    { name: { givenName: 'A' } },
    [{ op: 'add', path: 'name', value: { familyName: 'B' } }],
    { name: { givenName: 'A', familyName: 'B' } },
  ],
  [{ name: { givenName: 'A' } }, [{ op: 'remove', path: 'name' }], {}],
  [
    { name: { givenName: 'A', familyName: 'B' } },
    [{ op: 'replace', path: 'name', value: { givenName: null } }],
    { name: { familyName: 'B' } },
  ],
  [
    { name: { givenName: 'A' } },
    [{ op: 'replace', path: 'name', value: { GIVENNAME: '', familyName: 'B' } }],
    { name: { familyName: 'B' } },
  ],
  [{ name: { givenName: 'A' } }, [{ op: 'replace', path: 'name', value: { givenName: null } }], {}],
  [{ name: { givenName: 'A' } }, [{ op: 'replace', path: 'name', value: {} }], {}],
  [{ name: { givenName: 'A' } }, [{ op: 'add', path: 'name', value: {} }], { name: { givenName: 'A' } }],
  [
    { name: { givenName: 'A' } },
    [{ op: 'replace', path: 'name', value: { shoeSize: 44 } }],
    { name: { givenName: 'A' } },
  ],
  [{ [ENT]: { manager: { value: '42' } } }, [{ op: 'replace', path: `${ENT}:manager`, value: { value: '' } }], {}],
  [{}, [{ op: 'add', path: 'name.givenName', value: 'A' }], { name: { givenName: 'A' } }],
  [
    { name: { givenName: 'A' } },
    [{ op: 'replace', path: 'name.familyName', value: 'B' }],
    { name: { givenName: 'A', familyName: 'B' } },
  ],
  [{ name: { givenName: 'A' } }, [{ op: 'remove', path: 'name.givenName' }], {}],
  // A list.
  [{}, [{ op: 'add', path: 'emails', value: [work] }], { emails: [work] }],
  [{ emails: [work] }, [{ op: 'add', path: 'emails', value: work }], { emails: [work] }],
  [{ emails: [work] }, [{ op: 'add', path: 'emails', value: [home] }], { emails: [work, home] }],
  [
    { emails: [home] },
    [{ op: 'add', path: 'emails', value: { ...work, primary: true } }],
    {
      emails: [
        { ...home, primary: false },
        { ...work, primary: true },
      ],
    },
  ],
  [{ emails: [work] }, [{ op: 'replace', path: 'emails', value: [home] }], { emails: [home] }],
  [{ emails: [work, home] }, [{ op: 'replace', path: 'emails', value: [] }], {}],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails' }], {}],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails', value: [] }], { emails: [work, home] }],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails', value: [{ value: 'ada@work' }] }], { emails: [home] }],
  [
    { emails: [work, home] },
    [{ op: 'remove', path: 'emails', value: [{ value: 'ADA@work', type: 'work' }] }],
    { emails: [home] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'remove', path: 'emails', value: [{ value: 'ada@work', type: 'home' }] }],
    { emails: [work, home] },
  ],
  [
    {},
    [{ op: 'add', path: 'emails', value: [{ ...work, primary: true }, home] }],
    { emails: [{ ...work, primary: false }, home] },
  ],
  // A sub-attribute of every element.
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails.type', value: 'other' }],
    {
      emails: [
        { ...work, type: 'other' },
        { ...home, type: 'other' },
      ],
    },
  ],
  [
    { emails: [work, home] },
    [{ op: 'remove', path: 'emails.type' }],
    { emails: [{ value: 'ada@work' }, { value: 'ada@home', primary: true }] },
  ],
  [{}, [{ op: 'add', path: 'emails.value', value: 'x' }], { emails: [{ value: 'x' }] }],
  [{}, [{ op: 'remove', path: 'emails.type' }], {}],
  // Elements that a filter chooses.
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails[type eq "WORK"]' }], { emails: [home] }],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails[type eq "work" or primary eq true]' }], {}],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails[not (primary pr)]' }], { emails: [home] }],
  [{ emails: [work] }, [{ op: 'remove', path: 'emails[type eq "nothing"]' }], { emails: [work] }],
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'new' } }],
    { emails: [{ value: 'new' }, home] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'add', path: 'emails[type eq "work"]', value: { display: 'Ada' } }],
    { emails: [{ ...work, display: 'Ada' }, home] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'new' }],
    { emails: [{ type: 'work', value: 'new' }, home] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'remove', path: 'emails[primary eq "True"].type' }],
    { emails: [work, { value: 'ada@home', primary: true }] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails[type eq "work"].primary', value: true }],
    {
      emails: [
        { ...work, primary: true },
        { ...home, primary: false },
      ],
    },
  ],
  [
    { emails: [home] },
    [{ op: 'add', path: 'emails[type eq "work"].value', value: 'ada@work' }],
    { emails: [home, work] },
  ],
  [
    {},
    [{ op: 'add', path: 'emails[type eq "work" and primary eq true].value', value: 'x' }],
    { emails: [{ type: 'work', primary: true, value: 'x' }] },
  ],
  [{}, [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'ada@work' }], { emails: [work] }],
  [
    {},
    [{ op: 'Add', path: 'addresses[type eq "work"].country', value: 'NO' }],
    { addresses: [{ type: 'work', country: 'NO' }] },
  ],
  // Extensions.
  [{}, [{ op: 'add', path: `${ENT}:department`, value: 'D' }], { [ENT]: { department: 'D' } }],
  [{ [ENT]: { department: 'D' } }, [{ op: 'remove', path: `${ENT}:department` }], {}],
  [{ [ENT]: { department: 'D', division: 'E' } }, [{ op: 'remove', path: ENT }], {}],
  [
    { [ENT]: { department: 'D' } },
    [{ op: 'add', path: ENT.toUpperCase(), value: { division: 'E' } }],
    { [ENT]: { department: 'D', division: 'E' } },
  ],
  [{}, [{ op: 'replace', path: `${ENT}:manager`, value: '42' }], { [ENT]: { manager: { value: '42' } } }],
  [{}, [{ op: 'add', path: `${ENT}:manager`, value: [{ value: '42' }] }], { [ENT]: { manager: { value: '42' } } }],
  [{}, [{ op: 'replace', path: `${ENT}:manager.value`, value: '42' }], { [ENT]: { manager: { value: '42' } } }],
  [{ [ENT]: { manager: { value: '42' } } }, [{ op: 'replace', path: `${ENT}:manager`, value: '' }], {}],
  // An attribute of one extension without its URN, and a simple value in a list of one object.
  [
    {},
    [{ op: 'Add', path: 'manager', value: [{ $ref: 'https://x.example/scim/Users/42', value: '42' }] }],
    { [ENT]: { manager: { value: '42' } } },
  ],
  [{ [ENT]: { manager: { value: '42' } } }, [{ op: 'Remove', path: 'manager' }], {}],
  [{}, [{ op: 'Add', path: 'nickName', value: [{ $ref: null, value: 'A' }] }], { nickName: 'A' }],
  [{}, [{ op: 'Replace', path: 'active', value: [{ value: 'False' }] }], { active: false }],
  [{ title: 'Mx' }, [{ op: 'Replace', path: 'title', value: [{ value: null }] }], {}],
  // Without a path each key of the value is one.
  [{ title: 'Mx' }, [{ op: 'add', value: { title: 'Dr', nickName: 'A' } }], { title: 'Dr', nickName: 'A' }],
  [{ emails: [work] }, [{ op: 'add', value: { emails: [home] } }], { emails: [work, home] }],
  [{ emails: [work] }, [{ op: 'replace', value: { emails: [home] } }], { emails: [home] }],
  [
    {},
    [{ op: 'replace', value: { 'name.givenName': 'A', [`${ENT}:department`]: 'D', [ENT]: { division: 'E' } } }],
    { name: { givenName: 'A' }, [ENT]: { department: 'D', division: 'E' } },
  ],
  [{}, [{ op: 'add', value: { 'emails[type eq "work"].value': 'ada@work' } }], { emails: [work] }],
  [
    {},
    [{ op: 'replace', value: { id: 'me', schemas: [USER_SCHEMA], meta: { version: '1' }, shoeSize: 44, title: 'Dr' } }],
    { title: 'Dr' },
  ],
  [{}, [{ op: 'replace', value: { [USER_SCHEMA]: { title: 'Dr' } } }], { title: 'Dr' }],
  // What is read-only is passed over where a value names it, as when an answer of ours comes back.
  ...[{}, { [USER_SCHEMA]: { id: 'me', groups: [{ value: 'x' }], meta: {} } }].map(
    (more): [object, Operation[], object] => [
      { title: 'Mx' },
      [
        {
          op: 'replace',
          value: {
            ...{ id: 'me', groups: [{ value: 'x' }], 'meta.version': '1', title: 'Dr' },
            [GATEWAY_SCHEMA]: { origin: 'ldap' },
            [`${GATEWAY_SCHEMA}:source`]: 'ldap',
            [ENT]: { manager: { value: '42', $ref: 'x', displayName: 'x' } },
            ...more,
          },
        },
      ],
      { title: 'Dr', [ENT]: { manager: { value: '42' } } },
    ],
  ),
  [{}, [{ op: 'add', path: USER_SCHEMA, value: { groups: [], meta: { version: '1' }, title: 'Dr' } }], { title: 'Dr' }],
  // JSON as text where a text cannot be meant.
  [{}, [{ op: 'replace', path: `${ENT}:manager`, value: '{"value":"42"}' }], { [ENT]: { manager: { value: '42' } } }],
  [{}, [{ op: 'add', path: 'emails', value: JSON.stringify([work]) }], { emails: [work] }],
  [{}, [{ op: 'replace', path: 'name', value: ' {"givenName":"A"}' }], { name: { givenName: 'A' } }],
  [{}, [{ op: 'replace', value: '{"title":"Dr"}' }], { title: 'Dr' }],
  [{}, [{ op: 'replace', path: 'title', value: '{"title":"Dr"}' }], { title: '{"title":"Dr"}' }],
  // Nothing to do.
  [{ title: 'Mx' }, [], { title: 'Mx' }],
  [{ emails: [work, home] }, [{ op: 'remove', path: 'emails[type eq"work"]' }], { emails: [home] }],
  // One after another.
  [
    { emails: [work] },
    [
      { op: 'remove', path: 'emails' },
      { op: 'add', path: 'emails', value: [home] },
    ],
    { emails: [home] },
  ],
  // A value that is there is not added again: what is said of it beyond is taken.
  [
    { emails: [{ ...work, primary: true }] },
    [{ op: 'add', path: 'emails', value: [work] }],
    { emails: [{ ...work, primary: true }] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'add', path: 'emails', value: { type: 'Work', value: 'ADA@work', display: 'Ada', primary: true } }],
    {
      emails: [
        { ...work, display: 'Ada', primary: true },
        { ...home, primary: false },
      ],
    },
  ],
  [
    { emails: [work] },
    [{ op: 'add', path: 'emails', value: { value: work.value, type: 'other' } }],
    { emails: [work, { value: work.value, type: 'other' }] },
  ],
  [
    { emails: [work, home] },
    [{ op: 'replace', path: 'emails[type eq "home"]', value: { ...work, primary: true } }],
    { emails: [{ ...work, primary: true }] },
  ],
  [
    { x509Certificates: [{ value: 'QUJD' }] },
    [{ op: 'add', path: 'x509Certificates', value: [{ value: 'QUJj' }, { value: 'QUJD', display: 'old' }] }],
    { x509Certificates: [{ value: 'QUJD', display: 'old' }, { value: 'QUJj' }] },
  ],
  // What is replaced and is not there is added.
  [{}, [{ op: 'replace', path: 'emails.value', value: 'x' }], { emails: [{ value: 'x' }] }],
  // `schemas` may be repeated.
  [{ title: 'Mx' }, [{ op: 'replace', path: 'schemas', value: [USER_SCHEMA, ENT] }], { title: 'Mx' }],
  [{ title: 'Mx' }, [{ op: 'add', path: 'schemas', value: USER_SCHEMA }], { title: 'Mx' }],
  [
    { title: 'Mx' },
    [
      { op: 'remove', path: 'title' },
      { op: 'add', path: 'title', value: 'Mx' },
    ],
    { title: 'Mx' },
  ],
];

const refusals: readonly [operation: Operation, scimType: ScimType][] = [
  [{ op: 'remove' }, 'noTarget'],
  [{ op: 'remove', path: USER_SCHEMA }, 'noTarget'],
  [{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'x' } }, 'noTarget'],
  [{ op: 'replace', path: 'emails[type eq "work"].value', value: 'x' }, 'noTarget'],
  [{ op: 'add', path: 'emails[value co "x"].type', value: 'work' }, 'noTarget'],
  [{ op: 'Replace', path: 'emails[not (type eq "work")].value', value: 'x' }, 'noTarget'],
  [{ op: 'add', path: 'id', value: 'x' }, 'mutability'],
  [{ op: 'replace', path: 'meta.version', value: 'x' }, 'mutability'],
  [{ op: 'remove', path: 'groups' }, 'mutability'],
  [{ op: 'add', path: 'groups', value: [{ value: 'x' }] }, 'mutability'],
  [{ op: 'replace', path: `${GATEWAY_SCHEMA}:origin`, value: 'x' }, 'mutability'],
  [{ op: 'remove', path: GATEWAY_SCHEMA }, 'mutability'],
  [{ op: 'replace', path: `${ENT}:manager.$ref`, value: 'x' }, 'mutability'],
  [{ op: 'remove', path: 'schemas' }, 'mutability'],
  [{ op: 'replace', path: 'schemas', value: [] }, 'mutability'],
  [{ op: 'replace', path: 'schemas', value: [ENT] }, 'mutability'],
  [{ op: 'replace', path: 'schemas', value: [USER_SCHEMA, 'urn:unknown'] }, 'invalidValue'],
  [{ op: 'add', path: 'schemas', value: GROUP_SCHEMA }, 'invalidValue'],
  [{ op: 'remove', path: 'userName' }, 'mutability'],
  [{ op: 'replace', path: 'userName', value: '' }, 'invalidValue'],
  [{ op: 'replace', value: { id: 'somebody else' } }, 'mutability'],
  [{ op: 'replace', value: { [USER_SCHEMA]: { id: 'somebody else' } } }, 'mutability'],
  [{ op: 'replace', path: GATEWAY_SCHEMA, value: { origin: 'x' } }, 'mutability'],
  [{ op: 'add', path: 'name', value: '{"givenName":' }, 'invalidValue'],
  [{ op: 'add', path: 'shoeSize', value: 44 }, 'invalidPath'],
  [{ op: 'replace', path: 'origin', value: 'x' }, 'mutability'],
  [{ op: 'add', path: 'title', value: [{ value: 'a' }, { value: 'b' }] }, 'invalidValue'],
  [{ op: 'add', path: 'title', value: ['a'] }, 'invalidValue'],
  [{ op: 'add', path: 'name.shoeSize', value: 44 }, 'invalidPath'],
  [{ op: 'add', path: 'urn:unknown:title', value: 'x' }, 'invalidPath'],
  [{ op: 'add', path: 'emails[', value: 'x' }, 'invalidPath'],
  [{ op: 'add', path: 'emails[shoeSize eq 44].value', value: 'x' }, 'invalidPath'],
  [{ op: 'remove', path: 'name[givenName eq "x"]' }, 'invalidPath'],
  [{ op: 'remove', path: 'title[value eq "x"]' }, 'invalidPath'],
  [{ op: 'remove', path: 'emails[value.type eq "x"]' }, 'invalidPath'],
  [{ op: 'remove', path: 'emails[urn:unknown:value eq "x"]' }, 'invalidPath'],
  [{ op: 'remove', path: 'emails[emails[value eq "x"]]' }, 'invalidPath'],
  // Comparisons that a type does not have, as in the filter of a list: under `not` they would choose everything.
  [{ op: 'remove', path: 'emails[not (value gt 5)]' }, 'invalidFilter'],
  [{ op: 'remove', path: 'emails[type eq "work" and value ne true]' }, 'invalidFilter'],
  [{ op: 'remove', path: 'emails[value gt null]' }, 'invalidFilter'],
  [{ op: 'replace', path: 'emails[primary gt true].value', value: 'x' }, 'invalidFilter'],
  [{ op: 'remove', path: 'emails[primary co "t"]' }, 'invalidFilter'],
  [{ op: 'remove', path: 'emails[primary eq "perhaps"]' }, 'invalidFilter'],
  [{ op: 'remove', path: 'x509Certificates[value ge "a"]' }, 'invalidFilter'],
  [{ op: 'add', path: 'emails[value eq 5].type', value: 'work' }, 'invalidFilter'],
  [{ op: 'add', path: '__proto__.polluted', value: 'x' }, 'invalidPath'],
  [{ op: 'add', path: 'emails[__proto__.polluted eq "1"].value', value: 'x' }, 'invalidPath'],
  [{ op: 'add', path: 'title', value: { a: 1 } }, 'invalidValue'],
  [{ op: 'replace', path: 'title', value: {} }, 'invalidValue'],
  [{ op: 'replace', path: 'active', value: {} }, 'invalidValue'],
  [{ op: 'replace', path: 'active', value: 'perhaps' }, 'invalidValue'],
  [{ op: 'replace', path: 'active', value: '' }, 'invalidValue'],
  [{ op: 'add', value: { active: '' } }, 'invalidValue'],
  [{ op: 'add', path: 'emails', value: 'x' }, 'invalidValue'],
  [{ op: 'add', value: 'x' }, 'invalidValue'],
  [{ op: 'add', path: 'title' }, 'invalidValue'],
  [{ op: 'move', path: 'title', value: 'x' }, 'invalidSyntax'],
];

describe('PATCH of a user', () => {
  for (const [before, operations, after] of cases)
    it(`${JSON.stringify(operations).slice(1, -1)} on ${JSON.stringify(before)}`, () =>
      assert.deepEqual(patched(before, ...operations), after));
  for (const [operation, scimType] of refusals)
    it(`${JSON.stringify(operation)} is ${scimType}`, () =>
      assert.throws(
        () => patched({}, operation),
        (error) => error instanceof InputError && error.scimType === scimType,
      ));
});

describe('PATCH of a group', () => {
  const staff = { schemas: [GROUP_SCHEMA], displayName: 'Staff' };
  const membersAfter = (...operations: readonly Operation[]) => {
    const { document, members } = applyPatch(Group, staff, parsePatch(patchBody(...operations)), 'me');
    assert.equal(document['members'], undefined);
    return members;
  };

  const changes: readonly [operation: Operation, change: object][] = [
    [
      { op: 'add', path: 'members', value: [{ value: 'a' }, { value: 'b' }] },
      { kind: 'add', ids: ['a', 'b'] },
    ],
    [
      { op: 'add', path: 'members', value: { value: 'a' } },
      { kind: 'add', ids: ['a'] },
    ],
    [
      { op: 'add', path: 'members', value: ['a'] },
      { kind: 'add', ids: ['a'] },
    ],
    [
      { op: 'add', value: { members: [{ value: 'a' }] } },
      { kind: 'add', ids: ['a'] },
    ],
    [
      { op: 'replace', path: 'members', value: [{ value: 'a' }] },
      { kind: 'replace', ids: ['a'] },
    ],
    [
      { op: 'replace', path: `${GROUP_SCHEMA}:members`, value: [] },
      { kind: 'replace', ids: [] },
    ],
    [
      { op: 'remove', path: 'members' },
      { kind: 'replace', ids: [] },
    ],
    ...[[], ''].map((value): [Operation, object] => [
      { op: 'remove', path: 'members', value },
      { kind: 'remove', ids: [] },
    ]),
    [
      { op: 'remove', path: 'members', value: null },
      { kind: 'replace', ids: [] },
    ],
    [
      { op: 'add', path: 'members', value: '[{"value":"a"}]' },
      { kind: 'add', ids: ['a'] },
    ],
    [
      { op: 'remove', path: 'members[value eq"a"]' },
      { kind: 'remove', ids: ['a'] },
    ],
    [
      { op: 'remove', path: 'members[value eq "a"]' },
      { kind: 'remove', ids: ['a'] },
    ],
    [
      { op: 'remove', path: 'members[value eq "a" or value eq "b"]' },
      { kind: 'remove', ids: ['a', 'b'] },
    ],
    [
      { op: 'Remove', path: 'members', value: [{ $ref: null, value: 'a' }] },
      { kind: 'remove', ids: ['a'] },
    ],
  ];
  for (const [operation, change] of changes)
    it(`${JSON.stringify(operation)} is a change of rows`, () => assert.deepEqual(membersAfter(operation), [change]));

  it('keeps the order of what happens to members, beside what happens to the group', () => {
    const operations = parsePatch(
      patchBody(
        { op: 'remove', path: 'members' },
        { op: 'replace', path: 'displayName', value: 'Crew' },
        { op: 'add', path: 'members', value: [{ value: 'a' }] },
        { op: 'remove', path: 'members[type eq "Group"]' },
      ),
    );
    const { document, members } = applyPatch(Group, staff, operations);
    assert.equal(document['displayName'], 'Crew');
    assert.deepEqual(
      members.map(({ kind }) => kind),
      ['replace', 'add', 'removeWhere'],
    );
  });

  it('refuses to change a member in place', () => {
    for (const path of ['members[value eq "a"].value', 'members[value eq "a"]'])
      assert.deepEqual(
        membersAfter({ op: 'replace', path, value: { value: 'b' } }).map(({ kind }) => kind),
        ['refuseWhere'],
        'whether there is such a member is for the rows to say',
      );
    for (const [operation, scimType] of [
      [{ op: 'replace', path: 'members.type', value: 'User' }, 'mutability'],
      [{ op: 'remove', path: 'members[shoeSize eq 44]' }, 'invalidPath'],
      [{ op: 'remove', path: 'members[value.type eq "a"]' }, 'invalidPath'],
      [{ op: 'remove', path: 'members[value ne 44]' }, 'invalidFilter'],
      [{ op: 'replace', path: 'members[not (type gt true)].value', value: 'b' }, 'invalidFilter'],
      [{ op: 'add', path: 'members', value: [{ display: 'x' }] }, 'invalidValue'],
      [{ op: 'remove', path: 'displayName' }, 'mutability'],
    ] as const)
      assert.throws(
        () => membersAfter(operation),
        (error) => error instanceof InputError && error.scimType === scimType,
        JSON.stringify(operation),
      );
  });
});

describe('the body of a PATCH', () => {
  it('has its schema and a list of operations', () => {
    const operation = { op: 'add', path: 'title', value: 'x' };
    for (const body of [
      null,
      [],
      { Operations: [operation] },
      { schemas: [USER_SCHEMA], Operations: [operation] },
      { ...patchBody(), Operations: {} },
      { schemas: [`${MESSAGES}:PatchOp`] },
      { ...patchBody(), Operations: ['x'] },
      { ...patchBody(operation), operations: [operation] },
    ])
      assert.throws(
        () => parsePatch(body),
        (error) => error instanceof InputError && error.scimType === 'invalidSyntax',
        JSON.stringify(body),
      );
    assert.deepEqual(parsePatch(patchBody()), []);
    assert.equal(parsePatch({ SCHEMAS: [`${MESSAGES}:PatchOp`], OPERATIONS: [operation] }).length, 1);
  });

  it('has at most 1,000 of them', () => {
    const many = (count: number): object => patchBody(...Array(count).fill({ op: 'remove', path: 'title' }));
    assert.equal(parsePatch(many(1_000)).length, 1_000);
    assert.throws(() => parsePatch(many(1_001)), TooLargeError);
  });

  it('compares a bounded number of times, however many values there are', () => {
    const emails = Array.from({ length: 50_000 }, (_, place) => ({ value: `${place}@example.com`, type: 'work' }));
    const before = coerceResource(User, { ...ada, emails });
    const after = (...operations: readonly Operation[]) =>
      applyPatch(User, before, parsePatch(patchBody(...operations))).document['emails'] as unknown[];
    const filter = `emails[${Array(20).fill('value eq "x"').join(' or ')}]`;
    assert.equal(after({ op: 'remove', path: 'emails', value: emails.slice(1) }).length, 1);
    for (const operation of [
      { op: 'remove', path: filter },
      { op: 'add', path: 'emails', value: { value: 'new' } },
    ])
      assert.throws(
        () => after(...Array(1_000).fill(operation)),
        TooLargeError,
        JSON.stringify(operation).slice(0, 60),
      );
    const long = 'x'.repeat(3_000);
    for (const path of ['emails.display', 'emails[type eq "work"].display'])
      assert.throws(() => after({ op: 'replace', path, value: long }), TooLargeError, path);
    assert.equal(after({ op: 'replace', path: 'emails[value eq "7@example.com"].display', value: 'x' }).length, 50_000);
  });

  it('leaves no more values than a resource has, and takes some away where there are more', () => {
    const numbered = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, place) => ({ value: `${from + place}@example.com` }));
    const full = coerceResource(User, { ...ada, emails: numbered(0, 50_000) });
    const after = (before: Document, operation: Operation) =>
      applyPatch(User, before, parsePatch(patchBody(operation))).document['emails'] as unknown[];
    const add = (to: number): Operation => ({ op: 'add', path: 'emails', value: numbered(49_990, to) });
    assert.equal(after(full, add(50_000)).length, 50_000);
    assert.throws(() => after(full, add(50_001)), TooLargeError);
    assert.throws(() => after(full, { op: 'add', path: 'photos', value: [{ value: 'https://x' }] }), TooLargeError);
    const over = { ...full, emails: numbered(0, 50_010) };
    assert.equal(after(over, { op: 'remove', path: 'emails', value: numbered(0, 5) }).length, 50_005);
  });

  it('reads long values, and names that nobody knows, a bounded number of times', () => {
    const pictured = coerceResource(User, { ...ada, photos: [{ value: 'x'.repeat(5_000_000), type: 'photo' }] });
    const names = Object.fromEntries(Array.from({ length: 2_000 }, (_, place) => [`n${place}`, 0]));
    const change = (before: object, operation: Operation, times: number) =>
      applyPatch(User, before as Document, parsePatch(patchBody(...Array<Operation>(times).fill(operation))));
    const operations: readonly [before: object, operation: Operation][] = [
      [pictured, { op: 'add', path: 'photos', value: { value: 'y', type: 'thumbnail' } }],
      [pictured, { op: 'remove', path: 'photos[value eq "y"]' }],
      [ada, { op: 'add', value: names }],
      [ada, { op: 'replace', value: { [USER_SCHEMA]: names } }],
    ];
    for (const [before, operation] of operations) {
      assert.ok(change(before, operation, 2).document);
      assert.throws(() => change(before, operation, 100), TooLargeError, JSON.stringify(operation).slice(0, 60));
    }
  });
});
