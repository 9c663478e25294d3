import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePath } from '#core/filter.ts';
import { managedPart, outgoingForm } from '#core/outgoing.ts';
import { applyMapping, type Fields, type MappingRule, readAt, writeAt } from '#core/target-mapping.ts';

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const rule = (given: Partial<MappingRule> & { to: string }): MappingRule => ({
  when: 'always',
  required: false,
  ...given,
});

describe('attribute mapping', () => {
  it('reads the primary value of a list, or the one that a filter names', () => {
    const user = {
      emails: [
        { value: 'a', type: 'home' },
        { value: 'b', type: 'work', primary: true },
      ],
      [ENTERPRISE]: { department: 'D' },
    };
    assert.equal(readAt(user, parsePath('emails.value')), 'b');
    assert.equal(readAt(user, parsePath('emails[type eq "home"].value')), 'a');
    assert.equal(readAt(user, parsePath(`${ENTERPRISE}:department`)), 'D');
    assert.equal(readAt(user, parsePath('phoneNumbers.value')), undefined);
  });

  it('writes what it reads back, at every kind of path, and takes it away again', () => {
    for (const path of ['title', 'name.givenName', 'emails[type eq "work"].value', `${ENTERPRISE}:department`]) {
      const resource: Fields = {};
      writeAt(resource, parsePath(path), 'x');
      assert.equal(readAt(resource, parsePath(path)), 'x', path);
      if (path.startsWith('emails')) assert.deepEqual(resource, { emails: [{ type: 'work', value: 'x' }] });
      writeAt(resource, parsePath(path), undefined);
      if (!path.startsWith('emails')) assert.deepEqual(resource, {}, path);
    }
  });

  it('takes constants, paths and templates, and tells of what is required and empty', () => {
    const rules = [
      rule({ to: 'a', value: true }),
      rule({ to: 'b', from: 'userName' }),
      rule({ to: 'c', template: '{userName|upper}-{missing}!' }),
      rule({ to: 'd', template: '{missing}', required: true }),
      rule({ to: 'e', from: 'userName', when: 'create' }),
      rule({ to: 'userName' }),
    ];
    const target: Fields = { userName: 'ada', e: 'stays' };
    const missing = applyMapping(rules, { userName: 'ada' }, target, 'update');
    assert.deepEqual([target, missing], [{ a: true, b: 'ada', c: 'ADA-!', e: 'stays' }, ['d']]);
  });

  it('sends nothing of ours, and leaves the document as it was', () => {
    const document = {
      schemas: ['x'],
      userName: 'ada',
      password: 'p',
      groups: [],
      [ENTERPRISE]: { manager: { value: 'ours' } },
    };
    const before = structuredClone(document);
    const policy = { mapping: { User: [], Group: [] }, exclude: [], singleValued: [], externalId: 'id' as const };
    const { payload } = outgoingForm({ id: 'the-id', type: 'User', document }, policy, undefined, 'create');
    assert.deepEqual(payload, {
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'ada',
      externalId: 'the-id',
    });
    assert.deepEqual(document, before);
  });

  it('takes for the id of a manager the one that the target knows, in rules as well, or none', () => {
    const to = `${ENTERPRISE}:manager`;
    const document = { userName: 'ada', [ENTERPRISE]: { manager: { value: 'ours', $ref: '../Users/ours' } } };
    const rules = [rule({ to, from: `${to}.value` }), rule({ to: 'title', template: `{${to}.$ref}` })];
    const policy = { mapping: { User: rules, Group: [] }, exclude: [], singleValued: [], externalId: 'id' as const };
    const sent = (managerThere: string | undefined): Fields =>
      outgoingForm({ id: 'the-id', type: 'User', document }, policy, managerThere, 'update').payload;
    const { schemas: _schemas, ...known } = sent('theirs');
    assert.deepEqual(known, { userName: 'ada', externalId: 'the-id', [ENTERPRISE]: { manager: 'theirs' } });
    assert.equal(JSON.stringify(sent(undefined)).includes('ours'), false);
  });

  it('compares what a target has by what is managed: lists as sets, booleans as text', () => {
    const ours = { active: true, title: 'T', emails: [{ value: 'a' }, { value: 'b' }] };
    const theirs = {
      id: 1,
      active: 'True',
      title: 't',
      emails: [{ value: 'b', display: 'B' }, { value: 'a' }],
      other: 1,
    };
    assert.deepEqual(managedPart(ours, theirs), { active: true, title: 't', emails: ours.emails });
  });
});
