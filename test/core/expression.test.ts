import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '#core/errors.ts';
import { compileExpression } from '#core/expression.ts';

const ada = {
  givenName: 'Ada',
  surname: 'Lovelace',
  middleName: null,
  mail: 'Ada@Contoso.com',
  accountEnabled: true,
  age: 36,
  proxyAddresses: ['SMTP:ada@contoso.com', 'smtp:al@contoso.com'],
  employeeOrgData: { costCenter: 'C1' },
  'Cost centre': 'K9',
};

const value = (text: string, record: Record<string, unknown> = ada): unknown =>
  compileExpression(text).evaluate(record);

describe('an expression of a mapping', () => {
  it('gives plain JSON values of fields', () => {
    assert.equal(value('givenName + " " + surname'), 'Ada Lovelace');
    assert.equal(value('accountEnabled ? "yes" : "no"'), 'yes');
    assert.equal(value('1 + 2'), 3);
    assert.equal(value('age >= 30.0'), true);
    assert.equal(value('employeeOrgData.costCenter'), 'C1');
    assert.equal(value('source["Cost centre"]'), 'K9');
    assert.deepEqual(value('{"givenName": givenName}'), { givenName: 'Ada' });
    assert.deepEqual(value('proxyAddresses.filter(a, a.startsWith("smtp:")).map(a, a.substring(5))'), [
      'al@contoso.com',
    ]);
  });

  it('has helpers that take what is missing', () => {
    assert.equal(value('first([middleName, surname])'), 'Lovelace');
    assert.equal(value('first([middleName])'), null);
    assert.equal(value('joined([givenName, middleName, surname], " ")'), 'Ada Lovelace');
    assert.equal(value('lower(mail)'), 'ada@contoso.com');
    assert.equal(value('upper(nobody)'), null);
    assert.equal(value('part(mail, "@", 1)'), 'Contoso.com');
    assert.equal(value('part(mail, "@", 9)'), null);
    assert.equal(value('replace(mail, "@", " at ")'), 'Ada at Contoso.com');
    assert.equal(value('text(middleName) + "x"'), 'x');
    assert.equal(value('accountEnabled ? none : "gone"'), null);
  });

  it('names the fields that it reads, and not what a macro binds', () => {
    const { reads } = compileExpression('proxyAddresses.exists(a, a == mail) ? givenName : source["Cost centre"]');
    assert.deepEqual([...reads].sort(), ['Cost centre', 'givenName', 'mail', 'proxyAddresses']);
  });

  it('says that it has no value for a record, and why', () => {
    assert.throws(
      () => value('givenName + middleName'),
      (error) =>
        error instanceof InputError && error.reason === 'expression-failed' && /no such overload/.test(error.message),
    );
    assert.throws(() => value('employeeOrgData.costCenter', { employeeOrgData: null }), InputError);
  });

  it('reaches own fields only: nothing that objects inherit', () => {
    for (const text of ['constructor', 'toString', 'hasOwnProperty', 'source["constructor"]', 'source["__proto__"]'])
      assert.equal(value(text), null, text);
    for (const text of ['employeeOrgData.constructor', 'employeeOrgData["__proto__"]', 'employeeOrgData.toString'])
      assert.throws(() => value(text), InputError, text);
    for (const text of ['__proto__', 'givenName.constructor("return 1")()', '(x => x)(1)', 'new Date()', 'a; b'])
      assert.throws(() => value(text), InputError, text);
  });

  it('offers nothing that could cost more than its length', () => {
    const refused = [
      'givenName.matches("(a+)+$")',
      'givenName.split("")',
      'cel.bind(a, givenName, a + a)',
      'proxyAddresses.map(a, proxyAddresses.map(b, a + b))',
      'bytes("{}").json()',
      'source',
      'source[givenName]',
      'x'.repeat(1_001),
      `${'('.repeat(200)}1${')'.repeat(200)}`,
    ];
    for (const text of refused)
      assert.throws(
        () => compileExpression(text),
        (error) => error instanceof InputError && error.reason === 'expression-wrong',
        text.slice(0, 60),
      );
  });

  it('builds no text longer than a value may be', () => {
    const long = { a: 'x'.repeat(9_000), b: Array.from({ length: 900 }, () => 'y'.repeat(900)) };
    for (const text of ['a + a', 'replace(a, "x", a)', 'joined(b, a)', 'b.map(c, c + a)'])
      assert.throws(() => value(text, long), /longer than 10+/, text);
    assert.throws(() => value('a', { a: 'x'.repeat(10_001) }), /longer than 10000/);
  });
});
