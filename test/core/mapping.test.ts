import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Document } from '#core/coerce.ts';
import { InputError } from '#core/errors.ts';
import { makeFieldRecords } from '#core/field-records.ts';
import { compileMapping, mergeRules, missingAttribute } from '#core/mapping.ts';
import { mappingRules } from '#core/mapping-rules.ts';
import { ENTERPRISE_SCHEMA, GATEWAY_SCHEMA, USER_SCHEMA } from '#core/resource.ts';
import { RESOURCE_SCHEMAS } from '#scim/scimmy.ts';

const schema = RESOURCE_SCHEMAS.User;
const base: Document = {
  schemas: [USER_SCHEMA],
  externalId: 'e1',
  userName: 'ada@contoso.com',
  active: true,
  name: { givenName: 'Ada', familyName: 'Lovelace' },
  emails: [
    { value: 'ada@contoso.com', type: 'work', primary: true },
    { value: 'al@contoso.com', type: 'other' },
  ],
};

const compile = (rules: readonly object[], fieldProblem?: (name: string) => string | undefined) =>
  compileMapping(mappingRules.parse(rules), { schema, ...(fieldProblem && { fieldProblem }) });
const map = (rules: readonly object[], record: Record<string, unknown>): Document => compile(rules).apply(base, record);

function problemsOf(rules: readonly object[], fieldProblem?: (name: string) => string | undefined): string[] {
  try {
    compile(rules, fieldProblem);
    return [];
  } catch (error) {
    assert.ok(error instanceof InputError);
    return (error.details['problems'] as { message: string }[]).map(({ message }) => message);
  }
}

describe('an attribute mapping', () => {
  it('sets attributes, their parts, chosen values, and those of extensions, and names the extensions', () => {
    const mapped = map(
      [
        { target: 'title', source: 'job' },
        { target: 'name.givenName', constant: 'Augusta' },
        { target: 'emails[type eq "work"].value', expression: 'lower(mail)' },
        { target: 'phoneNumbers[type eq "mobile"].value', source: 'phones' },
        { target: `${ENTERPRISE_SCHEMA}:department`, source: 'org.unit' },
      ],
      { job: 'Analyst', mail: 'NEW@contoso.com', phones: [null, '+44 1'], org: { unit: 'Engines' } },
    );
    assert.deepEqual(mapped, {
      ...base,
      schemas: [USER_SCHEMA, ENTERPRISE_SCHEMA],
      title: 'Analyst',
      name: { givenName: 'Augusta', familyName: 'Lovelace' },
      emails: [
        { value: 'new@contoso.com', type: 'work', primary: true },
        { value: 'al@contoso.com', type: 'other' },
      ],
      phoneNumbers: [{ type: 'mobile', value: '+44 1' }],
      [ENTERPRISE_SCHEMA]: { department: 'Engines' },
    });
  });

  it('clears what has no value, and leaves no empty shells behind', () => {
    const mapped = map(
      [
        { target: 'name.givenName', constant: null },
        { target: 'name.familyName', source: 'nothing' },
        { target: 'emails[type eq "other"].value', constant: null },
        { target: `${ENTERPRISE_SCHEMA}:division`, constant: null },
      ],
      {},
    );
    assert.deepEqual(mapped, {
      schemas: [USER_SCHEMA],
      externalId: 'e1',
      userName: 'ada@contoso.com',
      active: true,
      emails: [{ value: 'ada@contoso.com', type: 'work', primary: true }],
    });
  });

  it('puts the default where the source is empty, cannot be carried, or the expression fails', () => {
    const rule = { target: 'title', defaultIfEmpty: 'None' };
    for (const job of [null, undefined, '', '  ', [], ['']])
      assert.equal(map([{ ...rule, source: 'job' }], { job })['title'], 'None');
    assert.equal(map([{ ...rule, expression: 'job + "x"' }], { job: null })['title'], 'None');
    assert.equal(map([{ ...rule, source: 'job' }], { job: { odd: true } })['title'], 'None');
    assert.equal(map([{ ...rule, source: 'job' }], { job: 7 })['title'], '7');
    assert.equal(map([{ target: 'active', source: 'on', defaultIfEmpty: true }], {})['active'], true);
    assert.equal(map([{ target: 'active', source: 'on' }], { on: 'False' })['active'], false);
  });

  it('says rule by rule what it saw and made, and what is wrong', () => {
    const [good, bad] = compile([
      { target: 'TITLE', source: 'job' },
      { target: 'nickName', expression: 'a + b' },
    ]).trace({ job: 'Analyst', a: 'x' });
    assert.deepEqual(
      { ...good, rule: null },
      {
        target: 'title',
        rule: null,
        source: { job: 'Analyst' },
        value: 'Analyst',
        problem: null,
      },
    );
    assert.deepEqual(bad?.source, { a: 'x', b: null });
    assert.equal(bad?.value, null);
    assert.match(bad?.problem ?? '', /no value here/);
  });

  it('keeps what is set only on creation for those who exist', () => {
    const mapping = compile([
      { target: 'nickName', source: 'nick', apply: 'onCreate' },
      { target: 'title', source: 'job' },
    ]);
    const first = mapping.apply(base, { nick: 'Countess', job: 'a' });
    assert.equal(first['nickName'], 'Countess');
    const later = mapping.keep(mapping.apply(base, { nick: 'Other', job: 'b' }), { ...first, nickName: 'By hand' });
    assert.deepEqual([later['nickName'], later['title']], ['By hand', 'b']);
    const without = mapping.keep(mapping.apply(base, { nick: 'Other', job: 'b' }), base);
    assert.equal('nickName' in without, false, 'who existed before the rule does not get it');
  });

  it('refuses each wrong rule in a sentence of its own', () => {
    const problems = problemsOf(
      [
        { target: 'titel', source: 'job' },
        { target: 'id', source: 'job' },
        { target: 'externalId', source: 'job' },
        { target: `${GATEWAY_SCHEMA}:billable`, constant: true },
        { target: 'emails.value', source: 'job' },
        { target: 'name[givenName eq "x"].familyName', source: 'job' },
        { target: 'emails[value co "x"].type', source: 'job' },
        { target: 'active', constant: 'perhaps' },
        { target: 'title', expression: 'job +' },
        { target: 'nickName', source: 'jobb' },
        { target: 'userName', constant: 'all the same' },
        { target: 'urn:unknown:1.0:User:department', source: 'job' },
        { target: 'displayName', source: 'job' },
        { target: 'DisplayName', source: 'job' },
      ],
      (name) => (name === 'job' ? undefined : `There is no field "${name}".`),
    );
    const expected = [
      /rule 1 \("titel"\): .*no attribute "titel"/,
      /rule 2 .*set by the gateway itself/,
      /rule 3 .*set by the gateway itself/,
      /rule 4 .*set by the gateway itself/,
      /rule 5 .*several values: say which/,
      /rule 6 .*one value only/,
      /rule 7 .*by equality/,
      /rule 8 .*"active" must be true or false/,
      /rule 9 .*expression cannot be used/,
      /rule 10 .*no field "jobb"/,
      /rule 11 .*same for everybody/,
      /rule 12 .*no attribute/,
      /rule 14 .*Rule 13 sets "displayName" already/,
    ];
    assert.equal(problems.length, expected.length, problems.join('\n'));
    for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern);
  });

  it('demands exactly one of source, constant and expression', () => {
    for (const rule of [{ target: 'title' }, { target: 'title', source: 'a', constant: null }])
      assert.equal(mappingRules.safeParse([rule]).success, false);
    assert.equal(mappingRules.safeParse([{ target: 'title', constant: null }]).success, true);
  });

  it('puts own rules in the place of the defaults that they stand for', () => {
    const defaults = mappingRules.parse([
      { target: 'title', source: 'job' },
      { target: 'name.givenName', source: 'first' },
      { target: 'name.familyName', source: 'last' },
      { target: 'emails', source: 'emails' },
    ]);
    const own = mappingRules.parse([
      { target: 'Title', constant: null },
      { target: 'name', expression: '{"givenName": x}' },
    ]);
    const merged = mergeRules(defaults, own, { schema });
    assert.deepEqual(
      merged.map(({ target, byDefault }) => [target, byDefault]),
      [
        ['emails', true],
        ['Title', false],
        ['name', false],
      ],
    );
  });

  it('knows what SCIM demands', () => {
    assert.equal(missingAttribute(base, schema), undefined);
    assert.equal(missingAttribute(map([{ target: 'userName', source: 'x' }], {}), schema), 'userName');
  });

  it('never throws on odd data, and gives only what the schema can carry', () => {
    const mapping = compile([
      { target: 'title', source: 'a' },
      { target: 'active', source: 'a' },
      { target: 'emails', source: 'a' },
      { target: 'name', source: 'a' },
      { target: 'addresses[type eq "work"].country', source: 'a.b' },
      { target: 'roles', source: 'a' },
      { target: 'nickName', expression: 'joined([text(a)], "-")' },
    ]);
    fc.assert(
      fc.property(fc.anything(), (a) => {
        const { title, active } = mapping.apply(base, { a });
        assert.ok(title === undefined || (typeof title === 'string' && title.isWellFormed() && !title.includes('\0')));
        assert.ok(active === undefined || typeof active === 'boolean');
        mapping.trace({ a });
      }),
    );
  });

  it('leaves a group out by whose name it could not be found, and lets one without a name go by its id', () => {
    const { group } = makeFieldRecords({ kind: 'csv', schemas: RESOURCE_SCHEMAS, defaults: [], own: [], filter: '' });
    assert.deepEqual(group('g', 'x'.repeat(769)), { skip: 'SchemaViolation', detail: 'displayName' });
    const shown = group('g', ' ');
    assert.equal('resource' in shown && shown.resource.displayName, 'g');
  });
});
